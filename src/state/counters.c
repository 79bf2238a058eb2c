/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Counters in shared memory. oc_counters_handshake() is on the handshake path. Every word is a relaxed atomic, because
 * no decision depends on it.
 */
#include "state/counters.h"

#include <apr_shm.h>
#include <stdatomic.h>
#include <string.h>

#define LANE_SIZE 128

typedef _Atomic uint64_t counter_t;

typedef struct {
    _Alignas(LANE_SIZE) counter_t handshakes[OC_COUNTERS_HANDSHAKES];
} lane_t;

typedef struct {
    counter_t exchanges[OC_ORIGIN_LIMIT][OC_VERDICT_LIMIT];
    counter_t latency[OC_COUNTERS_BUCKETS];
    counter_t latency_sum;
} exchanges_t;

_Static_assert(sizeof(lane_t) == LANE_SIZE, "a lane is two cache lines");

struct oc_counters_t {
    lane_t *lanes;
    exchanges_t *exchanges; /* behind the lanes */
    unsigned mask;          /* number of lanes, less one */
};

const apr_interval_time_t oc_counters_bounds[OC_COUNTERS_BUCKETS - 1] = {
    5000,    10000,   25000,   50000,    100000,   250000,  500000, /* half a second */
    1000000, 2500000, 5000000, 10000000, 30000000, 60000000};

apr_status_t oc_counters_create(oc_counters_t **out, unsigned lanes, apr_pool_t *pool)
{
    unsigned n = 1;
    apr_shm_t *segment;
    oc_counters_t *counters;
    unsigned char *base;
    apr_status_t rv;

    *out = NULL;
    while (n < lanes && n < OC_COUNTERS_LANES_MAX)
        n *= 2;
    /* Anonymous: zeroed, inherited, gone with the last process. */
    rv = apr_shm_create(&segment, (apr_size_t)n * sizeof(lane_t) + sizeof(exchanges_t) + LANE_SIZE, NULL, pool);
    if (rv != APR_SUCCESS)
        return rv;

    counters = apr_palloc(pool, sizeof(*counters));
    base = apr_shm_baseaddr_get(segment); /* APR keeps a word of its own at the beginning of the page */
    base += LANE_SIZE - (uintptr_t)base % LANE_SIZE;
    counters->lanes = (lane_t *)(void *)base;
    counters->exchanges = (exchanges_t *)(void *)(counters->lanes + n);
    counters->mask = n - 1;
    *out = counters;
    return APR_SUCCESS;
}

static void add(counter_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t value(const counter_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void oc_counters_handshake(oc_counters_t *counters, unsigned lane, oc_counters_handshake_t what)
{
    add(&counters->lanes[lane & counters->mask].handshakes[what], 1);
}

void oc_counters_exchange(oc_counters_t *counters, oc_origin_t origin, oc_verdict_t verdict,
                          apr_interval_time_t elapsed)
{
    exchanges_t *exchanges = counters->exchanges;
    unsigned bucket = 0;

    if ((unsigned)origin >= OC_ORIGIN_LIMIT || (unsigned)verdict >= OC_VERDICT_LIMIT)
        return;
    add(&exchanges->exchanges[origin][verdict], 1);
    if (elapsed < 0)
        return;
    while (bucket < OC_COUNTERS_BUCKETS - 1 && elapsed > oc_counters_bounds[bucket])
        bucket++;
    add(&exchanges->latency[bucket], 1);
    add(&exchanges->latency_sum, (uint64_t)elapsed);
}

void oc_counters_read(const oc_counters_t *counters, oc_counters_totals_t *totals)
{
    const exchanges_t *exchanges = counters->exchanges;
    unsigned i, j;

    memset(totals, 0, sizeof(*totals));
    for (i = 0; i <= counters->mask; i++)
        for (j = 0; j < OC_COUNTERS_HANDSHAKES; j++)
            totals->handshakes[j] += value(&counters->lanes[i].handshakes[j]);
    for (i = 0; i < OC_ORIGIN_LIMIT; i++)
        for (j = 0; j < OC_VERDICT_LIMIT; j++)
            totals->exchanges[i][j] = value(&exchanges->exchanges[i][j]);
    for (i = 0; i < OC_COUNTERS_BUCKETS; i++)
        totals->latency[i] = value(&exchanges->latency[i]);
    totals->latency_sum = value(&exchanges->latency_sum);
}
