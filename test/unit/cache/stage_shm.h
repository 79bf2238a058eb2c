/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Shared by test_shm_faults.c and test_shm_between.c: compiles cache/block.c and cache/shm*.c into the test program
 * with hooks in oc_word_store() and oc_word_load(), and defines the scenes that the tests run.
 *
 * Between two stores a writer changes nothing that others see, so "killed at any instruction" is "stopped before the
 * n-th store", for each n: every possible fault point, numbered automatically. The same applies to a reader and its
 * loads. What the writer passes to the file goes to a copy in memory, under the same numbers.
 */
#ifndef STAGE_SHM_H
#define STAGE_SHM_H

#include "support_cache.h"

#include "cache/arena.h"

#include <string.h>

/* ---- the tap: runs before each shared load or store ---- */

static void (*at_store)(void), (*at_load)(void);

static void tapped_store(oc_word_t *word, uint64_t value)
{
    if (at_store)
        at_store();
    atomic_store_explicit(word, value, memory_order_release);
}

static uint64_t tapped_load(const oc_word_t *word)
{
    uint64_t value = atomic_load_explicit(word, memory_order_acquire);

    if (at_load)
        at_load();
    return value;
}

#define oc_word_store tapped_store
#define oc_word_load tapped_load
#include "../../../src/cache/block.c"
#undef HEAD_WORDS
#undef BODY_WORDS
#include "../../../src/cache/shm.c"
#include "../../../src/cache/shm_write.c"

/* ---- a small arena, whose content depends only on the scene ---- */

#define NOW apr_time_from_sec(1000)
#define SOON apr_time_from_sec(1500)
#define LATER apr_time_from_sec(2000)
#define KEYS 400
#define N_FILE 512

static oc_shm_t *shm;
static oc_block_t file[N_FILE]; /* what has reached the file */

static void (*at_file_write)(void);

static void write_file(void *context, uint32_t block, const void *bytes)
{
    (void)context;
    assert_true(block < N_FILE);
    if (at_file_write)
        at_file_write();
    if (bytes)
        memcpy(&file[block], bytes, sizeof(file[block]));
    else
        atomic_store_explicit(&file[block].word[1], 0, memory_order_relaxed);
}

/* What is visible: of the arena to its readers, and of the file to the next start. */
typedef struct {
    uint64_t version[KEYS];
    uint64_t note[KEYS];
    uint64_t in_file[KEYS]; /* the highest version of each key */
    uint32_t blocks;        /* that the records in the arena take */
} view_t;

static void look(view_t *view)
{
    static unsigned char data[OC_BLOCK_DATA_MAX];
    oc_entry_t entry = {.data = data, .data_cap = sizeof(data)};
    uint32_t i;
    uint64_t number;

    memset(view, 0, sizeof(*view));
    view->blocks = cache_scan(shm, view->version, KEYS);
    for (i = 0; i < KEYS; i++) {
        assert_int_equal(cache_version(shm, i), view->version[i]);
        view->note[i] = cache_note(shm, i);
    }
    for (i = 0; i < shm->n_blocks; i++) {
        if ((uint32_t)oc_word_load(&file[i].word[0]) != 0
            || oc_block_read(file, shm->n_blocks, i, NULL, &entry) != APR_SUCCESS)
            continue;
        memcpy(&number, entry.id + 8, 8);
        assert_true(number < KEYS);
        assert_int_equal(cache_check(data, entry.data_len, number), entry.order);
        if (entry.order > view->in_file[number])
            view->in_file[number] = entry.order;
    }
}

/* ---- scenes: what the arena contains, and what the writer is about to do ---- */

typedef struct {
    const char *name;
    oc_shm_policy_t policy;
    void (*prepare)(void);
    void (*act)(void);
    int may_drop; /* other keys' records: the expired, or the oldest */
    uint32_t key; /* that the writer is about */
} scene_t;

static void put(uint32_t number, uint64_t version, apr_size_t len, apr_time_t expiry, apr_time_t now,
                apr_status_t expected)
{
    assert_int_equal(cache_put_locked(shm, number, version, len, expiry, now), expected);
}

static void set_note(uint32_t number, uint64_t note)
{
    cache_key_t key;

    assert_int_equal(oc_shm_set_note(shm, cache_key(&key, number), note), APR_SUCCESS);
}

static void remove_key(uint32_t number)
{
    cache_key_t key;

    (void)oc_shm_remove(shm, cache_key(&key, number));
}

/* A few records, some replaced and removed, so that the free list is not in order. */
static void prepare_some(void)
{
    uint32_t i;

    for (i = 0; i < 8; i++)
        put(i, i + 1, 300 + 400 * i, i % 3 ? LATER : SOON, NOW, APR_SUCCESS);
    put(2, 20, 2500, LATER, NOW, APR_SUCCESS);
    put(5, 50, 100, LATER, NOW, APR_SUCCESS);
    remove_key(4);
    for (i = 0; i < 4; i++)
        set_note(i * 2, 500 + i);
}

static void prepare_full(void)
{
    uint32_t i;

    prepare_some();
    for (i = 20; cache_put_locked(shm, i, i, 1200, i % 4 ? LATER : SOON, NOW) == APR_SUCCESS && i < 200; i++)
        if (oc_word_load(&shm->header->n_used) + 6 > shm->n_blocks)
            break;
}

/* All buckets are full of notes, so that a record takes a note's slot. */
static void prepare_notes(void)
{
    uint32_t i;
    cache_key_t key;

    prepare_some();
    for (i = 10; i < KEYS; i++)
        (void)oc_shm_set_note(shm, cache_key(&key, i), 1000 + i);
}

static void put_new(void)
{
    put(300, 7, 2000, LATER, NOW, APR_SUCCESS);
}

static void replace_larger(void)
{
    put(5, 60, 3000, LATER, NOW, APR_SUCCESS);
}

static void replace_smaller(void)
{
    put(2, 30, 30, LATER, NOW, APR_SUCCESS);
}

static void put_where_expired_are(void)
{
    put(300, 7, 5000, LATER, SOON, APR_SUCCESS);
}

static void put_where_all_is_full(void)
{
    put(300, 70000, 5000, LATER, NOW, APR_SUCCESS);
}

static void replace_where_all_is_full(void)
{
    put(5, 70000, 5000, LATER, NOW, APR_SUCCESS);
}

static void put_without_room(void)
{
    put(300, 70000, 5000, LATER, NOW, APR_ENOSPC);
}

static void remove_one(void)
{
    remove_key(6);
}

static void note_of_new_key(void)
{
    set_note(300, 99);
}

static void note_of_record(void)
{
    set_note(2, 99);
}

static void put_on_note(void)
{
    put(399, 7, 1000, LATER, NOW, APR_SUCCESS);
}

static const scene_t SCENES[] = {
    {"put new", OC_SHM_KEEP_VALID, prepare_some, put_new, 0, 300},
    {"replace by larger", OC_SHM_KEEP_VALID, prepare_some, replace_larger, 0, 5},
    {"replace by smaller", OC_SHM_KEEP_VALID, prepare_some, replace_smaller, 0, 2},
    {"put where expired are", OC_SHM_KEEP_VALID, prepare_full, put_where_expired_are, 1, 300},
    {"put without room", OC_SHM_KEEP_VALID, prepare_full, put_without_room, 0, 300},
    {"put where all is full", OC_SHM_DROP_OLDEST, prepare_full, put_where_all_is_full, 1, 300},
    {"replace where all is full", OC_SHM_DROP_OLDEST, prepare_full, replace_where_all_is_full, 1, 5},
    {"remove", OC_SHM_KEEP_VALID, prepare_some, remove_one, 0, 6},
    {"note of a new key", OC_SHM_KEEP_VALID, prepare_some, note_of_new_key, 0, 300},
    {"note of a record", OC_SHM_KEEP_VALID, prepare_some, note_of_record, 0, 2},
    {"put where notes are", OC_SHM_KEEP_VALID, prepare_notes, put_on_note, 1, 399},
};
#define N_SCENES (sizeof(SCENES) / sizeof(SCENES[0]))

static void set_stage(const scene_t *scene)
{
    at_store = at_load = at_file_write = NULL;
    apr_pool_clear(cache_pool);
    shm = cache_arena(OC_SHM_SIZE_MIN, scene->policy);
    assert_true(shm->n_blocks <= N_FILE);
    memset(file, 0, sizeof(file));
    oc_shm_on_change(shm, write_file, NULL);
    oc_shm_begin(shm);
    scene->prepare();
    oc_shm_end(shm);
}

/* ---- a writer that dies ---- */

static jmp_buf death;
static long steps_to_live;

static void live_or_die(void)
{
    if (steps_to_live-- == 0)
        longjmp(death, 1);
}

/* Run a writer until it dies before step n. @return 0: it ran to its end. */
static int dies_at(void (*act)(void), long n)
{
    volatile int died = 1;

    steps_to_live = n;
    at_store = at_file_write = live_or_die;
    if (setjmp(death) == 0) {
        oc_shm_begin(shm);
        if (act)
            act();
        oc_shm_end(shm);
        died = 0;
    }
    at_store = at_file_write = NULL;
    return died;
}

/* One of two versions, or, where others may be dropped, the older of them or none. */
static void assert_between(const view_t *now, const view_t *before, const view_t *after, const scene_t *scene)
{
    uint32_t i;

    for (i = 0; i < KEYS; i++) {
        uint64_t version = now->version[i], note = now->note[i];

        assert_true(version == before->version[i] || version == after->version[i]
                    || (i == scene->key && scene->may_drop && version == 0));
        assert_true(note == before->note[i] || note == after->note[i] || (scene->may_drop && note == 0));
        /* what had reached the file is there, or what came after it */
        assert_true(now->in_file[i] == before->in_file[i] || now->in_file[i] == after->in_file[i]
                    || (i == scene->key && scene->may_drop && now->in_file[i] == 0));
    }
}

static void assert_same(const view_t *now, const view_t *then)
{
    assert_memory_equal(now->version, then->version, sizeof(now->version));
    assert_memory_equal(now->note, then->note, sizeof(now->note));
    assert_int_equal(now->blocks, then->blocks);
}

#endif
