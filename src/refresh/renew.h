/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The refresher's work on one certificate: verify the stored response, query the sources, verify and publish the
 * result, set the next due time, and log what changed. Runs in the workers' threads, in an unprivileged child.
 */
#ifndef OC_REFRESH_RENEW_H
#define OC_REFRESH_RENEW_H

#include "job.h"

/** Do what is due for @a job. Sets job->own.wake to the time of the next call. Logs changes only. */
void oc_renew(oc_job_t *job, const atomic_int *stop, apr_pool_t *pool);

#endif
