/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_renew: the refresher's work on one certificate: look at the response that is kept, ask the responder, verify, publish, decide
 * when to ask next, and say what changed. Runs in the workers's threads, in an unprivileged child.
 */
#ifndef OC_REFRESH_RENEW_H
#define OC_REFRESH_RENEW_H

#include "job.h"

/** Do what is due for @a job; afterwards job->wake says when it wants to be called again. Logs changes, nothing else. */
void oc_renew(oc_job_t *job, const atomic_int *stop, apr_pool_t *pool);

#endif
