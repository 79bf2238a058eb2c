/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which responders fail: one query at a time tries one that does, others are given up, no other responder is concerned,
 * and what ends late begins no outage. Then threads: nothing stays marked when all is over.
 */
#include "client/outages.h"

#include "client/client.h"

#include "support_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static apr_pool_t *pool;
static oc_client_outages_t *outages;

static int setup(void **state)
{
    (void)state;
    apr_pool_create(&pool, NULL);
    outages = oc_client_outages_create(pool);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

#define SENT 0
#define PROBE 1
#define GIVEN_UP 2

static int begin(const char *name, oc_client_trial_t *trial)
{
    if (!oc_client_outages_begin(outages, name, trial))
        return GIVEN_UP;
    return trial->is_probe ? PROBE : SENT;
}

static int end(const oc_client_trial_t *trial, oc_verdict_t verdict)
{
    return oc_client_outages_end(outages, trial, verdict, 0);
}

/* A whole query. @return is it news? */
static int query(const char *name, oc_verdict_t verdict, int http_status)
{
    oc_client_trial_t trial;

    assert_int_not_equal(begin(name, &trial), GIVEN_UP);
    return oc_client_outages_end(outages, &trial, verdict, http_status);
}

/* How is a query treated now? It is stopped, so that it changes nothing. */
static int state_of(const char *name)
{
    oc_client_trial_t trial;
    int how = begin(name, &trial);

    if (how != GIVEN_UP)
        assert_int_equal(end(&trial, OC_STOPPED), 0);
    return how;
}

TEST(one_query_at_a_time_tries_a_responder_that_fails)
{
    oc_client_trial_t probe, other;

    assert_int_equal(query("a:80", OC_GOOD, 0), 0);
    assert_int_equal(query("a:80", OC_TIMED_OUT, 0), 1);
    assert_int_equal(begin("a:80", &probe), PROBE);
    assert_int_equal(probe.failing, OC_TIMED_OUT);
    assert_int_equal(begin("a:80", &other), GIVEN_UP);
    assert_int_equal(other.failing, OC_TIMED_OUT);
    assert_int_equal(end(&probe, OC_CONNECT_FAILED), 0);
    assert_int_equal(begin("a:80", &probe), PROBE);
    assert_int_equal(probe.failing, OC_TIMED_OUT); /* the failure that is in the log */
    assert_int_equal(begin("a:80", &other), GIVEN_UP);
    assert_int_equal(end(&probe, OC_REVOKED), 1);
    assert_int_equal(state_of("a:80"), SENT);
    assert_int_equal(query("a:80", OC_GOOD, 0), 0);
    assert_int_equal(query("a:80", OC_CONNECTION_LOST, 0), 1);
}

TEST(a_probe_that_is_stopped_leaves_the_next_one_free)
{
    assert_int_equal(query("a:80", OC_NAME_LOOKUP_FAILED, 0), 1);
    assert_int_equal(state_of("a:80"), PROBE);
    assert_int_equal(state_of("a:80"), PROBE);
}

/* Queries that began before the responder answered again, and end after it. */
TEST(a_late_failure_begins_no_outage)
{
    oc_client_trial_t first, late[2], probe;

    assert_int_equal(begin("a:80", &first), SENT);
    assert_int_equal(begin("a:80", &late[0]), SENT);
    assert_int_equal(begin("a:80", &late[1]), SENT);
    assert_int_equal(end(&first, OC_TIMED_OUT), 1);
    assert_int_equal(end(&late[1], OC_TIMED_OUT), 0); /* the same outage */
    assert_int_equal(begin("a:80", &probe), PROBE);
    assert_int_equal(end(&probe, OC_GOOD), 1);
    assert_int_equal(end(&late[0], OC_TIMED_OUT), 0);
    assert_int_equal(state_of("a:80"), SENT);
    assert_int_equal(query("a:80", OC_TIMED_OUT, 0), 1);
}

TEST(a_probe_of_an_earlier_outage_ends_no_later_one)
{
    oc_client_trial_t before, earlier, later, other;

    assert_int_equal(begin("a:80", &before), SENT);
    assert_int_equal(query("a:80", OC_TIMED_OUT, 0), 1);
    assert_int_equal(begin("a:80", &earlier), PROBE);
    assert_int_equal(end(&before, OC_GOOD), 1);
    assert_int_equal(query("a:80", OC_TIMED_OUT, 0), 1);
    assert_int_equal(begin("a:80", &later), PROBE);
    assert_int_equal(end(&earlier, OC_TIMED_OUT), 0);
    assert_int_equal(begin("a:80", &other), GIVEN_UP);
    assert_int_equal(end(&later, OC_TIMED_OUT), 0);
    assert_int_equal(state_of("a:80"), PROBE);
}

/* Two names with the same low bits of their hash: those share a group of workers, and shared an outage. */
TEST(names_whose_hashes_are_alike_are_two_responders)
{
    oc_client_trial_t probe, other;
    char alike[32];
    unsigned port = 80;

    do
        (void)snprintf(alike, sizeof(alike), "127.0.0.1:%u", ++port);
    while ((oc_client_host_id(alike) ^ oc_client_host_id("127.0.0.1:80")) % 4096 != 0);
    assert_int_equal(query("127.0.0.1:80", OC_TIMED_OUT, 0), 1);
    assert_int_equal(begin("127.0.0.1:80", &probe), PROBE);
    assert_int_equal(begin(alike, &other), SENT);
    assert_int_equal(end(&other, OC_GOOD), 0);
    assert_int_equal(begin("127.0.0.1:80", &other), GIVEN_UP);
    assert_int_equal(query(alike, OC_CONNECT_FAILED, 0), 1);
    assert_int_equal(end(&probe, OC_GOOD), 1);
    assert_int_equal(state_of(alike), PROBE);
    assert_int_equal(state_of("127.0.0.1:80"), SENT);
}

/* What fails for one client, or in this host, is logged once, and no reason to give the others up. */
TEST(errors_that_are_no_outage)
{
    static const struct {
        oc_verdict_t verdict;
        int http_status, is_news, then;
    } rows[] = {{OC_HTTP_STATUS, 404, 1, SENT},    {OC_HTTP_STATUS, 407, 1, SENT},   {OC_HTTP_STATUS, 500, 1, PROBE},
                {OC_HTTP_STATUS, 503, 1, PROBE},   {OC_HTTP_REDIRECT, 302, 1, SENT}, {OC_HTTP_MALFORMED, 0, 1, SENT},
                {OC_OUT_OF_RESOURCES, 0, 1, SENT}, {OC_URL_UNUSABLE, 0, 0, SENT},    {OC_UNKNOWN, 200, 0, SENT},
                {OC_SIGNATURE_BAD, 200, 0, SENT},  {OC_STOPPED, 0, 0, SENT}};
    char name[32];
    unsigned i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        (void)snprintf(name, sizeof(name), "row-%u:80", i);
        assert_int_equal(query(name, rows[i].verdict, rows[i].http_status), rows[i].is_news);
        assert_int_equal(state_of(name), rows[i].then);
        assert_int_equal(query(name, rows[i].verdict, rows[i].http_status), 0);
        assert_int_equal(query(name, OC_GOOD, 200), rows[i].is_news);
        assert_int_equal(state_of(name), SENT);
    }
}

/* It is there again, but not well: clients are not given up; the log says so when it has a valid response. */
TEST(an_error_of_a_responder_that_failed_is_an_answer)
{
    oc_client_trial_t late;

    assert_int_equal(begin("a:80", &late), SENT);
    assert_int_equal(query("a:80", OC_TIMED_OUT, 0), 1);
    assert_int_equal(query("a:80", OC_OUT_OF_RESOURCES, 0), 0);
    assert_int_equal(state_of("a:80"), PROBE);
    assert_int_equal(query("a:80", OC_UNKNOWN, 200), 0);
    assert_int_equal(state_of("a:80"), SENT);
    assert_int_equal(end(&late, OC_TIMED_OUT), 0);
    assert_int_equal(state_of("a:80"), SENT);
    assert_int_equal(query("a:80", OC_TIMED_OUT, 0), 0); /* since the last valid response this is no news */
    assert_int_equal(state_of("a:80"), PROBE);
    assert_int_equal(query("a:80", OC_HTTP_STATUS, 404), 0);
    assert_int_equal(state_of("a:80"), SENT);
    assert_int_equal(query("a:80", OC_GOOD, 200), 1);
}

TEST(responders_without_a_place_are_always_queried)
{
    char name[32];
    unsigned i;

    for (i = 0; i < OC_CLIENT_OUTAGES; i++) {
        (void)snprintf(name, sizeof(name), "many-%u:80", i);
        assert_int_equal(query(name, OC_TIMED_OUT, 0), 1);
    }
    assert_int_equal(state_of("many-0:80"), PROBE);
    assert_int_equal(state_of(name), PROBE);
    for (i = 0; i < 2; i++) {
        assert_int_equal(query("more:80", OC_TIMED_OUT, 0), 1);
        assert_int_equal(state_of("more:80"), SENT);
        assert_int_equal(query("more:80", OC_GOOD, 0), 0);
    }
}

#define THREADS 4
#define TURNS 20000

static atomic_int n_probes[2], n_news[2];
static const char *const busy[2] = {"busy-a:80", "busy-b:80"};

static void *fail_and_recover(void *data)
{
    unsigned turn, seed = *(const unsigned *)data;

    for (turn = 0; turn < TURNS; turn++) {
        unsigned which = (turn + seed) % 2;
        oc_client_trial_t trial;
        int is_back;

        if (!oc_client_outages_begin(outages, busy[which], &trial))
            continue;
        is_back = (turn * 7 + seed) % 5 == 0;
        if (trial.is_probe)
            atomic_fetch_add(&n_probes[which], 1);
        if (end(&trial, is_back ? OC_GOOD : OC_TIMED_OUT))
            atomic_fetch_add(&n_news[which], is_back ? -1 : 1);
    }
    return NULL;
}

/* The log has one recovery for each failure, and no probe is lost. */
TEST(threads)
{
    pthread_t threads[THREADS];
    unsigned seeds[THREADS], i;

    for (i = 0; i < THREADS; i++) {
        seeds[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, fail_and_recover, &seeds[i]), 0);
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (i = 0; i < 2; i++) {
        int is_out = state_of(busy[i]);

        assert_true(atomic_load(&n_probes[i]) > 0);
        assert_int_not_equal(is_out, GIVEN_UP);
        assert_int_equal(atomic_load(&n_news[i]), is_out == PROBE);
        (void)query(busy[i], OC_GOOD, 0);
        assert_int_equal(state_of(busy[i]), SENT);
    }
}

TEST_MAIN(NULL, NULL, setup, teardown)
