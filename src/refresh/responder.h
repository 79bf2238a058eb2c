/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The query of a certificate's responder, the last source of a response. Called by sources.c in the workers' threads.
 */
#ifndef OC_REFRESH_RESPONDER_H
#define OC_REFRESH_RESPONDER_H

#include "attempt.h"
#include "job.h"

/**
 * Query the responder whose turn it is (oc_job_url): by GET where the request allows it, and once by POST where the
 * answer to GET is not a valid response for the certificate. A responder that answers POST alone is remembered. All
 * URLs of a certificate share one deadline of SSLStaplingResponderTimeout: a query has an equal part of what is left of
 * it.
 * While nothing valid is held, the query may be hedged (hedge.h).
 * @param attempt begun by the caller; OC_STOPPED: there is no attempt, as the server stops, or a hedge has a response
 */
void oc_responder_query(oc_job_t *job, oc_attempt_t *attempt, const atomic_int *stop, apr_pool_t *pool);

/**
 * The same query in another thread, while that one hangs: the URL and the timeout of @a hedge.
 * @param attempt begun by the caller; OC_STOPPED: the server stops, or the hedge is called off
 */
void oc_responder_hedge(oc_hedge_t *hedge, oc_attempt_t *attempt, const atomic_int *stop, apr_pool_t *pool);

/** How the log names a responder of the certificate: the one that is queried in turn number @a turn. */
const char *oc_responder_source(const oc_managed_t *managed, unsigned turn, apr_pool_t *pool);

/** Did the query fail at the level of connections, or with a server error, and is there another URL and time left for
 *  it? Then it is that one's turn. @return 1: the job is to be handed out again, for that responder's share of the
 *  workers; 0: the attempt has ended, which oc_sources_search() notes */
int oc_responder_has_next(oc_job_t *job, const oc_attempt_t *attempt);

#endif
