/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What several units of the workers' threads do with a job. Called by the thread that works on it.
 */
#include "job.h"

#include <apr_general.h>
#include <string.h>

uint32_t oc_job_random(void)
{
    uint32_t number = 0;

    (void)apr_generate_random_bytes((unsigned char *)&number, sizeof(number)); /* 0 only costs the jitter */
    return number;
}

void oc_job_hold(oc_job_t *job, const oc_record_t *record)
{
    job->own.usable_until = record->usable_until;
    job->own.validity = record->usable_until - record->fetched_at;
    oc_peers_hold(&job->own.peers, record);
    job->logged.expiring = job->logged.expired = 0;
    memset(job->logged.failures, 0, sizeof(job->logged.failures));
}
