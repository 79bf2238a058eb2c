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
 * Query the responder, within one deadline of SSLStaplingResponderTimeout: by GET where the request allows it, and once by POST where
 * the answer to GET is not a valid response for the certificate. A responder that answers POST alone is remembered.
 * @param attempt begun by the caller; OC_STOPPED: the server stops, and there is no attempt
 */
void oc_responder_query(const oc_job_t *job, oc_attempt_t *attempt, const atomic_int *stop, apr_pool_t *pool);

#endif
