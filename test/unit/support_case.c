/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Runs the rows of a table as cmocka tests.
 */
#include "support_case.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define MOST_CASES 127

char case_answer[40000] = "\x30\x82\x04\xac";
responder_t case_responder;
apr_pool_t *case_pool;

static void test_case(void **state)
{
    const case_t *c = *state;
    int answers = c->connections > 0 ? c->connections : 1;
    oc_fetch_result_t result;
    apr_pool_t *pool;
    char url[64];
    exchange_t exchange = {.url = url, .der_len = c->by_get ? EXCHANGE_SHORT : EXCHANGE_LONG};
    oc_verdict_t verdict;
    int descriptors = exchange_descriptors();

    assert_int_equal(responder_start(&case_responder, AF_INET, c->answers, answers), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/ocsp", case_responder.port);
    exchange.timeout_ms = c->timeout_ms > 0 ? c->timeout_ms : 5000;
    assert_int_equal(apr_pool_create(&pool, case_pool), APR_SUCCESS);
    verdict = exchange_run(&exchange, &result, pool);
    responder_stop(&case_responder);
    assert_int_equal(exchange_descriptors(), descriptors);

    if (verdict != c->verdict || (c->detail != NULL && strstr(result.detail, c->detail) == NULL)) {
        print_error("verdict %d, detail: %s\n", (int)verdict, result.detail);
    }
    assert_int_equal(verdict, c->verdict);
    assert_true(c->detail == NULL || strstr(result.detail, c->detail) != NULL);
    assert_int_equal(result.http_status, c->status);
    assert_int_equal(case_responder.connections, answers);
    assert_int_equal(apr_time_sec(result.retry_after), c->retry_after_s);
    assert_int_equal(apr_time_sec(result.max_age), c->max_age_s);
    if (!c->answers[0].unasked) {
        assert_memory_equal(case_responder.request[0], c->by_get ? "GET /ocsp/" : "POST /ocsp ", 10);
    }
    if (c->verdict == OC_PENDING) {
        assert_int_equal(result.der_len, c->der_len > 0 ? c->der_len : DER_LEN);
        assert_int_equal(result.der[0], 0x30);
        if (result.der_len >= DER_LEN) {
            assert_memory_equal(result.der, case_answer, result.der_len);
        }
        assert_string_equal(result.detail, "");
        assert_true(result.elapsed < apr_time_from_sec(3));
    }
    else {
        assert_true(strncmp(result.detail, "127.0.0.1:", 10) == 0);
    }
    apr_pool_destroy(pool);
}

static int stop_responder(void **state)
{
    (void)state;
    responder_stop(&case_responder); /* after a failed assertion it still runs */
    return 0;
}

int case_main(const char *name, const case_t *cases, size_t count, void (*more)(void **state))
{
    static struct CMUnitTest tests[MOST_CASES + 1];
    size_t i;
    int failed;

    (void)signal(SIGPIPE, SIG_DFL); /* oc_fetch() does not rely on a process that ignores it */
    if (count > MOST_CASES || apr_initialize() != APR_SUCCESS || apr_pool_create(&case_pool, NULL) != APR_SUCCESS) {
        return 2;
    }
    for (i = 4; i < sizeof(case_answer); i++) {
        case_answer[i] = (char)(i * 7 + i / 256);
    }
    for (i = 0; i < count; i++) {
        tests[i].name = cases[i].name;
        tests[i].test_func = test_case;
        tests[i].teardown_func = stop_responder;
        tests[i].initial_state = (void *)(uintptr_t)&cases[i];
    }
    if (more) {
        tests[count].name = "cut anywhere";
        tests[count].test_func = more;
        tests[count].teardown_func = stop_responder;
    }
    failed = cmocka_run_group_tests_name(name, tests, NULL, NULL); /* passes over rows without a function */
    apr_terminate();
    return failed;
}
