/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Records are encoded, decoded and put into order; notes are packed into a word and unpacked, and any word gives a note
 * in range. Which numbers of a stored record are trusted is tested in test_stored.c.
 */
#include "ocsp/record.h"

#include "base/timestamp.h"
#include "support_cache.h"
#include "support_test.h"

#include <limits.h>
#include <string.h>

static unsigned char der[OC_BLOCK_DATA_MAX], bytes[OC_RECORD_HEAD_LEN + OC_BLOCK_DATA_MAX + 8];

static oc_record_t example(apr_size_t der_len)
{
    oc_record_t record = {.verdict = OC_GOOD,
                          .this_update = apr_time_from_sec(1000) + 7,
                          .next_update = apr_time_from_sec(5000),
                          .usable_from = apr_time_from_sec(700) + 9,
                          .usable_until = apr_time_from_sec(4000),
                          .fetched_at = apr_time_from_sec(1100),
                          .der = der,
                          .der_len = der_len};
    apr_size_t i;

    for (i = 0; i < sizeof(record.binding); i++)
        record.binding[i] = (unsigned char)(0x80 + i);
    for (i = 0; i < der_len; i++)
        der[i] = (unsigned char)(cache_random(&cache_seed) >> 40);
    return record;
}

static void assert_same(const oc_record_t *a, const oc_record_t *b)
{
    assert_int_equal(a->verdict, b->verdict);
    assert_int_equal(a->this_update, b->this_update);
    assert_int_equal(a->next_update, b->next_update);
    assert_int_equal(a->usable_from, b->usable_from);
    assert_int_equal(a->usable_until, b->usable_until);
    assert_int_equal(a->fetched_at, b->fetched_at);
    assert_int_equal(a->origin, b->origin);
    assert_memory_equal(a->binding, b->binding, sizeof(a->binding));
    assert_int_equal(a->der_len, b->der_len);
    assert_memory_equal(a->der, b->der, a->der_len);
}

TEST(round_trip)
{
    static const apr_size_t LENGTHS[] = {0, 1, 5, 471, 2000, OC_BLOCK_DATA_MAX - OC_RECORD_HEAD_LEN};
    unsigned i, shift;

    for (i = 0; i < 6; i++) {
        for (shift = 0; shift < 8; shift++) { /* at any alignment, and not a byte more */
            oc_record_t record = example(LENGTHS[i]), decoded;
            apr_size_t len;

            record.origin = (oc_origin_t)(i % OC_ORIGIN_LIMIT);
            memset(bytes, 0xaa, sizeof(bytes));
            len = oc_record_encode(&record, bytes + shift);
            assert_int_equal(len, OC_RECORD_HEAD_LEN + LENGTHS[i]);
            assert_int_equal(bytes[shift + len], 0xaa);
            assert_int_equal(oc_record_decode(&decoded, bytes + shift, len), APR_SUCCESS);
            assert_same(&decoded, &record);
            assert_ptr_equal(decoded.der, bytes + shift + OC_RECORD_HEAD_LEN);
        }
    }
}

#define TIMES_OF_RECORD 5

static apr_time_t *time_of(oc_record_t *record, unsigned i)
{
    apr_time_t *const times[] = {&record->this_update, &record->next_update, &record->usable_from,
                                 &record->usable_until, &record->fetched_at};

    return times[i];
}

static int are_times_valid(oc_record_t *record)
{
    unsigned i;

    for (i = 0; i < TIMES_OF_RECORD; i++)
        if (*time_of(record, i) < 0 || *time_of(record, i) > OC_TIME_MAX)
            return 0;
    return 1;
}

TEST(times_out_of_range_are_refused)
{
    static const apr_time_t TIMES[] = {-1, INT64_MIN, INT64_MAX, OC_TIME_MAX + 1};
    unsigned field, i;

    for (field = 0; field < TIMES_OF_RECORD; field++) {
        for (i = 0; i < 4; i++) {
            oc_record_t record = example(10), decoded;

            *time_of(&record, field) = TIMES[i];
            assert_int_equal(oc_record_decode(&decoded, bytes, oc_record_encode(&record, bytes)), APR_EINVAL);
        }
    }
}

TEST(extreme_values_round_trip)
{
    static const apr_time_t TIMES[] = {0, 1, 2, OC_TIME_MAX - 1, OC_TIME_MAX};
    unsigned i;

    for (i = 0; i < 5; i++) {
        oc_record_t record = example(10), decoded;

        record.this_update = TIMES[i];
        record.next_update = TIMES[(i + 1) % 5];
        record.usable_until = TIMES[(i + 2) % 5];
        record.fetched_at = TIMES[(i + 3) % 5];
        record.verdict = (oc_verdict_t)(OC_VERDICT_LIMIT - 1);
        assert_int_equal(oc_record_decode(&decoded, bytes, oc_record_encode(&record, bytes)), APR_SUCCESS);
        assert_same(&decoded, &record);
        (void)oc_record_order(&decoded); /* total: UBSan watches */
    }
}

TEST(invariant_6_wrong_lengths_are_refused)
{
    oc_record_t record = example(300), decoded;
    apr_size_t len = oc_record_encode(&record, bytes), i;

    for (i = 0; i < len; i++)
        assert_int_equal(oc_record_decode(&decoded, bytes, i), APR_EINVAL);
    for (i = len + 1; i < len + 8; i++)
        assert_int_equal(oc_record_decode(&decoded, bytes, i), APR_EINVAL);
}

/* A bit of the word there, in the byte order of this machine. */
static void flip(apr_size_t at, unsigned bit)
{
    uint64_t word;

    memcpy(&word, bytes + at, sizeof(word));
    word ^= UINT64_C(1) << bit;
    memcpy(bytes + at, &word, sizeof(word));
}

TEST(invariant_6_other_versions_are_refused)
{
    oc_record_t record = example(300), decoded;
    apr_size_t len = oc_record_encode(&record, bytes), at;
    unsigned bit;

    for (at = 0; at < OC_RECORD_HEAD_LEN; at += 8) {
        for (bit = 0; bit < 64; bit++) {
            int is_version = at == 0 && bit >= 32, is_length = at == 40;
            int is_origin = at == 48 && bit >= 2; /* 0 becomes 1 or 2: others that exist */
            apr_status_t expected, status;

            flip(at, bit);
            status = oc_record_decode(&decoded, bytes, len);
            expected = is_version || is_length || is_origin || !are_times_valid(&decoded) ? APR_EINVAL : APR_SUCCESS;
            assert_int_equal(status, expected);
            if (expected == APR_SUCCESS) {
                (void)oc_verdict_class(decoded.verdict); /* any number is valid */
                (void)oc_record_order(&decoded);
            }
            flip(at, bit);
        }
    }
}

static uint64_t order_of(oc_verdict_t verdict, apr_time_t this_update, apr_time_t fetched_at)
{
    oc_record_t record = example(1);

    record.verdict = verdict;
    record.this_update = this_update;
    record.fetched_at = fetched_at;
    return oc_record_order(&record);
}

TEST(invariant_7_order)
{
    const apr_time_t old = apr_time_from_sec(1000), newer = apr_time_from_sec(2000), far = INT64_MAX;

    /* an older one never replaces a newer one, good or revoked */
    assert_true(order_of(OC_REVOKED, newer, newer) > order_of(OC_GOOD, old, far));
    assert_true(order_of(OC_GOOD, newer, newer) > order_of(OC_REVOKED, old, far));
    assert_int_equal(order_of(OC_GOOD, old, newer), order_of(OC_REVOKED, old, old));
    /* an error never replaces a verified status */
    assert_true(order_of(OC_GOOD, old, old) > order_of(OC_TRY_LATER, 0, far));
    assert_true(order_of(OC_GOOD, 1, 1) > order_of(OC_UNKNOWN, far, far));
    assert_true(order_of(OC_REVOKED, old, old) > order_of(OC_UNAUTHORIZED, 0, newer));
    /* the latest error counts */
    assert_true(order_of(OC_TRY_LATER, 0, newer) > order_of(OC_UNAUTHORIZED, 0, old));
    assert_true(order_of(OC_UNKNOWN, newer, old) > order_of(OC_UNKNOWN, old, newer));
    /* an unknown verdict from a hostile cache ranks as an error */
    assert_true(order_of(OC_GOOD, -1, -1) > order_of(OC_TRY_LATER, far, far));
    assert_true(order_of((oc_verdict_t)77777, far, far) < order_of(OC_GOOD, 1, 1));
}

TEST(note_round_trip)
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

TEST(note_0_is_no_attempt_yet_and_due_now)
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

TEST(note_due_is_rounded_up_and_clamped)
{
    assert_int_equal(due_after_packing(apr_time_from_sec(5) + 1), apr_time_from_sec(6));
    assert_int_equal(due_after_packing(apr_time_from_sec(6) - 1), apr_time_from_sec(6));
    assert_int_equal(due_after_packing(apr_time_from_sec(6)), apr_time_from_sec(6));
    assert_int_equal(due_after_packing(-1), 0);
    assert_int_equal(due_after_packing(INT64_MIN), 0);
    assert_int_equal(due_after_packing(INT64_MAX), apr_time_from_sec((APR_INT64_C(1) << 40) - 1));
}

TEST(note_failures_saturate)
{
    oc_note_t note = {0, OC_NOTE_FAILURES_MAX + 1, OC_TIMED_OUT};

    assert_int_equal(oc_note_unpack(oc_note_pack(&note)).failures, OC_NOTE_FAILURES_MAX);
    note.failures = UINT32_MAX;
    assert_int_equal(oc_note_unpack(oc_note_pack(&note)).failures, OC_NOTE_FAILURES_MAX);
    assert_int_equal(oc_note_unpack(oc_note_pack(&note)).verdict, OC_TIMED_OUT);
}

TEST(invariant_6_any_note_is_in_range)
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
