/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Counts outcomes and times. The histogram is log-linear, as HdrHistogram's: each power of two is divided into 128
 * equal buckets, so that a percentile is at most 0.8 % off, from a nanosecond to centuries, and recording a time is one
 * increment.
 */
#include "load.h"

#include <stdlib.h>

const char *const load_outcome_names[LOAD_OUTCOMES] = {"good", "none", "error", "wrong", "resumed", "failed"};

load_tally_t *load_tally_create(void)
{
    load_tally_t *tally = calloc(1, sizeof(*tally));

    if (!tally || !(tally->second = calloc(LOAD_SECONDS_MAX, sizeof(*tally->second))))
        load_die("no memory");
    return tally;
}

static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < (1u << LOAD_SUB_BITS))
        return (unsigned)value;
    shift = 63 - (unsigned)__builtin_clzll(value) - LOAD_SUB_BITS;
    return ((shift + 1) << LOAD_SUB_BITS) + (unsigned)((value >> shift) & ((1u << LOAD_SUB_BITS) - 1));
}

/* The middle of a bucket. */
static uint64_t value_of(unsigned bucket)
{
    unsigned shift = bucket >> LOAD_SUB_BITS;
    uint64_t below = bucket & ((1u << LOAD_SUB_BITS) - 1);

    if (shift == 0)
        return below;
    shift--;
    return ((below + (1u << LOAD_SUB_BITS)) << shift) + ((1ull << shift) >> 1);
}

void load_tally_note(load_tally_t *tally, load_outcome_t outcome, uint64_t since_begin, uint64_t took)
{
    uint64_t second = since_begin / 1000000000u;
    load_second_t *line = &tally->second[second < LOAD_SECONDS_MAX ? second : LOAD_SECONDS_MAX - 1];

    tally->outcome[outcome]++;
    line->count[outcome]++;
    if (took > line->longest)
        line->longest = took;
    if (outcome == LOAD_FAILED)
        return;
    tally->bucket[bucket_of(took)]++;
    tally->sum += took;
    if (took > tally->longest)
        tally->longest = took;
}

void load_tally_add(load_tally_t *sum, const load_tally_t *one)
{
    for (int i = 0; i < LOAD_OUTCOMES; i++)
        sum->outcome[i] += one->outcome[i];
    for (int i = 0; i < LOAD_BUCKETS; i++)
        sum->bucket[i] += one->bucket[i];
    for (int s = 0; s < LOAD_SECONDS_MAX; s++) {
        for (int i = 0; i < LOAD_OUTCOMES; i++)
            sum->second[s].count[i] += one->second[s].count[i];
        if (one->second[s].longest > sum->second[s].longest)
            sum->second[s].longest = one->second[s].longest;
    }
    sum->started += one->started;
    sum->late_good += one->late_good;
    sum->sum += one->sum;
    if (one->longest > sum->longest)
        sum->longest = one->longest;
    if (!sum->first_wrong[0])
        __builtin_memcpy(sum->first_wrong, one->first_wrong, sizeof(sum->first_wrong));
    if (!sum->first_failed[0])
        __builtin_memcpy(sum->first_failed, one->first_failed, sizeof(sum->first_failed));
}

uint64_t load_tally_percentile(const load_tally_t *tally, double share)
{
    uint64_t total = 0, seen = 0, wanted;

    for (int i = 0; i < LOAD_BUCKETS; i++)
        total += tally->bucket[i];
    if (total == 0)
        return 0;
    wanted = (uint64_t)(share * (double)total + 0.999999);
    if (wanted < 1)
        wanted = 1;
    for (unsigned i = 0; i < LOAD_BUCKETS; i++) {
        seen += tally->bucket[i];
        if (seen >= wanted)
            return value_of(i) < tally->longest ? value_of(i) : tally->longest;
    }
    return tally->longest;
}
