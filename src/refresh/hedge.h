/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A second exchange in parallel with one that hangs, while no valid response is stored for the certificate. Each
 * exchange is hedged once, so there are at most twice as many requests, and at most two at a time for a certificate. A
 * hedge is a task of the responder's group, so it counts against the limits of OCSPCacheWorkers. Its response goes to
 * the job's thread, which judges and publishes it like its own.
 */
#ifndef OC_REFRESH_HEDGE_H
#define OC_REFRESH_HEDGE_H

#include "job.h"

/** The job's thread: a valid response is stored, so that no hedge is needed. */
void oc_hedge_call_off(oc_job_t *job);

/** The thread that leads: submit a hedge for each exchange that hangs. Under the workers' lock. */
void oc_hedges_submit(oc_workers_t *workers, oc_job_t *jobs, unsigned n_jobs);

/** A worker's thread: run the exchange. */
void oc_hedge_run(oc_hedge_t *hedge, const atomic_int *stop, apr_pool_t *pool);

#endif
