/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The head of a responder's HTTP response: the few fields that decide what happens with its body.
 */
#ifndef OC_FETCH_HEAD_H
#define OC_FETCH_HEAD_H

#include "base/verdict.h"

#include <apr_time.h>

#define OC_HEAD_MAX 16384     /* bytes of a whole head */
#define OC_HEAD_LINE_MAX 8000 /* bytes of one of its lines */

typedef struct {
    oc_verdict_t verdict; /* OC_PENDING: no fault so far; else why there is no answer in this response */
    char detail[200];     /* explains the verdict; raw: not escaped, but without control characters */
    int status;           /* 0: no status line yet */
    int done;             /* the blank line has been read, and everything before it judged */
    int chunked;
    int persists;       /* the responder keeps the connection open after this response (RFC 9112 section 9.3) */
    apr_int64_t length; /* Content-Length; -1: none */
    apr_interval_time_t retry_after; /* in seconds form only, at most a year; 0: none */
    apr_interval_time_t max_age;     /* Cache-Control, at most a year; 0: none */
    apr_size_t size;                 /* bytes read */
    char text[OC_HEAD_MAX + 1];      /* those bytes, raw, and a NUL */

    /* private to head.c */
    apr_size_t line; /* where the current line begins in the text */
    int after_cr;
    char content_type[96];
    char content_encoding[32];
    char transfer_encoding[32];
    char location[150];
    int is_http_1_0;
    int closes; /* Connection: close */
} oc_head_t;

void oc_head_start(oc_head_t *head);

/**
 * Read up to the end of the head. Verdicts: OC_HTTP_MALFORMED, OC_HTTP_STATUS (anything but 200), OC_HTTP_REDIRECT,
 * OC_CONTENT_TYPE (neither application/ocsp-response nor absent; encoded content).
 * @return how many of the @a n bytes at @a data belong to the head. Fewer than @a n: it is done, or has a verdict.
 */
apr_size_t oc_head_take(oc_head_t *head, const char *data, apr_size_t n);

#endif
