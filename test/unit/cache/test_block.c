/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Every record is read as it was written, and anything else is recognized as not a record.
 */
#include "support_cache.h"
#include "support_test.h"

#include <stdlib.h>
#include <string.h>

#define N_BLOCKS 300
#define SERIAL 77

static oc_block_t blocks[N_BLOCKS];
static uint32_t chain[OC_BLOCK_CHAIN_MAX];
static unsigned char written[OC_BLOCK_DATA_MAX + 8], copied[OC_BLOCK_DATA_MAX + 8], id_written[OC_BLOCK_ID_MAX];
static oc_key_t key = {'R', 20, id_written};

/* Write a record to blocks in random order; the other blocks are full of noise. Returns the number of blocks. */
static uint32_t write_record(apr_uint16_t id_len, apr_size_t data_len)
{
    oc_entry_t entry = {.expiry = 123456789, .order = 42, .serial = SERIAL, .data = written, .data_len = data_len};
    uint32_t order[N_BLOCKS], i, j, n = oc_block_count(id_len, data_len);
    apr_size_t k;

    assert_in_range(n, 1, OC_BLOCK_CHAIN_MAX);
    for (i = 0; i < N_BLOCKS; i++) {
        for (j = 0; j < OC_BLOCK_WORDS; j++)
            oc_word_store(&blocks[i].word[j], cache_random(&cache_seed));
        j = cache_below(&cache_seed, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (k = 0; k < data_len; k++)
        written[k] = (unsigned char)(cache_random(&cache_seed) >> 56);
    for (k = 0; k < id_len; k++)
        id_written[k] = (unsigned char)(cache_random(&cache_seed) >> 56);
    memcpy(chain, order, n * sizeof(*chain));
    key.id_len = id_len;
    oc_block_write(blocks, chain, n, &key, &entry);
    return n;
}

/* Read the record at chain[0]; when whole, it must be the one that was written. */
static apr_status_t read_record(const oc_key_t *wanted, apr_size_t data_len)
{
    oc_entry_t entry;
    apr_status_t rv;

    memset(&entry, 0xa5, sizeof(entry));
    memset(copied, 0x5a, sizeof(copied));
    entry.data = copied;
    entry.data_cap = OC_BLOCK_DATA_MAX;
    rv = oc_block_read(blocks, N_BLOCKS, chain[0], wanted, &entry);
    if (rv == APR_SUCCESS) {
        assert_int_equal(entry.data_len, data_len);
        assert_memory_equal(copied, written, data_len);
        assert_int_equal(copied[data_len], 0x5a); /* not a byte more */
        assert_int_equal(entry.expiry, 123456789);
        assert_int_equal(entry.order, 42);
        assert_int_equal(entry.serial, SERIAL);
        assert_int_equal(entry.kind, key.kind);
        assert_int_equal(entry.id_len, key.id_len);
        if (!wanted)
            assert_memory_equal(entry.id, id_written, key.id_len);
        else
            assert_int_equal(entry.id[0], 0xa5);
    }
    return rv;
}

static void round_trip(apr_uint16_t id_len, apr_size_t data_len)
{
    uint32_t found[OC_BLOCK_CHAIN_MAX], n = write_record(id_len, data_len);

    assert_int_equal(read_record(&key, data_len), APR_SUCCESS);
    assert_int_equal(read_record(NULL, data_len), APR_SUCCESS);
    assert_int_equal(oc_block_chain(blocks, N_BLOCKS, chain[0], found), n);
    assert_memory_equal(found, chain, n * sizeof(*chain));
}

TEST(count)
{
    assert_int_equal(oc_block_count(20, 0), 1);
    assert_int_equal(oc_block_count(20, 55 * 8), 1); /* 64 words - 6 of the head - 3 of the id */
    assert_int_equal(oc_block_count(20, 55 * 8 + 1), 2);
    assert_int_equal(oc_block_count(20, (55 + 62) * 8), 2);
    assert_int_equal(oc_block_count(20, (55 + 62) * 8 + 1), 3);
    assert_int_equal(oc_block_count(OC_BLOCK_ID_MAX, 16), 1);
    assert_int_equal(oc_block_count(OC_BLOCK_ID_MAX, 17), 2);
    assert_in_range(oc_block_count(OC_BLOCK_ID_MAX, OC_BLOCK_DATA_MAX), 130, OC_BLOCK_CHAIN_MAX);
    assert_int_equal(oc_block_count(20, OC_BLOCK_DATA_MAX + 1), 0);
    assert_int_equal(oc_block_count(20, (apr_size_t)-1), 0);
    assert_int_equal(oc_block_count(0, 1), 0);
    assert_int_equal(oc_block_count(OC_BLOCK_ID_MAX + 1, 1), 0);
}

TEST(round_trip_of_every_length)
{
    apr_size_t len;

    for (len = 0; len < 600; len++)
        round_trip(20, len);
    for (; len <= OC_BLOCK_DATA_MAX; len += 331)
        round_trip(20, len);
    for (len = OC_BLOCK_DATA_MAX - 20; len <= OC_BLOCK_DATA_MAX; len++)
        round_trip(20, len);
}

TEST(round_trip_of_every_id)
{
    apr_uint16_t len;

    for (len = 1; len <= OC_BLOCK_ID_MAX; len++)
        round_trip(len, cache_below(&cache_seed, 2000));
}

TEST(another_key_is_not_found)
{
    unsigned char other[OC_BLOCK_ID_MAX];
    oc_key_t wanted;
    apr_uint16_t i;

    write_record(21, 3000);
    memcpy(other, id_written, sizeof(other));
    wanted = key;
    wanted.id = other;
    assert_int_equal(read_record(&wanted, 3000), APR_SUCCESS);
    for (i = 0; i < 21; i++) {
        other[i] ^= 1;
        assert_int_equal(read_record(&wanted, 3000), APR_NOTFOUND);
        other[i] ^= 1;
    }
    wanted.id_len = 20;
    assert_int_equal(read_record(&wanted, 3000), APR_NOTFOUND);
    wanted.id_len = 22;
    other[21] = 0; /* the value of the padding */
    assert_int_equal(read_record(&wanted, 3000), APR_NOTFOUND);
    wanted.id_len = 21;
    wanted.kind = 'X';
    assert_int_equal(read_record(&wanted, 3000), APR_NOTFOUND);
}

TEST(small_buffer)
{
    oc_entry_t entry;
    apr_size_t cap;

    write_record(20, 3000);
    memset(copied, 0x5a, sizeof(copied));
    for (cap = 0; cap < 3000; cap += 7) {
        entry.data = copied;
        entry.data_cap = cap;
        assert_int_equal(oc_block_read(blocks, N_BLOCKS, chain[0], &key, &entry), APR_ENOSPC);
        assert_int_equal(entry.data_len, 3000);
        assert_int_equal(copied[cap], 0x5a);
    }
    entry.data_cap = 3000;
    assert_int_equal(oc_block_read(blocks, N_BLOCKS, chain[0], &key, &entry), APR_SUCCESS);
    assert_int_equal(copied[3000], 0x5a);
}

/* Words of a chain that are part of the record, and so of the checksum or of the framing. */
static int is_used(uint32_t part, uint32_t n, unsigned i, apr_size_t data_len)
{
    apr_size_t words = (data_len + 7) / 8, in_head = OC_BLOCK_WORDS - 6 - (apr_size_t)(key.id_len + 7) / 8;

    if (i < 2)
        return part + 1 < n || i == 1; /* the link of the last block names nothing */
    if (part == 0)
        return words >= in_head || i < OC_BLOCK_WORDS - in_head + words;
    return i < 2 + words - in_head - (part - 1) * 62;
}

static void corrupt_every_word(apr_size_t data_len)
{
    static const uint64_t FLIPS[] = {1, UINT64_C(1) << 63, UINT64_MAX, UINT64_C(0x0000000100000001),
                                     0x8000000080000000};
    uint32_t part, n = write_record(20, data_len);
    unsigned i, f, passed = 0;

    for (part = 0; part < n; part++) {
        for (i = 0; i < OC_BLOCK_WORDS; i++) {
            oc_word_t *word = &blocks[chain[part]].word[i];
            uint64_t right = oc_word_load(word);

            for (f = 0; f < 2 * sizeof(FLIPS) / sizeof(FLIPS[0]) + 4; f++) {
                uint64_t flip = f < 5 ? FLIPS[f] : f < 10 ? right ^ (right + FLIPS[f - 5]) : cache_random(&cache_seed);

                oc_word_store(word, right ^ flip);
                if (is_used(part, n, i, data_len))
                    assert_int_not_equal(read_record(NULL, data_len), APR_SUCCESS);
                else
                    passed += read_record(NULL, data_len) == APR_SUCCESS;
            }
            oc_word_store(word, right);
        }
    }
    assert_true(passed > 0); /* the words behind the record, and nothing else */
    assert_int_equal(read_record(NULL, data_len), APR_SUCCESS);
}

TEST(invariant_1_checksum_finds_every_changed_word)
{
    corrupt_every_word(0);
    corrupt_every_word(40);
    corrupt_every_word(440);
    corrupt_every_word(447);
    corrupt_every_word(3001);
}

/* Every single flipped bit of a small record, and pairs of bits half a word apart. */
TEST(checksum_finds_flipped_bits)
{
    unsigned i, bit;

    write_record(20, 200);
    for (i = 1; i < 6 + 3 + 25; i++) {
        oc_word_t *word = &blocks[chain[0]].word[i];
        uint64_t right = oc_word_load(word);

        for (bit = 0; bit < 64; bit++) {
            oc_word_store(word, right ^ UINT64_C(1) << bit);
            assert_int_not_equal(read_record(NULL, 200), APR_SUCCESS);
            oc_word_store(word, right ^ UINT64_C(0x0000000100000001) << bit % 32);
            assert_int_not_equal(read_record(NULL, 200), APR_SUCCESS);
        }
        oc_word_store(word, right);
    }
}

TEST(checksum_finds_swapped_words)
{
    unsigned i, j;

    write_record(20, 430);
    for (i = 3; i < OC_BLOCK_WORDS - 1; i++) {
        for (j = i + 1; j < OC_BLOCK_WORDS - 1; j++) {
            uint64_t a = oc_word_load(&blocks[chain[0]].word[i]), b = oc_word_load(&blocks[chain[0]].word[j]);

            oc_word_store(&blocks[chain[0]].word[i], b);
            oc_word_store(&blocks[chain[0]].word[j], a);
            assert_int_not_equal(read_record(NULL, 430), APR_SUCCESS);
            oc_word_store(&blocks[chain[0]].word[i], a);
            oc_word_store(&blocks[chain[0]].word[j], b);
        }
    }
}

/* A block of another record, or of an earlier one in the same place, in the middle of a chain. */
TEST(block_of_another_record)
{
    oc_block_t earlier;

    write_record(20, 3000);
    memcpy(&earlier, &blocks[chain[3]], sizeof(earlier));
    oc_word_store(&earlier.word[1], SERIAL - 1);
    oc_word_store(&earlier.word[9], 0);
    memcpy(&blocks[chain[3]], &earlier, sizeof(earlier));
    assert_int_equal(read_record(NULL, 3000), APR_EAGAIN);
    assert_int_equal(read_record(&key, 3000), APR_EAGAIN);
}

static void set_link(uint32_t block, uint64_t next, uint32_t part)
{
    oc_word_store(&blocks[block].word[0], next << 32 | part);
}

TEST(bent_chains)
{
    uint32_t found[OC_BLOCK_CHAIN_MAX + 1], n, i;
    static const uint64_t OUT[] = {0, N_BLOCKS + 1, N_BLOCKS + 2, 0x7fffffff, 0x80000000, 0xffffffff};

    for (i = 0; i < 6; i++) {
        n = write_record(20, 3000);
        set_link(chain[2], OUT[i], 2);
        assert_int_equal(read_record(NULL, 3000), APR_EAGAIN);
        assert_int_equal(oc_block_chain(blocks, N_BLOCKS, chain[0], found), 3);
    }
    for (i = 0; i < 5; i++) { /* back to itself, or to a block before */
        n = write_record(20, 3000);
        set_link(chain[4], (uint64_t)chain[i] + 1, 4);
        assert_int_equal(read_record(NULL, 3000), APR_EAGAIN);
        assert_int_equal(oc_block_chain(blocks, N_BLOCKS, chain[0], found), 5);
    }
    n = write_record(20, 3000);
    set_link(chain[3], (uint64_t)chain[4] + 1, 4); /* wrong part */
    assert_int_equal(read_record(NULL, 3000), APR_EAGAIN);
    n = write_record(20, 3000);
    set_link(chain[0], (uint64_t)chain[2] + 1, 0); /* a block left out */
    assert_int_equal(read_record(NULL, 3000), APR_EAGAIN);
    n = write_record(20, 3000);
    oc_word_store(&blocks[chain[n - 1]].word[1], SERIAL + 1); /* wrong serial */
    assert_int_equal(read_record(NULL, 3000), APR_EAGAIN);
    assert_int_equal(oc_block_chain(blocks, N_BLOCKS, chain[0], found), n - 1);
}

TEST(heads_out_of_range)
{
    uint32_t found[OC_BLOCK_CHAIN_MAX], heads[] = {N_BLOCKS, N_BLOCKS + 1, 0x80000000, OC_BLOCK_NONE}, i;
    oc_entry_t entry = {.data = copied, .data_cap = OC_BLOCK_DATA_MAX};

    write_record(20, 3000);
    for (i = 0; i < 4; i++) {
        assert_int_equal(oc_block_read(blocks, N_BLOCKS, heads[i], NULL, &entry), APR_EAGAIN);
        assert_int_equal(oc_block_chain(blocks, N_BLOCKS, heads[i], found), 0);
    }
    write_record(20, 3000);
    for (i = 0; i < 7; i++) { /* any block of it out of bounds, though all of it lies behind the bound */
        uint32_t highest = chain[i];

        assert_int_equal(oc_block_read(blocks, highest, chain[0], NULL, &entry), APR_EAGAIN);
        assert_in_range(oc_block_chain(blocks, highest, chain[0], found), 0, i);
    }
    for (i = 1; i < 7; i++) { /* the middle of a record is no beginning */
        assert_int_equal(oc_block_read(blocks, N_BLOCKS, chain[i], NULL, &entry), APR_EAGAIN);
    }
}

TEST(invariant_6_lengths_are_bounded)
{
    uint64_t i;
    unsigned bit;

    write_record(20, 3000);
    for (i = 0; i < 64 * 64; i++) { /* every pair of bits of the word that holds the lengths */
        oc_word_t *word = &blocks[chain[0]].word[2];
        uint64_t right = oc_word_load(word), flip = UINT64_C(1) << i / 64 | UINT64_C(1) << i % 64;

        oc_word_store(word, right ^ flip);
        assert_int_not_equal(read_record(NULL, 3000), APR_SUCCESS);
        assert_int_not_equal(read_record(&key, 3000), APR_SUCCESS);
        oc_word_store(word, right);
    }
    for (bit = 0; bit < 64; bit++) { /* no record without checksum, serial or part 0 */
        memset(blocks, 0, sizeof(blocks));
        oc_word_store(&blocks[chain[0]].word[2], UINT64_C(1) << bit);
        assert_int_equal(read_record(NULL, 0), APR_EAGAIN);
    }
}

TEST(invariant_6_noise_is_no_record)
{
    uint32_t found[OC_BLOCK_CHAIN_MAX], round, i, j;

    for (round = 0; round < 300; round++) {
        for (i = 0; i < N_BLOCKS; i++) {
            for (j = 0; j < OC_BLOCK_WORDS; j++)
                oc_word_store(&blocks[i].word[j], cache_random(&cache_seed));
            /* plausible framing, so that the chain is followed: the same serial, parts and links in range */
            set_link(i, cache_below(&cache_seed, N_BLOCKS + 2), cache_below(&cache_seed, round % 4 + 1));
            oc_word_store(&blocks[i].word[1], 1);
            oc_word_store(&blocks[i].word[2],
                          (uint64_t)'R' << 56 | UINT64_C(20) << 32 | cache_below(&cache_seed, 70000));
        }
        for (chain[0] = 0; chain[0] < N_BLOCKS; chain[0]++) {
            assert_int_equal(read_record(NULL, 0), APR_EAGAIN);
            assert_in_range(oc_block_chain(blocks, N_BLOCKS, chain[0], found), 1, OC_BLOCK_CHAIN_MAX);
        }
    }
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
