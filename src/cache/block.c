/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads and writes a record as a chain of blocks. oc_block_read() is on the handshake path and parses what hostile
 * processes may have written: no index, length or link is used before it was loaded once into a local and checked.
 */
#include "cache/block.h"

#include <string.h>

#define HEAD_WORDS 6 /* link, serial, lengths, expiry, order, checksum */
#define BODY_WORDS 2 /* link, serial */

_Static_assert(sizeof(oc_block_t) == OC_BLOCK_SIZE, "a block is 512 bytes");
_Static_assert(HEAD_WORDS + OC_BLOCK_ID_MAX / 8 <= OC_BLOCK_WORDS, "an id fits into the head");

/* Two sums, as Fletcher's checksum has them: `plain` depends on the values, `weighted` on their positions too. Each
 * takes one addition per word, so that testing costs no more than copying. It detects accidents, not forgery: a
 * forger can write any checksum that is stored with the data. */
typedef struct {
    uint64_t plain;
    uint64_t weighted;
} checksum_t;

static inline void checksum_add(checksum_t *sum, uint64_t word)
{
    sum->plain += word;
    sum->weighted += sum->plain;
}

static uint64_t checksum_end(const checksum_t *sum)
{
    /* The factor is even: a word that changes by d, k words before the end, changes the result by d * (1 + factor *
     * k). That is d times an odd number, so never 0: every change of a single word is detected. Changes of two words
     * by one of the highest bits alone can cancel. */
    return sum->plain + sum->weighted * UINT64_C(0x9e3779b97f4a7c16) + 1; /* + 1: all zeros never pass for a record */
}

static apr_size_t words_of(apr_size_t bytes)
{
    return (bytes + 7) / 8;
}

uint32_t oc_block_count(apr_size_t id_len, apr_size_t data_len)
{
    apr_size_t words, in_head;

    if (id_len == 0 || id_len > OC_BLOCK_ID_MAX || data_len > OC_BLOCK_DATA_MAX)
        return 0;

    words = words_of(data_len);
    in_head = OC_BLOCK_WORDS - HEAD_WORDS - words_of(id_len);
    if (words <= in_head)
        return 1;
    return (uint32_t)(1 + (words - in_head + OC_BLOCK_WORDS - BODY_WORDS - 1) / (OC_BLOCK_WORDS - BODY_WORDS));
}

static uint64_t lengths_word(unsigned char kind, apr_uint16_t id_len, apr_size_t data_len)
{
    return (uint64_t)kind << 56 | (uint64_t)id_len << 32 | (uint64_t)data_len;
}

/* The next block of a chain, or NULL if it does not continue the chain. */
static const oc_block_t *next_block(const oc_block_t *blocks, uint32_t n_blocks, const oc_block_t *block, uint32_t part,
                                    uint64_t serial)
{
    uint64_t next = oc_word_load(&block->word[0]) >> 32;

    if (next == 0 || next > n_blocks)
        return NULL;
    block = &blocks[next - 1];
    if ((uint32_t)oc_word_load(&block->word[0]) != part || oc_word_load(&block->word[1]) != serial)
        return NULL;
    return block;
}

/* Compare or copy out the id, which lies in the head, and add it to the checksum. */
static int take_id(const oc_block_t *head, const oc_key_t *key, oc_entry_t *entry, checksum_t *sum)
{
    uint64_t different = 0;
    apr_size_t done, n;
    unsigned i = HEAD_WORDS;

    for (done = 0; done < entry->id_len; done += n) {
        uint64_t word = oc_word_load(&head->word[i++]);

        n = entry->id_len - done < 8 ? entry->id_len - done : 8;
        checksum_add(sum, word);
        if (key)
            different |= oc_word_of(key->id + done, n) ^ word;
        else
            memcpy(entry->id + done, &word, n);
    }
    return different == 0;
}

/* Copy n words and add them to the checksum. They get their own sum first, so their additions do not depend on those
 * of the words before. n is a constant, so the compiler unrolls the loop. */
static inline void take_group(const oc_word_t *from, unsigned char *to, unsigned n, checksum_t *whole)
{
    checksum_t group = {0, 0};
    unsigned i;

#pragma GCC unroll 8
    for (i = 0; i < n; i++) {
        uint64_t word = oc_word_load(&from[i]);

        memcpy(to + (apr_size_t)8 * i, &word, 8);
        checksum_add(&group, word);
    }
    whole->weighted += n * whole->plain + group.weighted;
    whole->plain += group.plain;
}

static void take_words(const oc_word_t *from, unsigned char *to, apr_size_t n, checksum_t *sum)
{
    checksum_t whole = *sum; /* a local copy, because `to` may alias *sum */

    for (; n >= 8; n -= 8, from += 8, to += 64)
        take_group(from, to, 8, &whole);
    if (n & 4) {
        take_group(from, to, 4, &whole);
        from += 4;
        to += 32;
    }
    if (n & 2) {
        take_group(from, to, 2, &whole);
        from += 2;
        to += 16;
    }
    if (n & 1)
        take_group(from, to, 1, &whole);
    *sum = whole;
}

/* Prefetch the next block of a chain while this one is copied. Only a hint: its content is checked later. */
static inline void prefetch_next(const oc_block_t *blocks, uint32_t n_blocks, const oc_block_t *block)
{
    uint64_t next = oc_word_load(&block->word[0]) >> 32;
    unsigned i;

    if (next == 0 || next > n_blocks)
        return;
#pragma GCC unroll 8
    for (i = 0; i < OC_BLOCK_WORDS; i += 8)
        __builtin_prefetch(&blocks[next - 1].word[i]);
}

static apr_status_t take_data(const oc_block_t *blocks, uint32_t n_blocks, const oc_block_t *block, unsigned i,
                              oc_entry_t *entry, checksum_t *sum)
{
    unsigned char *to = entry->data;
    apr_size_t left = entry->data_len;
    uint32_t part = 0;

    while (left > 0) {
        apr_size_t n = left / 8 < OC_BLOCK_WORDS - i ? left / 8 : OC_BLOCK_WORDS - i;

        prefetch_next(blocks, n_blocks, block);
        take_words(&block->word[i], to, n, sum);
        to += 8 * n;
        left -= 8 * n;
        i += (unsigned)n;
        if (left == 0)
            break;
        if (i < OC_BLOCK_WORDS) {
            uint64_t word = oc_word_load(&block->word[i]);

            checksum_add(sum, word);
            memcpy(to, &word, left);
            break;
        }
        block = next_block(blocks, n_blocks, block, ++part, entry->serial);
        if (!block)
            return APR_EAGAIN;
        i = BODY_WORDS;
    }
    return APR_SUCCESS;
}

apr_status_t oc_block_read(const oc_block_t *blocks, uint32_t n_blocks, uint32_t head, const oc_key_t *key,
                           oc_entry_t *entry)
{
    const oc_block_t *block;
    checksum_t sum = {0, 0};
    uint64_t lengths, checksum;
    apr_status_t rv;

    if (head >= n_blocks)
        return APR_EAGAIN;
    block = &blocks[head];

    entry->serial = oc_word_load(&block->word[1]);
    lengths = oc_word_load(&block->word[2]);
    entry->expiry = (apr_time_t)oc_word_load(&block->word[3]);
    entry->order = oc_word_load(&block->word[4]);
    checksum = oc_word_load(&block->word[5]);
    entry->kind = (unsigned char)(lengths >> 56);
    entry->id_len = (apr_uint16_t)(lengths >> 32);
    entry->data_len = (apr_size_t)(lengths & UINT32_MAX);

    if ((uint32_t)oc_word_load(&block->word[0]) != 0 || entry->serial == 0
        || oc_block_count(entry->id_len, entry->data_len) == 0
        || lengths != lengths_word(entry->kind, entry->id_len, entry->data_len))
        return APR_EAGAIN;
    if (key && (key->kind != entry->kind || key->id_len != entry->id_len))
        return APR_NOTFOUND;

    checksum_add(&sum, entry->serial);
    checksum_add(&sum, lengths);
    checksum_add(&sum, (uint64_t)entry->expiry);
    checksum_add(&sum, entry->order);
    if (!take_id(block, key, entry, &sum))
        return APR_NOTFOUND;
    if (entry->data_len > entry->data_cap)
        return APR_ENOSPC;

    rv = take_data(blocks, n_blocks, block, HEAD_WORDS + (unsigned)words_of(entry->id_len), entry, &sum);
    if (rv == APR_SUCCESS && checksum_end(&sum) != checksum)
        rv = APR_EAGAIN;
    return rv;
}

/* The writer's position in its chain. */
typedef struct {
    oc_block_t *blocks;
    const uint32_t *chain;
    uint32_t part;
    unsigned i;
    checksum_t sum;
} writer_t;

static void put_bytes(writer_t *w, const unsigned char *from, apr_size_t len)
{
    while (len > 0) {
        apr_size_t n = len < 8 ? len : 8;
        uint64_t word = 0;

        if (w->i == OC_BLOCK_WORDS) {
            w->part++;
            w->i = BODY_WORDS;
        }
        memcpy(&word, from, n);
        checksum_add(&w->sum, word);
        oc_word_store(&w->blocks[w->chain[w->part]].word[w->i++], word);
        from += n;
        len -= n;
    }
}

void oc_block_write(oc_block_t *blocks, const uint32_t *chain, uint32_t n_chain, const oc_key_t *key,
                    const oc_entry_t *entry)
{
    oc_block_t *head = &blocks[chain[0]];
    writer_t w = {blocks, chain, 0, HEAD_WORDS, {0, 0}};
    uint64_t lengths = lengths_word(key->kind, key->id_len, entry->data_len);
    uint32_t part;

    for (part = 0; part < n_chain; part++) {
        uint64_t next = part + 1 < n_chain ? (uint64_t)chain[part + 1] + 1 : 0;

        oc_word_store(&blocks[chain[part]].word[0], next << 32 | part);
        oc_word_store(&blocks[chain[part]].word[1], entry->serial);
    }

    checksum_add(&w.sum, entry->serial);
    checksum_add(&w.sum, lengths);
    checksum_add(&w.sum, (uint64_t)entry->expiry);
    checksum_add(&w.sum, entry->order);
    oc_word_store(&head->word[2], lengths);
    oc_word_store(&head->word[3], (uint64_t)entry->expiry);
    oc_word_store(&head->word[4], entry->order);
    put_bytes(&w, key->id, key->id_len);
    put_bytes(&w, entry->data, entry->data_len);
    oc_word_store(&head->word[5], checksum_end(&w.sum));
}

uint32_t oc_block_chain(const oc_block_t *blocks, uint32_t n_blocks, uint32_t head, uint32_t *chain)
{
    const oc_block_t *block;
    uint64_t serial;
    uint32_t n = 0;

    if (head >= n_blocks)
        return 0;
    block = &blocks[head];
    serial = oc_word_load(&block->word[1]);
    while (block && n < OC_BLOCK_CHAIN_MAX) {
        chain[n++] = (uint32_t)(block - blocks);
        block = next_block(blocks, n_blocks, block, n, serial);
    }
    return n;
}
