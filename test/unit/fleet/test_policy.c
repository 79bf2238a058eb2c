/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which server of a fleet queries the responder, and when.
 */
#include "fleet/policy.h"

#include "support_cache.h"
#include "support_test.h"

#include <string.h>

#define NOW apr_time_from_sec(1000000)
#define HOUR apr_time_from_sec(3600)
#define LONGEST apr_time_from_sec(12)

static oc_fleet_entry_t entry_of(apr_time_t this_update, apr_time_t fetched_at)
{
    oc_fleet_entry_t entry = {.this_update = this_update, .fetched_at = fetched_at};

    return entry;
}

static oc_fleet_held_t held_of(apr_time_t this_update, apr_time_t since, apr_time_t until)
{
    oc_fleet_held_t held = {this_update, until, oc_fleet_order(this_update, since), since};

    return held;
}

TEST(a_server_without_a_response_takes_any)
{
    oc_fleet_held_t nothing = {0, 0, 0, 0}, expired = held_of(NOW - HOUR, NOW - HOUR, NOW);
    oc_fleet_entry_t entry = entry_of(NOW - 2 * HOUR, NOW - 2 * HOUR);

    assert_true(oc_fleet_is_news(&nothing, &entry, NOW));
    assert_true(oc_fleet_is_news(&expired, &entry, NOW));
}

TEST(newer_or_the_same_fetched_again_is_news)
{
    oc_fleet_held_t held = held_of(NOW - 4 * HOUR, NOW - 3 * HOUR, NOW + HOUR);
    oc_fleet_entry_t newer = entry_of(NOW - 2 * HOUR, NOW - 2 * HOUR), again = entry_of(NOW - 4 * HOUR, NOW - HOUR),
                     same = entry_of(NOW - 4 * HOUR, NOW - 3 * HOUR), older = entry_of(NOW - 5 * HOUR, NOW - HOUR);

    assert_true(oc_fleet_is_news(&held, &newer, NOW));
    assert_true(oc_fleet_is_news(&held, &again, NOW));
    assert_false(oc_fleet_is_news(&held, &same, NOW));
    assert_false(oc_fleet_is_news(&held, &older, NOW)); /* however recently it was fetched */
}

/* Obtained while the clock was ahead, and held since it was set right. */
TEST(one_held_from_the_future_shuts_out_nothing)
{
    oc_fleet_held_t held = held_of(NOW + HOUR, NOW + HOUR, NOW + 5 * HOUR);
    oc_fleet_entry_t entry = entry_of(NOW - HOUR, NOW - HOUR), same = entry_of(NOW + HOUR, NOW - HOUR);

    assert_true(oc_fleet_is_news(&held, &entry, NOW));
    assert_false(oc_fleet_is_news(&held, &entry, NOW + HOUR));
    assert_false(oc_fleet_is_due(&held, &same, NOW + HOUR, NOW - HOUR, NOW));
}

TEST(due_by_its_date)
{
    oc_fleet_held_t nothing = {0, 0, 0, 0};
    oc_fleet_entry_t entry = entry_of(NOW - HOUR, NOW - HOUR);

    assert_false(oc_fleet_is_due(&nothing, &entry, NOW + 1, NOW + 10 * HOUR, NOW));
    assert_true(oc_fleet_is_due(&nothing, &entry, NOW, NOW + 10 * HOUR, NOW));
}

/* An attacker who writes to the store repeats "fetched just now, the same response" for ever. */
TEST(the_same_response_is_not_put_off_to_its_end)
{
    apr_time_t begin = NOW - 8 * HOUR, end = NOW + 2 * HOUR; /* four fifths have passed */
    oc_fleet_held_t held = held_of(begin, begin, end), other = held_of(begin - HOUR, begin, end);
    oc_fleet_entry_t entry = entry_of(begin, NOW - 1);

    assert_true(oc_fleet_is_news(&held, &entry, NOW));
    assert_true(oc_fleet_is_due(&held, &entry, NOW + HOUR, end, NOW));
    assert_false(oc_fleet_is_due(&held, &entry, NOW + HOUR, end, NOW - HOUR)); /* seven tenths */
    assert_false(oc_fleet_is_due(&other, &entry, NOW + HOUR, end, NOW));       /* the entry is newer */
}

TEST(claim_is_respected_for_one_exchange)
{
    oc_fleet_claim_t claim = {7, NOW - 1000};
    apr_time_t patience = 0, again, now = NOW;
    unsigned looks = 0;

    while ((again = oc_fleet_wait(&patience, &claim, 0, LONGEST, now, looks * 12345u)) != 0) {
        assert_true(again >= now + apr_time_from_msec(300) && again < now + apr_time_from_msec(600));
        assert_int_equal(patience, NOW + LONGEST);
        now = again;
        claim.since = now - 1000; /* claimed again and again */
        looks++;
    }
    assert_true(looks >= 20 && looks <= 40);
    assert_true(now >= NOW + LONGEST && now < NOW + LONGEST + apr_time_from_sec(1));
    assert_int_equal(patience, 0); /* the next query begins with no patience used */
}

TEST(claim_that_was_answered_is_over)
{
    oc_fleet_claim_t claim = {7, NOW - 1000};
    apr_time_t patience = NOW + 5;

    assert_int_equal(oc_fleet_wait(&patience, &claim, NOW - 500, LONGEST, NOW, 0), 0);
    assert_int_equal(patience, 0);
}

TEST(patience_from_a_clock_that_was_set_back_is_over)
{
    oc_fleet_claim_t claim = {7, NOW - 1000};
    apr_time_t patience = NOW + 100 * HOUR;

    assert_int_equal(oc_fleet_wait(&patience, &claim, 0, LONGEST, NOW, 0), 0);
}

TEST(times_of_an_entry)
{
    apr_interval_time_t skew = apr_time_from_sec(300);
    oc_fleet_entry_t entry = entry_of(NOW - HOUR, NOW - HOUR);

    assert_null(oc_fleet_time_problem(&entry, NOW - HOUR, skew, NOW));
    assert_non_null(strstr(oc_fleet_time_problem(&entry, NOW - HOUR + 1, skew, NOW), "thisUpdate"));
    entry.fetched_at = NOW + skew;
    assert_null(oc_fleet_time_problem(&entry, NOW - HOUR, skew, NOW));
    entry.fetched_at++;
    assert_non_null(strstr(oc_fleet_time_problem(&entry, NOW - HOUR, skew, NOW), "in the future"));
    entry.fetched_at = NOW - HOUR - skew;
    assert_null(oc_fleet_time_problem(&entry, NOW - HOUR, skew, NOW));
    entry.fetched_at--;
    assert_non_null(strstr(oc_fleet_time_problem(&entry, NOW - HOUR, skew, NOW), "before its response"));
}

/* Whatever passes decoding can be calculated with: the sanitizer finds an overflow. */
TEST(times_at_both_ends_of_the_range_are_calculated_with)
{
    static const apr_time_t ENDS[] = {0, 1, NOW, OC_TIME_MAX - 1, OC_TIME_MAX};
    unsigned a, b, c;

    for (a = 0; a < 5; a++)
        for (b = 0; b < 5; b++)
            for (c = 0; c < 5; c++) {
                oc_fleet_entry_t entry = entry_of(ENDS[a], ENDS[b]);
                oc_fleet_held_t held = held_of(ENDS[c], ENDS[b], ENDS[a]);
                oc_fleet_claim_t claim = {7, ENDS[a]};
                apr_time_t patience = ENDS[c];

                (void)oc_fleet_time_problem(&entry, ENDS[c], HOUR, NOW);
                (void)oc_fleet_is_news(&held, &entry, ENDS[c]);
                (void)oc_fleet_is_due(&held, &entry, ENDS[b], ENDS[c], NOW);
                (void)oc_fleet_wait(&patience, &claim, ENDS[b], LONGEST, NOW, UINT32_MAX);
                assert_true(patience >= 0);
            }
}

TEST_MAIN(NULL, NULL, NULL, NULL)
