/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_renew: see oc_renew.h.
 */
#include "renew.h"

#include "attempt.h"
#include "log.h"
#include "server/module.h"
#include "server/staples.h"
#include "server/stats.h"

#include <apr_strings.h>
#include <http_log.h>
#include <stdlib.h>

APLOG_USE_MODULE(ocsp_cache);

#define INBOX_PAUSE apr_time_from_sec(300) /* the refresher notices earlier when the folder changes */

static uint32_t random_number(void)
{
    uint32_t number = 0;

    (void)apr_generate_random_bytes((unsigned char *)&number, sizeof(number)); /* 0 only costs the jitter */
    return number;
}

/* A true response is held from now on. */
static void hold(oc_job_t *job, const oc_record_t *record)
{
    job->usable_until = record->usable_until;
    job->validity = record->usable_until - record->fetched_at;
    oc_peers_hold(&job->peers, record);
    job->has_warned = job->has_told_end = 0;
    memset(job->told, 0, sizeof(job->told));
}

/* ---- what is kept from before ---- */

/* Is the record still true, by today's rules and clock? The file and the arena are only as trustworthy as every child that
 * ever wrote to them. Its usable time may have become shorter, with a changed configuration for instance: then it is
 * shortened. */
static int is_still_true(const oc_job_t *job, oc_record_t *record, apr_time_t now, apr_pool_t *pool)
{
    const oc_cert_t *cert = job->managed->cert;
    oc_verify_policy_t policy = oc_attempt_policy(&job->managed->settings, now);
    oc_verify_subject_t subject;
    oc_verify_result_t result;

    if (memcmp(record->binding, cert->binding, sizeof(cert->binding)) != 0
        || oc_cert_subject(cert, &subject, pool) != APR_SUCCESS)
        return 0;
    oc_verify_response(record->der, record->der_len, &subject, &policy, &result);
    if (result.verdict != record->verdict) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, job->managed->server,
                     "%s: the response kept from before is dropped: %s%s%s. A new one is fetched", job->managed->label,
                     oc_verdict_text(result.verdict), *result.detail ? ": " : "", result.detail);
        return 0;
    }
    if (record->usable_until > result.usable_until) {
        record->usable_until = result.usable_until;
        oc_staples_put(cert, record, &job->note, now, job->managed->server, pool);
    }
    return 1;
}

/* Begin with what memory or file hold: job->note.due then says whether the responder has to be asked at once. */
static void look_at_kept(oc_job_t *job, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    apr_time_t now = apr_time_now();
    oc_record_t record;
    apr_status_t rv = oc_staples_get(managed->cert, &record, &job->note, pool);

    job->has_looked = 1;
    job->note.due = oc_schedule_clamp(job->note.due, now, &managed->settings.bounds);
    if (rv == APR_EGENERAL)
        oc_staples_remove(managed->cert, managed->server);
    if (rv != APR_SUCCESS || record.usable_until <= now || oc_verdict_class(record.verdict) != OC_CLASS_TRUTH)
        return;
    if (!is_still_true(job, &record, now, pool)) {
        oc_staples_remove(managed->cert, managed->server);
        memset(&job->note, 0, sizeof(job->note));
        return;
    }

    hold(job, &record);
    if (job->note.failures > 0)
        oc_log_is_told(job, job->note.verdict); /* by who led before */
    job->has_told_revoked = record.verdict == OC_REVOKED;
    if (job->note.verdict == OC_PENDING) { /* from the file, which keeps no notes */
        job->note.verdict = record.verdict;
        job->note.due = oc_schedule_success(record.fetched_at, record.this_update, record.usable_until,
                                            &managed->settings.bounds, random_number());
        job->note.due = oc_schedule_clamp(job->note.due, now, &managed->settings.bounds);
        oc_staples_put(managed->cert, NULL, &job->note, now, managed->server, pool);
    }
    ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, managed->server, "%s: kept response is %s until %s; next request %s",
                 managed->label, oc_verdict_name(record.verdict), oc_log_date(record.usable_until, pool),
                 oc_log_date(job->note.due, pool));
}

/* ---- asking ---- */

static void ask_responder(const oc_job_t *job, const atomic_int *stop, oc_attempt_t *attempt, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    oc_fetch_request_t request = {.url = managed->url,
                                  .proxy = managed->proxy,
                                  .timeout = managed->settings.timeout,
                                  .stop = stop,
                                  .keepalive = job->keepalive,
                                  .by_post = atomic_load(&job->responder->wants_post)};

    attempt->origin = OC_ORIGIN_RESPONDER;
    attempt->source = apr_pstrcat(pool, "responder ", managed->url, managed->proxy ? " through the proxy " : "",
                                  managed->proxy ? managed->proxy_host : "", NULL);
    attempt->verdict = OC_OUT_OF_RESOURCES;
    if (oc_cert_request(managed->cert, oc_settings_global()->certid_hash, &request.der, &request.der_len, pool)
        != APR_SUCCESS)
        return;
    attempt->verdict = oc_fetch(&request, &attempt->fetched, pool);
    attempt->elapsed = attempt->fetched.elapsed;
    if (attempt->verdict != OC_PENDING)
        return;
    oc_attempt_judge(attempt, managed, pool);
    if (attempt->fetched.get_failed && oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH)
        atomic_store(&job->responder->wants_post, 1);
}

/* Look into OCSPCacheResponseFolder. @return APR_SUCCESS: there is an attempt. APR_EEXIST: nothing new. APR_ENOENT: there is no
 * file, and the responder may be asked; a certificate that has a file is its writer's business. */
static apr_status_t look_into_inbox(oc_job_t *job, oc_attempt_t *attempt, apr_pool_t *pool)
{
    const char *folder = oc_settings_global()->response_folder, *path = NULL;
    apr_status_t rv = APR_ENOENT;

    if (folder)
        rv = oc_response_folder_read(folder, job->managed->cert->serial, OC_RESPONSE_MAX, &job->seen, &path,
                                     &attempt->fetched.der, &attempt->fetched.der_len, pool);
    if (folder) {
        attempt->source = apr_pstrcat(pool, "file ", path, NULL);
        attempt->origin = OC_ORIGIN_FILE;
    }
    if (rv == APR_ENOENT)
        memset(&job->seen, 0, sizeof(job->seen)); /* should it come back, it is judged anew */
    if (rv == APR_ENOENT || rv == APR_EEXIST)
        return rv;
    if (rv == APR_SUCCESS && attempt->fetched.der_len > OC_RESPONSE_MAX) {
        attempt->verdict = OC_TOO_LARGE; /* and not read to its end */
        return rv;
    }
    if (rv == APR_SUCCESS) {
        oc_attempt_judge(attempt, job->managed, pool);
        return rv;
    }
    attempt->verdict = OC_FILE_UNREADABLE;
    apr_strerror(rv, attempt->fetched.detail, sizeof(attempt->fetched.detail));
    return APR_SUCCESS;
}

/* The response held is older, but for this one the time to ask has come as well: it will do until the responder has answered. */
static void hold_meanwhile(oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    apr_time_t now = apr_time_now();
    oc_record_t record;

    if (!oc_attempt_record(attempt, managed, now, &record)
        || oc_staples_put(managed->cert, &record, &job->note, now, managed->server, pool) != APR_SUCCESS)
        return;
    hold(job, &record);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, managed->server,
                 "%s: the %s has one that is %s until %s: stapled while the responder is asked for a newer one",
                 managed->label, attempt->source, oc_verdict_name(attempt->verdict),
                 oc_log_date(record.usable_until, pool));
}

/* As oc_peers_ask(), unless somebody wants the responder to be asked. */
static apr_status_t ask_siblings(oc_job_t *job, const atomic_int *stop, oc_attempt_t *attempt, apr_pool_t *pool)
{
    apr_status_t rv;

    if (job->is_forced)
        return APR_NOTFOUND;
    rv = oc_peers_ask(&job->peers, job->managed, random_number(), attempt, stop, pool);
    if (rv == APR_INCOMPLETE) {
        hold_meanwhile(job, attempt, pool);
        rv = oc_peers_ask(&job->peers, job->managed, random_number(), attempt, stop, pool);
    }
    return rv;
}

/* The responder does not answer, and the store lost or never had what this server holds: others may be in need of it. */
static void tell_held(oc_job_t *job, const atomic_int *stop, apr_pool_t *pool)
{
    oc_record_t record;

    if (job->peers.is_lacking && job->usable_until > apr_time_now()
        && oc_staples_get(job->managed->cert, &record, NULL, pool) == APR_SUCCESS
        && oc_verdict_class(record.verdict) == OC_CLASS_TRUTH && record.origin != OC_ORIGIN_FILE)
        oc_peers_tell(&job->peers, job->managed, &record, stop, pool);
}

/* Is the next request not due yet? One that lies further ahead than any pause is long was decided by a clock that has been set back
 * since. */
static int is_early(const oc_job_t *job, apr_time_t now)
{
    const oc_schedule_bounds_t *bounds = &job->managed->settings.bounds;
    apr_interval_time_t longest = bounds->max > bounds->retry_max ? bounds->max : bounds->retry_max;

    return job->note.due > now && job->note.due - now <= longest;
}

/* What ocsp-cachectl brought, once. A response that is refused leaves a line, and nothing else: it was nobody's answer. */
static int take_import(oc_job_t *job, oc_attempt_t *attempt, apr_pool_t *pool)
{
    oc_brought_t *import = job->import;

    job->import = NULL;
    attempt->origin = OC_ORIGIN_FILE;
    attempt->source = "response that ocsp-cachectl imported";
    attempt->fetched.der = apr_pmemdup(pool, import->der, import->len);
    attempt->fetched.der_len = import->len;
    free(import);
    oc_attempt_judge(attempt, job->managed, pool);
    if (oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH)
        return 1;
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, job->managed->server, "%s: the %s is refused: %s%s%s",
                 job->managed->label, attempt->source, oc_verdict_text(attempt->verdict), *attempt->detail ? ": " : "",
                 attempt->detail);
    return 0;
}

/* Get an answer from where there may be one. @return 0: there is none to get now. */
static int ask(oc_job_t *job, const atomic_int *stop, oc_attempt_t *attempt, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    apr_time_t now = apr_time_now();
    apr_status_t rv;

    oc_attempt_begin(attempt);
    if (job->import && take_import(job, attempt, pool))
        return 1;
    oc_attempt_begin(attempt);
    if (job->is_forced)
        memset(&job->seen, 0, sizeof(job->seen)); /* a file is read again */
    rv = look_into_inbox(job, attempt, pool);
    if (rv == APR_SUCCESS)
        return 1;
    if (is_early(job, now) && !(job->is_forced && managed->url))
        return 0; /* called because the folder changed, or to look at what was kept */
    if (rv == APR_EEXIST
        || !managed->url) { /* the file's time has come, and it is still as bad as it was, or still the same */
        attempt->verdict = rv == APR_EEXIST && job->note.failures > 0 ? job->note.verdict : OC_FILE_NOT_RENEWED;
        return rv == APR_EEXIST || job->usable_until > 0; /* that there never was a file has been said */
    }
    if (managed->cert->not_after <= now) { /* no responder could say anything that may be stapled */
        attempt->source = "not asked";
        attempt->verdict = OC_CERTIFICATE_EXPIRED;
        return 1;
    }
    rv = ask_siblings(job, stop, attempt, pool);
    if (rv == APR_SUCCESS || rv == APR_EAGAIN)
        return rv == APR_SUCCESS;
    oc_attempt_begin(attempt);
    ask_responder(job, stop, attempt, pool);
    return attempt->verdict != OC_STOPPED;
}

/* ---- what follows from it ---- */

static void note_failure(oc_job_t *job, const oc_attempt_t *attempt, apr_time_t now)
{
    job->note.failures++;
    job->note.verdict = attempt->verdict;
    job->note.due = oc_schedule_failure(now, job->usable_until, job->note.failures, attempt->fetched.retry_after,
                                        &job->managed->settings.bounds, random_number());
}

static void note_success(oc_job_t *job, const oc_attempt_t *attempt, apr_time_t now)
{
    job->note.failures = 0;
    job->note.verdict = attempt->verdict;
    job->note.due = attempt->due;
    if (attempt->due > 0)
        return;
    job->note.due = oc_schedule_success(now, attempt->verified.this_update, attempt->verified.usable_until,
                                        &job->managed->settings.bounds, random_number());
    job->note.due = oc_schedule_hint(job->note.due, now, attempt->verified.usable_until, attempt->fetched.max_age,
                                     &job->managed->settings.bounds);
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
    rv = oc_staples_put(managed->cert, has_record ? &record : NULL, &job->note, now, managed->server, pool);

    if (is_truth && rv == APR_SUCCESS) {
        hold(job, &record);
        if (attempt->origin == OC_ORIGIN_RESPONDER)
            oc_peers_tell(&job->peers, managed, &record, stop, pool);
    }
    else if (is_truth) { /* the one held is newer, or there is no room: either way this one is not stapled */
        attempt->verdict = rv == APR_EEXIST ? OC_SUPERSEDED : rv == APR_ENOSPC ? OC_CACHE_FULL : OC_OUT_OF_RESOURCES;
        note_failure(job, attempt, now);
        oc_staples_put(managed->cert, NULL, &job->note, now, managed->server, pool);
    }
}

void oc_renew(oc_job_t *job, const atomic_int *stop, apr_pool_t *pool)
{
    oc_log_before_t before;
    oc_attempt_t attempt;
    apr_time_t began;

    if (!job->has_looked) {
        look_at_kept(job, pool);
        if (job->note.verdict != OC_PENDING)
            oc_stats_enter(job->ordinal, job->managed->cert, &job->note, 0, job->managed->server);
    }
    before = oc_log_before(job);
    began = apr_time_now();
    if (ask(job, stop, &attempt, pool)) {
        publish(job, &attempt, stop, pool);
        oc_stats_exchange(attempt.origin, attempt.verdict, attempt.elapsed);
        oc_stats_enter(job->ordinal, job->managed->cert, &job->note, apr_time_now(), job->managed->server);
        if (oc_verdict_class(attempt.verdict) == OC_CLASS_TRUTH)
            oc_log_truth(job, &attempt, &before, pool);
        else
            oc_log_failure(job, &attempt, pool);
        if (attempt.origin == OC_ORIGIN_RESPONDER && oc_verdict_class(attempt.verdict) != OC_CLASS_TRUTH)
            tell_held(job, stop, pool);
    }
    job->wake = job->peers.wake > job->note.due ? job->peers.wake : job->note.due;
    if (oc_settings_global()->response_folder && job->wake > apr_time_now() + INBOX_PAUSE)
        job->wake = apr_time_now() + INBOX_PAUSE;
    if (!job->managed->url && job->wake <= began) /* nobody to ask, no file yet; what became due meanwhile is due */
        job->wake = apr_time_now() + INBOX_PAUSE;
}
