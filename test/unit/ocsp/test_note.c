/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_note: packed into a word and out of it; any word gives a note in range.
 */
#include "ocsp/note.h"

#include "support_cache.h"

static void test_round_trip(void **state)
{
    static const oc_verdict_t VERDICTS[] = {OC_PENDING, OC_GOOD, OC_TRY_LATER, OC_TIMED_OUT, OC_SUPERSEDED};
    static const unsigned FAILURES[] = {0, 1, 255, 65534, OC_NOTE_FAILURES_MAX};
    static const apr_time_t DUES[] = {0, 1, 1000, 2000000000, (APR_INT64_C(1) << 40) - 1};
    int v, f, d;

    (void)state;
    for (v = 0; v < 5; v++) {
        for (f = 0; f < 5; f++) {
            for (d = 0; d < 5; d++) {
                oc_note_t note = {apr_time_from_sec(DUES[d]), FAILURES[f], VERDICTS[v]};
                oc_note_t again = oc_note_unpack(oc_note_pack(&note));

                assert_int_equal(again.due, note.due);
                assert_int_equal(again.failures, note.failures);
                assert_int_equal(again.verdict, note.verdict);
            }
        }
    }
}

static void test_word_0_is_never_asked_and_due_now(void **state)
{
    oc_note_t note = oc_note_unpack(0);

    (void)state;
    assert_int_equal(note.due, 0);
    assert_int_equal(note.failures, 0);
    assert_int_equal(note.verdict, OC_PENDING);
    assert_int_equal(oc_note_pack(&note), 0);
}

static apr_time_t due_after_packing(apr_time_t due)
{
    oc_note_t note = {due, 3, OC_GOOD}, again = oc_note_unpack(oc_note_pack(&note));

    assert_int_equal(again.failures, 3);
    assert_int_equal(again.verdict, OC_GOOD);
    return again.due;
}

static void test_due_is_rounded_up_and_clamped(void **state)
{
    (void)state;
    assert_int_equal(due_after_packing(apr_time_from_sec(5) + 1), apr_time_from_sec(6));
    assert_int_equal(due_after_packing(apr_time_from_sec(6) - 1), apr_time_from_sec(6));
    assert_int_equal(due_after_packing(apr_time_from_sec(6)), apr_time_from_sec(6));
    assert_int_equal(due_after_packing(-1), 0);
    assert_int_equal(due_after_packing(INT64_MIN), 0);
    assert_int_equal(due_after_packing(INT64_MAX), apr_time_from_sec((APR_INT64_C(1) << 40) - 1));
}

static void test_failures_saturate(void **state)
{
    oc_note_t note = {0, OC_NOTE_FAILURES_MAX + 1, OC_TIMED_OUT};

    (void)state;
    assert_int_equal(oc_note_unpack(oc_note_pack(&note)).failures, OC_NOTE_FAILURES_MAX);
    note.failures = UINT32_MAX;
    assert_int_equal(oc_note_unpack(oc_note_pack(&note)).failures, OC_NOTE_FAILURES_MAX);
    assert_int_equal(oc_note_unpack(oc_note_pack(&note)).verdict, OC_TIMED_OUT);
}

static void test_invariant_6_any_word_is_in_range(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 100000; i++) {
        uint64_t word = i == 0 ? UINT64_MAX : cache_random(&cache_seed);
        oc_note_t note = oc_note_unpack(word), again;

        assert_in_range(note.due, 0, apr_time_from_sec((APR_INT64_C(1) << 40) - 1));
        assert_in_range(note.failures, 0, OC_NOTE_FAILURES_MAX);
        assert_in_range(note.verdict, 0, OC_VERDICT_LIMIT - 1);
        (void)oc_verdict_text(note.verdict);
        again = oc_note_unpack(oc_note_pack(&note));
        assert_int_equal(again.due, note.due);
        assert_int_equal(again.failures, note.failures);
        assert_int_equal(again.verdict, note.verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, cache_setup, cache_teardown),
        cmocka_unit_test_setup_teardown(test_word_0_is_never_asked_and_due_now, cache_setup, cache_teardown),
        cmocka_unit_test_setup_teardown(test_due_is_rounded_up_and_clamped, cache_setup, cache_teardown),
        cmocka_unit_test_setup_teardown(test_failures_saturate, cache_setup, cache_teardown),
        cmocka_unit_test_setup_teardown(test_invariant_6_any_word_is_in_range, cache_setup, cache_teardown),
    };

    return cmocka_run_group_tests_name("oc_note", tests, cache_group_setup, cache_group_teardown);
}
