/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which failures of a responder have been logged as a warning, kept in oc_responder_t. Several threads may work on
 * certificates of one responder: everything is atomic. Never logs.
 */
#include "outage.h"

#include <apr_strings.h>
#include <string.h>

/* Is it a failure that the other certificates of this responder meet as well? */
static int is_shared(const oc_attempt_t *attempt)
{
    if (attempt->origin != OC_ORIGIN_RESPONDER)
        return 0;
    switch (attempt->verdict) {
    case OC_INTERNAL_ERROR:
    case OC_TRY_LATER:
    case OC_NAME_LOOKUP_FAILED:
    case OC_CONNECT_FAILED:
    case OC_TIMED_OUT:
    case OC_CONNECTION_LOST:
    case OC_HTTP_STATUS:
    case OC_HTTP_REDIRECT:
    case OC_HTTP_MALFORMED:
        return 1;
    default:
        return 0;
    }
}

int oc_outage_is_known(oc_job_t *job, const oc_attempt_t *attempt, oc_outage_stage_t stage)
{
    oc_responder_t *responder = oc_job_responder(job);
    uint64_t bit = UINT64_C(1) << (attempt->verdict % 64);
    unsigned outage;

    if (!is_shared(attempt))
        return 0;
    outage = atomic_load(&responder->n_outages) + 1;
    if (job->logged.outage != outage) {
        job->logged.outage = outage;
        atomic_fetch_add(&responder->n_affected, 1);
    }
    return (atomic_fetch_or(&responder->warned[stage], bit) & bit) != 0;
}

const char *oc_outage_extent(const oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool)
{
    const oc_responder_t *responder = oc_job_responder(job);
    const char *names = responder->names[0];
    unsigned i, shown = 1;

    if (!is_shared(attempt) || responder->n_certificates < 2)
        return "";
    for (i = 1; i < OC_RESPONDER_NAMES && responder->names[i]; i++, shown++)
        names = apr_pstrcat(pool, names, ", ", responder->names[i], NULL);
    if (responder->n_certificates > shown)
        names = apr_psprintf(pool, "%s and %u more", names, responder->n_certificates - shown);
    return apr_psprintf(pool,
                        " %u certificates use this responder (%s): the same failure is logged at level info for "
                        "the others.",
                        responder->n_certificates, names);
}

unsigned oc_outage_end(const oc_job_t *job, const oc_attempt_t *attempt)
{
    oc_responder_t *responder = oc_job_responder(job);
    unsigned n, stage;

    if (attempt->origin != OC_ORIGIN_RESPONDER)
        return 0;
    n = atomic_exchange(&responder->n_affected, 0);
    if (n > 0) {
        atomic_fetch_add(&responder->n_outages, 1);
        for (stage = 0; stage < OC_OUTAGE_STAGES; stage++)
            atomic_store(&responder->warned[stage], 0);
    }
    return n;
}
