/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One call of oc_fetch(), with its checks, for every test of the room; and the responder most of them need.
 */
#include "support_exchange.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

apr_pool_t *exchange_pool;
responder_t exchange_responder;

int exchange_set_up(void **state)
{
    (void)state;
    return apr_pool_create(&exchange_pool, NULL) != APR_SUCCESS;
}

int exchange_tear_down(void **state)
{
    (void)state;
    responder_stop(&exchange_responder);
    apr_pool_destroy(exchange_pool);
    return 0;
}

int exchange_descriptors(void)
{
    int count = 0;
    int fd;

    for (fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) != -1;
    }
    return count;
}

const unsigned char *exchange_request(void)
{
    static unsigned char der[EXCHANGE_LONG];
    size_t i;

    for (i = 0; i < sizeof(der); i++) {
        der[i] = i % 3 == 0 ? 0xfb : (unsigned char)(0xff - i % 5); /* "+", "/"; and "=" by its length */
    }
    return der;
}

static void check_text(const char *text)
{
    assert_true(strlen(text) < sizeof(((oc_fetch_result_t *)0)->detail));
    for (; *text != '\0'; text++) {
        assert_true(*text >= 0x20 && *text < 0x7f);
    }
}

oc_verdict_t exchange_run(const exchange_t *exchange, oc_fetch_result_t *result, apr_pool_t *pool)
{
    oc_fetch_request_t request;
    oc_deadline_t deadline;
    oc_verdict_t verdict;

    memset(&request, 0, sizeof(request));
    request.url = exchange->url;
    request.proxy = exchange->proxy;
    request.der = exchange_request();
    request.der_len = exchange->der_len;
    request.deadline = exchange->deadline ? exchange->deadline : &deadline;
    request.by_post = exchange->by_post;
    request.keepalive = exchange->keepalive;
    request.trace = exchange->trace;
    memset(result, 0xa5, sizeof(*result));

    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    oc_deadline_start(&deadline, apr_time_from_msec(exchange->timeout_ms), exchange->stop);
    verdict = oc_fetch(&request, result, pool);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_get_error(), 0);

    check_text(result->detail);
    assert_int_equal(verdict == OC_PENDING, result->der != NULL);
    assert_true(result->elapsed >= 0);
    if (verdict == OC_TIMED_OUT) {
        assert_true(oc_deadline_now() >= request.deadline->end);
        assert_true(oc_deadline_now() < request.deadline->end + apr_time_from_msec(700));
    }
    return verdict;
}

const char *exchange_url(const char *host, int port)
{
    return apr_psprintf(exchange_pool, "http://%s:%d/", host, port);
}

oc_verdict_t exchange_query(const char *url, int timeout_ms, atomic_int *stop, oc_fetch_result_t *result)
{
    exchange_t exchange = {.url = url, .der_len = EXCHANGE_LONG, .timeout_ms = timeout_ms, .stop = stop};
    int descriptors = exchange_descriptors();
    oc_verdict_t verdict = exchange_run(&exchange, result, exchange_pool);

    if (!exchange_responder.running) /* its thread opens and closes descriptors too */
        assert_int_equal(exchange_descriptors(), descriptors);
    return verdict;
}

int exchange_full_port(int fds[4])
{
    int port = responder_full_port(fds);

    if (port < 0) {
        print_message("SKIPPED: this kernel takes connections beyond a full backlog\n");
        skip();
    }
    return port;
}

void exchange_close(const int fds[4])
{
    int i;

    for (i = 0; i < 4; i++) {
        (void)close(fds[i]);
    }
}
