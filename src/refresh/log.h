/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What an administrator learns of an attempt: the line in the log, and the event for OCSPCacheNotify. Called in the
 * workers' threads, by the one that works on the job.
 */
#ifndef OC_REFRESH_LOG_H
#define OC_REFRESH_LOG_H

#include "attempt.h"
#include "job.h"

/** The state before an attempt. */
typedef struct {
    oc_verdict_t verdict; /* of the previous attempt */
    int was_held;         /* a valid response was held */
    int was_alarmed;      /* an expiry has been reported */
} oc_log_before_t;

oc_log_before_t oc_log_before(const oc_job_t *job);

/** An attempt obtained a valid response, which is stored. */
void oc_log_truth(oc_job_t *job, const oc_attempt_t *attempt, const oc_log_before_t *before, apr_pool_t *pool);

/** A valid response of a peer is stored and held, until the attempt ends. Not counted as the attempt's success. */
void oc_log_meanwhile(oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool);

/** An attempt failed. */
void oc_log_failure(oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool);

/** An attempt failed at one URL; the next one, oc_job_url(), is queried. */
void oc_log_next(oc_job_t *job, const oc_attempt_t *attempt);

/** This kind of failure has been logged by another process. */
void oc_log_mark_logged(oc_job_t *job, oc_verdict_t verdict);

/** In the format of RFC 822. */
const char *oc_log_date(apr_time_t when, apr_pool_t *pool);

#endif
