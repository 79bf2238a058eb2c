/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which failures of a responder have been logged as a warning, kept in oc_responder_t. Several threads may work on
 * certificates of one responder: everything is atomic. Never logs.
 */
#include "outage.h"

#include <apr_strings.h>
#include <string.h>

/* May the other certificates of this responder meet the same failure? A wrong URL or an expired signer concerns them
 * all as much as a dead port does. */
static int is_shared(const oc_attempt_t *attempt)
{
    return attempt->origin == OC_ORIGIN_RESPONDER && attempt->verdict != OC_CERTIFICATE_EXPIRED
           && attempt->verdict != OC_CACHE_FULL;
}

int oc_outage_is_grouped(const oc_job_t *job, const oc_attempt_t *attempt)
{
    return is_shared(attempt) && oc_job_responder(job)->n_certificates > 1;
}

int oc_outage_is_known(oc_job_t *job, const oc_attempt_t *attempt, oc_outage_stage_t stage)
{
    oc_responder_t *responder = oc_job_responder(job);
    uint64_t bit = UINT64_C(1) << (attempt->verdict % 64);
    unsigned outage;

    if (!is_shared(attempt))
        return 0;
    outage = atomic_load(&responder->n_ended) + 1;
    if (job->logged.affected_by != responder || job->logged.outage != outage) {
        job->logged.affected_by = responder;
        job->logged.outage = outage;
        atomic_fetch_add(&responder->n_affected, 1);
    }
    return (atomic_fetch_or(&responder->warned[stage], bit) & bit) != 0;
}

const char *oc_outage_extent(const oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool)
{
    const oc_responder_t *responder = oc_job_responder(job);
    const char *names = responder->names[0];
    unsigned i;

    if (!oc_outage_is_grouped(job, attempt))
        return "";
    for (i = 1; i < OC_RESPONDER_NAMES && responder->names[i]; i++)
        names = apr_pstrcat(pool, names, ", ", responder->names[i], NULL);
    if (responder->n_certificates > responder->n_named)
        names = apr_psprintf(pool, "%s and %u more", names, responder->n_certificates - responder->n_named);
    return apr_psprintf(pool,
                        " %u certificates use this responder (%s): where others fail in the same way, it is logged at "
                        "level info.",
                        responder->n_certificates, names);
}

/* Any answer ends what has been warned of: the next failure is news, even if one certificate never gets an answer. */
unsigned oc_outage_end(const oc_job_t *job, const oc_attempt_t *attempt)
{
    oc_responder_t *responder = oc_job_responder(job);
    unsigned stage, last = job->logged.outage - 1;

    if (attempt->origin != OC_ORIGIN_RESPONDER)
        return 0;
    for (stage = 0; stage < OC_OUTAGE_STAGES; stage++)
        atomic_store(&responder->warned[stage], 0);
    if (job->logged.affected_by != responder || !atomic_compare_exchange_strong(&responder->n_ended, &last, last + 1))
        return 0; /* this certificate was not affected, or another one has ended the outage */
    return atomic_exchange(&responder->n_affected, 0);
}
