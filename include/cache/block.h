/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Stores a record as a chain of 512-byte blocks, with framing and a checksum.
 *
 * The shared memory (cache/shm.h) and the cache's file (cache/file.h) hold the same blocks, at the same index. A reader
 * must expect anything: a chain that a writer is overwriting, a torn page, bytes made by an attacker. So every read is
 * bounded, copies into the caller's private memory, and distinguishes whole records from others.
 *
 *   block  word 0  next: 32 high | part: 32 low     next = index + 1 of the next block, 0: last
 *          word 1  serial                           one number per written record; 0: not in use, or dead (file)
 *          words 2..63  payload
 *   head   word 2  kind: 8 | 0: 8 | id_len: 16 | data_len: 32
 *   (part  word 3  expiry     apr_time_t
 *    0)    word 4  order      opaque here, see cache/shm.h
 *          word 5  checksum   over the words 1 to 4, the id and the data
 *          then the id, then the data, each padded with zero bytes to a whole word; the id never leaves the head
 */
#ifndef OC_CACHE_BLOCK_H
#define OC_CACHE_BLOCK_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_time.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define OC_BLOCK_SIZE 512
#define OC_BLOCK_WORDS 64
#define OC_BLOCK_ID_MAX 448     /* bytes of an id */
#define OC_BLOCK_DATA_MAX 65536 /* bytes of a record's data */
#define OC_BLOCK_CHAIN_MAX 136  /* blocks that the largest record takes, rounded up */
#define OC_BLOCK_NONE UINT32_MAX

/* One instruction on 64-bit processors, x86 (SSE, cmpxchg8b) and ARMv7 (ldrexd, strexd). Others call a library, whose
 * locks are not shared by processes. Not ATOMIC_LLONG_LOCK_FREE: clang's is about a long long, which i386 aligns to
 * four bytes; an atomic word is aligned to eight. */
_Static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0),
               "mod_ocsp_cache needs 64-bit atomics without a lock, which ARMv5, 32-bit MIPS and 32-bit PowerPC lack");

/** A word of memory that several processes share. Store with release, load with acquire: see the head of shm.c. */
typedef _Atomic uint64_t oc_word_t;

typedef struct {
    oc_word_t word[OC_BLOCK_WORDS];
} oc_block_t;

/** What a record is stored under. */
typedef struct {
    unsigned char kind;  /* separates consumers that use the same ids: OC_KIND_* in ocsp/record.h, server/provider.h */
    apr_uint16_t id_len; /* 1 to OC_BLOCK_ID_MAX */
    const unsigned char *id;
} oc_key_t;

/** A record outside its blocks. */
typedef struct {
    apr_time_t expiry;
    uint64_t order;
    uint64_t serial;
    unsigned char kind;
    apr_uint16_t id_len;
    unsigned char id[OC_BLOCK_ID_MAX]; /* filled only when the caller does not know the key already */
    unsigned char *data;               /* the caller's buffer */
    apr_size_t data_cap;               /* its size */
    apr_size_t data_len;               /* of the record: larger than data_cap with APR_ENOSPC */
} oc_entry_t;

/** How many blocks a record takes; 0 when it is larger than a record may be. */
uint32_t oc_block_count(apr_size_t id_len, apr_size_t data_len);

/**
 * Copy the record whose head is block @a head of the @a n_blocks at @a blocks into @a entry.
 * @param key  when not NULL: read the record only if it is stored under this key, and do not fill entry->id
 * @return APR_SUCCESS: whole, checksum and key right. APR_NOTFOUND: another key. APR_ENOSPC: larger than
 *   entry->data_cap, data_len has the size; not verified. APR_EAGAIN: not whole: being overwritten, torn, or corrupt.
 *   No lock, no system call, no allocation; bounded by OC_BLOCK_CHAIN_MAX blocks whatever the memory holds.
 */
apr_status_t oc_block_read(const oc_block_t *blocks, uint32_t n_blocks, uint32_t head, const oc_key_t *key,
                           oc_entry_t *entry);

/**
 * Write a record into the @a n_chain blocks whose indices are in @a chain (n_chain == oc_block_count()). The indices
 * are in the caller's private memory and within the arena; no other writer uses these blocks. @a entry gives expiry,
 * order, serial (not 0), data and data_len; the rest of it is ignored.
 */
void oc_block_write(oc_block_t *blocks, const uint32_t *chain, uint32_t n_chain, const oc_key_t *key,
                    const oc_entry_t *entry);

/** Collect the indices of the chain that begins at @a head, as far as it is well formed. @return how many, at most
 *  OC_BLOCK_CHAIN_MAX. For writers that free or mark a record. */
uint32_t oc_block_chain(const oc_block_t *blocks, uint32_t n_blocks, uint32_t head, uint32_t *chain);

static inline uint64_t oc_word_load(const oc_word_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static inline void oc_word_store(oc_word_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

/** The word that n <= 8 bytes become in a block; missing bytes are zero. It uses registers only, for the handshake
 *  path. */
static inline uint64_t oc_word_of(const unsigned char *bytes, apr_size_t n)
{
    uint64_t word = 0;
    uint32_t half;

    if (n == 8) {
        memcpy(&word, bytes, 8);
    }
    else if (n == 4 && !APR_IS_BIGENDIAN) { /* the end of an id of 20 bytes, the usual one */
        memcpy(&half, bytes, 4);
        word = half;
    }
    else {
        memcpy(&word, bytes, n);
    }
    return word;
}

#endif
