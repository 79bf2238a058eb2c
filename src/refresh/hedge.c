/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Two threads work for one certificate here. The hedge's thread reads what is set when the child takes the lead, the
 * atomic words of oc_hedge_t, and `hedged`, which was written before the task was submitted. It never touches what
 * belongs to the job's thread (oc_job_own_t), and never publishes.
 *
 * The hedge's thread writes the fields of its answer, then stores the packet. The job's thread takes the packet, then
 * reads the fields, and has no exchange that may be hedged. A hedge begins only during the exchange for which it was
 * submitted, and none is submitted before the packet is taken. So the fields never change during a read.
 */
#include "hedge.h"

#include "attempt.h"
#include "responder.h"
#include "base/deadline.h"
#include "server/module.h"
#include "server/stats.h"

#include <http_log.h>
#include <stdlib.h>

APLOG_USE_MODULE(ocsp_cache);

void oc_hedge_call_off(oc_job_t *job)
{
    atomic_store(&job->hedge.is_called_off, 1);
    free(oc_handover_take(&job->hedge.found));
}

void oc_hedges_submit(oc_workers_t *workers, oc_job_t *jobs, unsigned n_jobs)
{
    apr_time_t now = oc_deadline_now();
    unsigned i;

    if (n_jobs == 0 || atomic_load(jobs[0].n_hedgeable) == 0)
        return;
    for (i = 0; i < n_jobs; i++) {
        oc_hedge_t *hedge = &jobs[i].hedge;
        apr_time_t begun = atomic_load(&hedge->begun);

        if (begun == 0 || begun == hedge->hedged || hedge->task.is_queued || atomic_load(&hedge->found.is_full)
            || now < oc_schedule_hedge(begun, atomic_load(&hedge->timeout)))
            continue;
        hedge->hedged = begun;
        hedge->task.group = jobs[i].responders[atomic_load(&hedge->turn)]->group;
        atomic_store(&hedge->is_called_off, 0);
        oc_workers_submit(workers, &hedge->task);
    }
}

void oc_hedge_run(oc_hedge_t *hedge, const atomic_int *stop, apr_pool_t *pool)
{
    const oc_managed_t *managed = hedge->job->managed;
    oc_attempt_t attempt;

    if (atomic_load(&hedge->begun) != hedge->hedged) /* it waited for a thread, and that exchange has ended */
        return;
    hedge->queried = atomic_load(&hedge->turn);
    oc_attempt_begin(&attempt);
    oc_responder_hedge(hedge, &attempt, stop, pool);
    if (attempt.verdict == OC_STOPPED)
        return;
    ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, managed->server, "%s: %s, queried a second time while it hangs: %s%s%s",
                 managed->label, attempt.source, oc_verdict_text(attempt.verdict), *attempt.detail ? ": " : "",
                 attempt.detail);
    if (oc_verdict_class(attempt.verdict) != OC_CLASS_TRUTH) {
        oc_stats_exchange(attempt.origin, attempt.verdict, attempt.elapsed);
        return;
    }
    hedge->elapsed = attempt.elapsed;
    hedge->max_age = attempt.fetched.max_age;
    if (!atomic_load(&hedge->is_called_off))
        oc_handover_put(&hedge->found, oc_packet_make(attempt.fetched.der, attempt.fetched.der_len));
}
