/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Any child may have written to the arena and the file. What is read here is not used before oc_record_verify() has
 * accepted it, and the order that the arena compares is calculated again.
 */
#include "stored.h"

#include "attempt.h"
#include "server/module.h"
#include "server/staples.h"

#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

static oc_stored_t drop(const oc_job_t *job, const char *reason, const char *detail)
{
    const oc_managed_t *managed = job->managed;

    oc_staples_remove(managed->cert, managed->server);
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, managed->server, "%s: the stored response is dropped: %s%s%s",
                 managed->label, reason, *detail ? ": " : "", detail);
    return OC_STORED_DROPPED;
}

static oc_stored_t verify(const oc_job_t *job, oc_record_t *record, const oc_note_t *note, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    oc_verify_policy_t policy = oc_attempt_policy(&managed->settings, apr_time_now());
    apr_time_t usable_from = record->usable_from, usable_until = record->usable_until, fetched_at = record->fetched_at;
    oc_verify_result_t result;

    if (!oc_record_is_usable(record, policy.now)) /* it stays: the clock may be set right again */
        return OC_STORED_IDLE;
    if (!oc_record_verify(record, managed->cert, &policy, &result, pool)) {
        if (result.verdict == OC_OUT_OF_RESOURCES)
            return OC_STORED_UNKNOWN;
        return drop(job, oc_verdict_text(result.verdict), result.detail);
    }
    if (record->usable_from != usable_from || record->usable_until != usable_until || record->fetched_at != fetched_at)
        oc_staples_put(managed->cert, record, note, policy.now, managed->server, pool);
    return OC_STORED_VALID;
}

oc_stored_t oc_stored_read(oc_job_t *job, oc_record_t *record, oc_note_t *note, apr_pool_t *pool)
{
    oc_note_t found;
    apr_status_t rv = oc_staples_get(job->managed->cert, record, &found, pool);

    if (note)
        *note = found;
    if (rv == APR_EGENERAL)
        return drop(job, "its order or its expiry differs from the response", "");
    return rv == APR_SUCCESS ? verify(job, record, &found, pool) : OC_STORED_NONE;
}

apr_status_t oc_stored_put(oc_job_t *job, const oc_record_t *record, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    apr_time_t now = apr_time_now();
    apr_status_t rv = oc_staples_put(managed->cert, record, &job->own.note, now, managed->server, pool);
    oc_record_t stored;

    if (rv != APR_EEXIST)
        return rv;
    switch (oc_stored_read(job, &stored, NULL, pool)) {
    case OC_STORED_VALID:
        if (oc_record_order(&stored) > oc_record_order(record))
            return rv;
        break; /* the order in the arena is not that of the record */
    case OC_STORED_UNKNOWN:
        return rv;
    case OC_STORED_IDLE: /* usable later: of more use than an error now, of less than a response that is usable now */
        if (oc_verdict_class(record->verdict) != OC_CLASS_TRUTH)
            return rv;
        break;
    case OC_STORED_NONE:
    case OC_STORED_DROPPED:
        break;
    }
    oc_staples_remove(managed->cert, managed->server);
    return oc_staples_put(managed->cert, record, &job->own.note, now, managed->server, pool);
}
