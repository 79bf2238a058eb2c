/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The readers of the shared memory, and its geometry. oc_shm_get() is on the handshake path: no lock, no system call,
 * no allocation.
 *
 * Why a reader needs no lock. A writer (1) fills blocks that no ref names, (2) publishes them by storing `ref`, (3)
 * only then frees the old blocks, which (4) a later record may overwrite. A reader loads ref, copies the blocks, loads
 * ref again. Every shared word is atomic: stores release, loads acquire. So if the copy holds one word stored in (4),
 * that load synchronised with its store, which comes after (2) in the writer; then the second load of ref, which comes
 * after the copy in the reader, must see (2), or something newer, and never the ref the reader began with: versions do
 * not repeat (invariant 5). An unchanged ref therefore proves the copy whole. Fences and memcpy() on shared bytes are
 * no alternative: for C11 the latter is a race, and ThreadSanitizer does not support the former. On x86 all of this is
 * plain loads.
 */
#include "arena.h"

#include <string.h>

#define CACHE_LINE 64
#define READ_ATTEMPTS 16 /* each fails only when a writer replaced this very record meanwhile */

_Static_assert(sizeof(oc_header_t) <= OC_HEADER_SIZE, "the header fits into its space");
_Static_assert(sizeof(oc_lane_t) == OC_LANE_SIZE, "a lane is two cache lines");
_Static_assert(sizeof(oc_slot_t) == 32, "a slot is half a cache line");

/* ---- geometry ---- */

static uint32_t buckets_for(uint32_t n_blocks)
{
    return (n_blocks * OC_SLOTS_PER_BLOCK + OC_BUCKET_SLOTS - 1) / OC_BUCKET_SLOTS;
}

apr_size_t oc_shm_size_for(uint32_t blocks)
{
    return OC_HEADER_SIZE + (apr_size_t)buckets_for(blocks) * OC_BUCKET_SLOTS * sizeof(oc_slot_t)
           + (apr_size_t)blocks * OC_BLOCK_SIZE + (apr_size_t)OC_SHM_LANES * OC_LANE_SIZE;
}

uint32_t oc_shm_blocks(apr_size_t size)
{
    apr_size_t room, n;

    if (size < OC_SHM_SIZE_MIN)
        return 0;
    room = size - OC_HEADER_SIZE - (apr_size_t)OC_SHM_LANES * OC_LANE_SIZE;
    n = room / (OC_BLOCK_SIZE + OC_SLOTS_PER_BLOCK * sizeof(oc_slot_t));
    if (n > UINT32_MAX / OC_BUCKET_SLOTS)
        n = UINT32_MAX / OC_BUCKET_SLOTS;
    while (n > 0 && oc_shm_size_for((uint32_t)n) > size)
        n--; /* the index is rounded up to whole buckets */
    return (uint32_t)n;
}

uint32_t oc_shm_capacity(apr_size_t size, apr_size_t id_len, apr_size_t data_len)
{
    uint32_t each = oc_block_count(id_len, data_len), n = oc_shm_blocks(size);

    return each == 0 || n < 2 * each ? 0 : n / each - 1;
}

apr_status_t oc_shm_create(oc_shm_t **out, apr_size_t size, oc_shm_policy_t policy, oc_shm_seed_t seed,
                           apr_pool_t *pool)
{
    oc_shm_t *shm;
    apr_shm_t *segment;
    unsigned char *base;
    uint32_t n_blocks = oc_shm_blocks(size);
    apr_status_t rv;

    *out = NULL;
    if (n_blocks == 0 || size > APR_SIZE_MAX / 2)
        return APR_EINVAL;
    /* Anonymous: zeroed, inherited, gone with the last process. */
    rv = apr_shm_create(&segment, size + CACHE_LINE, NULL, pool);
    if (rv != APR_SUCCESS)
        return rv;

    shm = apr_pcalloc(pool, sizeof(*shm));
    base = apr_shm_baseaddr_get(segment); /* APR keeps a word of its own at the beginning of the page */
    base += CACHE_LINE - (uintptr_t)base % CACHE_LINE;
    shm->size = size;
    shm->n_blocks = n_blocks;
    shm->n_buckets = buckets_for(n_blocks);
    shm->header = (oc_header_t *)(void *)base;
    shm->slots = (oc_slot_t *)(void *)(base + OC_HEADER_SIZE);
    shm->blocks = (oc_block_t *)(void *)(shm->slots + (apr_size_t)shm->n_buckets * OC_BUCKET_SLOTS);
    shm->lanes = (oc_lane_t *)(void *)(shm->blocks + n_blocks);
    shm->policy = policy;
    shm->seed = seed;
    shm->marks = apr_pcalloc(pool, n_blocks / 8 + 1);
    *out = shm;
    return APR_SUCCESS;
}

/* ---- keys ---- */

/* Both halves of the product: every bit of x reaches every bit of the result, in half the time of shifting and
 * multiplying. */
static inline uint64_t mix(uint64_t x)
{
#ifdef __SIZEOF_INT128__
    unsigned __int128 product = (unsigned __int128)x * UINT64_C(0x9e3779b97f4a7c15);

    return (uint64_t)(product >> 64) ^ (uint64_t)product;
#else
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
#endif
}

uint64_t oc_shm_hash(const oc_shm_t *shm, const oc_key_t *key)
{
    uint64_t hash = shm->seed.word[0] ^ ((uint64_t)key->kind << 16 | key->id_len);
    const unsigned char *id = key->id;
    apr_size_t left;

    for (left = key->id_len; left >= 8; left -= 8, id += 8)
        hash = mix(hash ^ oc_word_of(id, 8));
    if (left > 0)
        hash = mix(hash ^ oc_word_of(id, left));
    hash = mix(hash ^ shm->seed.word[1]);
    return hash ? hash : 1;
}

void oc_shm_buckets(const oc_shm_t *shm, uint64_t hash, oc_slot_t *bucket[2])
{
    uint64_t first = ((hash >> 32) * shm->n_buckets) >> 32;
    uint64_t second = ((hash & UINT32_MAX) * shm->n_buckets) >> 32;

    bucket[0] = shm->slots + first * OC_BUCKET_SLOTS;
    bucket[1] = shm->slots + second * OC_BUCKET_SLOTS;
}

/* ---- reading ---- */

/* How many blocks an attempt to read a record may have cost: as many as it claims to have, whether or not it is
 * whole. */
static void charge(uint32_t *budget, const oc_entry_t *entry)
{
    uint32_t cost = oc_block_count(entry->id_len, entry->data_len);

    if (cost == 0)
        cost = 1;
    *budget -= cost < *budget ? cost : *budget;
}

/* Read the note and the record of `slot`, whose hash was `hash`, again while a writer replaces the record. The note is
 * read between the two loads of ref too: an unchanged ref proves that it is this key's, because the version grows
 * before a slot gets a key (invariant 5). APR_EAGAIN: the record is corrupt, or was replaced during each attempt.
 * budget: charged with each attempt; NULL: unlimited */
static inline apr_status_t read_slot(const oc_shm_t *shm, const oc_slot_t *slot, uint64_t hash, const oc_key_t *key,
                                     oc_entry_t *entry, uint64_t *note, uint32_t *budget)
{
    int attempt;

    for (attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        uint64_t ref = oc_word_load(&slot->ref), word = oc_word_load(&slot->note);
        apr_status_t rv = APR_NOTFOUND;

        if (oc_word_load(&slot->hash) != hash)
            return APR_NOTFOUND; /* reused for another key meanwhile */
        if (oc_ref_block(ref) != 0) {
            rv = oc_block_read(shm->blocks, shm->n_blocks, oc_ref_block(ref) - 1, key, entry);
            if (budget)
                charge(budget, entry);
        }
        if (oc_word_load(&slot->ref) == ref) {
            *note = word;
            return rv;
        }
    }
    return APR_EAGAIN;
}

/* The slots of a bucket that have this hash, as bits. No branch depends on the position of the key, which the
 * processor could not predict. */
static unsigned slots_with(const oc_slot_t *bucket, uint64_t hash)
{
    unsigned i, found = 0;

#pragma GCC unroll 8
    for (i = 0; i < OC_BUCKET_SLOTS; i++)
        found |= (unsigned)(oc_word_load(&bucket[i].hash) == hash) << i;
    return found;
}

apr_status_t oc_shm_get(const oc_shm_t *shm, const oc_key_t *key, unsigned char *data, apr_size_t *len,
                        oc_shm_meta_t *meta)
{
    uint64_t hash = oc_shm_hash(shm, key);
    oc_slot_t *bucket[2];
    oc_entry_t entry; /* its id is not initialized: only used fields cost time */
    unsigned found;
    int b, i;

    meta->expiry = 0;
    meta->order = 0;
    meta->note = 0;
    entry.data = data;
    entry.data_cap = *len;

    oc_shm_buckets(shm, hash, bucket);
    for (i = 0; i < OC_BUCKET_SLOTS; i += 2) { /* a cache line holds two slots: fetch all of them at once */
        __builtin_prefetch(&bucket[0][i]);
        __builtin_prefetch(&bucket[1][i]);
    }
    for (b = 0; b < 2; b++) {
        for (found = slots_with(bucket[b], hash); found != 0; found &= found - 1) {
            const oc_slot_t *slot = &bucket[b][__builtin_ctz(found)];
            apr_status_t rv = read_slot(shm, slot, hash, key, &entry, &meta->note, NULL);

            if (rv == APR_SUCCESS || rv == APR_ENOSPC) {
                meta->expiry = entry.expiry;
                meta->order = entry.order;
                *len = entry.data_len;
                return rv;
            }
        }
    }
    return APR_NOTFOUND;
}

apr_status_t oc_shm_next(const oc_shm_t *shm, uint32_t *cursor, oc_entry_t *entry, uint64_t *note, uint32_t *budget)
{
    uint32_t n_slots = shm->n_buckets * OC_BUCKET_SLOTS;

    for (; *cursor < n_slots && (!budget || *budget > 0); ++*cursor) {
        const oc_slot_t *slot = &shm->slots[*cursor];
        uint64_t hash = oc_word_load(&slot->hash), its_note = 0;
        apr_status_t rv;

        if (hash == 0)
            continue;
        entry->id_len = 0; /* until it is known */
        rv = read_slot(shm, slot, hash, NULL, entry, &its_note, budget);
        if (note)
            *note = its_note;
        if (rv == APR_ENOSPC)
            return rv;
        if (rv == APR_SUCCESS) {
            ++*cursor;
            return rv;
        }
    }
    return APR_EOF;
}

/* ---- counters and figures ---- */

void oc_shm_count(const oc_shm_t *shm, unsigned lane, unsigned counter)
{
    atomic_fetch_add_explicit(&shm->lanes[lane % OC_SHM_LANES].counter[counter], 1, memory_order_relaxed);
}

uint64_t oc_shm_counter(const oc_shm_t *shm, unsigned counter)
{
    uint64_t sum = 0;
    int lane;

    for (lane = 0; lane < OC_SHM_LANES; lane++)
        sum += atomic_load_explicit(&shm->lanes[lane].counter[counter], memory_order_relaxed);
    return sum;
}

void oc_shm_stats(const oc_shm_t *shm, oc_shm_stats_t *stats)
{
    uint32_t i;

    memset(stats, 0, sizeof(*stats));
    stats->size = shm->size;
    stats->blocks = shm->n_blocks;
    stats->blocks_used = (uint32_t)oc_word_load(&shm->header->n_used);
    stats->slots = shm->n_buckets * OC_BUCKET_SLOTS;
    for (i = 0; i < stats->slots; i++) {
        if (oc_word_load(&shm->slots[i].hash) == 0)
            continue;
        if (oc_ref_block(oc_word_load(&shm->slots[i].ref)) != 0)
            stats->records++;
        else
            stats->notes++;
    }
}
