/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One query is at most two requests that get an answer: caches in front of responders, and misconfigured paths, answer
 * GET with an error or an old response where POST reaches the responder. What worked is remembered in oc_responder_t.
 * This unit never publishes or logs.
 */
#include "responder.h"

#include "base/deadline.h"

#include <apr_strings.h>
#include <string.h>

#define HUNG apr_time_from_sec(1) /* what is cut off after so long has hung: the responder is being restarted */
#define POSTS_REMEMBERED 16       /* queries by POST alone before GET is tried again: caches answer nothing else */

typedef struct {
    oc_job_t *job;
    int is_hedge;
    const oc_managed_t *managed;
    oc_responder_t *responder;
    oc_fetch_request_t request;
    oc_deadline_t deadline;
    int is_urgent; /* nothing valid is held */
    int has_hung;  /* the last attempt timed out */
    apr_pool_t *pool;
} oc_query_t;

/* Is this query to go by POST alone? */
static int takes_post(oc_responder_t *responder)
{
    unsigned posts = atomic_load(&responder->posts);

    while (posts > 0 && !atomic_compare_exchange_weak(&responder->posts, &posts, posts - 1))
        ;
    return posts > 0;
}

const char *oc_responder_source(const oc_managed_t *managed, unsigned turn, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "responder ", managed->targets.urls[turn], managed->proxy ? " through the proxy " : "",
                       managed->proxy ? managed->proxy_host : "", NULL);
}

static int is_truth(const oc_attempt_t *attempt)
{
    return oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH;
}

static void exchange(oc_query_t *query, int by_post, oc_attempt_t *attempt)
{
    query->request.by_post = by_post;
    attempt->verdict = oc_fetch(&query->request, &attempt->fetched, query->pool);
    attempt->elapsed = attempt->fetched.elapsed;
    if (attempt->verdict == OC_PENDING)
        oc_attempt_judge(attempt, query->managed->cert, &query->managed->settings, query->pool);
}

/* Is this an answer to GET that cannot be used? Where HTTP failed, oc_fetch() itself has tried POST. */
static int is_worth_a_post(const oc_attempt_t *attempt)
{
    oc_class_t class = oc_verdict_class(attempt->verdict);

    return !attempt->fetched.by_post && (class == OC_CLASS_RESPONDER_ERROR || class == OC_CLASS_UNUSABLE);
}

/* How useful an answer is: a valid response, an error that the responder reports, an unusable answer, none. */
static int rank(const oc_attempt_t *attempt)
{
    switch (oc_verdict_class(attempt->verdict)) {
    case OC_CLASS_TRUTH:
        return 3;
    case OC_CLASS_RESPONDER_ERROR:
        return 2;
    default:
        return oc_verdict_class(attempt->verdict) == OC_CLASS_UNUSABLE;
    }
}

static const char *describe_both(const oc_attempt_t *one, const char *method, const oc_attempt_t *other,
                                 const char *other_method, apr_pool_t *pool)
{
    const char *comma = *one->detail ? ", " : "";

    if (one->verdict == other->verdict && strcmp(one->detail, other->detail) == 0)
        return apr_psprintf(pool, "%s%sby %s and by %s", one->detail, comma, method, other_method);
    return apr_psprintf(pool, "%s%sby %s; by %s: %s%s%s", one->detail, comma, method, other_method,
                        oc_verdict_text(other->verdict), *other->detail ? ": " : "", other->detail);
}

/* Query again by POST; @a attempt becomes the better one of the two. */
static void query_by_post(oc_query_t *query, oc_attempt_t *attempt)
{
    oc_attempt_t *post = apr_palloc(query->pool, sizeof(*post));
    apr_interval_time_t elapsed = attempt->elapsed;
    const char *detail;

    oc_attempt_begin(post);
    post->source = attempt->source;
    post->origin = attempt->origin;
    exchange(query, 1, post);
    if (post->verdict == OC_STOPPED) {
        attempt->verdict = OC_STOPPED;
        return;
    }
    elapsed += post->elapsed;
    if (rank(post) < rank(attempt)) {
        detail = describe_both(attempt, "GET", post, "POST", query->pool);
    }
    else {
        detail = is_truth(post) ? apr_pstrdup(query->pool, post->detail)
                                : describe_both(post, "POST", attempt, "GET", query->pool);
        *attempt = *post;
    }
    attempt->detail = detail;
    attempt->elapsed = elapsed;
    if (is_truth(attempt))
        atomic_store(&query->responder->posts, POSTS_REMEMBERED);
}

/* An equal part of the time left, so that a URL that does not answer leaves time for the next one. */
static apr_interval_time_t share_of_time(oc_job_t *job)
{
    const char *const *urls = job->managed->targets.urls + job->own.turn;
    int n_left = 0;

    if (job->own.turn == 0) {
        job->own.time_left = job->managed->settings.timeout;
        job->own.pause = 0;
    }
    while (urls[n_left])
        n_left++;
    return n_left > 1 ? job->own.time_left / n_left : job->own.time_left;
}

static int is_last_url(const oc_job_t *job)
{
    return !job->managed->targets.urls[job->own.turn + 1];
}

/* While nothing valid is held, the query of the last URL may be hedged, and a hedge ends it. That of another URL is
 * followed by the next one soon. */
static void start(oc_query_t *query, apr_interval_time_t timeout, const atomic_int *stop)
{
    oc_hedge_t *hedge = &query->job->hedge;

    oc_deadline_start(&query->deadline, timeout, stop);
    query->deadline.called_off = query->is_hedge ? &hedge->is_called_off : &hedge->found.is_full;
    if (!query->is_hedge && query->is_urgent && is_last_url(query->job))
        oc_job_allow_hedge(query->job, timeout);
}

/* Was a hung exchange cut off, while nothing valid is held? The responder may answer now, and clients wait for it. Of
 * two exchanges that are cut off, one is followed by another; that of a URL that is not the last one, by the next URL.
 */
static int has_been_restarted(const oc_query_t *query, const oc_attempt_t *attempt)
{
    if (query->is_hedge ? atomic_load(&query->job->hedge.begun) != 0 : !is_last_url(query->job))
        return 0;
    return query->is_urgent && attempt->verdict == OC_CONNECTION_LOST && (attempt->elapsed >= HUNG || query->has_hung);
}

static void query_again(oc_query_t *query, int by_post, oc_attempt_t *attempt)
{
    apr_interval_time_t elapsed = attempt->elapsed;
    oc_attempt_t again;

    oc_attempt_begin(&again);
    again.source = attempt->source;
    again.origin = attempt->origin;
    start(query, query->managed->settings.timeout, query->deadline.stop);
    exchange(query, by_post, &again);
    again.elapsed += elapsed;
    again.detail = apr_pstrdup(query->pool, again.detail);
    *attempt = again;
}

static void query_url(oc_query_t *query, oc_attempt_t *attempt)
{
    int by_post = takes_post(query->responder);

    exchange(query, by_post, attempt);
    if (has_been_restarted(query, attempt))
        query_again(query, by_post, attempt);
    if (attempt->fetched.get_failed && is_truth(attempt))
        atomic_store(&query->responder->posts, POSTS_REMEMBERED);
    else if (by_post && !is_truth(attempt))
        atomic_store(&query->responder->posts, 0); /* the next query tries both again */
    else if (is_worth_a_post(attempt))
        query_by_post(query, attempt);
}

/* @return 0: there is no memory for the request */
static int prepare(oc_query_t *query, unsigned turn, oc_attempt_t *attempt)
{
    const oc_managed_t *managed = query->managed = query->job->managed;

    query->responder = query->job->responders[turn];
    query->request.url = managed->targets.urls[turn];
    query->request.proxy = managed->proxy;
    query->request.deadline = &query->deadline;
    query->request.keepalive = query->job->keepalive;
    attempt->origin = OC_ORIGIN_RESPONDER;
    attempt->source = oc_responder_source(managed, turn, query->pool);
    attempt->verdict = OC_OUT_OF_RESOURCES;
    return oc_cert_request(managed->cert, oc_settings_global()->certid_hash, &query->request.der,
                           &query->request.der_len, query->pool)
           == APR_SUCCESS;
}

void oc_responder_query(oc_job_t *job, oc_attempt_t *attempt, const atomic_int *stop, apr_pool_t *pool)
{
    oc_query_t query = {.job = job, .pool = pool};

    query.is_urgent = !oc_job_is_covered(job, apr_time_now());
    query.has_hung = job->own.note.verdict == OC_TIMED_OUT;
    if (!prepare(&query, job->own.turn, attempt))
        return;
    start(&query, share_of_time(job), stop);
    query_url(&query, attempt);
    oc_job_forbid_hedge(job);
    job->own.time_left -= attempt->elapsed;
    if (attempt->fetched.retry_after > job->own.pause)
        job->own.pause = attempt->fetched.retry_after;
    attempt->fetched.retry_after = job->own.pause;
}

void oc_responder_hedge(oc_hedge_t *hedge, oc_attempt_t *attempt, const atomic_int *stop, apr_pool_t *pool)
{
    oc_query_t query = {.job = hedge->job, .is_hedge = 1, .is_urgent = 1, .pool = pool};

    if (!prepare(&query, hedge->queried, attempt))
        return;
    start(&query, atomic_load(&hedge->timeout), stop);
    query_url(&query, attempt);
}

int oc_responder_has_next(oc_job_t *job, const oc_attempt_t *attempt)
{
    const char *const *urls = job->managed->targets.urls;

    if (!oc_verdict_is_outage(attempt->verdict, attempt->fetched.http_status) || !urls[job->own.turn + 1]
        || job->own.time_left <= 0)
        return 0;
    job->own.turn++;
    return 1;
}
