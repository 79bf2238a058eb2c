/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The flags in shared memory, without locks:
 *
 *   head   how many requests there were
 *   entry  requested  63 .. 1: when last, in microseconds | 0: not taken yet
 *          attempted  when last
 *
 * A request sets the entry's bit and then increments the head. The refreshing child reads the head (acquire) before the
 * entries, so it sees the bit of every request that the count includes. A child can write anything here: at worst
 * responders are queried more often than they should.
 */
#include "state/refresh_flags.h"

#include <apr_shm.h>
#include <stdatomic.h>

typedef _Atomic uint64_t word_t;

typedef struct {
    word_t requested;
    word_t attempted;
} entry_t;

struct oc_refresh_flags_t {
    word_t *count;
    entry_t *entries; /* follow the header in the same memory */
    unsigned n;
};

apr_status_t oc_refresh_flags_create(oc_refresh_flags_t **out, unsigned n, apr_pool_t *pool)
{
    apr_shm_t *segment;
    oc_refresh_flags_t *flags;
    unsigned char *base;
    apr_status_t rv;

    *out = NULL;
    rv = apr_shm_create(&segment, sizeof(entry_t) * ((apr_size_t)n + 2), NULL, pool); /* anonymous: zeroed */
    if (rv != APR_SUCCESS)
        return rv;
    flags = apr_palloc(pool, sizeof(*flags));
    base = apr_shm_baseaddr_get(segment); /* APR keeps a word of its own at the beginning of the page */
    base += sizeof(entry_t) - (uintptr_t)base % sizeof(entry_t);
    flags->count = (word_t *)(void *)base;
    flags->entries = (entry_t *)(void *)(base + sizeof(entry_t));
    flags->n = n;
    *out = flags;
    return APR_SUCCESS;
}

/* Is the last request too recent for another one? An age slightly below 0: another thread read the clock a moment
 * later. Far below: the clock was set back, or a hostile child wrote the word. */
static int is_recent(uint64_t word, apr_time_t now)
{
    apr_interval_time_t since = now - (apr_time_t)(word >> 1);

    return word != 0 && since > -OC_REFRESH_FLAGS_PAUSE && since < OC_REFRESH_FLAGS_PAUSE;
}

apr_status_t oc_refresh_flags_one(oc_refresh_flags_t *flags, unsigned ordinal, apr_time_t now)
{
    uint64_t before, after = (uint64_t)now << 1 | 1;
    word_t *word;

    if (ordinal >= flags->n)
        return APR_EINVAL;
    word = &flags->entries[ordinal].requested;
    before = atomic_load_explicit(word, memory_order_relaxed);
    do {
        if (is_recent(before, now))
            return APR_EAGAIN;
    } while (
        !atomic_compare_exchange_strong_explicit(word, &before, after, memory_order_release, memory_order_relaxed));
    atomic_fetch_add_explicit(flags->count, 1, memory_order_release);
    return APR_SUCCESS;
}

int oc_refresh_flags_has_any(const oc_refresh_flags_t *flags, uint64_t *seen)
{
    uint64_t count = atomic_load_explicit(flags->count, memory_order_acquire);
    int is_new = count != *seen;

    *seen = count;
    return is_new;
}

int oc_refresh_flags_take(oc_refresh_flags_t *flags, unsigned ordinal)
{
    if (ordinal >= flags->n || !(atomic_load_explicit(&flags->entries[ordinal].requested, memory_order_relaxed) & 1))
        return 0;
    return (int)(atomic_fetch_and_explicit(&flags->entries[ordinal].requested, ~UINT64_C(1), memory_order_acquire) & 1);
}

void oc_refresh_flags_set_attempt(oc_refresh_flags_t *flags, unsigned ordinal, apr_time_t when)
{
    if (ordinal < flags->n)
        atomic_store_explicit(&flags->entries[ordinal].attempted, (uint64_t)when, memory_order_relaxed);
}

apr_time_t oc_refresh_flags_last_attempt(const oc_refresh_flags_t *flags, unsigned ordinal)
{
    apr_time_t when = 0;

    if (ordinal < flags->n)
        when = (apr_time_t)atomic_load_explicit(&flags->entries[ordinal].attempted, memory_order_relaxed);
    return when > 0 ? when : 0;
}
