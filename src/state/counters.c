/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_tally: see oc_tally.h. oc_tally_handshake() is on the handshake path. Every word is a relaxed atomic: nobody decides by them.
 */
#include "state/counters.h"

#include <apr_shm.h>
#include <stdatomic.h>
#include <string.h>

#define LANE_SIZE 128

typedef _Atomic uint64_t counter_t;

typedef struct {
    _Alignas(LANE_SIZE) counter_t handshakes[OC_TALLY_HANDSHAKES];
} lane_t;

typedef struct {
    counter_t exchanges[OC_ORIGIN_LIMIT][OC_VERDICT_LIMIT];
    counter_t latency[OC_TALLY_BUCKETS];
    counter_t latency_sum;
} exchanges_t;

_Static_assert(sizeof(lane_t) == LANE_SIZE, "a lane is two cache lines");

struct oc_tally_t {
    lane_t *lanes;
    exchanges_t *exchanges; /* behind the lanes */
    unsigned mask;          /* number of lanes, less one */
};

const apr_interval_time_t oc_tally_bounds[OC_TALLY_BUCKETS - 1] = {
    5000,    10000,   25000,   50000,    100000,   250000,  500000, /* half a second */
    1000000, 2500000, 5000000, 10000000, 30000000, 60000000};

apr_status_t oc_tally_create(oc_tally_t **out, unsigned lanes, apr_pool_t *pool)
{
    unsigned n = 1;
    apr_shm_t *segment;
    oc_tally_t *tally;
    unsigned char *base;
    apr_status_t rv;

    *out = NULL;
    while (n < lanes && n < OC_TALLY_LANES_MAX)
        n *= 2;
    /* Anonymous: zeroed, inherited, gone with the last process. */
    rv = apr_shm_create(&segment, (apr_size_t)n * sizeof(lane_t) + sizeof(exchanges_t) + LANE_SIZE, NULL, pool);
    if (rv != APR_SUCCESS)
        return rv;

    tally = apr_palloc(pool, sizeof(*tally));
    base = apr_shm_baseaddr_get(segment); /* APR keeps a word of its own at the beginning of the page */
    base += LANE_SIZE - (uintptr_t)base % LANE_SIZE;
    tally->lanes = (lane_t *)(void *)base;
    tally->exchanges = (exchanges_t *)(void *)(tally->lanes + n);
    tally->mask = n - 1;
    *out = tally;
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

void oc_tally_handshake(oc_tally_t *tally, unsigned lane, oc_tally_handshake_t what)
{
    add(&tally->lanes[lane & tally->mask].handshakes[what], 1);
}

void oc_tally_exchange(oc_tally_t *tally, oc_origin_t origin, oc_verdict_t verdict, apr_interval_time_t elapsed)
{
    exchanges_t *exchanges = tally->exchanges;
    unsigned bucket = 0;

    if ((unsigned)origin >= OC_ORIGIN_LIMIT || (unsigned)verdict >= OC_VERDICT_LIMIT)
        return;
    add(&exchanges->exchanges[origin][verdict], 1);
    if (elapsed < 0)
        return;
    while (bucket < OC_TALLY_BUCKETS - 1 && elapsed > oc_tally_bounds[bucket])
        bucket++;
    add(&exchanges->latency[bucket], 1);
    add(&exchanges->latency_sum, (uint64_t)elapsed);
}

void oc_tally_read(const oc_tally_t *tally, oc_tally_totals_t *totals)
{
    const exchanges_t *exchanges = tally->exchanges;
    unsigned i, j;

    memset(totals, 0, sizeof(*totals));
    for (i = 0; i <= tally->mask; i++)
        for (j = 0; j < OC_TALLY_HANDSHAKES; j++)
            totals->handshakes[j] += value(&tally->lanes[i].handshakes[j]);
    for (i = 0; i < OC_ORIGIN_LIMIT; i++)
        for (j = 0; j < OC_VERDICT_LIMIT; j++)
            totals->exchanges[i][j] = value(&exchanges->exchanges[i][j]);
    for (i = 0; i < OC_TALLY_BUCKETS; i++)
        totals->latency[i] = value(&exchanges->latency[i]);
    totals->latency_sum = value(&exchanges->latency_sum);
}
