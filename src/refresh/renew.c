/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One call is one attempt at most: the stored response is verified, the sources are searched, and what was found is
 * published, counted, logged and shared. A failed attempt changes the note alone, never the record.
 */
#include "renew.h"

#include "attempt.h"
#include "hedge.h"
#include "log.h"
#include "sources.h"
#include "stored.h"
#include "server/module.h"
#include "server/stats.h"

#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

#define FOLDER_PAUSE apr_time_from_sec(300) /* the refresher notices earlier when the folder changes */

/* ---- the stored response ---- */

/* Begin with what memory or the file hold. Sets job->own.note.due to the time of the next query. What is not usable by
 * this server's clock is read again in each attempt: when the clock is set right, it is stapled. */
static void begin_with_stored(oc_job_t *job, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    int is_first = job->own.note.verdict == OC_PENDING;
    oc_note_t *note = &job->own.note;
    oc_record_t record;
    oc_stored_t stored = oc_stored_read(job, &record, is_first ? note : NULL, pool);

    job->own.has_read_stored = stored != OC_STORED_UNKNOWN && stored != OC_STORED_IDLE;
    if (stored == OC_STORED_IDLE)
        job->own.usable_from = record.usable_from; /* for the log */
    if (stored == OC_STORED_DROPPED)
        memset(note, 0, sizeof(*note));
    if (stored != OC_STORED_VALID || oc_verdict_class(record.verdict) != OC_CLASS_TRUTH)
        return;

    oc_job_hold(job, &record);
    if (note->failures > 0)
        oc_log_mark_logged(job, note->verdict); /* by the child that led before */
    job->logged.revoked = record.verdict == OC_REVOKED;
    if (note->verdict == OC_PENDING) { /* from the file, which has no notes */
        note->verdict = record.verdict;
        note->due = oc_schedule_success(record.fetched_at, record.this_update, record.usable_until,
                                        &managed->settings.bounds, oc_job_random());
        oc_stored_put(job, NULL, pool);
    }
    ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, managed->server, "%s: the stored response is %s until %s; next query %s",
                 managed->label, oc_verdict_name(record.verdict), oc_log_date(record.usable_until, pool),
                 oc_log_date(note->due, pool));
}

/* The due time may come from another process, or from before the clock was set back. What replaces it is stored, or
 * each short-lived leader would wait in full again. A response held that is now from the future counts as none. */
static void bound_due(oc_job_t *job, apr_pool_t *pool)
{
    apr_time_t due = oc_job_bound(job, job->own.note.due, apr_time_now());
    int is_too_far = due < job->own.note.due;

    job->own.note.due = due;
    if (is_too_far)
        oc_stored_put(job, NULL, pool);
}

/* ---- what follows from an attempt ---- */

/* While nothing valid is held, the pause begins with the exchange: one that hung until its deadline counts as the
 * pause. */
static apr_time_t begin_of_pause(const oc_job_t *job, const oc_attempt_t *attempt, apr_time_t now)
{
    int is_urgent = attempt->verdict == OC_TIMED_OUT && !oc_job_is_covered(job, now);

    return is_urgent && attempt->elapsed > 0 ? now - attempt->elapsed : now;
}

static void note_failure(oc_job_t *job, const oc_attempt_t *attempt, apr_time_t now)
{
    apr_time_t usable_until = oc_job_is_covered(job, now) ? job->own.usable_until : 0, due;

    job->own.note.failures++;
    job->own.note.verdict = attempt->verdict;
    due = oc_schedule_failure(begin_of_pause(job, attempt, now), usable_until, job->own.note.failures,
                              attempt->fetched.retry_after, &job->managed->settings.bounds, oc_job_random());
    job->own.note.due = due > now ? due : now;
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
    job->own.note.due =
        oc_schedule_hint(job->own.note.due, now, attempt->verified.this_update, attempt->verified.usable_until,
                         attempt->fetched.max_age, &job->managed->settings.bounds, oc_job_random());
}

/* @param record out; of a valid response that is held from here on */
static void publish(oc_job_t *job, oc_attempt_t *attempt, oc_record_t *record, apr_pool_t *pool)
{
    int is_truth = oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH;
    apr_time_t now = apr_time_now();
    int has_record = oc_attempt_record(attempt, job->managed, now, record);
    unsigned failures = job->own.note.failures;
    apr_status_t rv;

    if (is_truth)
        note_success(job, attempt, now);
    else
        note_failure(job, attempt, now);
    rv = oc_stored_put(job, has_record ? record : NULL, pool);

    if (is_truth && rv == APR_SUCCESS) {
        job->own.has_read_stored = 1;
        oc_job_hold(job, record);
        oc_hedge_call_off(job);
    }
    else if (is_truth) { /* the one held is newer, or there is no room: either way this one is not stapled */
        attempt->verdict = rv == APR_EEXIST ? OC_SUPERSEDED : rv == APR_ENOSPC ? OC_CACHE_FULL : OC_OUT_OF_RESOURCES;
        job->own.note.failures = failures; /* this is one more */
        note_failure(job, attempt, now);
        oc_stored_put(job, NULL, pool);
    }
}

/* The responder does not answer, and the shared store lacks the response that this server holds: others may need it. */
static void share_held(oc_job_t *job, const atomic_int *stop, apr_pool_t *pool)
{
    oc_record_t record;

    if (job->own.peers.is_lacking && oc_job_is_covered(job, apr_time_now())
        && oc_stored_read(job, &record, NULL, pool) == OC_STORED_VALID
        && oc_verdict_class(record.verdict) == OC_CLASS_TRUTH && record.origin != OC_ORIGIN_FILE)
        oc_peers_share(&job->own.peers, job->managed, &record, stop, pool);
}

/* Last: the store may be slow, and a child that is killed meanwhile has logged what it stored. */
static void share(oc_job_t *job, const oc_attempt_t *attempt, const oc_record_t *record, const atomic_int *stop,
                  apr_pool_t *pool)
{
    if (oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH)
        oc_peers_share(&job->own.peers, job->managed, record, stop, pool);
    else
        share_held(job, stop, pool);
}

void oc_renew(oc_job_t *job, const atomic_int *stop, apr_pool_t *pool)
{
    oc_log_before_t before;
    oc_attempt_t attempt;
    oc_record_t record;
    apr_time_t began;

    if (!job->own.has_read_stored) {
        begin_with_stored(job, pool);
        if (job->own.note.verdict != OC_PENDING)
            oc_stats_enter(job->ordinal, job->managed->cert, &job->own.note, 0, job->managed->server);
    }
    bound_due(job, pool);
    job->own.peers.wake = 0; /* set by the search, where it looks there */
    before = oc_log_before(job);
    began = apr_time_now();
    if (oc_sources_search(job, &attempt, stop, pool) == OC_FOUND_ANSWER) {
        publish(job, &attempt, &record, pool);
        if (attempt.verdict != OC_CERTIFICATE_EXPIRED) /* nothing was sent */
            oc_stats_exchange(attempt.origin, attempt.verdict, attempt.elapsed);
        oc_stats_enter(job->ordinal, job->managed->cert, &job->own.note, apr_time_now(), job->managed->server);
        if (oc_verdict_class(attempt.verdict) == OC_CLASS_TRUTH)
            oc_log_truth(job, &attempt, &before, pool);
        else
            oc_log_failure(job, &attempt, pool);
        if (attempt.origin == OC_ORIGIN_RESPONDER)
            share(job, &attempt, &record, stop, pool);
    }
    job->own.wake = job->own.peers.wake > job->own.note.due ? job->own.peers.wake : job->own.note.due;
    if (oc_settings_global()->response_folder && job->own.wake > apr_time_now() + FOLDER_PAUSE)
        job->own.wake = apr_time_now() + FOLDER_PAUSE;
    if (!job->managed->url
        && job->own.wake <= began) /* no responder, and no file yet; what became due meanwhile stays due */
        job->own.wake = apr_time_now() + FOLDER_PAUSE;
}
