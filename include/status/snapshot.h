/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_snapshot: the certificates and the server's numbers as they stand at this moment, for whoever shows them: mod_status' block and the
 * status page. Any thread of any child; it waits for nobody.
 */
#ifndef OC_STATUS_SNAPSHOT_H
#define OC_STATUS_SNAPSHOT_H

#include "cache/shm.h"
#include "server/managed.h"
#include "state/counters.h"
#include "view/view.h"

/** What a certificate looks like now. @param ordinal its place in oc_managed_all(). Strings live as long as @a pool and pconf. */
void oc_snapshot_take(oc_view_t *view, const oc_managed_t *managed, unsigned ordinal, apr_time_t now, apr_pool_t *pool);

/** Have the refreshing child ask for certificate @a ordinal again, now, whatever its schedule says; it may take a moment until it does.
 *  @return APR_SUCCESS; APR_EAGAIN: that was wished less than OC_REFRESH_FLAGS_PAUSE ago; APR_ENOTIMPL: there is nobody to ask and no
 *   folder to look into; APR_EINVAL: no such certificate; APR_ENOMEM: this server had no memory for that (logged at its start) */
apr_status_t oc_snapshot_recall(unsigned ordinal, apr_time_t now);

typedef struct {
    oc_counters_totals_t counters; /* since the server was started */
    oc_shm_stats_t cache;
    const char *path; /* of the cache's file; NULL: in memory only */
} oc_snapshot_totals_t;

/** @return 1; 0: nothing is stapled by this configuration, totals are all 0 */
int oc_snapshot_totals(oc_snapshot_totals_t *totals);

#endif
