/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_http: response head and body framing, seen on the way to OpenSSL's HTTP client.
 *
 * OpenSSL's client writes the request, walks through the head, checks Content-Length and collects the answer. It leaves
 * undecided: what the status was, content types with parameters, chunked bodies, caching and retry wishes, heads
 * without end, and bytes that come after the answer. A filter BIO between it and the socket decides these alone.
 */
#ifndef OC_FETCH_HTTP_H
#define OC_FETCH_HTTP_H

#include "head.h"
#include "base/verdict.h"

#include <apr_errno.h>
#include <apr_pools.h>
#include <openssl/bio.h>

typedef struct oc_http_t oc_http_t;

/** What has been seen so far. Text is raw: not escaped, but without control characters. */
typedef struct {
    oc_verdict_t
        verdict; /* OC_PENDING: nothing wrong so far; else why reading was ended: as oc_head.h, or OC_TOO_LARGE */
    const char *detail; /* says more of the verdict */
    const oc_head_t *head;
    apr_size_t body; /* bytes of the body handed on, chunk framing removed */
    int until_close; /* no length was announced: the body ends where the connection does */
    int complete;    /* the body has ended, as its framing says */
    int closed;      /* the responder has closed the connection */
    int begun;       /* at least one byte of an answer has come */
    int reusable; /* complete, nothing came behind it, and the responder keeps the connection open for another exchange */
    apr_status_t io_error; /* errno of a failed read or write; 0: none */
} oc_http_seen_t;

/**
 * Put a filter upon @a transport, a socket BIO. On success it owns @a transport.
 * @param body_max refuse a longer body (OC_TOO_LARGE)
 * @return NULL when OpenSSL has no memory. Not for use by two threads at once; release with oc_http_close().
 */
oc_http_t *oc_http_open(BIO *transport, apr_size_t body_max, apr_pool_t *pool);

/** The BIO to hand to OSSL_HTTP_REQ_CTX_new(), for both directions. It reads as at its end where the body ends. */
BIO *oc_http_bio(const oc_http_t *http);

const oc_http_seen_t *oc_http_seen(const oc_http_t *http);

/** The head as it came, or as much of it as was read: @a len bytes, raw, without a NUL behind them. */
const char *oc_http_head(const oc_http_t *http, apr_size_t *len);

/** Free the filter and the transport. */
void oc_http_close(oc_http_t *http);

#endif
