/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_note: packed into a word and out of it; any word gives a note in range.
 */
#include "ocsp/note.h"

#include "support_cache.h"
#include "support_test.h"

TEST(round_trip)
{
    static const oc_verdict_t VERDICTS[] = {OC_PENDING, OC_GOOD, OC_TRY_LATER, OC_TIMED_OUT, OC_SUPERSEDED};
    static const unsigned FAILURES[] = {0, 1, 255, 65534, OC_NOTE_FAILURES_MAX};
    static const apr_time_t DUES[] = {0, 1, 1000, 2000000000, (APR_INT64_C(1) << 40) - 1};
    int v, f, d;

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

TEST(word_0_is_never_asked_and_due_now)
{
    oc_note_t note = oc_note_unpack(0);

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

TEST(due_is_rounded_up_and_clamped)
{
    assert_int_equal(due_after_packing(apr_time_from_sec(5) + 1), apr_time_from_sec(6));
    assert_int_equal(due_after_packing(apr_time_from_sec(6) - 1), apr_time_from_sec(6));
    assert_int_equal(due_after_packing(apr_time_from_sec(6)), apr_time_from_sec(6));
    assert_int_equal(due_after_packing(-1), 0);
    assert_int_equal(due_after_packing(INT64_MIN), 0);
    assert_int_equal(due_after_packing(INT64_MAX), apr_time_from_sec((APR_INT64_C(1) << 40) - 1));
}

TEST(failures_saturate)
{
    oc_note_t note = {0, OC_NOTE_FAILURES_MAX + 1, OC_TIMED_OUT};

    assert_int_equal(oc_note_unpack(oc_note_pack(&note)).failures, OC_NOTE_FAILURES_MAX);
    note.failures = UINT32_MAX;
    assert_int_equal(oc_note_unpack(oc_note_pack(&note)).failures, OC_NOTE_FAILURES_MAX);
    assert_int_equal(oc_note_unpack(oc_note_pack(&note)).verdict, OC_TIMED_OUT);
}

TEST(invariant_6_any_word_is_in_range)
{
    int i;

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

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
