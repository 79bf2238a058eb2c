/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The chunked transfer coding (RFC 9112 section 7.1), decoded in place.
 */
#ifndef OC_FETCH_CHUNKED_H
#define OC_FETCH_CHUNKED_H

#include "base/verdict.h"

#include <apr.h>

/** Private to chunked.c, but for verdict, problem, ended and clean. */
typedef struct {
    oc_verdict_t verdict; /* OC_PENDING: no fault so far; else OC_HTTP_MALFORMED or OC_TOO_LARGE */
    const char *problem;  /* describes the fault, static; NULL: none */
    int ended;            /* the chunk of size 0 has been read */
    int clean;            /* and with it the blank line, no trailers, and nothing more */
    apr_size_t max;
    apr_size_t size;    /* bytes decoded */
    apr_size_t framing; /* and other bytes */
    apr_size_t left;
    int digits;
    int place;
} oc_chunked_t;

/** @param max a longer body is rejected: by the size that a chunk announces, before its bytes arrive */
void oc_chunked_start(oc_chunked_t *chunked, apr_size_t max);

/**
 * Decode @a n bytes at @a data in place. What follows the last chunk's size is ignored.
 * @return how many bytes of the body are at @a data, those before a fault included
 */
apr_size_t oc_chunked_take(oc_chunked_t *chunked, char *data, apr_size_t n);

#endif
