/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The interface of cache/shm.h, one guarantee per test. Long random runs are in test_shm_model.c, killed writers in
 * test_shm_faults.c and test_shm_crash.c, readers concurrent with a writer in test_shm_race.c.
 */
#include "support_cache.h"
#include "support_system.h"
#include "support_test.h"

#include "cache/arena.h"

#include <linux/seccomp.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#ifndef WITH_TSAN
#define WITH_TSAN 0
#endif

#define SIZE 262144
#define NOW apr_time_from_sec(1000)
#define LATER apr_time_from_sec(2000)

TEST(create_refuses_bad_sizes)
{
    oc_shm_seed_t seed = {{1, 2}};
    oc_shm_t *shm;

    assert_int_equal(oc_shm_create(&shm, OC_SHM_SIZE_MIN - 1, OC_SHM_KEEP_VALID, seed, cache_pool), APR_EINVAL);
    assert_null(shm);
    assert_int_equal(oc_shm_create(&shm, 0, OC_SHM_KEEP_VALID, seed, cache_pool), APR_EINVAL);
    assert_int_not_equal(oc_shm_create(&shm, (apr_size_t)-1 >> 18, OC_SHM_KEEP_VALID, seed, cache_pool), APR_SUCCESS);
    assert_int_equal(oc_shm_create(&shm, (apr_size_t)-1, OC_SHM_KEEP_VALID, seed, cache_pool), APR_EINVAL);
    assert_int_equal(oc_shm_create(&shm, OC_SHM_SIZE_MIN, OC_SHM_KEEP_VALID, seed, cache_pool), APR_SUCCESS);
    assert_int_equal((uintptr_t)shm->lanes % 64 + (uintptr_t)shm->slots % 64, 0); /* neighbours share no cache line */
}

TEST(put_get_replace_remove)
{
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);
    cache_key_t key;
    oc_shm_stats_t stats;

    assert_int_equal(cache_version(shm, 1), 0);
    assert_int_equal(cache_put(shm, 1, 5, 3000, CACHE_EXPIRY, NOW), APR_SUCCESS);
    assert_int_equal(cache_version(shm, 1), 5);
    assert_int_equal(cache_version(shm, 2), 0);
    assert_int_equal(cache_put(shm, 1, 6, 100, CACHE_EXPIRY, NOW), APR_SUCCESS);
    assert_int_equal(cache_version(shm, 1), 6);
    oc_shm_stats(shm, &stats);
    assert_int_equal(stats.records, 1);
    assert_int_equal(stats.blocks_used, 1);
    oc_shm_begin(shm);
    assert_int_equal(oc_shm_remove(shm, cache_key(&key, 1)), APR_SUCCESS);
    assert_int_equal(oc_shm_remove(shm, cache_key(&key, 1)), APR_NOTFOUND);
    oc_shm_end(shm);
    assert_int_equal(cache_version(shm, 1), 0);
    oc_shm_stats(shm, &stats);
    assert_int_equal(stats.records + stats.blocks_used + stats.notes, 0);
}

TEST(kinds_and_ids_are_told_apart)
{
    static const unsigned char ID[] = "0123456789abcdef0123456789abcdef";
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);
    unsigned char data[4];
    oc_key_t key = {0, 0, ID};
    apr_size_t len;
    oc_shm_meta_t meta;

    oc_shm_begin(shm);
    for (key.kind = 'R'; key.kind <= 'X'; key.kind = (unsigned char)(key.kind + 'X' - 'R'))
        for (key.id_len = 1; key.id_len <= 32; key.id_len++)
            assert_int_equal(oc_shm_put(shm, &key, &CACHE_ENTRY(LATER, key.id_len, &key.kind, 1), NOW), APR_SUCCESS);
    oc_shm_end(shm);
    for (key.kind = 'R'; key.kind <= 'X'; key.kind = (unsigned char)(key.kind + 'X' - 'R')) {
        for (key.id_len = 1; key.id_len <= 32; key.id_len++) {
            len = sizeof(data);
            assert_int_equal(oc_shm_get(shm, &key, data, &len, &meta), APR_SUCCESS);
            assert_int_equal(len, 1);
            assert_int_equal(data[0], key.kind);
            assert_int_equal(meta.order, key.id_len);
            assert_int_equal(meta.expiry, LATER);
        }
    }
}

TEST(lengths)
{
    static unsigned char data[OC_BLOCK_DATA_MAX + 1], id[OC_BLOCK_ID_MAX + 1];
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);
    cache_key_t key;
    oc_key_t bad = *cache_key(&key, 1);
    oc_shm_meta_t meta;
    apr_size_t len = 2999;

    assert_int_equal(cache_put(shm, 1, 1, OC_BLOCK_DATA_MAX, CACHE_EXPIRY, NOW), APR_SUCCESS);
    assert_int_equal(cache_version(shm, 1), 1);
    oc_shm_begin(shm);
    assert_int_equal(oc_shm_put(shm, &bad, &CACHE_ENTRY(LATER, 2, data, OC_BLOCK_DATA_MAX + 1), NOW), APR_EINVAL);
    bad.id = id;
    bad.id_len = OC_BLOCK_ID_MAX + 1;
    assert_int_equal(oc_shm_put(shm, &bad, &CACHE_ENTRY(LATER, 2, data, 1), NOW), APR_EINVAL);
    bad.id_len = 0;
    assert_int_equal(oc_shm_put(shm, &bad, &CACHE_ENTRY(LATER, 2, data, 1), NOW), APR_EINVAL);
    bad.id_len = OC_BLOCK_ID_MAX;
    assert_int_equal(oc_shm_put(shm, &bad, &CACHE_ENTRY(LATER, 2, data, 0), NOW), APR_SUCCESS);
    oc_shm_end(shm);
    assert_int_equal(cache_version(shm, 1), 1);

    assert_int_equal(cache_put(shm, 1, 2, 3000, CACHE_EXPIRY, NOW), APR_SUCCESS);
    assert_int_equal(oc_shm_get(shm, cache_key(&key, 1), data, &len, &meta), APR_ENOSPC);
    assert_int_equal(len, 3000);
    assert_int_equal(meta.expiry, CACHE_EXPIRY);
    assert_int_equal(oc_shm_get(shm, cache_key(&key, 1), data, &len, &meta), APR_SUCCESS);
    len = 0;
    assert_int_equal(oc_shm_get(shm, &bad, data, &len, &meta), APR_SUCCESS);
    assert_int_equal(len, 0);
}

/* In a child that dies at the first write to the arena and at the first system call. */
TEST(invariant_1_readers_only_read)
{
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);
    static unsigned char data[OC_BLOCK_DATA_MAX];
    oc_entry_t entry = {.data = data, .data_cap = sizeof(data)};
    cache_key_t key;
    uint64_t i;
    pid_t child;
    int status;

    if (WITH_TSAN) {
        print_message("left out: ThreadSanitizer makes system calls in a thread of its own\n");
        skip();
    }
    SYSTEM_NEEDS(system_confines(), "seccomp");
    for (i = 0; i < 50; i++)
        assert_int_equal(cache_put(shm, i, i + 1, 2000, CACHE_EXPIRY, NOW), APR_SUCCESS);
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)shm->header & ~(page - 1);
        uintptr_t to = ((uintptr_t)shm->lanes + OC_SHM_LANES * OC_LANE_SIZE + page - 1) & ~(page - 1);
        uint32_t cursor = 0, found = 0;
        oc_shm_stats_t stats;
        oc_shm_meta_t meta;
        apr_size_t len;

        if (mprotect((void *)from, to - from, PROT_READ) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(2);
        for (i = 0; i < 60; i++) {
            len = sizeof(data);
            found += oc_shm_get(shm, cache_key(&key, i), data, &len, &meta) == APR_SUCCESS;
        }
        while (oc_shm_next(shm, &cursor, &entry, NULL, NULL) == APR_SUCCESS)
            found++;
        oc_shm_stats(shm, &stats);
        syscall(SYS_exit, found == 100 && stats.records == 50 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

TEST(test_notes)
{
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);
    cache_key_t key;
    oc_shm_stats_t stats;

    oc_shm_begin(shm);
    assert_int_equal(oc_shm_set_note(shm, cache_key(&key, 1), 11), APR_SUCCESS);
    assert_int_equal(oc_shm_set_note(shm, cache_key(&key, 2), 22), APR_SUCCESS);
    assert_int_equal(oc_shm_set_note(shm, cache_key(&key, 1), 12), APR_SUCCESS);
    oc_shm_end(shm);
    assert_int_equal(cache_note(shm, 1), 12);
    assert_int_equal(cache_note(shm, 2), 22);
    assert_int_equal(cache_note(shm, 3), 0);
    assert_int_equal(cache_version(shm, 1), 0);
    oc_shm_stats(shm, &stats);
    assert_int_equal(stats.notes, 2);
    assert_int_equal(stats.records, 0);

    assert_int_equal(cache_put(shm, 1, 1, 3000, CACHE_EXPIRY, NOW), APR_SUCCESS);
    assert_int_equal(cache_put(shm, 1, 2, 200, CACHE_EXPIRY, NOW), APR_SUCCESS);
    assert_int_equal(cache_note(shm, 1), 12); /* a new record does not touch it */
    oc_shm_begin(shm);
    assert_int_equal(oc_shm_set_note(shm, cache_key(&key, 1), 13), APR_SUCCESS);
    oc_shm_end(shm);
    assert_int_equal(cache_version(shm, 1), 2); /* nor does a note change the record */
    assert_int_equal(cache_note(shm, 1), 13);

    oc_shm_begin(shm);
    assert_int_equal(oc_shm_remove(shm, cache_key(&key, 1)), APR_SUCCESS);
    assert_int_equal(oc_shm_remove(shm, cache_key(&key, 2)), APR_NOTFOUND);
    oc_shm_end(shm);
    assert_int_equal(cache_note(shm, 1), 0);
    assert_int_equal(cache_note(shm, 2), 0);
}

TEST(invariant_5_versions_never_repeat)
{
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);
    uint32_t n = shm->n_buckets * OC_BUCKET_SLOTS, slot, round;
    static uint64_t last[8192];
    cache_key_t key;

    assert_in_range(n, 1, 8192);
    memset(last, 0, sizeof(last));
    for (round = 1; round < 2000; round++) { /* few slots are spared by 2,000 keys that come and go */
        uint64_t number = cache_below(&cache_seed, 4000);

        oc_shm_begin(shm);
        if (round % 3)
            cache_put_locked(shm, number, round, 100, LATER, NOW);
        else
            oc_shm_remove(shm, cache_key(&key, number));
        if (round % 50 == 0)
            cache_put_locked(shm, 5000, round, 60000, LATER + round, LATER); /* sweeps all that is expired by then */
        oc_shm_end(shm);
        for (slot = 0; slot < n; slot++) {
            uint64_t ref = oc_word_load(&shm->slots[slot].ref);

            if (ref != last[slot])
                assert_true(ref >> 32 > last[slot] >> 32);
            last[slot] = ref;
        }
    }
}

TEST(invariant_7_order_rules)
{
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);

    assert_int_equal(cache_put(shm, 1, 10, 300, LATER, NOW), APR_SUCCESS);
    assert_int_equal(cache_put(shm, 1, 9, 400, LATER + 1, NOW), APR_EEXIST);
    assert_int_equal(cache_put(shm, 1, 9, 400, LATER + 1, LATER - 1), APR_EEXIST);
    assert_int_equal(cache_put(shm, 1, 9, 400, LATER + 1, 0), APR_EEXIST); /* 0: every record counts as valid */
    assert_int_equal(cache_version(shm, 1), 10);
    assert_int_equal(cache_put(shm, 1, 10, 500, LATER, NOW), APR_SUCCESS); /* equal order: the newer one wins */
    assert_int_equal(cache_version(shm, 1), 10);
    assert_int_equal(cache_put(shm, 1, 9, 400, LATER + 1, LATER), APR_SUCCESS); /* expired exactly at the boundary */
    assert_int_equal(cache_version(shm, 1), 9);
    assert_int_equal(cache_put(shm, 1, 11, 400, LATER, NOW), APR_SUCCESS);
    assert_int_equal(cache_version(shm, 1), 11);

    /* The same for a record that was stored expired: a take-over does not check the time. */
    assert_int_equal(cache_put(shm, 2, 10, 300, 0, 0), APR_SUCCESS);
    assert_int_equal(cache_put(shm, 2, 9, 300, 0, 0), APR_EEXIST);
    assert_int_equal(cache_put(shm, 2, 9, 300, 0, 1), APR_SUCCESS);
}

TEST(counters)
{
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);
    unsigned i;

    for (i = 0; i < 1000; i++)
        oc_shm_count(shm, i, i % 3);
    assert_int_equal(oc_shm_counter(shm, 0), 334);
    assert_int_equal(oc_shm_counter(shm, 1), 333);
    assert_int_equal(oc_shm_counter(shm, 2), 333);
    for (i = 3; i < OC_SHM_COUNTERS; i++)
        assert_int_equal(oc_shm_counter(shm, i), 0);
}

typedef struct {
    const oc_shm_t *shm;
    unsigned lane;
} counting_t;

static void *count_much(void *data)
{
    const counting_t *counting = data;
    int i;

    for (i = 0; i < 50000; i++)
        oc_shm_count(counting->shm, counting->lane, OC_SHM_COUNTERS - 1);
    return NULL;
}

TEST(counters_of_threads)
{
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);
    counting_t counting[6];
    pthread_t thread[6];
    unsigned i;

    for (i = 0; i < 6; i++) {
        counting[i].shm = shm;
        counting[i].lane = i / 2; /* two threads share each lane */
        assert_int_equal(pthread_create(&thread[i], NULL, count_much, &counting[i]), 0);
    }
    for (i = 0; i < 6; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(oc_shm_counter(shm, OC_SHM_COUNTERS - 1), 300000);
}

TEST(iteration)
{
    oc_shm_t *shm = cache_arena(SIZE, OC_SHM_KEEP_VALID);
    uint64_t versions[100], note, i;
    unsigned char data[2000];
    oc_entry_t entry = {.data = data, .data_cap = 999};
    uint32_t cursor = 0, before;
    cache_key_t key;

    assert_int_equal(cache_scan(shm, versions, 100), 0);
    oc_shm_begin(shm);
    for (i = 0; i < 100; i++) {
        if (i % 4)
            assert_int_equal(cache_put_locked(shm, i, i + 1, 1000, LATER, NOW), APR_SUCCESS);
        assert_int_equal(oc_shm_set_note(shm, cache_key(&key, i), i + 1000), APR_SUCCESS); /* not an entry by itself */
    }
    oc_shm_end(shm);
    assert_int_equal(cache_scan(shm, versions, 100), 75 * oc_block_count(20, 1000));
    for (i = 0; i < 100; i++)
        assert_int_equal(versions[i], i % 4 ? i + 1 : 0);

    assert_int_equal(oc_shm_next(shm, &cursor, &entry, &note, NULL), APR_ENOSPC);
    assert_int_equal(entry.data_len, 1000);
    before = cursor;
    assert_int_equal(oc_shm_next(shm, &cursor, &entry, &note, NULL), APR_ENOSPC);
    assert_int_equal(cursor, before);
    entry.data_cap = 1000;
    assert_int_equal(oc_shm_next(shm, &cursor, &entry, &note, NULL), APR_SUCCESS);
    assert_int_equal(note, entry.order - 1 + 1000);
    assert_true(cursor > before);
}

/* With arbitrary bytes in the arena, calls return and stay in bounds (the fuzzer tests this at length). */
TEST(invariant_6_noise_in_the_arena)
{
    oc_shm_t *shm = cache_arena(65536, OC_SHM_DROP_OLDEST);
    static unsigned char data[OC_BLOCK_DATA_MAX];
    oc_entry_t entry = {.data = data, .data_cap = sizeof(data)};
    uint32_t round, i, cursor;
    uint64_t *words = (uint64_t *)(void *)shm->header;
    cache_key_t key;

    for (round = 0; round < 200; round++) {
        for (i = 0; i < 65536 / 8; i++)
            if (cache_below(&cache_seed, round % 20 + 1) == 0)
                words[i] = cache_below(&cache_seed, 2) ? cache_random(&cache_seed) : cache_below(&cache_seed, 120);
        for (cursor = 0; oc_shm_next(shm, &cursor, &entry, NULL, NULL) == APR_SUCCESS;)
            assert_in_range(entry.data_len, 0, OC_BLOCK_DATA_MAX);
        oc_shm_begin(shm);
        for (i = 0; i < 30; i++) {
            (void)cache_put_locked(shm, i, i, 24 + cache_below(&cache_seed, 3000), LATER, NOW);
            (void)oc_shm_set_note(shm, cache_key(&key, i), i);
            (void)oc_shm_remove(shm, cache_key(&key, i / 2));
        }
        oc_shm_end(shm);
    }
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
