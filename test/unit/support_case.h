/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Tables of exchanges: what the scripted responder answers, and the result that oc_fetch() must have. Each row is a
 * test of its own.
 */
#ifndef SUPPORT_CASE_H
#define SUPPORT_CASE_H

#include "support_exchange.h"
#include "support_responder.h"

/* For the rows. */
#define OK "HTTP/1.1 200 OK\r\n"
#define TYPE "Content-Type: application/ocsp-response\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define HEAD OK TYPE "Content-Length: 1200\r\n\r\n"
#define DER_LEN 1200
#define PART(len) .body = case_answer, .body_len = (len)
#define BODY PART(DER_LEN)
#define TEXT(text) .body = (text), .body_len = sizeof(text) - 1

/** A DER SEQUENCE of DER_LEN bytes, followed by more than oc_fetch() accepts. */
extern char case_answer[40000];

typedef struct {
    const char *name;
    oc_verdict_t verdict;
    const char *detail; /* a part of it; NULL: any */
    int status;
    size_t der_len;  /* OC_PENDING: length of the answer; 0: DER_LEN */
    int by_get;      /* the request is short enough; else POST */
    int connections; /* 0: 1 */
    int timeout_ms;  /* 0: 5000 */
    int retry_after_s;
    int max_age_s;
    responder_answer_t answers[2];
} case_t;

/** The responder of the current row, and a pool that lasts as long as the program. */
extern responder_t case_responder;
extern apr_pool_t *case_pool;

/** Run @a count rows, then @a more (NULL: nothing), as cmocka tests. @return the exit status of the program. */
int case_main(const char *name, const case_t *cases, size_t count, void (*more)(void **state));

#endif
