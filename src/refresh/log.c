/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What an attempt changes is logged and reported to the program of OCSPCacheNotify. A change is logged at info or
 * above, a repetition at debug.
 */
#include "log.h"

#include "notify.h"
#include "outage.h"
#include "server/module.h"
#include "view/view.h"

#include <apr_strings.h>
#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

const char *oc_log_date(apr_time_t when, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, APR_RFC822_DATE_LEN);

    apr_rfc822_date(text, when);
    return text;
}

/* Is this the first failure of its kind? Kinds that alternate, as behind a load balancer, are logged once each. */
static int is_news(oc_job_t *job, oc_verdict_t verdict)
{
    uint64_t bit = UINT64_C(1) << (verdict % 64), *logged = &job->logged.failures[verdict / 64];
    int is_first = (*logged & bit) == 0;

    *logged |= bit;
    return is_first;
}

void oc_log_mark_logged(oc_job_t *job, oc_verdict_t verdict)
{
    (void)is_news(job, verdict);
}

oc_log_before_t oc_log_before(const oc_job_t *job)
{
    int was_held = oc_job_is_covered(job, apr_time_now());

    return (oc_log_before_t){job->own.note.verdict, was_held, job->logged.expiring || job->logged.expired};
}

/* A good response came. What the child that led before has reported is not known, except that it reported a failure if
 * nothing was held. */
static void notify_good(const oc_job_t *job, const oc_log_before_t *before, int was_revoked, apr_pool_t *pool)
{
    int had_nothing = !before->was_held && oc_verdict_class(before->verdict) != OC_CLASS_TRUTH;

    if (before->verdict == OC_PENDING)
        oc_notify_post(job, OC_NOTIFY_FIRST_RESPONSE, OC_PENDING, "", pool);
    else if (before->was_alarmed || was_revoked || had_nothing)
        oc_notify_post(job, OC_NOTIFY_RECOVERED, OC_PENDING, "", pool);
}

/* One notice where the outage of a responder was one warning for several certificates. */
static void log_end_of_outage(const oc_job_t *job, const oc_attempt_t *attempt)
{
    unsigned n = oc_outage_end(job, attempt);

    if (n > 0 && job->logged.is_grouped)
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE, 0, job->managed->server,
            "%s gives valid responses again: it did not for %u certificate%s, each of which is logged at level "
            "info when its response comes",
            attempt->source, n, n == 1 ? "" : "s");
}

static void log_revoked(const oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool)
{
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, job->managed->server,
                 "%s: the %s reports the certificate as REVOKED since %s%s%s. This response is stapled. %s",
                 job->managed->label, attempt->source, oc_log_date(attempt->verified.revoked_at, pool),
                 *attempt->detail ? ": " : "", attempt->detail, oc_verdict_advice(OC_REVOKED));
    oc_notify_post(job, OC_NOTIFY_REVOKED, OC_PENDING, "", pool);
}

void oc_log_meanwhile(oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool)
{
    int was_revoked = job->logged.revoked;

    job->logged.revoked = attempt->verdict == OC_REVOKED;
    if (attempt->verdict == OC_REVOKED && !was_revoked)
        log_revoked(job, attempt, pool);
    else if (attempt->verdict == OC_GOOD && was_revoked)
        oc_notify_post(job, OC_NOTIFY_RECOVERED, OC_PENDING, "", pool);
    ap_log_error(
        APLOG_MARK, APLOG_INFO, 0, job->managed->server,
        "%s: the %s has a response that is %s until %s. It is stapled while the responder is queried for a newer one",
        job->managed->label, attempt->source, oc_verdict_name(attempt->verdict),
        oc_log_date(job->own.usable_until, pool));
}

void oc_log_truth(oc_job_t *job, const oc_attempt_t *attempt, const oc_log_before_t *before, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    int was_truth = oc_verdict_class(before->verdict) == OC_CLASS_TRUTH, level = APLOG_DEBUG;
    int is_grouped = job->logged.is_grouped && attempt->origin == OC_ORIGIN_RESPONDER;
    int was_revoked = job->logged.revoked, is_revoked = attempt->verdict == OC_REVOKED;

    log_end_of_outage(job, attempt);
    job->logged.revoked = is_revoked;
    if (is_revoked && !was_revoked) {
        log_revoked(job, attempt, pool);
        return;
    }
    if (attempt->verdict == OC_GOOD)
        notify_good(job, before, was_revoked, pool);
    if (!was_truth || before->verdict != attempt->verdict || was_revoked != is_revoked)
        level = before->verdict == OC_PENDING || is_grouped ? APLOG_INFO : APLOG_NOTICE;
    job->logged.is_grouped = 0;
    ap_log_error(APLOG_MARK, level, 0, managed->server, "%s: the %s reports %s, stapled until %s; next request %s",
                 managed->label, attempt->source, oc_verdict_name(attempt->verdict),
                 oc_log_date(job->own.usable_until, pool), oc_log_date(job->own.note.due, pool));
}

/* Is it time to warn that the response is about to expire? Once, until an attempt succeeds again. If its validity is
 * short, in the last quarter of it. */
static int is_running_out(oc_job_t *job)
{
    if (job->logged.expiring
        || !oc_view_is_ending(job->own.usable_until - apr_time_now(), job->own.validity,
                              oc_settings_global()->expiry_warning))
        return 0;
    job->logged.expiring = 1;
    return 1;
}

void oc_log_failure(oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool)
{
    const oc_managed_t *managed = job->managed;
    apr_time_t now = apr_time_now();
    int is_covered = oc_job_is_covered(job, now);
    int level = is_news(job, attempt->verdict) ? APLOG_INFO : APLOG_DEBUG;
    int is_expiring = is_running_out(job), has_ended = !is_covered && !job->logged.expired, is_known;
    const char *consequence = "There is no valid response to staple", *next = "", *extent = "";

    if (is_covered)
        consequence = apr_pstrcat(pool, "Stapling continues with the stored response until ",
                                  oc_log_date(job->own.usable_until, pool), NULL);
    else if (job->own.usable_from > now)
        consequence =
            apr_pstrcat(pool, "By this server's clock, the stored response is not valid before ",
                        oc_log_date(job->own.usable_from, pool), ". There is no valid response to staple", NULL);
    if (is_expiring || has_ended) {
        is_known = oc_outage_is_known(job, attempt, is_covered ? OC_OUTAGE_EXPIRING : OC_OUTAGE_EXPIRED);
        /* One line about the size is enough, and one about a responder. */
        level = attempt->verdict == OC_CACHE_FULL || is_known ? APLOG_INFO : APLOG_WARNING;
        extent = level == APLOG_WARNING ? oc_outage_extent(job, attempt, pool) : "";
        oc_notify_post(job, is_expiring ? OC_NOTIFY_EXPIRING : OC_NOTIFY_EXPIRED, attempt->verdict, attempt->detail,
                       pool);
    }
    job->logged.expired = !is_covered;
    job->logged.is_grouped = oc_outage_is_grouped(job, attempt);
    if (attempt->verdict != OC_CERTIFICATE_EXPIRED) /* no responder is queried about it again */
        next = apr_pstrcat(pool, "; next request ", oc_log_date(job->own.note.due, pool), NULL);
    ap_log_error(APLOG_MARK, level, 0, managed->server, "%s: %s: %s%s%s. %s%s. %s%s", managed->label, attempt->source,
                 oc_verdict_text(attempt->verdict), *attempt->detail ? ": " : "", attempt->detail, consequence, next,
                 oc_verdict_advice(attempt->verdict), extent);
}

void oc_log_next(oc_job_t *job, const oc_attempt_t *attempt)
{
    int level = job->logged.next_after == attempt->verdict ? APLOG_DEBUG : APLOG_INFO;

    job->logged.next_after = attempt->verdict;
    ap_log_error(APLOG_MARK, level, 0, job->managed->server, "%s: %s: %s%s%s. The next responder is queried: %s",
                 job->managed->label, attempt->source, oc_verdict_text(attempt->verdict), *attempt->detail ? ": " : "",
                 attempt->detail, oc_job_url(job));
}
