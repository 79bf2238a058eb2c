/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The list of sources is at the end of this file. The responses of all of them are verified by the same rules
 * (attempt.h). No source publishes or logs what it found, except a rejected import, a file about another certificate,
 * and a response of a peer that is stapled until the responder has answered.
 */
#include "sources.h"

#include "log.h"
#include "responder.h"
#include "stored.h"
#include "ocsp/about.h"
#include "server/module.h"
#include "server/stats.h"

#include <apr_strings.h>
#include <http_log.h>
#include <stdlib.h>

APLOG_USE_MODULE(ocsp_cache);

typedef struct {
    oc_job_t *job;
    oc_attempt_t *attempt;
    const atomic_int *stop;
    apr_pool_t *pool;
} oc_search_t;

/* ---- what ocsp-cachectl imports ---- */

/* Verified once. A rejected import is logged and does not count as a failed attempt. */
static oc_found_t import(oc_search_t *search)
{
    const oc_managed_t *managed = search->job->managed;
    oc_packet_t *imported = search->job->own.import;
    oc_attempt_t *attempt = search->attempt;

    if (!imported)
        return OC_FOUND_NOTHING;
    search->job->own.import = NULL;
    attempt->origin = OC_ORIGIN_FILE;
    attempt->source = "response that ocsp-cachectl imported";
    attempt->fetched.der = apr_pmemdup(search->pool, imported->bytes, imported->len);
    attempt->fetched.der_len = imported->len;
    free(imported);
    oc_attempt_judge(attempt, managed->cert, &managed->settings, search->pool);
    if (oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH)
        return OC_FOUND_ANSWER;
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, managed->server, "%s: the %s is rejected: %s%s%s", managed->label,
                 attempt->source, oc_verdict_text(attempt->verdict), *attempt->detail ? ": " : "", attempt->detail);
    return OC_FOUND_NOTHING;
}

/* ---- a hedge ---- */

/* The response of a second exchange with the responder. What it lacks is the rest of that exchange's answer. */
static oc_found_t hedge(oc_search_t *search)
{
    oc_job_t *job = search->job;
    oc_packet_t *found = oc_handover_take(&job->hedge.found);
    oc_attempt_t *attempt = search->attempt;

    if (!found)
        return OC_FOUND_NOTHING;
    attempt->origin = OC_ORIGIN_RESPONDER;
    attempt->source = oc_responder_source(job->managed, job->hedge.queried, search->pool);
    attempt->fetched.der = apr_pmemdup(search->pool, found->bytes, found->len);
    attempt->fetched.der_len = found->len;
    attempt->fetched.max_age = job->hedge.max_age;
    attempt->elapsed = job->hedge.elapsed;
    free(found);
    oc_attempt_judge(attempt, job->managed->cert, &job->managed->settings, search->pool);
    return oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH ? OC_FOUND_ANSWER : OC_FOUND_NOTHING;
}

/* ---- OCSPCacheResponseFolder ---- */

/* Is the next query due? */
static int is_due(const oc_job_t *job)
{
    return job->own.turn > 0 || job->own.note.due <= apr_time_now() || (job->own.is_forced && job->managed->url);
}

/* The file is the one verified last, or there is neither a file nor a responder. When a renewal is due, that is a
 * failure. */
static oc_found_t file_not_renewed(oc_search_t *search, int is_there)
{
    const oc_job_t *job = search->job;

    if (!is_due(job) || (!is_there && job->own.usable_until == 0)) /* that there never was one has been logged */
        return OC_FOUND_NOT_NOW;
    search->attempt->verdict = is_there && job->own.note.failures > 0 ? job->own.note.verdict : OC_FILE_NOT_RENEWED;
    return OC_FOUND_ANSWER;
}

/* Is the file about another certificate with the same serial number? Then this certificate's responder is queried. */
static int is_about_another(oc_search_t *search)
{
    const oc_managed_t *managed = search->job->managed;
    const oc_attempt_t *attempt = search->attempt;
    oc_verify_subject_t subject;

    if (!managed->url || oc_cert_subject(managed->cert, &subject, search->pool) != APR_SUCCESS
        || oc_about(attempt->fetched.der, attempt->fetched.der_len, &subject) != OC_ABOUT_ANOTHER
        || !oc_response_folder_disown(&search->job->own.seen))
        return 0;
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, managed->server,
                 "%s: %s is about another certificate and is ignored for this one, whose responder is queried",
                 managed->label, attempt->source);
    return 1;
}

/* The responder of a certificate that has a file there is not queried: the job that writes the file is responsible for
 * it. */
static oc_found_t response_folder(oc_search_t *search)
{
    const char *folder = oc_settings_global()->response_folder;
    oc_attempt_t *attempt = search->attempt;
    oc_job_t *job = search->job;
    oc_response_file_t file = {0};
    apr_status_t rv;

    if (!folder)
        return OC_FOUND_NOTHING;
    if (job->own.is_forced)
        memset(&job->own.seen, 0, sizeof(job->own.seen)); /* a file is read again */
    rv = oc_response_folder_read(folder, job->managed->cert, OC_RESPONSE_MAX, &job->own.seen, &file, search->pool);
    attempt->source = apr_pstrcat(search->pool, "file ", file.path, NULL);
    attempt->origin = OC_ORIGIN_FILE;
    attempt->fetched.der = file.der;
    attempt->fetched.der_len = file.der_len;
    if (rv == APR_EEXIST)
        return file_not_renewed(search, 1);
    if (rv == APR_ENOENT) {
        if (!job->own.seen.is_anothers)
            memset(&job->own.seen, 0, sizeof(job->own.seen)); /* if it returns, it is verified again */
        return job->managed->url ? OC_FOUND_NOTHING : file_not_renewed(search, 0);
    }
    if (rv != APR_SUCCESS) {
        attempt->verdict = OC_FILE_UNREADABLE;
        apr_strerror(rv, attempt->fetched.detail, sizeof(attempt->fetched.detail));
    }
    else if (file.der_len > OC_RESPONSE_MAX)
        attempt->verdict = OC_TOO_LARGE; /* it was not read to its end */
    else if (is_about_another(search))
        return OC_FOUND_NOTHING;
    else
        oc_attempt_judge(attempt, job->managed->cert, &job->managed->settings, search->pool);
    return OC_FOUND_ANSWER;
}

/* ---- before anything is sent ---- */

/* The job may have been handed out because the folder changed, or to verify the stored response. */
static oc_found_t due_time(oc_search_t *search)
{
    return is_due(search->job) ? OC_FOUND_NOTHING : OC_FOUND_NOT_NOW;
}

/* No responder's answer about an expired certificate may be stapled. */
static oc_found_t certificate_time(oc_search_t *search)
{
    if (search->job->managed->cert->not_after > apr_time_now())
        return OC_FOUND_NOTHING;
    search->attempt->source = "no request";
    search->attempt->verdict = OC_CERTIFICATE_EXPIRED;
    return OC_FOUND_ANSWER;
}

/* ---- the other servers of the fleet ---- */

/* The peer's response is newer than the one held, but due for renewal as well: staple it until the responder has
 * answered. */
static void hold_meanwhile(oc_search_t *search)
{
    const oc_attempt_t *attempt = search->attempt;
    oc_job_t *job = search->job;
    const oc_managed_t *managed = job->managed;
    apr_time_t now = apr_time_now();
    oc_record_t record;

    if (!oc_attempt_record(attempt, managed, now, &record) || oc_stored_put(job, &record, search->pool) != APR_SUCCESS)
        return;
    oc_job_hold(job, &record);
    oc_log_meanwhile(job, attempt, search->pool);
}

static apr_status_t query_peers(oc_search_t *search)
{
    return oc_peers_query(&search->job->own.peers, search->job->managed, oc_job_random(), search->attempt, search->stop,
                          search->pool);
}

/* Once in an attempt: the claim that is written then is for all of its URLs. */
static oc_found_t peers(oc_search_t *search)
{
    apr_status_t rv;

    if (search->job->own.is_forced || search->job->own.turn > 0)
        return OC_FOUND_NOTHING;
    rv = query_peers(search);
    if (rv == APR_INCOMPLETE) {
        hold_meanwhile(search);
        rv = query_peers(search);
    }
    if (rv == APR_EAGAIN)
        return OC_FOUND_NOT_NOW;
    return rv == APR_SUCCESS ? OC_FOUND_ANSWER : OC_FOUND_NOTHING;
}

/* ---- the responder ---- */

static oc_found_t responder(oc_search_t *search)
{
    oc_attempt_t *attempt = search->attempt;

    oc_responder_query(search->job, attempt, search->stop, search->pool);
    if (attempt->verdict == OC_STOPPED && !atomic_load(search->stop)) { /* the hedge was faster */
        oc_attempt_begin(attempt);
        return hedge(search) == OC_FOUND_ANSWER ? OC_FOUND_ANSWER : OC_FOUND_NOT_NOW;
    }
    if (oc_responder_has_next(search->job, attempt)) {
        oc_stats_exchange(attempt->origin, attempt->verdict, attempt->elapsed);
        oc_log_next(search->job, attempt);
        return OC_FOUND_NOT_NOW;
    }
    return attempt->verdict == OC_STOPPED ? OC_FOUND_STOP : OC_FOUND_ANSWER;
}

/* ---- the list ---- */

/* From top to bottom, until one does not return OC_FOUND_NOTHING; the last never does. */
/* clang-format off */
static oc_found_t (*const sources[])(oc_search_t *) = {
    import,
    hedge,
    response_folder,
    due_time,
    certificate_time,
    peers,
    responder,
};
/* clang-format on */

oc_found_t oc_sources_search(oc_job_t *job, oc_attempt_t *attempt, const atomic_int *stop, apr_pool_t *pool)
{
    oc_search_t search = {job, attempt, stop, pool};
    oc_found_t found = OC_FOUND_NOTHING;

    for (size_t i = 0; found == OC_FOUND_NOTHING && i < sizeof(sources) / sizeof(sources[0]); i++) {
        oc_attempt_begin(attempt);
        found = sources[i](&search);
    }
    if (found != OC_FOUND_NOT_NOW) /* whichever source ended the attempt: the next one begins with the first URL */
        job->own.turn = 0;
    return found;
}
