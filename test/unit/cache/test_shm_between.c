/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Runs a reader between any two stores of a writer, and a writer between any two loads of a reader, with stage_shm.h.
 */
#include "stage_shm.h"

/* ---- a reader between any two stores of a writer ---- */

static view_t seen_before, seen_after, seen_last;
static const scene_t *seen_scene;
static int is_looking;

/* All that a reader can see now: whole records only, and no version goes back. */
static void look_in_between(void)
{
    static view_t now;
    uint32_t i;

    if (is_looking)
        return;
    is_looking = 1;
    look(&now);
    assert_between(&now, &seen_before, &seen_after, seen_scene);
    for (i = 0; i < KEYS; i++)
        if (seen_last.version[i] == seen_after.version[i])
            assert_int_equal(now.version[i], seen_after.version[i]);
    seen_last = now;
    is_looking = 0;
}

static void test_invariant_3_record_complete_before_published(void **state)
{
    (void)state;
    for (seen_scene = SCENES; seen_scene < SCENES + N_SCENES; seen_scene++) {
        set_stage(seen_scene);
        look(&seen_before);
        assert_int_equal(dies_at(seen_scene->act, -1), 0);
        look(&seen_after);
        set_stage(seen_scene);
        seen_last = seen_before;
        oc_shm_begin(shm);
        at_store = at_file_write = look_in_between;
        seen_scene->act();
        at_store = at_file_write = NULL;
        oc_shm_end(shm);
        look(&seen_last);
        assert_same(&seen_last, &seen_after);
    }
}

/* ---- a writer between any two loads of a reader ---- */

static long loads_until_act;
static void (*act_in_between)(void);

static void act_at_load(void)
{
    if (loads_until_act-- != 0)
        return;
    at_load = NULL; /* the writer's own loads are not the reader's */
    oc_shm_begin(shm);
    act_in_between();
    oc_shm_end(shm);
}

/* Replace the record, then let others overwrite the blocks that it had. */
static void replace_and_reuse(void)
{
    uint32_t i;

    put(7, 80, 3000, LATER, NOW, APR_SUCCESS);
    for (i = 310; i < 312; i++)
        put(i, i, 2500, LATER, NOW, APR_SUCCESS);
}

static void remove_and_reuse(void)
{
    uint32_t i;

    remove_key(7);
    for (i = 310; i < 313; i++)
        put(i, i, 2500, LATER, NOW, APR_SUCCESS);
}

/* The same record with other bytes of the same length: only ref differs. */
static void replace_twice(void)
{
    put(7, 80, 3100, LATER, NOW, APR_SUCCESS);
    put(7, 81, 3100, LATER, NOW, APR_SUCCESS);
}

static void test_invariant_1_copy_is_whole_wherever_a_writer_comes_between(void **state)
{
    static void (*const ACTS[])(void) = {replace_and_reuse, remove_and_reuse, replace_twice, remove_one};
    static unsigned char data[OC_BLOCK_DATA_MAX];
    unsigned a;
    long n;

    (void)state;
    for (a = 0; a < 4; a++) {
        for (n = 0;; n++) {
            apr_size_t len = sizeof(data);
            oc_shm_meta_t meta;
            cache_key_t key;
            apr_status_t rv;

            set_stage(&SCENES[0]);
            loads_until_act = n;
            act_in_between = ACTS[a];
            at_load = act_at_load;
            rv = oc_shm_get(shm, cache_key(&key, 7), data, &len, &meta);
            at_load = NULL;
            if (rv == APR_SUCCESS) {
                uint64_t version = cache_check(data, len, 7);

                assert_int_equal(version, meta.order);
                assert_true(version == 8 || version == 80 || version == 81);
                assert_int_equal(meta.expiry, LATER);
            }
            else {
                assert_int_equal(rv, APR_NOTFOUND);
                assert_ptr_equal(act_in_between, remove_and_reuse);
            }
            if (loads_until_act >= 0)
                break; /* the reader had finished */
        }
        assert_in_range(n, 300, 2000);
    }
}

/* A slot is reused for another key during a read: its note and its record are never returned for the wrong key. */
static void hand_slots_over(void)
{
    uint32_t i;

    for (i = 0; i < 8; i++)
        remove_key(i);
    for (i = 300; i < KEYS; i++) {
        cache_key_t key;

        if (oc_shm_set_note(shm, cache_key(&key, i), 7000 + i) != APR_SUCCESS)
            continue;
        (void)cache_put_locked(shm, i, i, 100, LATER, NOW); /* as long as there are blocks */
    }
}

static void test_invariant_1_note_belongs_to_the_key(void **state)
{
    unsigned char data[4000];
    oc_entry_t entry = {.data = data, .data_cap = sizeof(data)};
    uint32_t cursor;
    uint64_t note, number;
    long n;

    (void)state;
    for (n = 0;; n++) {
        set_stage(&SCENES[0]);
        loads_until_act = n;
        act_in_between = hand_slots_over;
        at_load = act_at_load;
        note = cache_note(shm, 0);
        at_load = NULL;
        assert_true(note == 500 || note == 0);
        if (loads_until_act >= 0)
            break;
    }
    assert_true(n > 10);
    for (n = 0;; n++) {
        set_stage(&SCENES[0]);
        loads_until_act = n;
        act_in_between = hand_slots_over;
        at_load = act_at_load;
        for (cursor = 0; oc_shm_next(shm, &cursor, &entry, &note, NULL) == APR_SUCCESS;) {
            memcpy(&number, entry.id + 8, 8);
            if (number >= 300)
                assert_true(note == 7000 + number);
            else
                assert_true(note == (number % 2 ? 0 : 500 + number / 2));
        }
        at_load = NULL;
        if (loads_until_act >= 0)
            break;
    }
    assert_true(n > 100);
}

/* Removes the keys that took the slots, and gives each freed slot in turn to key 0. */
static void hand_slots_back(void)
{
    cache_key_t key;
    uint32_t i;

    for (i = 300; i < KEYS; i++)
        remove_key(i);
    assert_int_equal(oc_shm_set_note(shm, cache_key(&key, 0), 500), APR_SUCCESS);
    for (i = 300; i < 300 + 8; i++)
        (void)oc_shm_set_note(shm, cache_key(&key, i), 7000 + i);
}

static long loads_between_acts;

static void act_and_wait_for_the_second(void)
{
    hand_slots_over();
    loads_until_act = loads_between_acts;
    act_in_between = hand_slots_back;
    at_load = act_at_load;
}

/* Between one load of the hash and the next, the slot belongs to another key and then to the first one again: the hash
 * alone does not show it. */
static void test_invariant_5_note_of_a_slot_that_was_handed_over_and_back(void **state)
{
    long n, m;

    (void)state;
    for (n = 0;; n++) {
        for (m = 0;; m++) {
            uint64_t note;

            set_stage(&SCENES[0]);
            loads_until_act = n;
            loads_between_acts = m;
            act_in_between = act_and_wait_for_the_second;
            at_load = act_at_load;
            note = cache_note(shm, 0);
            at_load = NULL;
            assert_true(note == 500 || note == 0);
            if (loads_until_act >= 0)
                break; /* the reader had finished */
        }
        if (act_in_between == act_and_wait_for_the_second)
            break;
    }
    assert_true(n > 10);
}

/* ---- the order of writes to the file ---- */

static void look_at_the_file(void)
{
    static view_t now;
    uint32_t i;

    look(&now);
    for (i = 0; i < KEYS; i++)
        assert_true(now.in_file[i] == seen_before.in_file[i] || now.in_file[i] == seen_after.in_file[i]);
}

static void test_invariant_9_file_gets_the_new_before_it_loses_the_old(void **state)
{
    static const int OF_SCENE[] = {0, 1, 2, 7};
    unsigned s;

    (void)state;
    for (s = 0; s < 4; s++) {
        set_stage(&SCENES[OF_SCENE[s]]);
        look(&seen_before);
        dies_at(SCENES[OF_SCENE[s]].act, -1);
        look(&seen_after);
        assert_memory_equal(seen_after.in_file, seen_after.version, sizeof(seen_after.version));
        set_stage(&SCENES[OF_SCENE[s]]);
        at_file_write = look_at_the_file;
        oc_shm_begin(shm);
        SCENES[OF_SCENE[s]].act();
        oc_shm_end(shm);
        at_file_write = NULL;
        look_at_the_file();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_invariant_3_record_complete_before_published, cache_setup, cache_teardown),
        cmocka_unit_test_setup_teardown(test_invariant_1_copy_is_whole_wherever_a_writer_comes_between, cache_setup,
                                        cache_teardown),
        cmocka_unit_test_setup_teardown(test_invariant_1_note_belongs_to_the_key, cache_setup, cache_teardown),
        cmocka_unit_test_setup_teardown(test_invariant_5_note_of_a_slot_that_was_handed_over_and_back, cache_setup,
                                        cache_teardown),
        cmocka_unit_test_setup_teardown(test_invariant_9_file_gets_the_new_before_it_loses_the_old, cache_setup,
                                        cache_teardown),
    };

    return cmocka_run_group_tests_name("oc_shm, reader and writer interleaved", tests, cache_group_setup,
                                       cache_group_teardown);
}
