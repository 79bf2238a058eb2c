/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The certificates and the server's numbers at the time of the call. mod_status' block and the status page read them
 * here, in any thread of any child; nothing here waits.
 */
#ifndef OC_STATUS_SNAPSHOT_H
#define OC_STATUS_SNAPSHOT_H

#include "cache/shm.h"
#include "server/managed.h"
#include "state/counters.h"
#include "view/view.h"

/** How many certificates of stapling hosts there are, with those that mod_ssl never primes. An ordinal is less than
 * this. */
unsigned oc_snapshot_count(void);
const oc_managed_t *oc_snapshot_certificate(unsigned ordinal);

/** The ordinal of the certificate with the fingerprint @a id; -1: there is none. */
int oc_snapshot_find(const unsigned char *id);

/** Fill @a view with certificate @a ordinal. Strings live as long as @a pool and pconf. */
void oc_snapshot_take(oc_view_t *view, unsigned ordinal, apr_time_t now, apr_pool_t *pool);

/** The response that the cache holds for certificate @a ordinal, in @a pool. @return APR_SUCCESS; else there is none */
apr_status_t oc_snapshot_response(unsigned ordinal, const unsigned char **der, apr_size_t *len, apr_pool_t *pool);

/** Request a refresh of certificate @a ordinal from the refreshing child, whatever its schedule; that child may take a
 * moment to see it.
 *  @return APR_SUCCESS; APR_EAGAIN: requested less than OC_REFRESH_FLAGS_PAUSE ago; APR_ENOTIMPL: no responder and no
 * response folder; APR_EINVAL: no such certificate; APR_ENOMEM: this server had no memory for that (logged at its
 * start) */
apr_status_t oc_snapshot_refresh(unsigned ordinal, apr_time_t now);

typedef struct {
    oc_counters_totals_t counters; /* since the server was started */
    oc_shm_stats_t cache;
    const char *path; /* of the cache's file; NULL: in memory only */
} oc_snapshot_totals_t;

/** @return 1; 0: nothing is stapled by this configuration, totals are all 0 */
int oc_snapshot_totals(oc_snapshot_totals_t *totals);

#endif
