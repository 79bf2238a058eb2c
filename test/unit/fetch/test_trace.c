/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What an observer gets of an exchange: which steps, in which order, with which texts and times.
 */
#include "support_case.h"
#include "support_test.h"

#include "base/deadline.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEPS_MAX 16

static struct {
    oc_step_t steps[STEPS_MAX];
    int count;
} seen_steps;

static void tell(void *context, const oc_step_t *step)
{
    oc_step_t *kept = &seen_steps.steps[seen_steps.count];

    assert_ptr_equal(context, &seen_steps);
    assert_true(seen_steps.count < STEPS_MAX);
    *kept = *step;
    kept->what = apr_pstrdup(exchange_pool, step->what);
    kept->text = apr_pstrdup(exchange_pool, step->text);
    assert_true(step->begun <= step->ended);
    assert_true(step->ended <= oc_deadline_now());
    assert_true(seen_steps.count == 0 || kept[-1].ended <= step->ended);
    seen_steps.count++;
}

static const oc_trace_t trace = {tell, &seen_steps};

static oc_verdict_t ask(int port, size_t der_len, int timeout_ms, oc_fetch_result_t *result)
{
    char url[80];
    exchange_t exchange = {.url = url, .der_len = der_len, .timeout_ms = timeout_ms, .trace = &trace};

    seen_steps.count = 0;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/ca", port);
    return exchange_run(&exchange, result, exchange_pool);
}

/* Step @a i has this kind and verdict, and contains these texts. @return the step */
static const oc_step_t *expect(int i, oc_step_kind_t kind, oc_verdict_t verdict, const char *what, const char *text)
{
    const oc_step_t *step = &seen_steps.steps[i];

    assert_true(i < seen_steps.count);
    assert_int_equal(step->kind, kind);
    assert_int_equal(step->verdict, verdict);
    assert_string_equal(step->what, what);
    if (strstr(step->text, text) == NULL)
        assert_string_equal(step->text, text);
    return step;
}

/* The first two steps of every attempt. */
static void expect_connection(int i, oc_verdict_t verdict, const char *why, int port)
{
    char where[40];

    (void)snprintf(where, sizeof(where), "127.0.0.1:%d", port);
    (void)expect(i, OC_STEP_LOOK_UP, OC_PENDING, "127.0.0.1", "127.0.0.1");
    (void)expect(i + 1, OC_STEP_CONNECT, verdict, where, why);
}

TEST(good)
{
    static const responder_answer_t answers[] = {{.head = HEAD, BODY}};
    oc_fetch_result_t result;
    const oc_step_t *step;
    char url[80];

    assert_int_equal(responder_start(&exchange_responder, AF_INET, answers, 1), 0);
    assert_int_equal(ask(exchange_responder.port, EXCHANGE_SHORT, 5000, &result), OC_PENDING);
    responder_stop(&exchange_responder);
    assert_int_equal(seen_steps.count, 5);
    expect_connection(0, OC_PENDING, "", exchange_responder.port);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/ca/", exchange_responder.port);
    step = expect(2, OC_STEP_REQUEST, OC_PENDING, "GET", url);
    assert_int_equal(step->size, EXCHANGE_SHORT);
    /* The URL reported is the one sent. */
    assert_int_equal(strncmp(exchange_responder.request[0] + strlen("GET "), strstr(step->text, "/ca/"),
                             strlen(strstr(step->text, "/ca/"))),
                     0);
    step = expect(3, OC_STEP_HEAD, OC_PENDING, "", HEAD);
    assert_int_equal(step->size, strlen(HEAD));
    assert_int_equal(strlen(step->text), strlen(HEAD)); /* without the body */
    step = expect(4, OC_STEP_ANSWER, OC_PENDING, "", "");
    assert_int_equal(step->size, DER_LEN);
}

TEST(get_then_post)
{
    static const responder_answer_t answers[] = {{.head = "HTTP/1.1 405 No \x1b[31m\r\n\r\n"},
                                                 {.head = "HTTP/1.1 405 No\r\nAllow: POST\r\n\r\n"},
                                                 {.head = HEAD, BODY}};
    oc_fetch_result_t result;

    assert_int_equal(responder_start(&exchange_responder, AF_INET, answers + 1, 2), 0);
    assert_int_equal(ask(exchange_responder.port, EXCHANGE_SHORT, 5000, &result), OC_PENDING);
    responder_stop(&exchange_responder);
    assert_int_equal(result.get_failed, 1);
    assert_int_equal(seen_steps.count, 10);
    expect_connection(0, OC_PENDING, "", exchange_responder.port);
    (void)expect(2, OC_STEP_REQUEST, OC_PENDING, "GET", "/ca/");
    (void)expect(3, OC_STEP_HEAD, OC_HTTP_STATUS, "", "HTTP/1.1 405 No\r\nAllow: POST\r\n\r\n");
    (void)expect(4, OC_STEP_ANSWER, OC_HTTP_STATUS, "", "HTTP status 405 No");
    expect_connection(5, OC_PENDING, "", exchange_responder.port);
    (void)expect(7, OC_STEP_REQUEST, OC_PENDING, "POST", "/ca");
    (void)expect(8, OC_STEP_HEAD, OC_PENDING, "", HEAD);
    (void)expect(9, OC_STEP_ANSWER, OC_PENDING, "", "");

    /* Of a head that is rejected before its end, the part received is reported, raw. */
    assert_int_equal(responder_start(&exchange_responder, AF_INET, answers, 1), 0);
    assert_int_equal(ask(exchange_responder.port, EXCHANGE_LONG, 5000, &result), OC_HTTP_MALFORMED);
    responder_stop(&exchange_responder);
    assert_int_equal(seen_steps.count, 5);
    (void)expect(2, OC_STEP_REQUEST, OC_PENDING, "POST", "/ca");
    (void)expect(3, OC_STEP_HEAD, OC_HTTP_MALFORMED, "", "HTTP/1.1 405 No \x1b");
    (void)expect(4, OC_STEP_ANSWER, OC_HTTP_MALFORMED, "", "a control character in the head");
}

TEST(test_refused)
{
    oc_fetch_result_t result;
    int fd;
    int port = responder_dead_port(AF_INET, &fd);

    assert_int_equal(ask(port, EXCHANGE_SHORT, 5000, &result), OC_CONNECT_FAILED);
    assert_int_equal(seen_steps.count, 2);
    expect_connection(0, OC_CONNECT_FAILED, "Connection refused", port);
    (void)close(fd);
}

TEST(no_connection_in_time)
{
    oc_fetch_result_t result;
    int fds[4], i;
    int port = responder_full_port(fds);

    if (port < 0) {
        print_message("SKIPPED: this kernel takes connections beyond a full backlog\n");
        skip();
    }
    assert_int_equal(ask(port, EXCHANGE_SHORT, 300, &result), OC_TIMED_OUT);
    assert_int_equal(seen_steps.count, 2);
    expect_connection(0, OC_TIMED_OUT, "no connection in time", port);
    assert_true(seen_steps.steps[1].ended - seen_steps.steps[1].begun >= apr_time_from_msec(290));
    for (i = 0; i < 4; i++)
        (void)close(fds[i]);
}

TEST(no_name)
{
    exchange_t exchange = {
        .url = "http://no_such_name.invalid/", .der_len = EXCHANGE_SHORT, .timeout_ms = 20000, .trace = &trace};
    oc_fetch_result_t result;

    seen_steps.count = 0;
    assert_int_equal(exchange_run(&exchange, &result, exchange_pool), OC_NAME_LOOKUP_FAILED);
    assert_int_equal(seen_steps.count, 1);
    (void)expect(0, OC_STEP_LOOK_UP, OC_NAME_LOOKUP_FAILED, "no_such_name.invalid", "no_such_name.invalid: ");
}

TEST(silence)
{
    static const responder_answer_t before[] = {{.then = THEN_HANG}}, within[] = {{.head = OK TYPE, .then = THEN_HANG}};
    oc_fetch_result_t result;

    assert_int_equal(responder_start(&exchange_responder, AF_INET, before, 1), 0);
    assert_int_equal(ask(exchange_responder.port, EXCHANGE_SHORT, 300, &result), OC_TIMED_OUT);
    responder_stop(&exchange_responder);
    assert_int_equal(seen_steps.count, 4); /* no head was received */
    (void)expect(3, OC_STEP_ANSWER, OC_TIMED_OUT, "", "no answer");

    assert_int_equal(responder_start(&exchange_responder, AF_INET, within, 1), 0);
    assert_int_equal(ask(exchange_responder.port, EXCHANGE_SHORT, 300, &result), OC_TIMED_OUT);
    responder_stop(&exchange_responder);
    assert_int_equal(seen_steps.count, 5);
    (void)expect(3, OC_STEP_HEAD, OC_PENDING, "", OK TYPE);
    (void)expect(4, OC_STEP_ANSWER, OC_TIMED_OUT, "", "did not end");
}

TEST_MAIN(NULL, NULL, exchange_set_up, exchange_tear_down)
