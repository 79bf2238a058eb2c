/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Lock-free flags in shared memory:
 *
 *   head   how often anything was recalled
 *   entry  recalled   63 .. 1: when last, in microseconds | 0: not taken yet
 *          attempted  when last
 *
 * Who recalls sets the entry's bit and then counts the head up; who refreshes reads the head (acquire) before the
 * entries, so it sees every bit that a count it has seen stands for. A child can write anything here: at worst
 * responders are queried more often than they should.
 */
#include "state/refresh_flags.h"

#include <apr_shm.h>
#include <stdatomic.h>

typedef _Atomic uint64_t word_t;

typedef struct {
    word_t recalled;
    word_t attempted;
} entry_t;

struct oc_refresh_flags_t {
    word_t *count;
    entry_t *entries; /* behind it */
    unsigned n;
};

apr_status_t oc_refresh_flags_create(oc_refresh_flags_t **out, unsigned n, apr_pool_t *pool)
{
    apr_shm_t *segment;
    oc_refresh_flags_t *recall;
    unsigned char *base;
    apr_status_t rv;

    *out = NULL;
    rv = apr_shm_create(&segment, sizeof(entry_t) * ((apr_size_t)n + 2), NULL, pool); /* anonymous: zeroed */
    if (rv != APR_SUCCESS)
        return rv;
    recall = apr_palloc(pool, sizeof(*recall));
    base = apr_shm_baseaddr_get(segment); /* APR keeps a word of its own at the beginning of the page */
    base += sizeof(entry_t) - (uintptr_t)base % sizeof(entry_t);
    recall->count = (word_t *)(void *)base;
    recall->entries = (entry_t *)(void *)(base + sizeof(entry_t));
    recall->n = n;
    *out = recall;
    return APR_SUCCESS;
}

/* Is a word so young that the certificate may not be recalled again? Near 0 from below: another thread read the
 * clock a moment later. Far below: the clock was set back, or somebody wrote nonsense. */
static int is_recent(uint64_t word, apr_time_t now)
{
    apr_interval_time_t since = now - (apr_time_t)(word >> 1);

    return word != 0 && since > -OC_REFRESH_FLAGS_PAUSE && since < OC_REFRESH_FLAGS_PAUSE;
}

apr_status_t oc_refresh_flags_one(oc_refresh_flags_t *recall, unsigned ordinal, apr_time_t now)
{
    uint64_t before, after = (uint64_t)now << 1 | 1;
    word_t *word;

    if (ordinal >= recall->n)
        return APR_EINVAL;
    word = &recall->entries[ordinal].recalled;
    before = atomic_load_explicit(word, memory_order_relaxed);
    do {
        if (is_recent(before, now))
            return APR_EAGAIN;
    } while (
        !atomic_compare_exchange_strong_explicit(word, &before, after, memory_order_release, memory_order_relaxed));
    atomic_fetch_add_explicit(recall->count, 1, memory_order_release);
    return APR_SUCCESS;
}

int oc_refresh_flags_has_any(const oc_refresh_flags_t *recall, uint64_t *seen)
{
    uint64_t count = atomic_load_explicit(recall->count, memory_order_acquire);
    int is_new = count != *seen;

    *seen = count;
    return is_new;
}

int oc_refresh_flags_take(oc_refresh_flags_t *recall, unsigned ordinal)
{
    if (ordinal >= recall->n || !(atomic_load_explicit(&recall->entries[ordinal].recalled, memory_order_relaxed) & 1))
        return 0;
    return (int)(atomic_fetch_and_explicit(&recall->entries[ordinal].recalled, ~UINT64_C(1), memory_order_acquire) & 1);
}

void oc_refresh_flags_set_attempt(oc_refresh_flags_t *recall, unsigned ordinal, apr_time_t when)
{
    if (ordinal < recall->n)
        atomic_store_explicit(&recall->entries[ordinal].attempted, (uint64_t)when, memory_order_relaxed);
}

apr_time_t oc_refresh_flags_last_attempt(const oc_refresh_flags_t *recall, unsigned ordinal)
{
    apr_time_t when = 0;

    if (ordinal < recall->n)
        when = (apr_time_t)atomic_load_explicit(&recall->entries[ordinal].attempted, memory_order_relaxed);
    return when > 0 ? when : 0;
}
