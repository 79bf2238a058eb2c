/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_http: see oc_http.h. Called by oc_fetch. The head is held back until it is whole and judged, since OpenSSL's
 * client gives up at the status line of an error, before Location or Retry-After have arrived. Then it is handed on
 * unchanged, and the body with its framing taken off in place (which only shortens). It must never block.
 */
#include "http.h"

#include "chunked.h"

#include <errno.h>
#include <string.h>

struct oc_http_t {
    BIO_METHOD *method;
    BIO *bio;
    apr_size_t body_max;
    oc_head_t head;
    apr_size_t left; /* of a body with Content-Length: bytes still to come */
    oc_chunked_t chunked;
    char held[OC_HEAD_MAX + 1]; /* the head, then body bytes that came along with its end */
    apr_size_t head_len;        /* the head alone */
    apr_size_t held_len;
    apr_size_t held_given; /* what OpenSSL has got of it */
    oc_http_seen_t seen;
};

static void http_refuse(oc_http_t *http, oc_verdict_t verdict, const char *detail)
{
    http->seen.verdict = verdict;
    http->seen.detail = detail;
}

/* Take the framing off @a n bytes at @a data. What lies behind the end of the body is no part of the response, and is
 * dropped, and the connection with it. @return bytes of the body now at @a data. */
static apr_size_t http_take_body(oc_http_t *http, char *data, apr_size_t n)
{
    int clean = 0;

    if (http->seen.complete || http->seen.verdict != OC_PENDING)
        return 0;
    if (http->head.chunked) {
        n = oc_chunked_take(&http->chunked, data, n);
        http->seen.complete = http->chunked.ended;
        clean = http->chunked.clean;
        if (http->chunked.verdict != OC_PENDING)
            http_refuse(http, http->chunked.verdict, http->chunked.problem);
    }
    else if (!http->seen.until_close) {
        clean = n <= http->left;
        n = clean ? n : http->left;
        http->left -= n;
        http->seen.complete = http->left == 0;
    }
    else if (n > http->body_max - http->seen.body) {
        http_refuse(http, OC_TOO_LARGE, "an answer without a length goes beyond the largest taken");
        return 0;
    }
    http->seen.body += n;
    http->seen.reusable = http->seen.complete && clean && http->head.persists;
    return n;
}

/* The head has been read to its end: how long is the body? (RFC 9112 section 6.3) */
static void http_begin_body(oc_http_t *http)
{
    if (http->head.chunked) {
        oc_chunked_start(&http->chunked, http->body_max);
    }
    else if (http->head.length < 0) {
        http->seen.until_close = 1;
    }
    else if (http->head.length > (apr_int64_t)http->body_max) {
        http_refuse(http, OC_TOO_LARGE, "an answer longer than the largest taken, by its Content-Length");
    }
    else {
        http->left = (apr_size_t)http->head.length;
        http->seen.complete = http->left == 0;
    }
}

/* @a n bytes have been read behind what is held of the head. */
static void http_take_head(oc_http_t *http, apr_size_t n)
{
    char *data = http->held + http->held_len;
    apr_size_t used = oc_head_take(&http->head, data, n);

    http->held_len += used;
    http->head_len += used;
    http->seen.begun = 1;
    if (http->head.verdict != OC_PENDING) {
        http_refuse(http, http->head.verdict, http->head.detail);
    }
    else if (http->head.done) {
        http_begin_body(http);
        http->held_len += http_take_body(http, data + used, n - used);
    }
}

/* The transport gave @a n <= 0 bytes. */
static int http_read_failed(oc_http_t *http, BIO *bio, int n, int error)
{
    BIO_copy_next_retry(bio);
    if (BIO_should_retry(bio))
        return -1;
    http->seen.io_error = n < 0 ? (error != 0 ? error : EIO) : 0;
    http->seen.closed = n == 0;
    if (n == 0 && http->seen.until_close)
        http->seen.complete = 1;
    return n;
}

static int http_give_held(oc_http_t *http, char *data, int size)
{
    apr_size_t n = http->held_len - http->held_given;

    n = n < (apr_size_t)size ? n : (apr_size_t)size;
    memcpy(data, http->held + http->held_given, n);
    http->held_given += n;
    return (int)n;
}

static int http_read(BIO *bio, char *data, int size)
{
    oc_http_t *http = BIO_get_data(bio);
    int n;

    BIO_clear_retry_flags(bio);
    if (data == NULL || size <= 0)
        return 0;
    while (http->seen.verdict == OC_PENDING) {
        if (http->head.done && http->held_given < http->held_len)
            return http_give_held(http, data, size);
        if (http->seen.complete)
            return 0;
        errno = 0;
        n = http->head.done
                ? BIO_read(BIO_next(bio), data, size)
                : BIO_read(BIO_next(bio), http->held + http->held_len, (int)(sizeof(http->held) - http->held_len));
        if (n <= 0)
            return http_read_failed(http, bio, n, errno);
        if (!http->head.done) {
            http_take_head(http, (apr_size_t)n);
            continue;
        }
        n = (int)http_take_body(http, data, (apr_size_t)n);
        if (http->seen.verdict == OC_PENDING && n > 0)
            return n;
    }
    return -1;
}

static int http_write(BIO *bio, const char *data, int size)
{
    oc_http_t *http = BIO_get_data(bio);
    int n;

    BIO_clear_retry_flags(bio);
    errno = 0;
    n = BIO_write(BIO_next(bio), data, size);
    BIO_copy_next_retry(bio);
    if (n <= 0 && !BIO_should_retry(bio))
        http->seen.io_error = errno != 0 ? errno : EIO;
    return n;
}

static long http_ctrl(BIO *bio, int command, long number, void *pointer)
{
    return BIO_ctrl(BIO_next(bio), command, number, pointer);
}

oc_http_t *oc_http_open(BIO *transport, apr_size_t body_max, apr_pool_t *pool)
{
    oc_http_t *http = apr_pcalloc(pool, sizeof(*http));

    http->body_max = body_max;
    http->seen.head = &http->head;
    oc_head_start(&http->head);
    /* A method of its own for each exchange, under the type of filters in general: no state that outlives the exchange,
     * and none of the 127 types that a process can give away. */
    http->method = BIO_meth_new(BIO_TYPE_FILTER, "response framing");
    if (http->method == NULL)
        return NULL;
    if (!BIO_meth_set_read(http->method, http_read) || !BIO_meth_set_write(http->method, http_write)
        || !BIO_meth_set_ctrl(http->method, http_ctrl) || (http->bio = BIO_new(http->method)) == NULL) {
        BIO_meth_free(http->method);
        return NULL;
    }
    BIO_set_data(http->bio, http);
    BIO_set_init(http->bio, 1);
    (void)BIO_push(http->bio, transport);
    return http;
}

BIO *oc_http_bio(const oc_http_t *http)
{
    return http->bio;
}

const oc_http_seen_t *oc_http_seen(const oc_http_t *http)
{
    return &http->seen;
}

const char *oc_http_head(const oc_http_t *http, apr_size_t *len)
{
    *len = http->head_len;
    return http->held;
}

void oc_http_close(oc_http_t *http)
{
    BIO_free_all(http->bio);
    BIO_meth_free(http->method);
    http->bio = NULL;
    http->method = NULL;
}
