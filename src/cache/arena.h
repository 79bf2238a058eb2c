/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The layout of the shared memory, for shm.c (readers), shm_write.c (writers) and tests. No other source includes this.
 *
 *   header   512 bytes                  written by: the writer
 *   index    buckets x 8 slots x 32 B   the writer
 *   blocks   n_blocks x 512 B           the writer
 *   counters 64 lanes x 128 B           any process, by relaxed addition
 *
 *   slot     hash   of the key, 0: empty slot
 *            ref    version: 32 high | block: 32 low     block = index + 1 of the head; 0: no record, perhaps a note
 *            note   one word of the caller's
 *            order  of the record: a copy of the head's, so that a put need not read the old record
 *
 * A key lives in one of two buckets that its hash chooses, in any of their 8 slots, and never moves.
 */
#ifndef OC_CACHE_ARENA_H
#define OC_CACHE_ARENA_H

#include "cache/shm.h"

#include <apr_shm.h>

#define OC_BUCKET_SLOTS 8
#define OC_SLOTS_PER_BLOCK 2 /* so that even an arena full of one-block records has half its slots free */
#define OC_HEADER_SIZE 512
#define OC_LANE_SIZE 128

typedef struct {
    oc_word_t busy;  /* not 0: a writer is active, or died while writing */
    oc_word_t free;  /* index + 1 of the first free block, linked through their `next`; 0: none */
    oc_word_t fresh; /* blocks from here on were never used and are free: a new arena touches no page */
    oc_word_t n_used;
    oc_word_t serial; /* last one given to a record */
} oc_header_t;

typedef struct {
    oc_word_t hash;
    oc_word_t ref;
    oc_word_t note;
    oc_word_t order;
} oc_slot_t;

typedef struct {
    oc_word_t counter[OC_SHM_COUNTERS];
} oc_lane_t;

struct oc_shm_t {
    oc_header_t *header;
    oc_slot_t *slots;
    oc_block_t *blocks;
    oc_lane_t *lanes;
    apr_size_t size;
    uint32_t n_buckets;
    uint32_t n_blocks;
    oc_shm_seed_t seed;
    oc_shm_policy_t policy;
    unsigned char *marks; /* scratch memory of the writer: one bit per block */
    oc_shm_changed_fn *changed;
    void *context;
};

/** Of a ref: the head's index + 1, as stored. */
static inline uint32_t oc_ref_block(uint64_t ref)
{
    return (uint32_t)ref;
}

/** The ref that follows @a ref in the same slot and names @a block (index + 1, or 0): another version (invariant 5). */
static inline uint64_t oc_ref_next(uint64_t ref, uint32_t block)
{
    return ((ref >> 32) + 1) << 32 | block;
}

uint64_t oc_shm_hash(const oc_shm_t *shm, const oc_key_t *key);

/** The two buckets of a hash; they may be the same one. */
void oc_shm_buckets(const oc_shm_t *shm, uint64_t hash, oc_slot_t *bucket[2]);

#endif
