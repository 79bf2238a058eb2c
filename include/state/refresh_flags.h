/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Passes "refresh this certificate now" from any child (the status page) to the child that refreshes, and back to all
 * of them the time at which the last attempt ended.
 *
 * Two words per certificate in anonymous shared memory, by its ordinal in oc_managed_all(), made by the parent for one
 * generation. No call takes a lock.
 */
#ifndef OC_STATE_REFRESH_FLAGS_H
#define OC_STATE_REFRESH_FLAGS_H

#include <apr_pools.h>
#include <apr_time.h>
#include <stdint.h>

typedef struct oc_refresh_flags_t oc_refresh_flags_t;

/** The minimum time between two requests for the same certificate, to limit the load on its responder. */
#define OC_REFRESH_FLAGS_PAUSE apr_time_from_sec(10)

/** For @a n certificates. Lives as long as @a pool; inherited through fork. */
apr_status_t oc_refresh_flags_create(oc_refresh_flags_t **flags, unsigned n, apr_pool_t *pool);

/** Have certificate @a ordinal refreshed. Any thread of any child.
 *  @return APR_SUCCESS; APR_EAGAIN: requested less than OC_REFRESH_FLAGS_PAUSE ago; APR_EINVAL: no such ordinal */
apr_status_t oc_refresh_flags_one(oc_refresh_flags_t *flags, unsigned ordinal, apr_time_t now);

/** The one child that refreshes: has a refresh been requested since the last call? @param seen the caller's memory,
 *  0 at first. One load. */
int oc_refresh_flags_has_any(const oc_refresh_flags_t *flags, uint64_t *seen);

/** Has a refresh of this certificate been requested? Clears the request. */
int oc_refresh_flags_take(oc_refresh_flags_t *flags, unsigned ordinal);

/** The one child that refreshes: an attempt for certificate @a ordinal ended. */
void oc_refresh_flags_set_attempt(oc_refresh_flags_t *flags, unsigned ordinal, apr_time_t when);

/** When the last attempt ended; 0: none in this generation. Any thread of any child. */
apr_time_t oc_refresh_flags_last_attempt(const oc_refresh_flags_t *flags, unsigned ordinal);

#endif
