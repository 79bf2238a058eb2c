/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * "Refresh this certificate now", from any child (the status page) to the one child that refreshes; and, the other way
 * round, when that child's last attempt ended.
 *
 * Two words per certificate in anonymous shared memory, by its ordinal in oc_managed_all(), made by the parent for one
 * generation. No lock.
 */
#ifndef OC_STATE_REFRESH_FLAGS_H
#define OC_STATE_REFRESH_FLAGS_H

#include <apr_pools.h>
#include <apr_time.h>
#include <stdint.h>

typedef struct oc_refresh_flags_t oc_refresh_flags_t;

/** How long a certificate may not be recalled again, to spare its responder. */
#define OC_REFRESH_FLAGS_PAUSE apr_time_from_sec(10)

/** For @a n certificates. Lives as long as @a pool; inherited through fork. */
apr_status_t oc_refresh_flags_create(oc_refresh_flags_t **recall, unsigned n, apr_pool_t *pool);

/** Have certificate @a ordinal refreshed. Any thread of any child.
 *  @return APR_SUCCESS; APR_EAGAIN: it was recalled less than OC_REFRESH_FLAGS_PAUSE ago; APR_EINVAL: no such
 *  ordinal */
apr_status_t oc_refresh_flags_one(oc_refresh_flags_t *recall, unsigned ordinal, apr_time_t now);

/** The one child that refreshes: has anything been recalled since the last call? @param seen the caller's memory, 0
 *  at first. One load. */
int oc_refresh_flags_has_any(const oc_refresh_flags_t *recall, uint64_t *seen);

/** ... and this one? Takes it off the list. */
int oc_refresh_flags_take(oc_refresh_flags_t *recall, unsigned ordinal);

/** The one child that refreshes: an attempt for certificate @a ordinal ended. */
void oc_refresh_flags_set_attempt(oc_refresh_flags_t *recall, unsigned ordinal, apr_time_t when);

/** When the last attempt ended; 0: none in this generation. Any thread of any child. */
apr_time_t oc_refresh_flags_last_attempt(const oc_refresh_flags_t *recall, unsigned ordinal);

#endif
