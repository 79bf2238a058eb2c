/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_fetch: see oc_fetch.h. Called by the refresher's worker threads. oc_connect brings a connected socket, oc_http
 * watches the answer, OpenSSL's HTTP client does the talking; what is here is the order of things, and the verdict. It
 * must never look at the environment (OSSL_HTTP_open() would take $http_proxy, hence the lower level), nor trust a byte
 * of an answer.
 */
#include "fetch/fetch.h"

#include "http.h"
#include "request.h"
#include "base/deadline.h"
#include "fetch/connect.h"
#include "fetch/keepalive.h"
#include "fetch/url.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/httperr.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define LINE_BUFFER (OC_HEAD_LINE_MAX + 200) /* OpenSSL's; the filter's bound is met first */

/* A body without a length ends where the connection does. When a whole DER object is there and the responder does not
 * close, this is how long we wait for more before we take it as it is. */
#define CLOSE_GRACE apr_time_from_msec(250)

typedef struct {
    const oc_fetch_request_t *request;
    oc_fetch_result_t *result;
    apr_pool_t *pool;
    oc_url_t responder;
    oc_url_t proxy;
    oc_request_t ask; /* ask.proxy: NULL, or the one above */
    /* of the attempt under way */
    oc_connect_result_t connection;
    int has_answer; /* at least the first byte of one */
    int has_told_head;
    apr_time_t begun; /* when the request was about to be sent */
    oc_http_t *http;
    OSSL_HTTP_REQ_CTX *client;
} oc_exchange_t;

__attribute__((format(printf, 2, 3))) static void fetch_explain(oc_exchange_t *ex, const char *format, ...)
{
    char *detail = ex->result->detail;
    apr_size_t size = sizeof(ex->result->detail);
    apr_size_t used = 0;
    va_list args;

    if (ex->connection.where[0] != '\0') {
        (void)apr_snprintf(detail, size, "%s%s: ", ex->ask.proxy != NULL ? "proxy " : "", ex->connection.where);
        used = strlen(detail);
    }
    va_start(args, format);
    (void)apr_vsnprintf(detail + used, size - used, format, args);
    va_end(args);
}

/* For who looks on. */
static void fetch_tell(const oc_exchange_t *ex, oc_step_kind_t kind, oc_verdict_t verdict, const char *what,
                       const char *text, apr_size_t size)
{
    const oc_trace_t *trace = ex->request->trace;
    oc_step_t step = {kind, verdict, what, text, size, ex->begun, oc_deadline_now()};

    trace->tell(trace->context, &step);
}

static void fetch_tell_request(oc_exchange_t *ex, const char *get_path)
{
    const oc_url_t *url = &ex->responder;
    const char *text;

    ex->begun = oc_deadline_now();
    ex->has_told_head = 0;
    if (ex->request->trace == NULL)
        return;
    text = apr_pstrcat(ex->pool, "http://", url->authority, get_path != NULL ? get_path : url->path,
                       url->query != NULL ? "?" : "", url->query != NULL ? url->query : "", NULL);
    fetch_tell(ex, OC_STEP_REQUEST, OC_PENDING, get_path != NULL ? "GET" : "POST", text, ex->ask.der_len);
}

/* As soon as it is there, or when no more of it will come. */
static void fetch_tell_head(oc_exchange_t *ex, int is_over)
{
    const oc_http_seen_t *seen = oc_http_seen(ex->http);
    const char *text;
    apr_size_t len;

    if (ex->request->trace == NULL || ex->has_told_head || !(seen->head->done || (is_over && seen->begun)))
        return;
    ex->has_told_head = 1;
    text = oc_http_head(ex->http, &len);
    fetch_tell(ex, OC_STEP_HEAD, seen->head->verdict, "", apr_pstrmemdup(ex->pool, text, len), len);
}

static void fetch_tell_answer(oc_exchange_t *ex, oc_verdict_t verdict)
{
    if (ex->request->trace == NULL)
        return;
    fetch_tell_head(ex, 1);
    fetch_tell(ex, OC_STEP_ANSWER, verdict, "", ex->result->detail, oc_http_seen(ex->http)->body);
}

static oc_verdict_t fetch_wait(const oc_exchange_t *ex, const oc_deadline_t *deadline)
{
    struct pollfd fd;

    fd.fd = ex->connection.fd;
    fd.events = BIO_should_write(oc_http_bio(ex->http)) ? POLLOUT : POLLIN;
    fd.revents = 0;
    return oc_deadline_poll(deadline, &fd, 1, APR_INT64_MAX);
}

static oc_verdict_t fetch_out_of_time(oc_exchange_t *ex)
{
    const oc_http_seen_t *seen = oc_http_seen(ex->http);

    if (seen->head->done)
        fetch_explain(ex, "silence after %" APR_SIZE_T_FMT " bytes of the answer", seen->body);
    else
        fetch_explain(ex, seen->head->status != 0 ? "the head of the answer did not end" : "connected, but no answer");
    return OC_TIMED_OUT;
}

/* Reading came to an end that neither the filter nor OpenSSL's checks brought about. */
static oc_verdict_t fetch_cut_short(oc_exchange_t *ex, const oc_http_seen_t *seen)
{
    char text[80];

    if (seen->io_error != 0) {
        fetch_explain(ex, "%s", apr_strerror(seen->io_error, text, sizeof(text)));
        return OC_CONNECTION_LOST;
    }
    if (seen->complete && !seen->closed) {
        /* A whole HTTP message, but not a whole object in it. */
        fetch_explain(ex, "the answer is %" APR_SIZE_T_FMT " bytes long, its content longer or none", seen->body);
        return OC_NOT_DER;
    }
    if (!seen->head->done)
        fetch_explain(ex, "closed before the head of an answer had come");
    else
        fetch_explain(ex, "closed after %" APR_SIZE_T_FMT " bytes of the answer", seen->body);
    return OC_CONNECTION_LOST;
}

/* OpenSSL's client gave up. The filter's word comes first: it saw the cause. */
static oc_verdict_t fetch_judge_failure(oc_exchange_t *ex)
{
    const oc_http_seen_t *seen = oc_http_seen(ex->http);
    const char *data = NULL;
    unsigned long error = ERR_peek_last_error_data(&data, NULL);
    int reason = ERR_GET_LIB(error) == ERR_LIB_HTTP ? ERR_GET_REASON(error) : 0;
    const char *text = ERR_reason_error_string(error);

    if (seen->verdict != OC_PENDING) {
        fetch_explain(ex, "%s", seen->detail);
        return seen->verdict;
    }
    if (seen->io_error != 0 || reason == HTTP_R_FAILED_READING_DATA)
        return fetch_cut_short(ex, seen);
    if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
        return OC_OUT_OF_RESOURCES;
    fetch_explain(ex, "%s%s%s", text != NULL ? text : "OpenSSL's HTTP client refused the answer",
                  data != NULL && *data != '\0' ? ": " : "", data != NULL ? data : "");
    switch (reason) {
    case HTTP_R_MAX_RESP_LEN_EXCEEDED:
        return OC_TOO_LARGE;
    case HTTP_R_MISSING_ASN1_ENCODING:
    case HTTP_R_ERROR_PARSING_ASN1_LENGTH:
    case HTTP_R_INCONSISTENT_CONTENT_LENGTH: /* the content is not one object from its first to its last byte */
        return OC_NOT_DER;
    default:
        return OC_HTTP_MALFORMED;
    }
}

/* OpenSSL is content with one ASN.1 object. Read on to where the message ends: what comes behind the object is part of
 * the answer, and has to be seen by who verifies it. */
static oc_verdict_t fetch_read_rest(oc_exchange_t *ex)
{
    const oc_http_seen_t *seen = oc_http_seen(ex->http);
    BIO *body = OSSL_HTTP_REQ_CTX_get0_mem_bio(ex->client);
    int closing = seen->until_close;
    oc_deadline_t deadline = *ex->request->deadline;
    oc_verdict_t verdict;
    char more[1024];

    if (closing && deadline.end > oc_deadline_now() + CLOSE_GRACE)
        deadline.end = oc_deadline_now() + CLOSE_GRACE;
    while (!seen->complete) {
        int n = BIO_read(oc_http_bio(ex->http), more, sizeof(more));

        if (n > 0) {
            if (BIO_write(body, more, n) != n)
                return OC_OUT_OF_RESOURCES;
        }
        else if (n < 0 && BIO_should_retry(oc_http_bio(ex->http))) {
            verdict = fetch_wait(ex, &deadline);
            if (verdict == OC_TIMED_OUT)
                return closing ? OC_PENDING : fetch_out_of_time(ex);
            if (verdict != OC_PENDING)
                return verdict;
        }
        else if (seen->verdict != OC_PENDING) {
            fetch_explain(ex, "%s", seen->detail);
            return seen->verdict;
        }
        else if (!seen->complete) {
            return closing ? OC_PENDING : fetch_cut_short(ex, seen);
        }
    }
    return OC_PENDING;
}

/* Send, and read until OpenSSL's client is content or gives up. */
static oc_verdict_t fetch_talk(oc_exchange_t *ex)
{
    oc_verdict_t verdict;

    for (;;) {
        verdict = oc_deadline_check(ex->request->deadline);
        if (verdict == OC_PENDING) {
            int state = OSSL_HTTP_REQ_CTX_nbio(ex->client);

            fetch_tell_head(ex, 0);
            switch (state) {
            case 1:
                return fetch_read_rest(ex);
            case 0:
                return fetch_judge_failure(ex);
            default:
                verdict = fetch_wait(ex, ex->request->deadline);
            }
        }
        if (verdict != OC_PENDING)
            return verdict == OC_TIMED_OUT ? fetch_out_of_time(ex) : verdict;
    }
}

static void fetch_keep(oc_exchange_t *ex)
{
    const oc_http_seen_t *seen = oc_http_seen(ex->http);

    ex->result->http_status = seen->head->status;
    ex->result->retry_after = seen->head->retry_after;
    ex->result->max_age = seen->head->max_age;
    ex->has_answer = seen->begun;
}

/* Talk over the connected socket. Owns it: afterwards it is closed, or with the keepalive ones. */
static oc_verdict_t fetch_converse(oc_exchange_t *ex, const oc_url_t *peer, const char *get_path)
{
    oc_verdict_t verdict = OC_OUT_OF_RESOURCES;
    BIO *transport = BIO_new_socket(ex->connection.fd, BIO_CLOSE);
    int keep = 0;
    unsigned char *der;
    long len;

    ex->has_answer = 0;
    if (transport == NULL) {
        (void)close(ex->connection.fd);
        return OC_OUT_OF_RESOURCES;
    }
    ex->http = oc_http_open(transport, OC_RESPONSE_MAX, ex->pool);
    if (ex->http == NULL) {
        BIO_free(transport);
        return OC_OUT_OF_RESOURCES;
    }
    ex->client = OSSL_HTTP_REQ_CTX_new(oc_http_bio(ex->http), oc_http_bio(ex->http), LINE_BUFFER);
    if (ex->client != NULL && oc_request_compose(&ex->ask, get_path, OC_RESPONSE_MAX, ex->client)) {
        fetch_tell_request(ex, get_path);
        verdict = fetch_talk(ex);
        fetch_keep(ex);
        fetch_tell_answer(ex, verdict);
    }
    if (verdict == OC_PENDING) {
        len = BIO_get_mem_data(OSSL_HTTP_REQ_CTX_get0_mem_bio(ex->client), &der);
        ex->result->der = apr_pmemdup(ex->pool, der, (apr_size_t)len);
        ex->result->der_len = (apr_size_t)len;
        keep = ex->request->keepalive != NULL && oc_http_seen(ex->http)->reusable;
    }
    OSSL_HTTP_REQ_CTX_free(ex->client);
    (void)BIO_set_close(oc_http_bio(ex->http), keep ? BIO_NOCLOSE : BIO_CLOSE);
    oc_http_close(ex->http);
    if (keep)
        oc_keepalive_put(ex->request->keepalive, peer->host, peer->port, oc_deadline_now(), &ex->connection);
    ex->client = NULL;
    ex->http = NULL;
    return verdict;
}

/* Over a connection that is still open from before, if there is one. Lost before any answer: the peer has closed it
 * meanwhile, as it may at any time. To ask again does no harm: GET is idempotent, and so is what OCSP does with POST
 * (RFC 9112 section 9.3.1). @return 0: there is no verdict, a new connection is needed. */
static int fetch_over_idle(oc_exchange_t *ex, const oc_url_t *peer, const char *get_path, oc_verdict_t *verdict)
{
    if (ex->request->keepalive == NULL
        || !oc_keepalive_take(ex->request->keepalive, peer->host, peer->port, oc_deadline_now(), &ex->connection))
        return 0;
    *verdict = fetch_converse(ex, peer, get_path);
    if (*verdict != OC_CONNECTION_LOST || ex->has_answer)
        return 1;
    ex->result->detail[0] = '\0';
    *verdict = oc_deadline_check(ex->request->deadline);
    return *verdict != OC_PENDING;
}

/* One attempt from look-up to answer. @a get_path NULL: POST. */
static oc_verdict_t fetch_attempt(oc_exchange_t *ex, const char *get_path)
{
    const oc_url_t *peer = ex->ask.proxy != NULL ? ex->ask.proxy : &ex->responder;
    oc_verdict_t verdict = oc_deadline_check(ex->request->deadline);

    ex->result->http_status = 0;
    ex->result->by_post = get_path == NULL;
    ex->result->detail[0] = '\0';
    if (verdict != OC_PENDING)
        return verdict;
    if (fetch_over_idle(ex, peer, get_path, &verdict))
        return verdict;
    verdict = oc_connect(peer->host, peer->port, ex->request->deadline, ex->request->trace, &ex->connection);
    if (verdict != OC_PENDING) {
        fetch_explain(ex, "%s%s", ex->ask.proxy != NULL && ex->connection.detail[0] != '\0' ? "proxy " : "",
                      ex->connection.detail);
        return verdict;
    }
    return fetch_converse(ex, peer, get_path);
}

/* Responders and caches that do not know GET answer it in all these ways. 429 and 503 are another matter: to ask again
 * at once is what they ask us not to do. */
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

static oc_verdict_t fetch_both_ways(oc_exchange_t *ex)
{
    oc_fetch_result_t *result = ex->result;
    const char *get_path = ex->request->by_post ? NULL : oc_request_get_path(&ex->ask);
    oc_verdict_t verdict = fetch_attempt(ex, get_path);
    const char *before;
    apr_size_t used;

    if (get_path == NULL || !fetch_worth_a_post(verdict, result->http_status))
        return verdict;
    before = apr_pstrdup(ex->pool, result->detail);
    verdict = fetch_attempt(ex, NULL);
    result->get_failed = verdict == OC_PENDING;
    if (verdict != OC_PENDING && verdict != OC_STOPPED) {
        used = strlen(result->detail);
        (void)apr_snprintf(result->detail + used, sizeof(result->detail) - used, "%sby POST; by GET: %s",
                           used > 0 ? " " : "", before);
    }
    return verdict;
}

static oc_verdict_t fetch_prepare(oc_exchange_t *ex)
{
    const oc_fetch_request_t *request = ex->request;
    const char *problem = oc_url_parse(&ex->responder, request->url, OC_URL_RESPONDER, ex->pool);

    if (problem != NULL) {
        fetch_explain(ex, "%s", problem);
        return OC_URL_UNUSABLE;
    }
    if (request->proxy != NULL) {
        ex->ask.proxy = &ex->proxy;
        problem = oc_url_parse(&ex->proxy, request->proxy, OC_URL_PROXY, ex->pool);
        if (problem != NULL) {
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
    ex.ask.responder = &ex.responder;
    ex.ask.der = request->der;
    ex.ask.der_len = request->der_len;
    ex.ask.pool = pool;
    ex.ask.keep_alive = request->keepalive != NULL;

    (void)ERR_set_mark();
    verdict = fetch_prepare(&ex);
    if (verdict == OC_PENDING)
        verdict = fetch_both_ways(&ex);
    (void)ERR_pop_to_mark();

    /* Headers, host names and system texts end up here; this is where they become printable. */
    (void)apr_cpystrn(result->detail, apr_pescape_echo(pool, result->detail, 0), sizeof(result->detail));
    result->elapsed = oc_deadline_now() - begin;
    return verdict;
}

const char *oc_fetch_url_problem(const char *url, apr_pool_t *pool)
{
    oc_url_t parsed;

    return oc_url_parse(&parsed, url, OC_URL_RESPONDER, pool);
}

static const char *fetch_peer(const oc_url_t *url, apr_pool_t *pool)
{
    return apr_psprintf(pool, strchr(url->host, ':') != NULL ? "[%s]:%u" : "%s:%u", url->host, (unsigned)url->port);
}

const char *oc_fetch_responder(const char *url, apr_pool_t *pool)
{
    oc_url_t parsed;

    return oc_url_parse(&parsed, url, OC_URL_RESPONDER, pool) == NULL ? fetch_peer(&parsed, pool) : NULL;
}

const char *oc_fetch_proxy(const char *url, apr_pool_t *pool, const char **problem)
{
    oc_url_t parsed;

    *problem = oc_url_parse(&parsed, url, OC_URL_PROXY, pool);
    return *problem == NULL ? fetch_peer(&parsed, pool) : NULL;
}
