/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The circuit breaker of the shared store: which calls it allows, and after which answers its state changes.
 */
#include "fleet/breaker.h"

#include "support_test.h"

#include <stdint.h>

static const apr_status_t REFUSED = APR_OS_START_SYSERR + 111;

static oc_breaker_t breaker;
static apr_time_t now;

static int set_up(void **state)
{
    oc_breaker_t fresh = {0};

    (void)state;
    breaker = fresh;
    now = apr_time_from_sec(1000);
    return 0;
}

/* Call, if that is allowed. @return 1: the state has changed; 0: it has not; -1: the call is not allowed */
static int call_store(int is_put, apr_status_t rv)
{
    oc_breaker_call_t call = {.is_put = is_put};

    if (!oc_breaker_may_call(&breaker, &call, now))
        return -1;
    return oc_breaker_conclude(&breaker, &call, rv, now);
}

static int call_and_probe(apr_status_t rv)
{
    oc_breaker_call_t call = {.is_alive = 1};

    if (!oc_breaker_may_call(&breaker, &call, now))
        return -1;
    return oc_breaker_conclude(&breaker, &call, rv, now);
}

TEST(a_store_that_works_is_called)
{
    assert_int_equal(call_store(0, APR_NOTFOUND), 0);
    assert_int_equal(call_store(1, APR_SUCCESS), 0);
    assert_int_equal(call_store(0, APR_SUCCESS), 0);
    assert_int_equal(call_store(0, APR_EINTR), 0);
    assert_int_equal(call_store(1, APR_EINTR), 0);
    assert_int_equal(call_store(0, APR_ENOSPC), 0);
    assert_int_equal(call_store(1, APR_ENOMEM), 0);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
}

TEST(one_failure_stops_calls_and_is_reported_once)
{
    assert_int_equal(call_store(0, REFUSED), 1);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    assert_int_equal(call_store(0, APR_SUCCESS), -1);
    assert_int_equal(call_store(1, APR_SUCCESS), -1);
}

TEST(calls_that_were_under_way_change_nothing)
{
    oc_breaker_call_t late[3] = {{0}, {0}, {.is_put = 1}};
    apr_time_t retry_at;
    int i;

    for (i = 0; i < 3; i++)
        assert_true(oc_breaker_may_call(&breaker, &late[i], now));
    assert_int_equal(call_store(0, APR_TIMEUP), 1);
    retry_at = breaker.retry_at;
    now += apr_time_from_sec(1);
    for (i = 0; i < 3; i++)
        assert_int_equal(oc_breaker_conclude(&breaker, &late[i], APR_TIMEUP, now), 0);
    assert_int_equal(breaker.retry_at, retry_at);
    assert_int_equal(breaker.pause, OC_BREAKER_PAUSE_MIN);
}

TEST(pauses_double_up_to_their_limit)
{
    static const int seconds[] = {5, 10, 20, 40, 60, 60};
    unsigned i;

    assert_int_equal(call_store(0, REFUSED), 1);
    for (i = 0; i < 6; i++) {
        now += apr_time_from_sec(seconds[i]) - 1;
        assert_int_equal(call_store(0, APR_SUCCESS), -1);
        now += 1;
        assert_int_equal(call_store(0, REFUSED), 0);
    }
    now += apr_time_from_sec(60);
    assert_int_equal(call_store(0, APR_SUCCESS), 1);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
    assert_int_equal(call_store(0, REFUSED), 1);
    assert_int_equal(breaker.pause, OC_BREAKER_PAUSE_MIN);
}

TEST(one_trial_at_a_time)
{
    oc_breaker_call_t trial = {0}, other = {0};

    assert_int_equal(call_store(0, REFUSED), 1);
    now += OC_BREAKER_PAUSE_MIN;
    assert_true(oc_breaker_may_call(&breaker, &trial, now));
    assert_true(trial.is_trial);
    now += OC_BREAKER_PAUSE_MAX;
    assert_false(oc_breaker_may_call(&breaker, &other, now));
    assert_int_equal(oc_breaker_conclude(&breaker, &trial, APR_EINTR, now), 0); /* the caller gave up: not known */
    assert_false(oc_breaker_may_call(&breaker, &other, now));
    now = breaker.retry_at;
    assert_true(oc_breaker_may_call(&breaker, &other, now));
}

/* Providers without a live server return "not found": only a probe tells the difference. */
TEST(not_found_alone_does_not_prove_that_it_works)
{
    assert_int_equal(call_store(0, REFUSED), 1);
    now = breaker.retry_at;
    assert_int_equal(call_store(0, APR_NOTFOUND), 0);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    now = breaker.retry_at;
    assert_int_equal(call_and_probe(APR_NOTFOUND), 1);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
}

TEST(an_error_of_one_key_is_no_failure_of_the_store)
{
    assert_int_equal(call_and_probe(APR_EGENERAL), 0);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
    assert_int_equal(call_store(0, APR_EGENERAL), 1);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
}

TEST(a_store_that_refuses_writes_is_still_read)
{
    assert_int_equal(call_store(1, APR_EGENERAL), 1);
    assert_int_equal(breaker.state, OC_BREAKER_READ_ONLY);
    assert_int_equal(call_store(0, APR_SUCCESS), 0);
    assert_int_equal(call_store(0, APR_NOTFOUND), 0);
    assert_int_equal(call_store(1, APR_SUCCESS), -1);
    assert_int_equal(breaker.state, OC_BREAKER_READ_ONLY);
    now = breaker.retry_at;
    assert_int_equal(call_store(1, APR_EGENERAL), 0);
    assert_int_equal(breaker.pause, 2 * OC_BREAKER_PAUSE_MIN);
    assert_int_equal(call_store(0, APR_TIMEUP), 1); /* and reading fails too */
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    now = breaker.retry_at;
    assert_int_equal(call_store(1, APR_SUCCESS), 1);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
}

TEST(not_found_for_a_put_is_a_failure)
{
    assert_int_equal(call_store(1, APR_NOTFOUND), 1);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    now = breaker.retry_at;
    assert_int_equal(call_store(1, APR_EGENERAL), 0);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    now = breaker.retry_at;
    assert_int_equal(call_store(0, APR_ENOMEM), 1); /* it sent something too large, so it works */
    assert_int_equal(breaker.state, OC_BREAKER_UP);
}

TEST_MAIN(NULL, NULL, set_up, NULL)
