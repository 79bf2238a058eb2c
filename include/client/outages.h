/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which responders of clients do not answer, in the child that leads. While one does not, one query at a time finds out
 * whether it does again, and all others are given up at once, so that no client waits for them. Worker threads call
 * this; it is atomic, without a lock.
 */
#ifndef OC_CLIENT_OUTAGES_H
#define OC_CLIENT_OUTAGES_H

#include "base/verdict.h"

#include <apr_pools.h>
#include <stdint.h>

#define OC_CLIENT_OUTAGES 64u /* responders that can be remembered; any others are queried for each client */

typedef struct oc_client_outages_t oc_client_outages_t;

/** A query between begin and end. */
typedef struct {
    uint64_t who;         /* the responder */
    uint64_t n_ended;     /* its outages that were over when the query began */
    int is_probe;         /* it alone finds out whether the responder answers again */
    oc_verdict_t failing; /* how the responder fails; OC_PENDING: it answers */
} oc_client_trial_t;

/** None of them fails. Lives as long as @a pool. */
oc_client_outages_t *oc_client_outages_create(apr_pool_t *pool);

/**
 * Before a query.
 * @param name of the responder, any text: nothing that is known of one concerns another
 * @return 1: send it, and call oc_client_outages_end() when it has ended, however it ends. 0: give it up with the
 *   verdict trial->failing; nothing has been learned from it, and there is no end to report.
 */
int oc_client_outages_begin(oc_client_outages_t *outages, const char *name, oc_client_trial_t *trial);

/**
 * After a query. A failure begins an outage, unless one has ended while the query was under way: the responder has
 * answered since.
 * @param http_status of the answer; 0: there was none
 * @return 1: it is news, worth a line in the log: the first failure, or the first valid response after it
 */
int oc_client_outages_end(oc_client_outages_t *outages, const oc_client_trial_t *trial, oc_verdict_t verdict,
                          int http_status);

#endif
