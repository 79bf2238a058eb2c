/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The order of one exchange: connect.c brings a connected socket, request.c the bytes to send, http.c reads the answer;
 * here they are sent, received, waited for and judged. It must never look at the environment ($http_proxy), nor trust a
 * byte of an answer.
 */
#include "fetch/fetch.h"

#include "base/deadline.h"
#include "fetch/connect.h"
#include "fetch/keepalive.h"
#include "fetch/url.h"
#include "http.h"
#include "request.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A body without a length ends when the connection is closed. Where a whole DER object has arrived and the responder
 * does not close, this is how long to wait for more. */
#define CLOSE_GRACE apr_time_from_msec(250)

typedef struct {
    const oc_fetch_request_t *request;
    oc_fetch_result_t *result;
    apr_pool_t *pool;
    oc_url_t responder;
    oc_url_t proxy;
    oc_request_t query; /* query.proxy: NULL, or the one above */
    /* of the current attempt */
    oc_connect_result_t connection;
    int is_head_reported;
    apr_time_t begun; /* when the request was about to be sent */
    oc_http_t *http;
} oc_exchange_t;

__attribute__((format(printf, 2, 3))) static void fetch_explain(oc_exchange_t *ex, const char *format, ...)
{
    char *detail = ex->result->detail;
    apr_size_t size = sizeof(ex->result->detail);
    apr_size_t used = 0;
    va_list args;

    if (ex->connection.where[0] != '\0') {
        (void)apr_snprintf(detail, size, "%s%s: ", ex->query.proxy ? "proxy " : "", ex->connection.where);
        used = strlen(detail);
    }
    va_start(args, format);
    (void)apr_vsnprintf(detail + used, size - used, format, args);
    va_end(args);
}

/* ---- for an observer ---- */

static void fetch_report(const oc_exchange_t *ex, oc_step_kind_t kind, oc_verdict_t verdict, const char *what,
                         const char *text, apr_size_t size)
{
    const oc_trace_t *trace = ex->request->trace;
    oc_step_t step = {kind, verdict, what, text, size, ex->begun, oc_deadline_now()};

    trace->tell(trace->context, &step);
}

static void fetch_report_request(oc_exchange_t *ex, const char *get_path)
{
    const oc_url_t *url = &ex->responder;
    const char *text;

    ex->begun = oc_deadline_now();
    ex->is_head_reported = 0;
    if (!ex->request->trace)
        return;
    text = apr_pstrcat(ex->pool, "http://", url->authority, get_path ? get_path : url->path, url->query ? "?" : "",
                       url->query ? url->query : "", NULL);
    fetch_report(ex, OC_STEP_REQUEST, OC_PENDING, get_path ? "GET" : "POST", text, ex->query.der_len);
}

/* Once: when it is complete, or when no more of it will arrive. */
static void fetch_report_head(oc_exchange_t *ex, int is_over)
{
    const oc_head_t *head = &ex->http->head;

    if (!ex->request->trace || ex->is_head_reported || !(head->done || (is_over && head->size > 0)))
        return;
    ex->is_head_reported = 1;
    fetch_report(ex, OC_STEP_HEAD, head->verdict, "", head->text, head->size);
}

static void fetch_report_answer(oc_exchange_t *ex, oc_verdict_t verdict)
{
    if (!ex->request->trace)
        return;
    fetch_report_head(ex, 1);
    fetch_report(ex, OC_STEP_ANSWER, verdict, "", ex->result->detail, ex->http->body_len);
}

/* ---- over the connected socket ---- */

/* Wait until the socket is ready, or has failed. */
static oc_verdict_t fetch_wait(const oc_exchange_t *ex, short events, const oc_deadline_t *deadline)
{
    struct pollfd fd = {ex->connection.fd, events, 0};
    oc_verdict_t verdict = OC_PENDING;

    while (verdict == OC_PENDING && fd.revents == 0)
        verdict = oc_deadline_poll(deadline, &fd, 1, APR_INT64_MAX);
    return verdict;
}

static int fetch_is_transient(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static oc_verdict_t fetch_out_of_time(oc_exchange_t *ex)
{
    const oc_head_t *head = &ex->http->head;

    if (head->done)
        fetch_explain(ex, "no more data after %" APR_SIZE_T_FMT " bytes of the answer", ex->http->body_len);
    else
        fetch_explain(ex, head->status != 0 ? "the head of the answer did not end" : "connected, but no answer");
    return OC_TIMED_OUT;
}

/* @param error an errno; 0: the responder closed the connection */
static oc_verdict_t fetch_lost(oc_exchange_t *ex, int error)
{
    char text[80];

    if (error != 0)
        fetch_explain(ex, "%s", apr_strerror(error, text, sizeof(text)));
    else if (!ex->http->head.done)
        fetch_explain(ex, "connection closed before the head of an answer was complete");
    else
        fetch_explain(ex, "connection closed after %" APR_SIZE_T_FMT " bytes of the answer", ex->http->body_len);
    return OC_CONNECTION_LOST;
}

static oc_verdict_t fetch_send(oc_exchange_t *ex, const char *text, apr_size_t len)
{
    oc_verdict_t verdict = oc_deadline_check(ex->request->deadline);

    while (len > 0 && verdict == OC_PENDING) {
        ssize_t n = send(ex->connection.fd, text, len, MSG_NOSIGNAL);

        if (n >= 0) {
            text += n;
            len -= (apr_size_t)n;
        }
        else if (fetch_is_transient(errno)) {
            verdict = fetch_wait(ex, POLLOUT, ex->request->deadline);
        }
        else {
            return fetch_lost(ex, errno);
        }
    }
    return verdict == OC_TIMED_OUT ? fetch_out_of_time(ex) : verdict;
}

/* Until the answer ends, or shows a fault. */
static oc_verdict_t fetch_receive(oc_exchange_t *ex)
{
    oc_http_t *http = ex->http;
    oc_deadline_t deadline = *ex->request->deadline;
    int is_closing = 0; /* whole, but with no length: it ends here, unless more arrives within the grace */
    char data[8192];

    while (!http->complete && http->verdict == OC_PENDING) {
        oc_verdict_t verdict;
        apr_time_t grace_end;
        ssize_t n = 0;

        if (http->until_close && http->whole && !is_closing) {
            is_closing = 1;
            grace_end = oc_deadline_now() + CLOSE_GRACE;
            deadline.end = grace_end < deadline.end ? grace_end : deadline.end;
        }
        verdict = fetch_wait(ex, POLLIN, &deadline);
        if (verdict == OC_PENDING) {
            n = recv(ex->connection.fd, data, sizeof(data), 0);
            if (n < 0 && fetch_is_transient(errno))
                continue;
        }
        if (n > 0) {
            oc_http_take(http, data, (apr_size_t)n);
            fetch_report_head(ex, 0);
        }
        else if (is_closing && verdict != OC_STOPPED) {
            return OC_PENDING; /* closed, reset or silent: nothing of the answer is missing */
        }
        else if (verdict != OC_PENDING) {
            return verdict == OC_TIMED_OUT ? fetch_out_of_time(ex) : verdict;
        }
        else {
            return fetch_lost(ex, n < 0 ? errno : 0);
        }
    }
    if (http->verdict != OC_PENDING)
        fetch_explain(ex, "%s", http->detail);
    return http->verdict;
}

/* Owns the socket: afterwards it is closed, or in the keepalive stock. */
static oc_verdict_t fetch_converse(oc_exchange_t *ex, const oc_url_t *next_hop, const char *get_path)
{
    oc_keepalive_t *keepalive = ex->request->keepalive;
    oc_fetch_result_t *result = ex->result;
    oc_http_t *http = ex->http = oc_http_create(OC_RESPONSE_MAX, ex->pool);
    apr_size_t len;
    const char *text = oc_request_text(&ex->query, get_path, &len);
    oc_verdict_t verdict;

    fetch_report_request(ex, get_path);
    verdict = fetch_send(ex, text, len);
    if (verdict == OC_PENDING)
        verdict = fetch_receive(ex);
    result->http_status = http->head.status;
    result->retry_after = http->head.retry_after;
    result->max_age = http->head.max_age;
    fetch_report_answer(ex, verdict);
    if (verdict == OC_PENDING) {
        result->der = http->body;
        result->der_len = http->body_len;
    }
    if (verdict == OC_PENDING && keepalive && http->reusable)
        oc_keepalive_put(keepalive, next_hop->host, next_hop->port, oc_deadline_now(), &ex->connection);
    else
        (void)close(ex->connection.fd);
    return verdict;
}

/* ---- attempts ---- */

/* Over a connection that is still open, if there is one. Lost before any answer: the responder closed it meanwhile, as
 * it may at any time. Repeating the request is safe: GET is idempotent, and so is a POST of OCSP (RFC 9112 section
 * 9.3.1). @return 0: there is no verdict, a new connection is needed. */
static int fetch_over_idle(oc_exchange_t *ex, const oc_url_t *next_hop, const char *get_path, oc_verdict_t *verdict)
{
    if (!ex->request->keepalive
        || !oc_keepalive_take(ex->request->keepalive, next_hop->host, next_hop->port, oc_deadline_now(),
                              &ex->connection))
        return 0;
    *verdict = fetch_converse(ex, next_hop, get_path);
    if (*verdict != OC_CONNECTION_LOST || ex->http->head.size > 0)
        return 1;
    ex->result->detail[0] = '\0';
    *verdict = oc_deadline_check(ex->request->deadline);
    return *verdict != OC_PENDING;
}

/* One attempt from lookup to answer. @param get_path NULL: POST */
static oc_verdict_t fetch_attempt(oc_exchange_t *ex, const char *get_path)
{
    const oc_url_t *next_hop = ex->query.proxy ? ex->query.proxy : &ex->responder;
    oc_verdict_t verdict = oc_deadline_check(ex->request->deadline);

    ex->result->http_status = 0;
    ex->result->by_post = !get_path;
    ex->result->detail[0] = '\0';
    if (verdict != OC_PENDING)
        return verdict;
    if (fetch_over_idle(ex, next_hop, get_path, &verdict))
        return verdict;
    verdict = oc_connect(next_hop->host, next_hop->port, ex->request->deadline, ex->request->trace, &ex->connection);
    if (verdict != OC_PENDING) {
        fetch_explain(ex, "%s%s", ex->query.proxy && ex->connection.detail[0] != '\0' ? "proxy " : "",
                      ex->connection.detail);
        return verdict;
    }
    return fetch_converse(ex, next_hop, get_path);
}

/* Responders and caches that do not support GET answer it in all these ways. Not 429 and 503: they request a pause. */
static int fetch_worth_a_post(oc_verdict_t verdict, int http_status)
{
    switch (verdict) {
    case OC_HTTP_STATUS:
        return http_status != 429 && http_status != 503;
    case OC_HTTP_REDIRECT:
    case OC_HTTP_MALFORMED:
    case OC_CONTENT_TYPE:
    case OC_NOT_DER:
        return 1;
    default:
        return 0;
    }
}

/* result->detail is about POST. */
static void fetch_explain_both(oc_fetch_result_t *result, const char *by_get)
{
    apr_size_t used = strlen(result->detail);
    char *end = result->detail + used;
    apr_size_t room = sizeof(result->detail) - used;
    const char *comma = used > 0 ? ", " : "";

    if (strcmp(result->detail, by_get) == 0)
        (void)apr_snprintf(end, room, "%sby POST and by GET", comma);
    else
        (void)apr_snprintf(end, room, "%sby POST; by GET: %s", comma, by_get);
}

static oc_verdict_t fetch_both_ways(oc_exchange_t *ex)
{
    oc_fetch_result_t *result = ex->result;
    const char *get_path = ex->request->by_post ? NULL : oc_request_get_path(&ex->query);
    oc_verdict_t verdict = fetch_attempt(ex, get_path);
    const char *by_get;

    if (!get_path || !fetch_worth_a_post(verdict, result->http_status))
        return verdict;
    by_get = apr_pstrdup(ex->pool, result->detail);
    verdict = fetch_attempt(ex, NULL);
    result->get_failed = verdict == OC_PENDING;
    if (verdict != OC_PENDING && verdict != OC_STOPPED)
        fetch_explain_both(result, by_get);
    return verdict;
}

static oc_verdict_t fetch_prepare(oc_exchange_t *ex)
{
    const oc_fetch_request_t *request = ex->request;
    const char *problem = oc_url_parse(&ex->responder, request->url, OC_URL_RESPONDER, ex->pool);

    if (problem) {
        fetch_explain(ex, "%s", problem);
        return OC_URL_UNUSABLE;
    }
    if (request->proxy) {
        ex->query.proxy = &ex->proxy;
        problem = oc_url_parse(&ex->proxy, request->proxy, OC_URL_PROXY, ex->pool);
        if (problem) {
            fetch_explain(ex, "the proxy's URL: %s", problem);
            return OC_URL_UNUSABLE;
        }
    }
    return OC_PENDING;
}

oc_verdict_t oc_fetch(const oc_fetch_request_t *request, oc_fetch_result_t *result, apr_pool_t *pool)
{
    apr_time_t begin = oc_deadline_now();
    oc_exchange_t ex;
    oc_verdict_t verdict;

    memset(result, 0, sizeof(*result));
    memset(&ex, 0, sizeof(ex));
    ex.request = request;
    ex.result = result;
    ex.pool = pool;
    ex.query = (oc_request_t){.responder = &ex.responder,
                              .keep_alive = request->keepalive != NULL,
                              .der = request->der,
                              .der_len = request->der_len,
                              .pool = pool};
    verdict = fetch_prepare(&ex);
    if (verdict == OC_PENDING)
        verdict = fetch_both_ways(&ex);

    /* Headers, host names and system messages end up here: escape what is not printable. */
    (void)apr_cpystrn(result->detail, apr_pescape_echo(pool, result->detail, 0), sizeof(result->detail));
    result->elapsed = oc_deadline_now() - begin;
    return verdict;
}

const char *oc_fetch_url_problem(const char *url, apr_pool_t *pool)
{
    oc_url_t parsed;

    return oc_url_parse(&parsed, url, OC_URL_RESPONDER, pool);
}

static const char *fetch_host_and_port(const oc_url_t *url, apr_pool_t *pool)
{
    return apr_psprintf(pool, strchr(url->host, ':') != NULL ? "[%s]:%u" : "%s:%u", url->host, (unsigned)url->port);
}

const char *oc_fetch_responder(const char *url, apr_pool_t *pool)
{
    oc_url_t parsed;

    return !oc_url_parse(&parsed, url, OC_URL_RESPONDER, pool) ? fetch_host_and_port(&parsed, pool) : NULL;
}

const char *oc_fetch_proxy(const char *url, apr_pool_t *pool, const char **problem)
{
    oc_url_t parsed;

    *problem = oc_url_parse(&parsed, url, OC_URL_PROXY, pool);
    return !*problem ? fetch_host_and_port(&parsed, pool) : NULL;
}
