/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_log: what an administrator hears of an attempt: the line in the log, and the event for OCSPCacheNotify. In the workers's threads, by
 * the one that works on the job.
 */
#ifndef OC_REFRESH_LOG_H
#define OC_REFRESH_LOG_H

#include "attempt.h"
#include "job.h"

/** How things stood before an attempt. */
typedef struct {
    oc_verdict_t verdict; /* of the one before */
    int was_held;         /* something true */
    int was_alarmed;      /* it was told that it runs out, or that nothing is held, or of a revocation */
} oc_log_before_t;

oc_log_before_t oc_log_before(const oc_job_t *job);

/** An attempt brought the truth, and it is held now. */
void oc_log_truth(oc_job_t *job, const oc_attempt_t *attempt, const oc_log_before_t *before, apr_pool_t *pool);

/** An attempt failed. */
void oc_log_failure(oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool);

/** An attempt failed at one URL; the next one, oc_job_url(), is queried. */
void oc_log_next(oc_job_t *job, const oc_attempt_t *attempt);

/** This kind of failure need not be told: another process did. */
void oc_log_is_told(oc_job_t *job, oc_verdict_t verdict);

/** As RFC 822 has it. */
const char *oc_log_date(apr_time_t when, apr_pool_t *pool);

#endif
