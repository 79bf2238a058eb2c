/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One exchange with a scripted responder: answers that are too short, too long, endless, chunked, or not valid HTTP.
 */
#include "support_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const case_t cases[] = {
    /* trailing bytes that belong to the answer are passed on to verification */
    {.name = "trailing bytes, closed",
     .status = 200,
     .der_len = DER_LEN + 5,
     .answers = {{.head = OK TYPE "\r\n", PART(DER_LEN + 5)}}},
    {.name = "trailing bytes late, closed",
     .status = 200,
     .der_len = DER_LEN + 5,
     .answers = {{.head = OK TYPE "\r\n", PART(DER_LEN + 5), .split = sizeof(OK TYPE "\r\n") - 1 + DER_LEN}}},

    /* wrong lengths */
    {.name = "Content-Length too short",
     .verdict = OC_NOT_DER,
     .status = 200,
     .detail = "Content-Length: 1000",
     .answers = {{.head = OK TYPE "Content-Length: 1000\r\n\r\n", BODY}}},
    {.name = "Content-Length too long",
     .verdict = OC_NOT_DER,
     .status = 200,
     .detail = "Content-Length: 1205",
     .answers = {{.head = OK TYPE "Content-Length: 1205\r\n\r\n", PART(DER_LEN + 5)}}},
    {.name = "Content-Length no number",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "Content-Length: 12x",
     .answers = {{.head = OK TYPE "Content-Length: 12x\r\n\r\n", BODY}}},
    {.name = "Content-Length negative",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .answers = {{.head = OK TYPE "Content-Length: -1\r\n\r\n", BODY}}},
    {.name = "two Content-Lengths",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "two different",
     .answers = {{.head = OK TYPE "Content-Length: 1200\r\nContent-Length: 1201\r\n\r\n", BODY}}},
    {.name = "Content-Length above the cap",
     .verdict = OC_TOO_LARGE,
     .status = 200,
     .answers = {{.head = OK TYPE "Content-Length: 32769\r\n\r\n", BODY}}},
    {.name = "Content-Length beyond any number",
     .verdict = OC_TOO_LARGE,
     .status = 200,
     .answers = {{.head = OK TYPE "Content-Length: 99999999999999999999999\r\n\r\n", BODY}}},
    {.name = "ASN.1 length above the cap",
     .verdict = OC_TOO_LARGE,
     .status = 200,
     .answers = {{.head = OK TYPE "\r\n", TEXT("\x30\x84\x7f\xff\xff\xff.....")}}},
    {.name = "ASN.1 length indefinite",
     .verdict = OC_NOT_DER,
     .status = 200,
     .answers = {{.head = OK TYPE "\r\n", TEXT("\x30\x80\x02\x01\x01\x00\x00")}}},
    {.name = "ASN.1 length in five bytes",
     .verdict = OC_NOT_DER,
     .status = 200,
     .detail = "invalid length",
     .answers = {{.head = OK TYPE "\r\n", TEXT("\x30\x85\x00\x00\x00\x00\x05hello"), .then = THEN_HANG}}},
    {.name = "ASN.1 length cut",
     .verdict = OC_NOT_DER,
     .status = 200,
     .detail = "ends after 3 bytes",
     .answers = {{.head = OK TYPE "Content-Length: 3\r\n\r\n", TEXT("\x30\x82\x04"), .then = THEN_HANG}}},
    {.name = "ASN.1 length not minimal, for verification to judge",
     .status = 200,
     .der_len = 8,
     .answers = {{.head = OK TYPE "Content-Length: 8\r\n\r\n", TEXT("\x30\x84\x00\x00\x00\x02hi")}}},
    {.name = "empty",
     .verdict = OC_NOT_DER,
     .status = 200,
     .detail = "0 bytes",
     .answers = {{.head = OK TYPE "Content-Length: 0\r\n\r\n", .then = THEN_HANG}}},
    {.name = "empty and closed", .verdict = OC_CONNECTION_LOST, .status = 200, .answers = {{.head = OK TYPE "\r\n"}}},
    {.name = "one byte",
     .verdict = OC_NOT_DER,
     .status = 200,
     .detail = "1 bytes",
     .answers = {{.head = OK TYPE "Content-Length: 1\r\n\r\n", TEXT("\x30"), .then = THEN_HANG}}},
    {.name = "one byte and closed",
     .verdict = OC_CONNECTION_LOST,
     .status = 200,
     .detail = "closed after 1 bytes",
     .answers = {{.head = OK TYPE "\r\n", TEXT("\x30")}}},
    {.name = "closed mid-body",
     .verdict = OC_CONNECTION_LOST,
     .status = 200,
     .detail = "closed after 700 bytes",
     .answers = {{.head = HEAD, PART(700)}}},
    {.name = "closed mid-body, no Content-Length",
     .verdict = OC_CONNECTION_LOST,
     .status = 200,
     .answers = {{.head = OK TYPE "\r\n", PART(1199)}}},
    {.name = "reset mid-body",
     .verdict = OC_CONNECTION_LOST,
     .status = 200,
     .answers = {{.head = HEAD, PART(700), .split = 300, .then = THEN_RESET}}},
    {.name = "closed mid-head",
     .verdict = OC_CONNECTION_LOST,
     .status = 200,
     .detail = "before the head",
     .answers = {{.head = OK TYPE}}},
    {.name = "reset at once", .verdict = OC_CONNECTION_LOST, .answers = {{.then = THEN_RESET}}},

    /* chunked */
    {.name = "chunked",
     .status = 200,
     .der_len = 16,
     .answers = {{.head = OK TYPE CHUNKED "\r\n",
                  TEXT("5\r\n\x30\x0e\x01\x02\x03\r\nB;ext=\"x;y\"\r\nabcdefghijk\r\n000\r\nTrailer: x\r\n\r\n")}}},
    {.name = "chunked, byte by byte",
     .status = 200,
     .der_len = 16,
     .answers = {{.head = OK TYPE CHUNKED "\r\n",
                  .drip_us = 20,
                  TEXT("5 \r\n\x30\x0e\x01\x02\x03\r\nb\nabcdefghijk\n0\n\n"),
                  .then = THEN_HANG}}},
    {.name = "chunked, trailing bytes",
     .status = 200,
     .der_len = 17,
     .answers = {{.head = OK TYPE CHUNKED "\r\n",
                  TEXT("10\r\n\x30\x0e"
                       "12345678901234"
                       "\r\n1\r\n!\r\n0\r\n\r\n")}}},
    {.name = "chunked, cut after the object",
     .verdict = OC_CONNECTION_LOST,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n",
                  TEXT("10\r\n\x30\x0e"
                       "12345678901234"
                       "\r\n")}}},
    {.name = "chunked, no end",
     .verdict = OC_TIMED_OUT,
     .status = 200,
     .timeout_ms = 300,
     .answers = {{.head = OK TYPE CHUNKED "\r\n",
                  TEXT("10\r\n\x30\x0e"
                       "12345678901234"
                       "\r\n"),
                  .then = THEN_HANG}}},
    {.name = "chunked, object incomplete",
     .verdict = OC_NOT_DER,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n", TEXT("3\r\n\x30\x0e\x01\r\n0\r\n\r\n"), .then = THEN_HANG}}},
    {.name = "chunked, nothing",
     .verdict = OC_NOT_DER,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n", TEXT("0\r\n\r\n"), .then = THEN_HANG}}},
    {.name = "chunk size no number",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "hexadecimal",
     .answers = {{.head = OK TYPE CHUNKED "\r\n", TEXT("x\r\n")}}},
    {.name = "chunk size missing",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n", TEXT("\r\n\r\n")}}},
    {.name = "chunk size negative",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n", TEXT("-5\r\nhello\r\n")}}},
    {.name = "chunk size 0x",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n", TEXT("0x5\r\nhello\r\n")}}},
    {.name = "chunk size above the cap",
     .verdict = OC_TOO_LARGE,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n", TEXT("8001\r\n0")}}},
    {.name = "chunk size beyond any number",
     .verdict = OC_TOO_LARGE,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n", TEXT("10000000000000005\r\nhello\r\n")}}},
    {.name = "chunk longer than its size",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "does not end",
     .answers = {{.head = OK TYPE CHUNKED "\r\n",
                  TEXT("5\r\n\x30\x0e"
                       "12345\r\n")}}},
    {.name = "chunk size CR without LF",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n",
                  TEXT("5\rx\x30\x0e"
                       "123\r\n")}}},
    {.name = "chunks of framing alone",
     .verdict = OC_TOO_LARGE,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED "\r\n1;", TEXT("extensionextensionextensionextension"), .then = THEN_FLOOD}}},
    {.name = "chunked and Content-Length",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "both",
     .answers = {{.head = OK TYPE CHUNKED "Content-Length: 1200\r\n\r\n", BODY}}},
    {.name = "chunked twice",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .answers = {{.head = OK TYPE CHUNKED CHUNKED "\r\n", BODY}}},
    {.name = "gzip, chunked",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "Transfer-Encoding: gzip, chunked",
     .answers = {{.head = OK TYPE "Transfer-Encoding: gzip, chunked\r\n\r\n", BODY}}},

    /* not HTTP, or not valid */
    {.name = "garbage", .verdict = OC_HTTP_MALFORMED, .detail = "\"S\"", .answers = {{.head = "SSH-2.0-x\r\n"}}},
    {.name = "a TLS alert", .verdict = OC_HTTP_MALFORMED, .answers = {{.head = "\x15\x03\x01", .then = THEN_HANG}}},
    {.name = "HTTP/2", .verdict = OC_HTTP_MALFORMED, .answers = {{.head = "HTTP/2 200\r\n\r\n"}}},
    {.name = "the answer without a head", .verdict = OC_HTTP_MALFORMED, .answers = {{BODY}}},
    {.name = "status no number",
     .verdict = OC_HTTP_MALFORMED,
     .detail = "status line",
     .answers = {{.head = "HTTP/1.1 2x0 OK\r\n\r\n"}}},
    {.name = "status of two digits", .verdict = OC_HTTP_MALFORMED, .answers = {{.head = "HTTP/1.1 20 OKOKOK\r\n\r\n"}}},
    {.name = "status of four digits", .verdict = OC_HTTP_MALFORMED, .answers = {{.head = "HTTP/1.1 2000 OK\r\n\r\n"}}},
    {.name = "status line cut", .verdict = OC_HTTP_MALFORMED, .answers = {{.head = "HTTP/1.1\r\n\r\n"}}},
    {.name = "blank line first", .verdict = OC_HTTP_MALFORMED, .answers = {{.head = "\r\n" HEAD, BODY}}},
    {.name = "a header without a name",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "without a name",
     .answers = {{.head = OK ": x\r\n" TYPE "\r\n", BODY}}},
    {.name = "a header line longer than what is read of it",
     .status = 200,
     .answers = {{.head = OK "X: ________________________________________________________________________________"
                             "____________________________________________________________________________________"
                             "____________________________________________________________________________________"
                             "____________________________________________________________________________________"
                             "____________________________________________________________________________________"
                             "____________________________________________________________________________________"
                             "____________________________________________________________________________________"
                             "\r\nContent-Length: 1200\r\n\r\n",
                  BODY,
                  .then = THEN_HANG}}},
    {.name = "CR without LF",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "control character",
     .answers = {{.head = OK "X: y\rz\r\n\r\n", BODY}}},
    {.name = "an escape sequence",
     .verdict = OC_HTTP_MALFORMED,
     .detail = "control character",
     .answers = {{.head = "HTTP/1.1 500 \x1b[31mred\r\n\r\n"}}},
    {.name = "reason beyond ASCII",
     .verdict = OC_HTTP_STATUS,
     .status = 500,
     .detail = "500 \\xff\\xfe",
     .answers = {{.head = "HTTP/1.1 500 \xff\xfe\r\n\r\n"}}},
    {.name = "NUL in the head",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .answers = {{.head = OK, TEXT("X: \0\r\n\r\n"), .then = THEN_HANG}}},

    /* endless */
    {.name = "headers without end",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "longer than 16384",
     .answers = {{.head = OK, TEXT("X-Filler: and another header, and another\r\n"), .then = THEN_FLOOD}}},
    {.name = "a header line without end",
     .verdict = OC_HTTP_MALFORMED,
     .status = 200,
     .detail = "line longer than 8000",
     .answers = {{.head = OK "X: ", TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), .then = THEN_FLOOD}}},
    {.name = "a body without end",
     .verdict = OC_TOO_LARGE,
     .status = 200,
     .answers = {{.head = OK TYPE "\r\n", BODY, .then = THEN_FLOOD}}},
    {.name = "the largest body", .status = 200, .der_len = 32768, .answers = {{.head = OK TYPE "\r\n", PART(32768)}}},
    {.name = "one byte above the largest body",
     .verdict = OC_TOO_LARGE,
     .status = 200,
     .answers = {{.head = OK TYPE "\r\n", PART(32769)}}},
};

/* Wherever the network cuts the answer in two, the result is the same. */
static void test_cut_anywhere(void **state)
{
    responder_answer_t cut = {.head = OK TYPE CHUNKED "X: y\r\n\r\n",
                              TEXT("4;x\r\n\x30\x06\x01\x02\r\n4\r\n1234\r\n0\r\n\r\n")};
    size_t len = strlen(cut.head) + cut.body_len;
    oc_fetch_result_t result;
    apr_pool_t *pool;
    char url[64];
    exchange_t exchange = {.url = url, .der_len = EXCHANGE_LONG, .timeout_ms = 5000};

    (void)state;
    assert_int_equal(apr_pool_create(&pool, case_pool), APR_SUCCESS);
    for (cut.split = 1; cut.split < len; cut.split++) {
        assert_int_equal(responder_start(&case_responder, AF_INET, &cut, 1), 0);
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", case_responder.port);
        assert_int_equal(exchange_run(&exchange, &result, pool), OC_PENDING);
        responder_stop(&case_responder);
        assert_int_equal(result.der_len, 8);
        assert_memory_equal(result.der,
                            "\x30\x06\x01\x02"
                            "1234",
                            8);
    }
    apr_pool_destroy(pool);
}

int main(void)
{
    return case_main("fetch framing", cases, sizeof(cases) / sizeof(cases[0]), test_cut_anywhere);
}
