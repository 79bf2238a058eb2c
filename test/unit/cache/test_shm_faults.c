/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Kills a writer at each of its stores to shared memory or to the file, with stage_shm.h.
 */
#include "stage_shm.h"

/* No block is lost or used twice: the arena takes exactly as many one-block records as blocks are free. */
static void assert_free_blocks_are_free(const view_t *view)
{
    oc_shm_stats_t stats;
    uint32_t i, room;
    view_t filled;

    oc_shm_stats(shm, &stats);
    assert_int_equal(stats.blocks_used, view->blocks);
    room = stats.blocks - stats.blocks_used;
    shm->policy = OC_SHM_KEEP_VALID;
    oc_shm_begin(shm);
    for (i = 0; i < room; i++) /* keys that no scene uses, and orders that all have been used by none */
        put(200 + i, 1000000 + i, 30, LATER, 0, APR_SUCCESS);
    put(199, 1, 30, LATER, 0, APR_ENOSPC);
    oc_shm_end(shm);
    look(&filled);
    for (i = 0; i < KEYS; i++)
        assert_int_equal(filled.version[i], i >= 200 && i < 200 + room ? 1000000 + i - 200 : view->version[i]);
}

/* An empty slot is empty, each other slot is used and has the order of its record. */
static void assert_slots_are_settled(void)
{
    uint32_t i;

    for (i = 0; i < shm->n_buckets * OC_BUCKET_SLOTS; i++) {
        const oc_slot_t *slot = &shm->slots[i];
        uint32_t head = oc_ref_block(oc_word_load(&slot->ref));

        if (oc_word_load(&slot->hash) == 0)
            assert_true(head == 0 && oc_word_load(&slot->note) == 0);
        else
            assert_true(head != 0 || oc_word_load(&slot->note) != 0);
        if (head != 0)
            assert_int_equal(oc_word_load(&slot->order), oc_word_load(&shm->blocks[head - 1].word[4]));
    }
}

/* Every fault point of every scene; prints how many there are. */
static void test_invariants_3_and_4_writer_killed_at_every_store(void **state)
{
    static view_t before, after, dead, recovered;
    const scene_t *scene;
    long n, points = 0;

    (void)state;
    for (scene = SCENES; scene < SCENES + N_SCENES; scene++) {
        set_stage(scene);
        look(&before);
        assert_int_equal(dies_at(scene->act, -1), 0);
        look(&after);
        for (n = 0;; n++) {
            set_stage(scene);
            if (!dies_at(scene->act, n))
                break;
            look(&dead);
            assert_between(&dead, &before, &after, scene);
            assert_int_equal(oc_shm_begin(shm), n > 0);
            oc_shm_end(shm);
            look(&recovered);
            assert_same(&recovered, &dead);
            assert_slots_are_settled();
            /* the file agrees with the arena again */
            assert_memory_equal(recovered.in_file, recovered.version, sizeof(recovered.version));
            if (scene->prepare != prepare_notes)
                assert_free_blocks_are_free(&recovered);
        }
        print_message("%-26s %4ld fault points\n", scene->name, n);
        points += n;
    }
    assert_true(points > 1000);
}

/* A writer that died before step `first`, and its successor in the middle of recovery, at every step-th point of it
 * (others for each first). @return 0: the first survived. */
static int die_twice(const scene_t *scene, long first, long step, const view_t *before, const view_t *after)
{
    static view_t dead, again;
    long n;

    for (n = 1 + first % step;; n += step) {
        set_stage(scene);
        if (!dies_at(scene->act, first))
            return 0;
        look(&dead);
        if (!dies_at(NULL, n))
            return 1;
        look(&again);
        assert_same(&again, &dead);
        assert_between(&again, before, after, scene);
        assert_int_equal(oc_shm_begin(shm), 1);
        oc_shm_end(shm);
        look(&again);
        assert_same(&again, &dead);
        assert_slots_are_settled();
        assert_free_blocks_are_free(&again);
    }
}

/* Does the writer, dead before step `first`, leave arena and file in disagreement? That is where recovery is needed
 * most. */
static int leaves_trouble(const scene_t *scene, long first)
{
    static view_t dead;

    set_stage(scene);
    (void)dies_at(scene->act, first);
    look(&dead);
    return memcmp(dead.in_file, dead.version, sizeof(dead.version)) != 0;
}

static void test_invariant_4_recovery_killed_at_every_store(void **state)
{
    static view_t before, after;
    static const int OF_SCENE[] = {1, 2, 3, 5, 7};
    const scene_t *scene;
    unsigned s, trouble = 0;
    long first;
    int is_bad;

    (void)state;
    for (s = 0; s < 5; s++) {
        scene = &SCENES[OF_SCENE[s]];
        set_stage(scene);
        look(&before);
        assert_int_equal(dies_at(scene->act, -1), 0);
        look(&after);
        for (first = 1;; first++) {
            is_bad = leaves_trouble(scene, first);
            trouble += (unsigned)is_bad;
            if ((is_bad || first % 23 == 0) && !die_twice(scene, first, is_bad ? 11 : 31, &before, &after))
                break;
        }
    }
    assert_true(trouble > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_invariants_3_and_4_writer_killed_at_every_store, cache_setup,
                                        cache_teardown),
        cmocka_unit_test_setup_teardown(test_invariant_4_recovery_killed_at_every_store, cache_setup, cache_teardown),
    };

    return cmocka_run_group_tests_name("oc_shm, the writer killed anywhere", tests, cache_group_setup,
                                       cache_group_teardown);
}
