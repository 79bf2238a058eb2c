/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_breaker: what is thought of a store, answer after answer.
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

/* Ask, if that is allowed. @return 1: it is, and the state has changed; 0: it is, and has not; -1: it is not allowed */
static int ask(int is_put, apr_status_t rv)
{
    oc_breaker_question_t question = {.is_put = is_put};

    if (!oc_breaker_may_ask(&breaker, &question, now))
        return -1;
    return oc_breaker_conclude(&breaker, &question, rv, now);
}

static int ask_and_probe(apr_status_t rv)
{
    oc_breaker_question_t question = {.is_alive = 1};

    if (!oc_breaker_may_ask(&breaker, &question, now))
        return -1;
    return oc_breaker_conclude(&breaker, &question, rv, now);
}

TEST(what_works_is_asked)
{
    assert_int_equal(ask(0, APR_NOTFOUND), 0);
    assert_int_equal(ask(1, APR_SUCCESS), 0);
    assert_int_equal(ask(0, APR_SUCCESS), 0);
    assert_int_equal(ask(0, APR_EINTR), 0);
    assert_int_equal(ask(1, APR_EINTR), 0);
    assert_int_equal(ask(0, APR_ENOSPC), 0);
    assert_int_equal(ask(1, APR_ENOMEM), 0);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
}

TEST(one_failure_closes_it_and_is_news_once)
{
    assert_int_equal(ask(0, REFUSED), 1);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    assert_int_equal(ask(0, APR_SUCCESS), -1);
    assert_int_equal(ask(1, APR_SUCCESS), -1);
}

TEST(answers_that_were_under_way_are_no_news)
{
    oc_breaker_question_t late[3] = {{0}, {0}, {.is_put = 1}};
    apr_time_t retry_at;
    int i;

    for (i = 0; i < 3; i++)
        assert_true(oc_breaker_may_ask(&breaker, &late[i], now));
    assert_int_equal(ask(0, APR_TIMEUP), 1);
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

    assert_int_equal(ask(0, REFUSED), 1);
    for (i = 0; i < 6; i++) {
        now += apr_time_from_sec(seconds[i]) - 1;
        assert_int_equal(ask(0, APR_SUCCESS), -1);
        now += 1;
        assert_int_equal(ask(0, REFUSED), 0);
    }
    now += apr_time_from_sec(60);
    assert_int_equal(ask(0, APR_SUCCESS), 1);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
    assert_int_equal(ask(0, REFUSED), 1);
    assert_int_equal(breaker.pause, OC_BREAKER_PAUSE_MIN);
}

TEST(one_at_a_time_finds_out)
{
    oc_breaker_question_t trial = {0}, other = {0};

    assert_int_equal(ask(0, REFUSED), 1);
    now += OC_BREAKER_PAUSE_MIN;
    assert_true(oc_breaker_may_ask(&breaker, &trial, now));
    assert_true(trial.is_trial);
    now += OC_BREAKER_PAUSE_MAX;
    assert_false(oc_breaker_may_ask(&breaker, &other, now));
    assert_int_equal(oc_breaker_conclude(&breaker, &trial, APR_EINTR, now), 0); /* the asker left: not known */
    assert_false(oc_breaker_may_ask(&breaker, &other, now));
    now = breaker.retry_at;
    assert_true(oc_breaker_may_ask(&breaker, &other, now));
}

/* "Not found" from providers without a live server: only a probe tells. */
TEST(not_found_alone_brings_nothing_back)
{
    assert_int_equal(ask(0, REFUSED), 1);
    now = breaker.retry_at;
    assert_int_equal(ask(0, APR_NOTFOUND), 0);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    now = breaker.retry_at;
    assert_int_equal(ask_and_probe(APR_NOTFOUND), 1);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
}

TEST(an_error_of_one_key_is_not_the_store_s)
{
    assert_int_equal(ask_and_probe(APR_EGENERAL), 0);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
    assert_int_equal(ask(0, APR_EGENERAL), 1);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
}

TEST(refused_stores_leave_reading_alone)
{
    assert_int_equal(ask(1, APR_EGENERAL), 1);
    assert_int_equal(breaker.state, OC_BREAKER_READ_ONLY);
    assert_int_equal(ask(0, APR_SUCCESS), 0);
    assert_int_equal(ask(0, APR_NOTFOUND), 0);
    assert_int_equal(ask(1, APR_SUCCESS), -1);
    assert_int_equal(breaker.state, OC_BREAKER_READ_ONLY);
    now = breaker.retry_at;
    assert_int_equal(ask(1, APR_EGENERAL), 0);
    assert_int_equal(breaker.pause, 2 * OC_BREAKER_PAUSE_MIN);
    assert_int_equal(ask(0, APR_TIMEUP), 1); /* and from bad to worse */
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    now = breaker.retry_at;
    assert_int_equal(ask(1, APR_SUCCESS), 1);
    assert_int_equal(breaker.state, OC_BREAKER_UP);
}

TEST(no_server_to_store_at_is_a_failure)
{
    assert_int_equal(ask(1, APR_NOTFOUND), 1);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    now = breaker.retry_at;
    assert_int_equal(ask(1, APR_EGENERAL), 0);
    assert_int_equal(breaker.state, OC_BREAKER_DOWN);
    now = breaker.retry_at;
    assert_int_equal(ask(0, APR_ENOMEM), 1); /* something too large came: it works */
    assert_int_equal(breaker.state, OC_BREAKER_UP);
}

TEST_MAIN(NULL, NULL, set_up, NULL)
