/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads a response piece by piece (RFC 9112 section 6.3) for fetch.c. Every byte may be hostile. Of the body it looks
 * at nothing but the length of the outer DER object, which tells an answer from a page of HTML, a whole one from a
 * part, and where an answer without a length ends. It must never store more than body_max bytes of a body.
 */
#include "http.h"

#include <apr_strings.h>
#include <string.h>

/* The first fault found is the cause; what follows may be its effect. */
static void http_reject(oc_http_t *http, oc_verdict_t verdict, const char *detail)
{
    if (http->verdict != OC_PENDING)
        return;
    http->verdict = verdict;
    http->detail = detail;
}

/* An OCSPResponse is a SEQUENCE of definite length (X.690 section 10.1). Called until its size is known. */
static void http_read_object_size(oc_http_t *http)
{
    const unsigned char *der = http->body;
    apr_uint64_t size = 0;
    unsigned i, n;

    if (http->body_len > 0 && der[0] != 0x30)
        http_reject(http, OC_NOT_DER, "the content does not begin with a DER SEQUENCE");
    if (http->body_len < 2)
        return;
    n = der[1] & 0x80 ? der[1] & 0x7f : 0;
    if (der[1] == 0x80 || n > 4)
        http_reject(http, OC_NOT_DER, "the content begins with a DER SEQUENCE of invalid length");
    if (http->verdict != OC_PENDING || http->body_len < 2 + n)
        return;
    for (i = 0; i < n; i++)
        size = size << 8 | der[2 + i];
    size = 2 + n + (n > 0 ? size : der[1]);
    if (http->head.length >= 0 && (apr_uint64_t)http->head.length != size)
        http_reject(http, OC_NOT_DER,
                    apr_psprintf(http->pool,
                                 "Content-Length: %" APR_INT64_T_FMT ", but the response in it has %" APR_UINT64_T_FMT
                                 " bytes",
                                 http->head.length, size));
    else if (size > http->body_max)
        http_reject(http, OC_TOO_LARGE, apr_psprintf(http->pool, "a response of %" APR_UINT64_T_FMT " bytes", size));
    else
        http->object = (apr_size_t)size;
}

/* @a n bytes of the body, its framing removed. */
static void http_store(oc_http_t *http, const char *data, apr_size_t n)
{
    apr_size_t room = http->body_max - http->body_len, fits = n < room ? n : room;

    memcpy(http->body + http->body_len, data, fits);
    http->body_len += fits;
    if (http->object == 0)
        http_read_object_size(http);
    if (n > room)
        http_reject(http, OC_TOO_LARGE, "an answer without a length that exceeds the largest size accepted");
    http->whole = http->object > 0 && http->body_len >= http->object;
}

/* The head has ended: how long is the body, and may it be so long? */
static void http_begin_body(oc_http_t *http)
{
    http->until_close = !http->head.chunked && http->head.length < 0;
    http->body = apr_palloc(http->pool, http->body_max);
    oc_chunked_start(&http->chunked, http->body_max);
    if (http->head.length > (apr_int64_t)http->body_max)
        http_reject(http, OC_TOO_LARGE,
                    apr_psprintf(http->pool, "Content-Length: %" APR_INT64_T_FMT, http->head.length));
}

/* What follows the end of the body does not belong to the response. It is dropped, and the connection with it. */
static void http_take_body(oc_http_t *http, char *data, apr_size_t n)
{
    int clean = 0;

    if (http->head.chunked) {
        http_store(http, data, oc_chunked_take(&http->chunked, data, n));
        http->complete = http->chunked.ended;
        clean = http->chunked.clean;
        if (http->chunked.verdict != OC_PENDING)
            http_reject(http, http->chunked.verdict, http->chunked.problem);
    }
    else if (http->until_close) {
        http_store(http, data, n);
    }
    else {
        apr_size_t left = (apr_size_t)http->head.length - http->body_len;

        clean = n <= left;
        http_store(http, data, clean ? n : left);
        http->complete = n >= left;
    }
    if (http->complete && !http->whole)
        http_reject(http, OC_NOT_DER,
                    apr_psprintf(http->pool,
                                 "the content ends after %" APR_SIZE_T_FMT " bytes, before a response is complete",
                                 http->body_len));
    http->reusable = http->complete && clean && http->head.persists;
}

oc_http_t *oc_http_create(apr_size_t body_max, apr_pool_t *pool)
{
    oc_http_t *http = apr_palloc(pool, sizeof(*http));

    memset(http, 0, sizeof(*http));
    http->pool = pool;
    http->body_max = body_max;
    oc_head_start(&http->head);
    return http;
}

void oc_http_take(oc_http_t *http, char *data, apr_size_t n)
{
    apr_size_t used = 0;

    if (http->complete || http->verdict != OC_PENDING)
        return;
    if (!http->head.done) {
        used = oc_head_take(&http->head, data, n);
        if (http->head.verdict != OC_PENDING)
            http_reject(http, http->head.verdict, http->head.detail);
        else if (http->head.done)
            http_begin_body(http);
    }
    if (http->head.done && http->verdict == OC_PENDING)
        http_take_body(http, data + used, n - used);
}
