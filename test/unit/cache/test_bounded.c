/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Bounded work for root. A hostile child fills the arena, or the file, with heads that all claim one long chain, which
 * turns out broken at its end: each costs a read of 64 KiB. Reading all of them would take seconds at each reload. What
 * holds the bound is counted work; each test also prints its time. OC_TEST_MIB=64 runs it at another size.
 */
#include "cache/arena.h"
#include "support_cache_file.h"
#include "support_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS_PER_MIB 40 /* of CPU time; generous, so that the test passes with sanitizers and under load */

static apr_size_t arena_size; /* a whole number of MiB */
static clock_t began;

static int choose_size(void **state)
{
    const char *mib = getenv("OC_TEST_MIB");
    long n = mib ? strtol(mib, NULL, 10) : 0;

    arena_size = (apr_size_t)(n >= 1 && n <= 256 ? n : 4) << 20;
    return cache_folder_setup(state);
}

static void start_clock(void)
{
    began = clock();
}

static void assert_bounded(apr_size_t size)
{
    double ms = (double)(clock() - began) * 1000 / CLOCKS_PER_SEC, mib = (double)(size >> 20);

    (void)printf("%.2f ms of CPU time for each of %.0f MiB\n", ms / mib, mib);
    assert_true(ms < MS_PER_MIB * mib);
}

/* An arena with one long record, broken in its last block, that every slot names. */
static oc_shm_t *hostile_arena(void)
{
    oc_shm_t *shm = cache_arena(arena_size, OC_SHM_KEEP_VALID);
    uint32_t chain[OC_BLOCK_CHAIN_MAX], n, i, head = 0;

    assert_int_equal(cache_put(shm, 1, 1, OC_BLOCK_DATA_MAX, 1000, 0), APR_SUCCESS);
    for (i = 0; i < shm->n_buckets * OC_BUCKET_SLOTS; i++)
        if (oc_ref_block(oc_word_load(&shm->slots[i].ref)) != 0)
            head = oc_ref_block(oc_word_load(&shm->slots[i].ref));
    assert_int_not_equal(head, 0);
    n = oc_block_chain(shm->blocks, shm->n_blocks, head - 1, chain);
    oc_word_store(&shm->blocks[chain[n - 1]].word[2], 1);
    for (i = 0; i < shm->n_buckets * OC_BUCKET_SLOTS; i++) {
        oc_word_store(&shm->slots[i].hash, i + 1);
        oc_word_store(&shm->slots[i].ref, oc_ref_next(0, head));
    }
    return shm;
}

TEST(records_that_are_not_whole_use_up_the_budget)
{
    oc_shm_t *shm = hostile_arena();
    uint32_t budget = 2 * shm->n_blocks, cursor = 0;
    oc_entry_t entry;
    uint64_t note;

    entry.data_cap = OC_BLOCK_DATA_MAX;
    entry.data = apr_palloc(cache_pool, entry.data_cap);
    start_clock();
    assert_int_equal(oc_shm_next(shm, &cursor, &entry, &note, &budget), APR_EOF);
    assert_bounded(arena_size);
    assert_int_equal(budget, 0);
    assert_true(cursor <= 2 * shm->n_blocks / (OC_BLOCK_DATA_MAX / OC_BLOCK_SIZE) + 1);
}

TEST(honest_records_fit_into_the_budget)
{
    oc_shm_t *shm = cache_arena(arena_size, OC_SHM_KEEP_VALID);
    uint32_t budget, cursor = 0, n = 0, seen = 0;
    oc_entry_t entry;

    while (cache_put(shm, n, 1, n % 3 ? 2000 : 20, 1000, 0) == APR_SUCCESS)
        n++;
    budget = shm->n_blocks;
    entry.data_cap = OC_BLOCK_DATA_MAX;
    entry.data = apr_palloc(cache_pool, entry.data_cap);
    while (oc_shm_next(shm, &cursor, &entry, NULL, &budget) == APR_SUCCESS)
        seen++;
    assert_int_equal(seen, n);
}

/* A full arena refuses thousands of records without scanning its slots for each of them. */
TEST(records_that_find_no_room_cost_nothing)
{
    oc_shm_t *shm = cache_arena(arena_size, OC_SHM_KEEP_VALID);
    uint32_t n = 0, refused;

    while (cache_put(shm, n, 1, 20, 1000, 0) == APR_SUCCESS)
        n++;
    start_clock();
    for (refused = 0; refused < 100000; refused++)
        assert_int_equal(cache_put(shm, n + refused, 1, 20, 1000, 0), APR_ENOSPC);
    assert_bounded(100 << 20);
}

static void write_at(int fd, const void *bytes, size_t len, off_t offset)
{
    assert_int_equal(pwrite(fd, bytes, len, offset), len);
}

static void ignore(void *context, const oc_entry_t *entry)
{
    (void)entry;
    ++*(int *)context;
}

/* A file in which each block is a head that continues in the same broken chain. */
TEST(a_file_of_heads_that_are_not_whole)
{
    oc_block_t *blocks = apr_pcalloc(cache_pool, arena_size);
    uint32_t chain[OC_BLOCK_CHAIN_MAX], n = oc_block_count(1, OC_BLOCK_DATA_MAX), i;
    unsigned char *data = apr_pcalloc(cache_pool, OC_BLOCK_DATA_MAX);
    oc_key_t key = {1, 1, (const unsigned char *)"k"};
    oc_entry_t entry = {.serial = 7, .data = data, .data_len = OC_BLOCK_DATA_MAX};
    oc_file_t *file = cache_file_create();
    const char *problem = NULL;
    oc_file_load_t loaded;
    int fd, visited = 0;

    assert_true(n > 1 && n <= OC_BLOCK_CHAIN_MAX);
    for (i = 0; i < n; i++)
        chain[i] = i;
    oc_block_write(blocks, chain, n, &key, &entry);
    oc_word_store(&blocks[chain[n - 1]].word[2], 1);
    for (i = n; i < arena_size / OC_BLOCK_SIZE; i++)
        memcpy(&blocks[i], &blocks[0], OC_BLOCK_SIZE);
    assert_int_equal(oc_file_commit(file, &problem), APR_SUCCESS);
    fd = open(cache_path, O_WRONLY);
    assert_true(fd >= 0);
    write_at(fd, blocks, arena_size, 4096);
    close(fd);
    start_clock();
    assert_int_equal(oc_file_load(cache_path, UINT32_MAX, ignore, &visited, &loaded, cache_pool), APR_SUCCESS);
    assert_bounded(arena_size);
    assert_int_equal(visited, 0); /* each head was tried, or left when the budget was used up */
    assert_int_equal(loaded.damaged, arena_size / OC_BLOCK_SIZE - n + 1);
}

TEST_MAIN(NULL, NULL, choose_size, cache_folder_teardown)
