/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_renew: see oc_renew.h.
 */
#include "renew.h"

#include "attempt.h"
#include "log.h"
#include "sources.h"
#include "server/module.h"
#include "server/staples.h"
#include "server/stats.h"

#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

#define FOLDER_PAUSE apr_time_from_sec(300) /* the refresher notices earlier when the folder changes */

/* ---- what is kept from before ---- */

/* Is the record still true, by today's rules and clock? Its usable time may be another, with a changed configuration for instance:
 * then it is stored again. */
static int is_still_true(const oc_job_t *job, oc_record_t *record, apr_time_t now, apr_pool_t *pool)
{
    const oc_cert_t *cert = job->managed->cert;
    oc_verify_policy_t policy = oc_attempt_policy(&job->managed->settings, now);
    apr_time_t usable_until = record->usable_until, fetched_at = record->fetched_at;
    oc_verify_result_t result;

    if (!oc_record_verify(record, cert, &policy, &result, pool)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, job->managed->server,
                     "%s: the response kept from before is dropped: %s%s%s. A new one is fetched", job->managed->label,
                     oc_verdict_text(result.verdict), *result.detail ? ": " : "", result.detail);
        return 0;
    }
    if (record->usable_until != usable_until || record->fetched_at != fetched_at)
        oc_staples_put(cert, record, &job->own.note, now, job->managed->server, pool);
    return 1;
}

/* Begin with what memory or file hold: job->own.note.due then says whether the responder has to be asked at once. */
static void look_at_kept(oc_job_t *job, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    apr_time_t now = apr_time_now();
    oc_record_t record;
    apr_status_t rv = oc_staples_get(managed->cert, &record, &job->own.note, pool);
    apr_time_t due = oc_schedule_clamp(job->own.note.due, now, &managed->settings.bounds);

    job->own.has_read_stored = 1;
    if (due
        < job->own.note.due) { /* the clock was set back: stored, or each short-lived leader would wait in full again */
        job->own.note.due = due;
        if (rv != APR_EGENERAL)
            oc_staples_put(managed->cert, NULL, &job->own.note, now, managed->server, pool);
    }
    job->own.note.due = due;
    if (rv == APR_EGENERAL)
        oc_staples_remove(managed->cert, managed->server);
    if (rv != APR_SUCCESS || record.usable_until <= now || oc_verdict_class(record.verdict) != OC_CLASS_TRUTH)
        return;
    if (!is_still_true(job, &record, now, pool)) {
        oc_staples_remove(managed->cert, managed->server);
        memset(&job->own.note, 0, sizeof(job->own.note));
        return;
    }

    oc_job_hold(job, &record);
    if (job->own.note.failures > 0)
        oc_log_is_told(job, job->own.note.verdict); /* by who led before */
    job->logged.revoked = record.verdict == OC_REVOKED;
    if (job->own.note.verdict == OC_PENDING) { /* from the file, which keeps no notes */
        job->own.note.verdict = record.verdict;
        job->own.note.due = oc_schedule_success(record.fetched_at, record.this_update, record.usable_until,
                                                &managed->settings.bounds, oc_job_random());
        job->own.note.due = oc_schedule_clamp(job->own.note.due, now, &managed->settings.bounds);
        oc_staples_put(managed->cert, NULL, &job->own.note, now, managed->server, pool);
    }
    ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, managed->server, "%s: kept response is %s until %s; next request %s",
                 managed->label, oc_verdict_name(record.verdict), oc_log_date(record.usable_until, pool),
                 oc_log_date(job->own.note.due, pool));
}

/* ---- what follows from it ---- */

static void note_failure(oc_job_t *job, const oc_attempt_t *attempt, apr_time_t now)
{
    job->own.note.failures++;
    job->own.note.verdict = attempt->verdict;
    job->own.note.due =
        oc_schedule_failure(now, job->own.usable_until, job->own.note.failures, attempt->fetched.retry_after,
                            &job->managed->settings.bounds, oc_job_random());
}

static void note_success(oc_job_t *job, const oc_attempt_t *attempt, apr_time_t now)
{
    job->own.note.failures = 0;
    job->own.note.verdict = attempt->verdict;
    job->own.note.due = attempt->due;
    if (attempt->due > 0)
        return;
    job->own.note.due = oc_schedule_success(now, attempt->verified.this_update, attempt->verified.usable_until,
                                            &job->managed->settings.bounds, oc_job_random());
    job->own.note.due = oc_schedule_hint(job->own.note.due, now, attempt->verified.usable_until,
                                         attempt->fetched.max_age, &job->managed->settings.bounds);
}

static void publish(oc_job_t *job, oc_attempt_t *attempt, const atomic_int *stop, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    int is_truth = oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH;
    apr_time_t now = apr_time_now();
    oc_record_t record;
    int has_record = oc_attempt_record(attempt, managed, now, &record);
    apr_status_t rv;

    if (is_truth)
        note_success(job, attempt, now);
    else
        note_failure(job, attempt, now);
    rv = oc_staples_put(managed->cert, has_record ? &record : NULL, &job->own.note, now, managed->server, pool);

    if (is_truth && rv == APR_SUCCESS) {
        oc_job_hold(job, &record);
        if (attempt->origin == OC_ORIGIN_RESPONDER)
            oc_peers_tell(&job->own.peers, managed, &record, stop, pool);
    }
    else if (is_truth) { /* the one held is newer, or there is no room: either way this one is not stapled */
        attempt->verdict = rv == APR_EEXIST ? OC_SUPERSEDED : rv == APR_ENOSPC ? OC_CACHE_FULL : OC_OUT_OF_RESOURCES;
        note_failure(job, attempt, now);
        oc_staples_put(managed->cert, NULL, &job->own.note, now, managed->server, pool);
    }
}

/* The responder does not answer, and the store lost or never had what this server holds: others may be in need of it. */
static void tell_held(oc_job_t *job, const atomic_int *stop, apr_pool_t *pool)
{
    oc_record_t record;

    if (job->own.peers.is_lacking && job->own.usable_until > apr_time_now()
        && oc_staples_get(job->managed->cert, &record, NULL, pool) == APR_SUCCESS
        && oc_verdict_class(record.verdict) == OC_CLASS_TRUTH && record.origin != OC_ORIGIN_FILE)
        oc_peers_tell(&job->own.peers, job->managed, &record, stop, pool);
}

void oc_renew(oc_job_t *job, const atomic_int *stop, apr_pool_t *pool)
{
    oc_log_before_t before;
    oc_attempt_t attempt;
    apr_time_t began;

    if (!job->own.has_read_stored) {
        look_at_kept(job, pool);
        if (job->own.note.verdict != OC_PENDING)
            oc_stats_enter(job->ordinal, job->managed->cert, &job->own.note, 0, job->managed->server);
    }
    before = oc_log_before(job);
    began = apr_time_now();
    if (oc_sources_search(job, &attempt, stop, pool) == OC_FOUND_ANSWER) {
        publish(job, &attempt, stop, pool);
        oc_stats_exchange(attempt.origin, attempt.verdict, attempt.elapsed);
        oc_stats_enter(job->ordinal, job->managed->cert, &job->own.note, apr_time_now(), job->managed->server);
        if (oc_verdict_class(attempt.verdict) == OC_CLASS_TRUTH)
            oc_log_truth(job, &attempt, &before, pool);
        else
            oc_log_failure(job, &attempt, pool);
        if (attempt.origin == OC_ORIGIN_RESPONDER && oc_verdict_class(attempt.verdict) != OC_CLASS_TRUTH)
            tell_held(job, stop, pool);
    }
    job->own.wake = job->own.peers.wake > job->own.note.due ? job->own.peers.wake : job->own.note.due;
    if (oc_settings_global()->response_folder && job->own.wake > apr_time_now() + FOLDER_PAUSE)
        job->own.wake = apr_time_now() + FOLDER_PAUSE;
    if (!job->managed->url && job->own.wake <= began) /* nobody to ask, no file yet; what became due meanwhile is due */
        job->own.wake = apr_time_now() + FOLDER_PAUSE;
}
