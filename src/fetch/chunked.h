/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_chunked: the chunked transfer coding (RFC 9112 section 7.1), decoded in place.
 */
#ifndef OC_FETCH_CHUNKED_H
#define OC_FETCH_CHUNKED_H

#include "base/verdict.h"

#include <apr.h>

/** All of it private to oc_chunked.c but verdict, problem, ended, clean and size. */
typedef struct {
    oc_verdict_t verdict; /* OC_PENDING: nothing wrong so far; else OC_HTTP_MALFORMED or OC_TOO_LARGE */
    const char *problem;  /* what is wrong, static; NULL while nothing is */
    int ended;            /* the chunk of size 0 has been seen */
    int clean;            /* and right behind it the blank line, no trailers and nothing more */
    apr_size_t size;      /* bytes decoded so far */
    apr_size_t max;
    apr_size_t wire;
    apr_size_t left;
    int digits;
    int place;
} oc_chunked_t;

/** @param max refuse a body that is longer: by the size a chunk announces, before its bytes come */
void oc_chunked_start(oc_chunked_t *chunked, apr_size_t max);

/**
 * Decode @a n bytes at @a data in place. Whatever comes after the last chunk's size is ignored.
 * @return how many bytes of the body now stand at @a data; 0 once verdict is not OC_PENDING.
 */
apr_size_t oc_chunked_take(oc_chunked_t *chunked, char *data, apr_size_t n);

#endif
