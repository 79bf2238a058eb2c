/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The one reader of HTTP responses: head, framing and size of a responder's answer, out of bytes that the caller
 * received. It opens nothing, waits for nothing, and gives the same result wherever the network cuts the bytes.
 */
#ifndef OC_FETCH_HTTP_H
#define OC_FETCH_HTTP_H

#include "chunked.h"
#include "head.h"

#include <apr_pools.h>

typedef struct {
    oc_verdict_t verdict; /* OC_PENDING: no fault so far; else why this is not an answer: as head.h, OC_TOO_LARGE,
                             OC_NOT_DER. Nothing is read after a fault */
    const char *detail;   /* explains the verdict; raw: not escaped, but without control characters */
    oc_head_t head;
    unsigned char *body; /* from the pool, without chunk framing; NULL before the head has ended */
    apr_size_t body_len;
    int until_close; /* the head announced no length: the body ends when the connection is closed */
    int complete;    /* the body has ended, as its framing says */
    int whole;       /* the body holds the DER object that it begins with, to its last byte */
    int reusable;    /* complete, nothing followed it, and the responder keeps the connection open */

    /* private to http.c */
    apr_pool_t *pool;
    apr_size_t body_max;
    apr_size_t object; /* size of the DER object in the body; 0: not known yet */
    oc_chunked_t chunked;
} oc_http_t;

/** A reader for one response. @param body_max a longer body is rejected (OC_TOO_LARGE). Not for two threads at once. */
oc_http_t *oc_http_create(apr_size_t body_max, apr_pool_t *pool);

/** Read @a n more bytes of the response at @a data, which are overwritten. After a fault or the end they are ignored.
 */
void oc_http_take(oc_http_t *http, char *data, apr_size_t n);

#endif
