/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Loading returns what was written, after any damage to the file: whole records, or nothing. test_file_access.c tests
 * what may be opened, created and locked.
 */
#include "support_cache_file.h"
#include "support_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE 131072
#define KEYS 64
#define HEAD 4096
#define PAGE 4096
#define IMAGE_MAX (1 << 18)

static oc_file_t *file;
static oc_shm_t *shm;

static void write_behind(void *context, uint32_t block, const void *bytes)
{
    (void)context;
    assert_int_equal(oc_file_write(file, block, bytes), APR_SUCCESS);
}

/* An arena whose changes go to a fresh file. */
static void begin(apr_size_t size)
{
    const char *problem = NULL;
    oc_shm_stats_t stats;

    shm = cache_arena(size, OC_SHM_KEEP_VALID);
    oc_shm_stats(shm, &stats);
    assert_int_equal(oc_file_create(&file, cache_path, stats.blocks, cache_pool, &problem), APR_SUCCESS);
    oc_shm_on_change(shm, write_behind, NULL);
}

static void commit(void)
{
    const char *problem = NULL;

    assert_int_equal(oc_file_commit(file, &problem), APR_SUCCESS);
}

static int set_stage(void **state)
{
    if (cache_folder_setup(state) != 0)
        return -1;
    begin(SIZE);
    commit();
    return 0;
}

/* ---- what a load finds ---- */

typedef struct {
    uint64_t version[KEYS]; /* the highest of each key */
    uint64_t serial;
    uint64_t highest; /* version that was ever stored */
    oc_shm_t *into;   /* NULL: only count */
    unsigned refused;
} found_t;

/* Only stored records may come back; the payload identifies them. */
static void find(void *context, const oc_entry_t *entry)
{
    found_t *found = context;
    oc_key_t key = {entry->kind, entry->id_len, entry->id};
    cache_key_t expected;
    uint64_t number;

    assert_int_equal(entry->id_len, 20);
    memcpy(&number, entry->id + 8, 8);
    assert_true(number < KEYS);
    assert_memory_equal(entry->id, cache_key(&expected, number)->id, 20);
    assert_int_equal(entry->kind, 'R');
    assert_int_equal(cache_check(entry->data, entry->data_len, number), entry->order);
    assert_true(entry->order <= found->highest);
    assert_int_equal(entry->expiry, CACHE_EXPIRY);
    assert_true(entry->serial >= found->serial); /* in the order in which they were written */
    found->serial = entry->serial;
    if (entry->order > found->version[number])
        found->version[number] = entry->order;
    if (found->into && oc_shm_put(found->into, &key, entry, 0) == APR_ENOSPC)
        found->refused++;
}

static oc_file_load_t load(found_t *found, uint64_t highest, oc_shm_t *into)
{
    oc_file_load_t result;

    memset(found, 0, sizeof(*found));
    found->highest = highest;
    found->into = into;
    assert_int_equal(oc_file_load(cache_path, UINT32_MAX, find, found, &result, cache_pool), APR_SUCCESS);
    return result;
}

static void assert_found_all(const found_t *found)
{
    uint64_t versions[KEYS];

    cache_scan(shm, versions, KEYS);
    assert_memory_equal(found->version, versions, sizeof(versions));
}

/* Random stores and removals; the version is the round. */
static void play(uint64_t from, uint64_t to)
{
    uint64_t version;

    for (version = from; version < to; version++) {
        uint32_t number = cache_below(&cache_seed, KEYS);
        cache_key_t key;

        oc_shm_begin(shm);
        if (cache_below(&cache_seed, 5) == 0)
            (void)oc_shm_remove(shm, cache_key(&key, number));
        else
            (void)cache_put_locked(shm, number, version, CACHE_PAYLOAD_MIN + cache_below(&cache_seed, 2500),
                                   CACHE_EXPIRY, 1);
        oc_shm_end(shm);
    }
}

static apr_size_t read_image(unsigned char *image)
{
    int fd = open(cache_path, O_RDONLY);
    ssize_t n = read(fd, image, IMAGE_MAX);

    close(fd);
    assert_in_range(n, HEAD, IMAGE_MAX - 1);
    return (apr_size_t)n;
}

static void write_image(const unsigned char *image, apr_size_t len)
{
    int fd = open(cache_path, O_WRONLY);

    assert_int_equal(pwrite(fd, image, len, 0), (ssize_t)len);
    assert_int_equal(ftruncate(fd, (off_t)len), 0); /* not O_TRUNC: that makes some file systems flush at once */
    close(fd);
}

/* ---- tests ---- */

TEST(round_trip)
{
    found_t found;
    uint64_t round;

    assert_int_equal(load(&found, 0, NULL).records, 0);
    for (round = 1; round < 2000; round += 100) {
        oc_file_load_t result;
        oc_shm_stats_t stats;

        play(round, round + 100);
        result = load(&found, round + 100, NULL);
        assert_found_all(&found);
        oc_shm_stats(shm, &stats);
        assert_int_equal(result.records, stats.records); /* what was replaced or removed is dead */
        assert_int_equal(result.damaged, 0);
    }
}

TEST(invariant_10_reload_into_another_arena)
{
    static const apr_size_t SIZES[] = {SIZE, OC_SHM_SIZE_MIN, 4194304, 65536};
    uint64_t versions[KEYS], before[KEYS];
    oc_shm_t *old = shm;
    unsigned s, i, kept;
    found_t found;

    play(1, 500);
    cache_scan(old, before, KEYS);
    for (s = 0; s < 4; s++) {
        begin(SIZES[s]);
        oc_shm_begin(shm);
        (void)load(&found, 500, shm);
        oc_shm_end(shm);
        assert_memory_equal(found.version, before, sizeof(before));
        cache_scan(shm, versions, KEYS);
        for (i = 0, kept = 0; i < KEYS; i++) {
            assert_true(versions[i] == before[i] || (versions[i] == 0 && found.refused > 0));
            kept += versions[i] != 0;
        }
        assert_true(SIZES[s] < SIZE ? found.refused > 0 && kept > 3 : found.refused == 0);

        /* The next start finds the same records, in the file of the new arena; until then the old file stays. */
        assert_int_equal(load(&found, 500, NULL).damaged, 0);
        assert_memory_equal(found.version, before, sizeof(before));
        if (s == 3) {
            commit();
            assert_int_equal(load(&found, 500, NULL).records, kept);
            assert_memory_equal(found.version, versions, sizeof(versions));
        }
    }
}

TEST(invariant_10_highest_order_wins)
{
    static unsigned char image[IMAGE_MAX], later[IMAGE_MAX];
    apr_size_t len, longer;
    found_t found;

    assert_int_equal(cache_put(shm, 1, 10, 1000, CACHE_EXPIRY, 1), APR_SUCCESS);
    assert_int_equal(cache_put(shm, 2, 12, 1000, CACHE_EXPIRY, 1), APR_SUCCESS);
    len = read_image(image);
    assert_int_equal(cache_put(shm, 1, 11, 2000, CACHE_EXPIRY, 1), APR_SUCCESS);
    longer = read_image(later);
    assert_true(longer > len);
    assert_memory_not_equal(image, later, len); /* the old head was marked */
    assert_int_equal(load(&found, 20, NULL).records, 2);

    memcpy(later, image, len); /* as if the mark had not reached the disk */
    write_image(later, longer);
    begin(SIZE);
    oc_shm_begin(shm);
    assert_int_equal(load(&found, 20, shm).records, 3);
    oc_shm_end(shm);
    assert_int_equal(cache_version(shm, 1), 11);
    assert_int_equal(cache_version(shm, 2), 12);
}

TEST(truncated_anywhere)
{
    static unsigned char image[IMAGE_MAX];
    uint32_t last = 0;
    apr_size_t len, cut, i;
    found_t found;

    play(1, 300);
    len = read_image(image);
    for (cut = HEAD; cut < len; cut += 512) {
        static const apr_size_t ODD[] = {0, 1, 8, 16, 511};

        for (i = 0; i < 5; i++) {
            oc_file_load_t result;

            write_image(image, cut + ODD[i]);
            result = load(&found, 300, NULL);
            assert_true(result.records >= last); /* a longer file holds no less */
            last = result.records;
        }
    }
    assert_true(last > 10);
    for (cut = 24; cut < HEAD; cut += 100) {
        write_image(image, cut);
        assert_int_equal(load(&found, 300, NULL).records, 0);
    }
    write_image(image, 0);
    assert_int_equal(load(&found, 300, NULL).records, 0);
}

TEST(zeroed_behind_the_head)
{
    static unsigned char image[IMAGE_MAX];
    apr_size_t len;
    found_t found;

    play(1, 300);
    len = read_image(image);
    memset(image + HEAD, 0, len - HEAD);
    write_image(image, len);
    assert_int_equal(load(&found, 300, NULL).records, 0);
}

/* Change a word, but not by its highest bits: two words that change by these alone can cancel in the checksum. */
static void flip(unsigned char *at, unsigned number)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    word ^= UINT64_C(1) << (number * 11) % 56;
    memcpy(at, &word, sizeof(word));
}

TEST(invariant_6_flipped_bits)
{
    static unsigned char image[IMAGE_MAX];
    unsigned round, i, flips;
    apr_size_t len;
    found_t found;
    uint64_t damaged = 0;

    play(1, 300);
    len = read_image(image);
    for (round = 0; round < 1500; round++) {
        apr_size_t at[40];

        flips = 1 + cache_below(&cache_seed, 40);
        for (i = 0; i < flips; i++) {
            at[i] = HEAD + cache_below(&cache_seed, (uint32_t)(len - HEAD)) / 8 * 8;
            if (round % 3 == 0)
                at[i] = HEAD + (at[i] - HEAD) / 512 * 512 + cache_below(&cache_seed, 6) * 8; /* into the framing */
            flip(image + at[i], i);
        }
        write_image(image, len);
        damaged += load(&found, 300, NULL).damaged;
        for (i = 0; i < flips; i++)
            flip(image + at[i], i);
    }
    assert_true(damaged > 1000);
    write_image(image, len);
    assert_int_equal(load(&found, 300, NULL).damaged, 0);
    assert_found_all(&found);
}

/* Blocks that are swapped or duplicated: a record is found by its serial and parts, wherever a link leads. */
TEST(invariant_6_shuffled_blocks)
{
    static unsigned char image[IMAGE_MAX], shuffled[IMAGE_MAX];
    unsigned round, i;
    apr_size_t len;
    found_t found;

    play(1, 300);
    len = read_image(image);
    for (round = 0; round < 300; round++) {
        memcpy(shuffled, image, len);
        for (i = 0; i <= round % 50; i++) {
            uint32_t n = (uint32_t)(len - HEAD) / 512, a = cache_below(&cache_seed, n), b = cache_below(&cache_seed, n);

            memcpy(shuffled + HEAD + a * 512, image + HEAD + b * 512, 512);
        }
        write_image(shuffled, len);
        (void)load(&found, 300, NULL);
    }
}

/* Power fails between two states: each page of the file may hold what it held after any of the writes since the last
 * flush. Whole records come back, older or newer, and those that no write touched. */
TEST(invariant_12_power_cut)
{
    enum { STATES = 12 };
    static unsigned char images[STATES][IMAGE_MAX], image[IMAGE_MAX];
    uint64_t always[KEYS], versions[KEYS], page, older = 0, newest = 0;
    unsigned s, i, round;
    apr_size_t len = 0;
    found_t found;

    play(1, 300);
    for (s = 0; s < STATES; s++) {
        len = read_image(images[s]);
        cache_scan(shm, versions, KEYS);
        for (i = 0; i < KEYS; i++)
            always[i] = s == 0 || always[i] == versions[i] ? versions[i] : 0;
        play(300 + s * 5, 305 + s * 5);
    }
    for (round = 0; round < 3000; round++) {
        for (page = 0; page * PAGE < len; page++) {
            s = round % 2 ? cache_below(&cache_seed, STATES) : cache_below(&cache_seed, 2) * (STATES - 1);
            memcpy(image + page * PAGE, images[s] + page * PAGE, PAGE);
        }
        write_image(image, len);
        (void)load(&found, 305 + STATES * 5, NULL);
        for (i = 0; i < KEYS; i++) {
            if (always[i])
                assert_true(found.version[i] == always[i]);
            older += found.version[i] != 0 && found.version[i] < versions[i];
            newest += found.version[i] != 0 && found.version[i] == versions[i];
        }
    }
    assert_true(older > 0 && newest > older);
}

/* The head identifies version and machine: records of others are dropped, and the file is not refused. */
TEST(invariant_10_other_layouts_are_dropped)
{
    static unsigned char image[IMAGE_MAX];
    unsigned at;
    apr_size_t len;
    found_t found;

    play(1, 300);
    len = read_image(image);
    for (at = 8; at < 20; at++) { /* layout, byte order, size of a block */
        image[at] ^= 0x10;
        write_image(image, len);
        assert_int_equal(load(&found, 300, NULL).records, 0);
        image[at] ^= 0x10;
    }
    for (; at < 24; at++) { /* the number of blocks is informational: the file's size counts */
        image[at] ^= 0xff;
        write_image(image, len);
        (void)load(&found, 300, NULL);
        assert_found_all(&found);
    }
}

TEST(longer_than_its_head_states)
{
    static unsigned char image[IMAGE_MAX];
    apr_size_t len;
    found_t found;

    play(1, 300);
    len = read_image(image);
    memset(image + len, 0xee, IMAGE_MAX - len);
    write_image(image, IMAGE_MAX);
    (void)load(&found, 300, NULL);
    assert_found_all(&found);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, set_stage, cache_folder_teardown)
