/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What threads and processes count adds up, no matter how many lanes they share. Also runs under ThreadSanitizer.
 */
#include "state/counters.h"

#include "support_cache.h"
#include "support_test.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 20000

static oc_counters_t *make(unsigned lanes)
{
    oc_counters_t *counters = NULL;

    assert_int_equal(oc_counters_create(&counters, lanes, cache_pool), APR_SUCCESS);
    return counters;
}

static uint64_t sum_exchanges(const oc_counters_totals_t *totals)
{
    uint64_t sum = 0;
    unsigned i, j;

    for (i = 0; i < OC_ORIGIN_LIMIT; i++)
        for (j = 0; j < OC_VERDICT_LIMIT; j++)
            sum += totals->exchanges[i][j];
    return sum;
}

static uint64_t sum_latency(const oc_counters_totals_t *totals)
{
    uint64_t sum = 0;
    unsigned i;

    for (i = 0; i < OC_COUNTERS_BUCKETS; i++)
        sum += totals->latency[i];
    return sum;
}

TEST(begins_with_nothing)
{
    oc_counters_totals_t totals;

    oc_counters_read(make(16), &totals);
    assert_int_equal(totals.handshakes[OC_COUNTERS_STAPLED] + totals.handshakes[OC_COUNTERS_ERROR]
                         + totals.handshakes[OC_COUNTERS_NOTHING],
                     0);
    assert_int_equal(sum_exchanges(&totals) + sum_latency(&totals) + totals.latency_sum, 0);
}

/* Any number of lanes, and any lane. */
TEST(any_lane_will_do)
{
    static const unsigned WISHES[] = {
        0, 1, 2, 3, 64, 100, 1024, OC_COUNTERS_LANES_MAX, OC_COUNTERS_LANES_MAX + 1, UINT32_MAX};
    static const unsigned LANES[] = {0, 1, 63, 64, 127, 4095, 4096, 1000000, UINT32_MAX};
    unsigned i, j;

    for (i = 0; i < sizeof(WISHES) / sizeof(*WISHES); i++) {
        oc_counters_t *counters = make(WISHES[i]);
        oc_counters_totals_t totals;

        for (j = 0; j < sizeof(LANES) / sizeof(*LANES); j++)
            oc_counters_handshake(counters, LANES[j], (oc_counters_handshake_t)(j % OC_COUNTERS_HANDSHAKES));
        oc_counters_read(counters, &totals);
        for (j = 0; j < OC_COUNTERS_HANDSHAKES; j++)
            assert_int_equal(totals.handshakes[j], 3);
        assert_int_equal(sum_exchanges(&totals), 0);
    }
}

TEST(exchanges_by_origin_and_verdict)
{
    oc_counters_t *counters = make(1);
    oc_counters_totals_t totals;

    oc_counters_exchange(counters, OC_ORIGIN_RESPONDER, OC_GOOD, 1234);
    oc_counters_exchange(counters, OC_ORIGIN_RESPONDER, OC_GOOD, 0);
    oc_counters_exchange(counters, OC_ORIGIN_FILE, OC_REVOKED, -1);
    oc_counters_exchange(counters, OC_ORIGIN_SHARED, OC_VERDICT_LIMIT - 1, -1);
    oc_counters_exchange(counters, OC_ORIGIN_LIMIT, OC_GOOD, 1);
    oc_counters_exchange(counters, OC_ORIGIN_RESPONDER, OC_VERDICT_LIMIT, 1);
    oc_counters_read(counters, &totals);
    assert_int_equal(totals.exchanges[OC_ORIGIN_RESPONDER][OC_GOOD], 2);
    assert_int_equal(totals.exchanges[OC_ORIGIN_FILE][OC_REVOKED], 1);
    assert_int_equal(totals.exchanges[OC_ORIGIN_SHARED][OC_VERDICT_LIMIT - 1], 1);
    assert_int_equal(sum_exchanges(&totals), 4);
    assert_int_equal(sum_latency(&totals), 2);
    assert_int_equal(totals.latency_sum, 1234);
}

/* A bound belongs to its bucket, as Prometheus' "le" has it. */
TEST(latency_falls_into_its_bucket)
{
    oc_counters_totals_t totals;
    uint64_t sum = 0;
    unsigned i;
    oc_counters_t *counters = make(1);

    for (i = 0; i < OC_COUNTERS_BUCKETS - 1; i++) {
        if (i > 0)
            assert_true(oc_counters_bounds[i] > oc_counters_bounds[i - 1]);
        oc_counters_exchange(counters, OC_ORIGIN_RESPONDER, OC_GOOD, oc_counters_bounds[i]);
        oc_counters_exchange(counters, OC_ORIGIN_RESPONDER, OC_GOOD, oc_counters_bounds[i] + 1);
        sum += 2 * (uint64_t)oc_counters_bounds[i] + 1;
    }
    oc_counters_read(counters, &totals);
    assert_int_equal(totals.latency[0], 1);
    for (i = 1; i < OC_COUNTERS_BUCKETS - 1; i++)
        assert_int_equal(totals.latency[i], 2);
    assert_int_equal(totals.latency[OC_COUNTERS_BUCKETS - 1], 1);
    assert_int_equal(totals.latency_sum, sum);
}

typedef struct {
    oc_counters_t *counters;
    unsigned lane;
} counter_t;

static void *count(void *data)
{
    counter_t *counter = data;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        oc_counters_handshake(counter->counters, counter->lane, OC_COUNTERS_STAPLED);
        oc_counters_exchange(counter->counters, OC_ORIGIN_RESPONDER, OC_GOOD, 1);
    }
    return NULL;
}

/* Two lanes for four threads, and a reader: nothing is lost, and no number goes back. */
TEST(threads_lose_nothing)
{
    oc_counters_t *counters = make(2);
    oc_counters_totals_t totals;
    pthread_t threads[THREADS];
    counter_t each[THREADS];
    uint64_t before = 0;
    unsigned i;

    for (i = 0; i < THREADS; i++) {
        each[i] = (counter_t){counters, i};
        assert_int_equal(pthread_create(&threads[i], NULL, count, &each[i]), 0);
    }
    do {
        oc_counters_read(counters, &totals);
        assert_true(totals.handshakes[OC_COUNTERS_STAPLED] >= before);
        before = totals.handshakes[OC_COUNTERS_STAPLED];
    } while (before < THREADS * ROUNDS);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    oc_counters_read(counters, &totals);
    assert_int_equal(totals.exchanges[OC_ORIGIN_RESPONDER][OC_GOOD], THREADS * ROUNDS);
    assert_int_equal(totals.latency[0], THREADS * ROUNDS);
    assert_int_equal(totals.latency_sum, THREADS * ROUNDS);
}

TEST(children_count_for_their_parent)
{
    oc_counters_t *counters = make(64);
    oc_counters_totals_t totals;
    pid_t child = fork();
    int status;

    assert_int_not_equal(child, -1);
    if (child == 0) {
        oc_counters_handshake(counters, 7, OC_COUNTERS_NOTHING);
        oc_counters_exchange(counters, OC_ORIGIN_FILE, OC_GOOD, -1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    oc_counters_read(counters, &totals);
    assert_int_equal(totals.handshakes[OC_COUNTERS_NOTHING], 1);
    assert_int_equal(totals.exchanges[OC_ORIGIN_FILE][OC_GOOD], 1);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
