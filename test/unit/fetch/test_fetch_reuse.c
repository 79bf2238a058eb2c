/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Several exchanges over one connection: after which answers it stays open, and what happens when the responder closes
 * it.
 */
#include "support_case.h"
#include "support_test.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GOOD(end)                              \
    {                                          \
        .head = HEAD, BODY, .then = THEN_##end \
    }

static apr_pool_t *pool;
static oc_keepalive_t *keepalive;
static responder_t first, second;
static oc_fetch_result_t result;
static int descriptors;

static void serve(responder_t *responder, const responder_answer_t *answers, int count)
{
    assert_int_equal(responder_start(responder, AF_INET, answers, count), 0);
}

static oc_verdict_t ask(const responder_t *responder, size_t der_len, int timeout_ms, atomic_int *stop)
{
    exchange_t exchange = {.der_len = der_len, .timeout_ms = timeout_ms, .stop = stop, .keepalive = keepalive};

    exchange.url = apr_psprintf(pool, "http://127.0.0.1:%d/", responder->port);
    return exchange_run(&exchange, &result, pool);
}

static void assert_good(const responder_t *responder)
{
    if (ask(responder, EXCHANGE_LONG, 5000, NULL) != OC_PENDING) {
        fail_msg("%s", result.detail);
    }
    assert_int_equal(result.der_len, DER_LEN);
    assert_memory_equal(result.der, case_answer, DER_LEN);
    assert_string_equal(result.detail, "");
}

/* ---- after which answers ---- */

typedef struct {
    const char *name;
    int is_kept;
    oc_verdict_t verdict;
    responder_answer_t answer;
} kept_t;

#define LENGTH "Content-Length: 1200\r\n"
#define SMALL "5\r\n\x30\x03\x0a\x01\x01\r\n"
#define ANSWER(headers) .answer = {.head = headers "\r\n", BODY}
#define CHUNKS(headers, text) .answer = {.head = headers "\r\n", TEXT(text)}

static const kept_t kept[] = {
    {"HTTP/1.1", 1, OC_PENDING, ANSWER(OK TYPE LENGTH)},
    {"HTTP/1.1, keep-alive", 1, OC_PENDING,
     ANSWER(OK TYPE LENGTH "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n")},
    {"HTTP/1.1, close", 0, OC_PENDING, ANSWER(OK TYPE "Connection: close\r\n" LENGTH)},
    {"HTTP/1.1, Close in a list", 0, OC_PENDING, ANSWER(OK "connection:x-y ,\tClose\r\n" LENGTH)},
    {"HTTP/1.1, close in a second header", 0, OC_PENDING,
     ANSWER(OK LENGTH "Connection: keep-alive\r\nConnection: close\r\n")},
    {"HTTP/1.1, close before keep-alive", 0, OC_PENDING, ANSWER(OK LENGTH "Connection: close, keep-alive\r\n")},
    {"HTTP/1.1, options that only look like close", 1, OC_PENDING, ANSWER(OK LENGTH "Connection: closed, clos, \r\n")},
    {"HTTP/1.0", 0, OC_PENDING, ANSWER("HTTP/1.0 200 OK\r\n" LENGTH)},
    {"HTTP/1.0, keep-alive", 1, OC_PENDING, ANSWER("HTTP/1.0 200 OK\r\n" LENGTH "Connection: Keep-Alive\r\n")},
    {"HTTP/1.0, keep-alive in a list", 1, OC_PENDING,
     ANSWER("HTTP/1.0 200 OK\r\n" LENGTH "Connection: x,keep-alive\r\n")},
    {"HTTP/1.0, options that only look like it", 0, OC_PENDING,
     ANSWER("HTTP/1.0 200 OK\r\n" LENGTH "Connection: keep-alives, keep\r\n")},
    {"no length", 0, OC_PENDING, ANSWER(OK TYPE)},
    {"bytes left over", 0, OC_PENDING, .answer = {.head = HEAD, PART(DER_LEN + 1)}},
    {"head and body apart", 1, OC_PENDING, .answer = {.head = HEAD, BODY, .split = sizeof(HEAD) - 1}},
    {"byte by byte", 1, OC_PENDING, .answer = {.head = HEAD, BODY, .drip_us = 10}},
    {"chunked", 1, OC_PENDING, CHUNKS(OK TYPE CHUNKED, SMALL "0\r\n\r\n")},
    {"chunked, with an extension", 1, OC_PENDING, CHUNKS(OK TYPE CHUNKED, SMALL "0;x=y\r\n\r\n")},
    {"chunked, with a trailer", 0, OC_PENDING, CHUNKS(OK TYPE CHUNKED, SMALL "0\r\nX: y\r\n\r\n")},
    {"chunked, without the blank line", 0, OC_PENDING, CHUNKS(OK TYPE CHUNKED, SMALL "0\r\n")},
    {"chunked, two bytes left over", 0, OC_PENDING, CHUNKS(OK TYPE CHUNKED, SMALL "0\r\nHT")},
    {"chunked, bytes left over", 0, OC_PENDING, CHUNKS(OK TYPE CHUNKED, SMALL "0\r\n\r\nHTTP/1.1 200 OK\r\n")},
    {"chunked, close", 0, OC_PENDING, CHUNKS(OK TYPE CHUNKED "Connection: close\r\n", SMALL "0\r\n\r\n")},
    {"chunked, HTTP/1.0", 0, OC_PENDING,
     CHUNKS("HTTP/1.0 200 OK\r\n" CHUNKED "Connection: keep-alive\r\n", SMALL "0\r\n\r\n")},
    {"404", 0, OC_HTTP_STATUS, CHUNKS("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n", "no")},
    {"HTML", 0, OC_CONTENT_TYPE, ANSWER(OK "Content-Type: text/html\r\n" LENGTH)},
    {"an empty answer", 0, OC_NOT_DER, .answer = {.head = OK TYPE "Content-Length: 0\r\n\r\n"}},
    {"an object cut off by its length", 0, OC_NOT_DER, CHUNKS(OK TYPE CHUNKED, "3\r\n\x30\x0e\x01\r\n0\r\n\r\n")},
    {"a length that contradicts the object", 0, OC_NOT_DER, ANSWER(OK TYPE "Content-Length: 1199\r\n")},
};

static void test_kept(void **state)
{
    const kept_t *row = *state;
    responder_answer_t answers[] = {row->answer, GOOD(CLOSE)};

    answers[0].then = THEN_NEXT;
    serve(&first, answers, 2);
    assert_int_equal(ask(&first, EXCHANGE_LONG, 5000, NULL), row->verdict);
    assert_good(&first);
    responder_stop(&first);
    assert_int_equal(first.used, 2);
    assert_int_equal(first.connections, row->is_kept ? 1 : 2);
}

/* ---- over the open connection ---- */

TEST(many_by_both_methods)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), GOOD(NEXT), GOOD(NEXT), GOOD(NEXT)};
    int i;

    serve(&first, answers, 4);
    for (i = 0; i < 4; i++) {
        assert_int_equal(ask(&first, i % 2 == 0 ? EXCHANGE_SHORT : EXCHANGE_LONG, 5000, NULL), OC_PENDING);
        assert_memory_equal(result.der, case_answer, DER_LEN);
    }
    responder_stop(&first);
    assert_int_equal(first.connections, 1);
    assert_int_equal(first.used, 4);
    for (i = 0; i < 4; i++) {
        const char *connection = strstr(first.request[i], "\r\nConnection: ");

        assert_memory_equal(first.request[i], i % 2 == 0 ? "GET /" : "POST /", 5);
        assert_non_null(connection);
        assert_memory_equal(connection, "\r\nConnection: keep-alive\r\n", 26);
        assert_null(strstr(connection + 1, "\r\nConnection: "));
    }
}

TEST(without_a_stock)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), GOOD(NEXT)};
    exchange_t exchange = {.der_len = EXCHANGE_LONG, .timeout_ms = 5000};

    serve(&first, answers, 2);
    exchange.url = apr_psprintf(pool, "http://127.0.0.1:%d/", first.port);
    assert_int_equal(exchange_run(&exchange, &result, pool), OC_PENDING);
    assert_int_equal(exchange_run(&exchange, &result, pool), OC_PENDING);
    responder_stop(&first);
    assert_int_equal(first.connections, 2);
    assert_non_null(strstr(first.request[1], "\r\nConnection: close\r\n"));
    assert_null(strstr(first.request[1], "keep-alive"));
}

TEST(descriptor_is_not_inherited)
{
    static const responder_answer_t answers[] = {GOOD(NEXT)};
    oc_connect_result_t connection;

    serve(&first, answers, 1);
    assert_good(&first);
    assert_true(oc_keepalive_take(keepalive, "127.0.0.1", (apr_port_t)first.port, oc_deadline_now(), &connection));
    assert_true(fcntl(connection.fd, F_GETFD) & FD_CLOEXEC);
    assert_string_equal(connection.where, apr_psprintf(pool, "127.0.0.1:%d", first.port));
    (void)close(connection.fd);
}

TEST(each_responder_has_its_own)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), GOOD(NEXT), GOOD(NEXT)};
    int i;

    serve(&first, answers, 3);
    serve(&second, answers, 3);
    for (i = 0; i < 3; i++) {
        assert_good(&first);
        assert_good(&second);
    }
    responder_stop(&first);
    responder_stop(&second);
    assert_int_equal(first.connections, 1);
    assert_int_equal(second.connections, 1);
}

TEST(proxy_carries_all_responders)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), GOOD(NEXT)};
    exchange_t exchange = {.der_len = EXCHANGE_LONG, .timeout_ms = 5000, .keepalive = keepalive};

    serve(&first, answers, 2);
    exchange.proxy = apr_psprintf(pool, "http://me:secret@127.0.0.1:%d", first.port);
    exchange.url = "http://one.invalid/";
    assert_int_equal(exchange_run(&exchange, &result, pool), OC_PENDING);
    exchange.url = "http://two.invalid:81/";
    assert_int_equal(exchange_run(&exchange, &result, pool), OC_PENDING);
    responder_stop(&first);
    assert_int_equal(first.connections, 1);
    assert_memory_equal(first.request[1], "POST http://two.invalid:81/ HTTP/1.0\r\n", 38);
    assert_non_null(strstr(first.request[1], "\r\nProxy-Authorization: Basic "));
}

TEST(too_old)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), GOOD(NEXT)};

    serve(&first, answers, 2);
    assert_good(&first);
    oc_keepalive_expire(keepalive, oc_deadline_now() + OC_KEEPALIVE_AGE + 1);
    assert_good(&first);
    responder_stop(&first);
    assert_int_equal(first.connections, 2);
}

/* ---- the responder closes it ---- */

TEST(closed_in_between)
{
    static const responder_answer_t answers[] = {GOOD(CLOSE), GOOD(RESET), GOOD(CLOSE)};

    serve(&first, answers, 3);
    assert_good(&first); /* it announced to keep it open */
    assert_good(&first);
    assert_good(&first);
    responder_stop(&first);
    assert_int_equal(first.connections, 3);
}

/* It closes after it has received the second request: the outcome of a race. */
static void assert_repeated(responder_end_t end, size_t der_len)
{
    const responder_answer_t answers[] = {GOOD(NEXT), {.then = end}, GOOD(NEXT)};

    serve(&first, answers, 3);
    assert_good(&first);
    assert_int_equal(ask(&first, der_len, 5000, NULL), OC_PENDING);
    assert_int_equal(result.http_status, 200);
    assert_string_equal(result.detail, "");
    assert_memory_equal(result.der, case_answer, DER_LEN);
    responder_stop(&first);
    assert_int_equal(first.used, 3);
    assert_int_equal(first.connections, 2);
    assert_int_equal(first.request_len[1], first.request_len[2]);
    assert_memory_equal(first.request[1], first.request[2], first.request_len[1]);
}

TEST(closed_on_the_request)
{
    assert_repeated(THEN_CLOSE, EXCHANGE_LONG);
    assert_repeated(THEN_RESET, EXCHANGE_LONG);
    assert_repeated(THEN_CLOSE, EXCHANGE_SHORT);
}

TEST(repeated_only_once)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), {.then = THEN_CLOSE}, {.then = THEN_CLOSE}, GOOD(NEXT)};

    serve(&first, answers, 4);
    assert_good(&first);
    assert_int_equal(ask(&first, EXCHANGE_LONG, 5000, NULL), OC_CONNECTION_LOST);
    assert_non_null(strstr(result.detail, "closed before the head"));
    assert_int_equal(result.http_status, 0);
    assert_good(&first);
    responder_stop(&first);
    assert_int_equal(first.connections, 3);
}

TEST(repeated_within_the_same_deadline)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), {.then = THEN_CLOSE}, {.then = THEN_HANG}};

    serve(&first, answers, 3);
    assert_good(&first);
    assert_int_equal(ask(&first, EXCHANGE_LONG, 300, NULL), OC_TIMED_OUT);
    responder_stop(&first);
    assert_int_equal(first.connections, 2);
}

/* What the refresher does when the answer to GET does not verify. */
TEST(second_call_has_the_rest_of_the_deadline)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), GOOD(NEXT), {.then = THEN_HANG}};
    oc_deadline_t deadline;
    exchange_t exchange = {.der_len = EXCHANGE_SHORT, .keepalive = keepalive, .deadline = &deadline};

    serve(&first, answers, 3);
    exchange.url = apr_psprintf(pool, "http://127.0.0.1:%d/", first.port);
    oc_deadline_start(&deadline, apr_time_from_msec(1500), NULL);
    assert_int_equal(exchange_run(&exchange, &result, pool), OC_PENDING);
    assert_int_equal(result.by_post, 0);
    exchange.by_post = 1;
    assert_int_equal(exchange_run(&exchange, &result, pool), OC_PENDING);
    assert_int_equal(result.by_post, 1);
    assert_int_equal(result.get_failed, 0);
    (void)usleep(300 * 1000);
    assert_int_equal(exchange_run(&exchange, &result, pool), OC_TIMED_OUT); /* at the deadline: exchange_run() checks */
    assert_true(result.elapsed < apr_time_from_msec(1500));                 /* of this call alone */
    assert_int_equal(exchange_run(&exchange, &result, pool), OC_TIMED_OUT); /* without a connection */
    responder_stop(&first);
    assert_int_equal(first.connections, 1);
    assert_memory_equal(first.request[0], "GET ", 4);
    assert_memory_equal(first.request[1], "POST ", 5);
    assert_memory_equal(first.request[2], "POST ", 5);
}

TEST(gone_for_good)
{
    static const responder_answer_t answers[] = {GOOD(NEXT)};

    serve(&first, answers, 1);
    assert_good(&first);
    responder_stop(&first);
    assert_int_equal(ask(&first, EXCHANGE_LONG, 5000, NULL), OC_CONNECT_FAILED);
    assert_non_null(strstr(result.detail, "refused"));
}

/* An answer that has begun is final. */
static void assert_final(const char *begin, oc_verdict_t verdict)
{
    const responder_answer_t answers[] = {GOOD(NEXT), {.head = begin, .then = THEN_CLOSE}, GOOD(NEXT)};

    serve(&first, answers, 3);
    assert_good(&first);
    assert_int_equal(ask(&first, EXCHANGE_LONG, 5000, NULL), verdict);
    assert_good(&first);
    responder_stop(&first);
    assert_int_equal(first.used, 3);
    assert_int_equal(first.connections, 2);
}

TEST(bad_answers_over_a_kept_connection)
{
    assert_final("H", OC_CONNECTION_LOST);
    assert_final(HEAD, OC_CONNECTION_LOST);
    assert_final("\x15\x03\x01", OC_HTTP_MALFORMED);
    assert_final("HTTP/1.1 500 Oops\r\n\r\n", OC_HTTP_STATUS);
}

TEST(get_refused_over_a_kept_connection)
{
    static const responder_answer_t answers[] = {
        GOOD(NEXT),
        {.head = "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n", .then = THEN_NEXT},
        GOOD(NEXT),
        GOOD(NEXT)};

    serve(&first, answers, 4);
    assert_good(&first);
    assert_int_equal(ask(&first, EXCHANGE_SHORT, 5000, NULL), OC_PENDING);
    assert_good(&first);
    responder_stop(&first);
    assert_memory_equal(first.request[1], "GET ", 4);
    assert_memory_equal(first.request[2], "POST ", 5);
    assert_int_equal(first.connections, 2);
}

TEST(hangs_over_a_kept_connection)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), {.then = THEN_HANG}, GOOD(NEXT)};

    serve(&first, answers, 3);
    assert_good(&first);
    assert_int_equal(ask(&first, EXCHANGE_LONG, 300, NULL), OC_TIMED_OUT);
    assert_good(&first);
    responder_stop(&first);
    assert_int_equal(first.connections, 2);
}

static atomic_int stop_flag;

static void *set_later(void *data)
{
    (void)usleep(100 * 1000); /* during the exchange */
    atomic_store(&stop_flag, 1);
    return data;
}

TEST(stopped)
{
    static const responder_answer_t answers[] = {GOOD(NEXT), {.then = THEN_HANG}};
    pthread_t thread;

    serve(&first, answers, 2);
    assert_good(&first);
    assert_int_equal(pthread_create(&thread, NULL, set_later, NULL), 0);
    assert_int_equal(ask(&first, EXCHANGE_LONG, 60000, &stop_flag), OC_STOPPED);
    assert_true(result.elapsed < apr_time_from_sec(2));
    (void)pthread_join(thread, NULL);
    responder_stop(&first);
    assert_int_equal(first.connections, 1);
}

static int start(void **state)
{
    (void)state;
    descriptors = exchange_descriptors();
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    keepalive = oc_keepalive_create(4, pool);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    responder_stop(&first); /* after a failed assertion they still run */
    responder_stop(&second);
    oc_keepalive_close(keepalive);
    apr_pool_destroy(pool);
    if (exchange_descriptors() != descriptors) {
        print_error("%d descriptors before, %d afterwards\n", descriptors, exchange_descriptors());
        return 1;
    }
    return 0;
}

#define N_KEPT (sizeof(kept) / sizeof(kept[0]))

int main(void)
{
    size_t i;

    for (i = 0; i < N_KEPT; i++)
        test_register_row(kept[i].name, test_kept, &kept[i]);
    return test_run(NULL, NULL, start, finish);
}
