/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The properties that ocsp/schedule.h documents, over many random and over all extreme inputs. The seed is printed;
 * OC_TEST_SEED repeats a run. Sums are checked in 128 bits, so that the test cannot overflow where the unit must not.
 */
#include "ocsp/schedule.h"

#include "splitmix64.h"
#include "support_test.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 200000
#define SEC(n) apr_time_from_sec(n)

static uint64_t seed = 20260101;

static uint32_t random32(void)
{
    static const uint32_t ends[] = {0, 1, UINT32_MAX / 2, UINT32_MAX};
    uint64_t r = splitmix64(&seed);

    return r % 5 == 0 ? ends[(r >> 8) % 4] : (uint32_t)(r >> 32);
}

static int64_t extreme(size_t i)
{
    static const int64_t values[] = {
        INT64_MIN,     INT64_MIN + 1,      -SEC(1),       -1,       0, 1, 2, 999999, SEC(1), SEC(3600), SEC(1700000000),
        INT64_MAX / 2, INT64_MAX - SEC(1), INT64_MAX - 1, INT64_MAX};

    return values[i % (sizeof(values) / sizeof(values[0]))];
}

/* Any 64 bits at all; or an extreme; or something of the size that occurs. */
static int64_t any_value(void)
{
    uint64_t r = splitmix64(&seed);

    switch (r % 3) {
    case 0:
        return (int64_t)splitmix64(&seed);
    case 1:
        return extreme((size_t)(r >> 8));
    default:
        return (int64_t)(splitmix64(&seed) % (uint64_t)SEC(86400 * 30));
    }
}

static oc_schedule_bounds_t any_bounds(void)
{
    oc_schedule_bounds_t bounds;

    bounds.min = any_value();
    bounds.max = any_value();
    bounds.retry_min = any_value();
    bounds.retry_max = any_value();
    return bounds;
}

/* Bounds as the header requires them. */
static oc_schedule_bounds_t fair_bounds(void)
{
    oc_schedule_bounds_t bounds;

    bounds.min = 1 + (int64_t)(splitmix64(&seed) % (uint64_t)SEC(600));
    bounds.max = bounds.min + (int64_t)(splitmix64(&seed) % (uint64_t)SEC(86400));
    bounds.retry_min = 1 + (int64_t)(splitmix64(&seed) % (uint64_t)SEC(60));
    bounds.retry_max = bounds.retry_min + (int64_t)(splitmix64(&seed) % (uint64_t)SEC(3600));
    return bounds;
}

/* What holds for any input whatever: no time before now, no overflow (the sanitizer watches), the end respected. */
TEST(success_with_anything)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        oc_schedule_bounds_t bounds = any_bounds();
        apr_time_t now = any_value();
        apr_time_t end = any_value();
        apr_time_t due = oc_schedule_success(now, any_value(), end, &bounds, random32());

        assert_true(due >= now);
        assert_true(end <= now || due < end);
    }
}

/* Never overflows, for a @a due that is not before @a now. */
static uint64_t between(apr_time_t now, apr_time_t due)
{
    return (uint64_t)due - (uint64_t)now;
}

TEST(failure_with_anything)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        oc_schedule_bounds_t bounds = any_bounds();
        apr_time_t now = any_value();
        unsigned failures = i % 2 ? (unsigned)random32() : (unsigned)i % 100;
        apr_time_t due = oc_schedule_failure(now, any_value(), failures, any_value(), &bounds, random32());
        apr_interval_time_t longest = bounds.retry_max > bounds.retry_min ? bounds.retry_max : bounds.retry_min;

        assert_true(due >= now);
        assert_true(due > now || now == INT64_MAX);
        assert_true(between(now, due) <= (uint64_t)(longest > 1 ? longest : 1));
    }
}

TEST(clamp_with_anything)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        oc_schedule_bounds_t bounds = any_bounds();
        apr_time_t now = any_value();
        apr_time_t due = any_value();
        apr_time_t end = any_value();
        unsigned failures = i % 2 ? (unsigned)random32() : 0;
        apr_time_t clamped = oc_schedule_clamp(due, now, end, failures, &bounds);
        apr_interval_time_t least = failures ? bounds.retry_min : bounds.min;
        apr_interval_time_t longest = failures ? bounds.retry_max : bounds.max;

        longest = longest > least ? longest : least;
        longest = longest > 1 ? longest : 1;
        assert_true(clamped >= now);
        assert_true(between(now, clamped) <= (uint64_t)longest);
        assert_true(failures || clamped == now || clamped <= end);
        if (due >= now && between(now, due) <= (uint64_t)longest && (failures || due <= end)) {
            assert_true(clamped == due);
        }
    }
}

/* Every extreme against every other. */
TEST(extremes)
{
    size_t a, b, c, d;

    for (a = 0; a < 15; a++) {
        for (b = 0; b < 15; b++) {
            for (c = 0; c < 15; c++) {
                for (d = 0; d < 15; d++) {
                    oc_schedule_bounds_t bounds = {extreme(c), extreme(d), extreme(d), extreme(c)};
                    apr_time_t now = extreme(a);
                    apr_time_t end = extreme(b);
                    apr_time_t due = oc_schedule_success(now, extreme(c + d), end, &bounds, UINT32_MAX);

                    assert_true(due >= now && (end <= now || due < end));
                    due = oc_schedule_failure(now, end, (unsigned)c, extreme(d), &bounds, UINT32_MAX);
                    assert_true(due > now || now == INT64_MAX);
                    due = oc_schedule_clamp(end, now, extreme(d), (unsigned)c, &bounds);
                    assert_true(due >= now);
                }
            }
        }
    }
}

TEST(success_within_bounds)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        oc_schedule_bounds_t bounds = fair_bounds();
        apr_time_t now = SEC(1700000000);
        apr_interval_time_t age = (int64_t)(splitmix64(&seed) % (uint64_t)SEC(86400 * 7));
        apr_interval_time_t left = 1 + (int64_t)(splitmix64(&seed) % (uint64_t)SEC(86400 * 14));
        apr_time_t due = oc_schedule_success(now, now - age, now + left, &bounds, random32());
        apr_interval_time_t pause = due - now, to_middle = left - (age + left) / 2;

        assert_true(pause < left);
        assert_true(pause >= bounds.min || bounds.min >= left); /* sooner only where the end forces it */
        assert_true(pause <= bounds.max);
        assert_true(pause >= to_middle || pause >= bounds.max / 5 * 3 || bounds.min >= left);
        if (to_middle > 0 && bounds.min <= to_middle) {
            assert_true(pause - to_middle <= (age + left) / 5);
            assert_true(pause - to_middle <= bounds.max / 2);
        }
        if (to_middle <= 0 && bounds.min <= left / 5 * 2 && bounds.max >= left / 5 * 3 + 5) {
            assert_true(pause >= left / 5 * 2 && pause <= left / 5 * 3 + 5);
        }
        if (bounds.min >= left) {
            assert_true(pause >= left / 5 * 2 && pause <= left / 5 * 3);
        }
    }
}

TEST(success_jitter)
{
    const oc_schedule_bounds_t wide = {SEC(1), SEC(1000000), SEC(1), SEC(10)};
    const oc_schedule_bounds_t narrow = {SEC(60), SEC(3600), SEC(1), SEC(10)};
    apr_time_t now = SEC(1700000000);

    /* from the middle on, within a fifth of the validity */
    assert_int_equal(oc_schedule_success(now, now, now + SEC(1000), &wide, 0), now + SEC(500));
    assert_int_equal(oc_schedule_success(now, now, now + SEC(1000), &wide, 1u << 31), now + SEC(600));
    assert_int_equal(oc_schedule_success(now, now - SEC(200), now + SEC(800), &wide, UINT32_MAX), now + SEC(500) - 1);
    /* but not later after it than half of max: a long validity is renewed while much of it is left */
    assert_int_equal(oc_schedule_success(now - SEC(600), now - SEC(36000), now + SEC(36000), &narrow, UINT32_MAX),
                     now + SEC(1800) - 1);
    /* past the middle: 40 to 60 % of what is left */
    assert_int_equal(oc_schedule_success(now, now - SEC(1000), now + SEC(1000), &wide, 0), now + SEC(400));
    assert_int_equal(oc_schedule_success(now, now - SEC(9000), now + SEC(1000), &wide, UINT32_MAX), now + SEC(600) - 1);
    /* a responder's clock 100 s ahead: its validity has yet to begin */
    assert_int_equal(oc_schedule_success(now, now + SEC(100), now + SEC(1100), &wide, 0), now + SEC(600));
    /* where max limits, 60 to 100 % of it: not all at once */
    assert_int_equal(oc_schedule_success(now, now, now + SEC(86400 * 7), &narrow, 0), now + SEC(3600));
    assert_int_equal(oc_schedule_success(now, now, now + SEC(86400 * 7), &narrow, UINT32_MAX), now + SEC(2160) + 1);
    /* min holds, until it would miss the end */
    assert_int_equal(oc_schedule_success(now, now, now + SEC(100), &narrow, 0), now + SEC(60));
    assert_int_equal(oc_schedule_success(now, now, now + SEC(60), &narrow, 0), now + SEC(24));
    assert_int_equal(oc_schedule_success(now, now, now + 1, &narrow, UINT32_MAX), now);
    /* already past */
    assert_int_equal(oc_schedule_success(now, now, now, &narrow, 0), now + SEC(60));
    /* who is held back by min does not meet all others there: the low half of the number decides, up to a fifth more */
    assert_int_equal(oc_schedule_success(now, now, now + SEC(100), &narrow, 0x8000), now + SEC(66));
    assert_in_range(oc_schedule_success(now, now, now, &narrow, UINT32_MAX), now + SEC(72) - 5, now + SEC(72) - 1);
    assert_int_equal(oc_schedule_success(now, now, now + SEC(60) + 3, &narrow, 0xffff), now + SEC(60) + 1);
}

TEST(failure_within_bounds)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        oc_schedule_bounds_t bounds = fair_bounds();
        apr_time_t now = SEC(1700000000);
        apr_interval_time_t left = (int64_t)(splitmix64(&seed) % (uint64_t)SEC(7200)) - SEC(600);
        apr_interval_time_t wish = i % 3 ? 0 : (int64_t)(splitmix64(&seed) % (uint64_t)SEC(7200));
        unsigned failures = (unsigned)(splitmix64(&seed) % 80);
        uint32_t random = random32();
        apr_interval_time_t pause = oc_schedule_failure(now, now + left, failures, wish, &bounds, random) - now;
        apr_interval_time_t plain = oc_schedule_failure(now, 0, failures, 0, &bounds, random) - now;

        assert_true(plain >= bounds.retry_min && plain <= bounds.retry_max);
        assert_true(pause <= bounds.retry_max);
        if (left <= 0) {
            assert_true(pause >= bounds.retry_min);
            assert_true(pause >= (wish < bounds.retry_max ? wish : bounds.retry_max));
        }
        else {
            assert_true(pause <= left / 4 || pause <= SEC(1));
            assert_true(pause >= plain || pause >= left / 4);
            assert_true(pause >= plain || pause >= SEC(1)); /* not closer and closer without end */
        }
    }
}

/* The more failures, the longer the pause, for the same luck; and at the end the longest. */
TEST(back_off_grows)
{
    int i;

    for (i = 0; i < 2000; i++) {
        oc_schedule_bounds_t bounds = i % 2 ? fair_bounds() : any_bounds();
        uint32_t random = random32();
        apr_time_t before = 0;
        unsigned failures;

        for (failures = 0; failures < 130; failures++) {
            apr_time_t due = oc_schedule_failure(0, 0, failures, 0, &bounds, random);

            assert_true(due >= before);
            before = due;
        }
        assert_true(oc_schedule_failure(0, 0, UINT32_MAX, 0, &bounds, random) == before);
    }
}

TEST(back_off_values)
{
    const oc_schedule_bounds_t bounds = {SEC(60), SEC(3600), SEC(10), SEC(600)};
    apr_time_t now = SEC(1700000000);

    assert_int_equal(oc_schedule_failure(now, 0, 1, 0, &bounds, 0), now + SEC(10));
    assert_int_equal(oc_schedule_failure(now, 0, 1, 0, &bounds, UINT32_MAX), now + SEC(15) - 1);
    assert_int_equal(oc_schedule_failure(now, 0, 4, 0, &bounds, 0), now + SEC(80));
    assert_int_equal(oc_schedule_failure(now, 0, 7, 0, &bounds, 0), now + SEC(450));
    assert_int_equal(oc_schedule_failure(now, 0, 7, 0, &bounds, UINT32_MAX), now + SEC(600) - 1);
    assert_int_equal(oc_schedule_failure(now, 0, 1000, 0, &bounds, 0), now + SEC(450));
    /* the responder's wish */
    assert_int_equal(oc_schedule_failure(now, 0, 1, SEC(120), &bounds, 0), now + SEC(120));
    assert_int_equal(oc_schedule_failure(now, 0, 1, SEC(9999), &bounds, 0), now + SEC(600));
    assert_int_equal(oc_schedule_failure(now, 0, 4, SEC(1), &bounds, 0), now + SEC(80));
    /* a response is held, and little of it is left */
    assert_int_equal(oc_schedule_failure(now, now + SEC(200), 4, 0, &bounds, 0), now + SEC(50));
    assert_int_equal(oc_schedule_failure(now, now + SEC(200), 1, SEC(120), &bounds, 0), now + SEC(50));
    assert_int_equal(oc_schedule_failure(now, now + SEC(2), 4, 0, &bounds, 0), now + SEC(1));
    assert_int_equal(oc_schedule_failure(now, now + SEC(86400), 4, 0, &bounds, 0), now + SEC(80));
    assert_int_equal(oc_schedule_failure(now, now - SEC(1), 4, 0, &bounds, 0), now + SEC(80));
}

TEST(clamp)
{
    const oc_schedule_bounds_t bounds = {SEC(60), SEC(3600), SEC(10), SEC(600)};
    apr_time_t now = SEC(1700000000);

    apr_time_t end = now + SEC(86400);

    assert_int_equal(oc_schedule_clamp(now + SEC(5), now, end, 0, &bounds), now + SEC(5));
    assert_int_equal(oc_schedule_clamp(now + SEC(3600), now, end, 0, &bounds), now + SEC(3600));
    assert_int_equal(oc_schedule_clamp(now + SEC(3601), now, end, 0, &bounds), now + SEC(3600));
    assert_int_equal(oc_schedule_clamp(now - SEC(5), now, end, 0, &bounds), now);
    assert_int_equal(oc_schedule_clamp(0, now, end, 0, &bounds), now);
}

/* After a failure no pause is longer than retry_max; what was computed by a clock that was an hour ahead is. */
TEST(clamp_after_a_failure)
{
    const oc_schedule_bounds_t bounds = {SEC(60), SEC(86400), SEC(10), SEC(600)};
    apr_time_t now = SEC(1700000000);

    assert_int_equal(oc_schedule_clamp(now + SEC(600), now, 0, 1, &bounds), now + SEC(600));
    assert_int_equal(oc_schedule_clamp(now + SEC(4200), now, 0, 1, &bounds), now + SEC(600));
    assert_int_equal(oc_schedule_clamp(now + SEC(4200), now, now + SEC(10), 65535, &bounds), now + SEC(600));
}

/* A success that left nothing usable was one by another clock. */
TEST(clamp_without_a_usable_response)
{
    const oc_schedule_bounds_t bounds = {SEC(60), SEC(86400), SEC(10), SEC(600)};
    apr_time_t now = SEC(1700000000);

    assert_int_equal(oc_schedule_clamp(now + SEC(4200), now, 0, 0, &bounds), now);
    assert_int_equal(oc_schedule_clamp(now + SEC(4200), now, now, 0, &bounds), now);
    assert_int_equal(oc_schedule_clamp(now + SEC(4200), now, now + SEC(900), 0, &bounds), now + SEC(900));
}

TEST(hedge_with_anything)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        apr_time_t begun = any_value();
        apr_interval_time_t timeout = 1 + (int64_t)(splitmix64(&seed) % (uint64_t)INT64_MAX);
        apr_time_t at = oc_schedule_hedge(begun, timeout);

        assert_true(at >= begun);
        assert_true(between(begun, at) <= (uint64_t)timeout);
        (void)oc_schedule_hedge(begun, any_value());
    }
}

/* Exchanges that follow one another, each with its hedge: one request in each half of the timeout, two at a time. */
TEST(hedge_values)
{
    assert_int_equal(oc_schedule_hedge(SEC(100), SEC(10)), SEC(105));
    assert_int_equal(oc_schedule_hedge(SEC(100), SEC(3)), SEC(101) + SEC(1) / 2);
    assert_int_equal(oc_schedule_hedge(SEC(100), SEC(1)), SEC(101)); /* its deadline: it is not hedged */
    assert_int_equal(oc_schedule_hedge(SEC(100), SEC(1) / 4), SEC(100) + SEC(1) / 4);
    assert_int_equal(oc_schedule_hedge(INT64_MAX - 5, SEC(10)), INT64_MAX);
}

/* max-age puts a request off, within its bounds, and never brings one forward. */
TEST(hint)
{
    oc_schedule_bounds_t bounds = {SEC(300), SEC(86400), SEC(5), SEC(600)};
    apr_time_t now = SEC(1000000), due = now + SEC(500), end = now + SEC(4000);

    assert_int_equal(oc_schedule_hint(due, now, now, end, 0, &bounds, 1), due);
    assert_int_equal(oc_schedule_hint(due, now, now, end, SEC(500), &bounds, UINT32_MAX), due);
    assert_int_equal(oc_schedule_hint(due, now, now, end, -SEC(900), &bounds, 1), due);
    assert_int_equal(oc_schedule_hint(due, now, now, end, SEC(900), &bounds, 0), now + SEC(900));
    assert_int_equal(oc_schedule_hint(due, now, now, end, SEC(900), &bounds, UINT32_MAX), now + SEC(1350) - 1);
    /* not beyond a fifth of the validity after its middle, 2800 s, a quarter of them for the jitter */
    assert_int_equal(oc_schedule_hint(due, now, now, end, SEC(2100), &bounds, UINT32_MAX), now + SEC(2800) - 1);
    assert_int_equal(oc_schedule_hint(due, now, now, end, SEC(2101), &bounds, 0), due);
    assert_int_equal(oc_schedule_hint(due, now, now - SEC(6000), end, SEC(700), &bounds, 0), now + SEC(700));
    assert_int_equal(oc_schedule_hint(due, now, now - SEC(6000), end, SEC(800), &bounds, 0), due);
    assert_int_equal(oc_schedule_hint(due, now, now - SEC(36000), end, SEC(600), &bounds, 0), due);
    /* nor beyond half of max after the middle */
    assert_int_equal(oc_schedule_hint(due, now, now - SEC(475000), now + SEC(525000), SEC(51000), &bounds, 1u << 31),
                     now + SEC(59600));
    assert_int_equal(oc_schedule_hint(due, now, now - SEC(475000), now + SEC(525000), SEC(52000), &bounds, 0), due);
    /* nor beyond max: all certificates would be due together there, every day */
    assert_int_equal(oc_schedule_hint(due, now, now, now + SEC(9000000), SEC(64800), &bounds, 1u << 31),
                     now + SEC(75600));
    assert_int_equal(oc_schedule_hint(due, now, now, now + SEC(9000000), SEC(86400), &bounds, 1), due);
    assert_int_equal(oc_schedule_hint(due, now, now, now + SEC(9000000), APR_INT64_MAX, &bounds, 1), due);
    assert_int_equal(oc_schedule_hint(due, now, now, now - SEC(1), SEC(900), &bounds, 1), due);
}

TEST(hint_with_anything)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        oc_schedule_bounds_t bounds = any_bounds();
        apr_time_t now = any_value(), due = any_value(), end = any_value();
        apr_time_t hinted = oc_schedule_hint(due, now, any_value(), end, any_value(), &bounds, random32());

        assert_true(hinted >= due);
        assert_true(hinted == due || (hinted >= now && hinted <= end));
    }
}

int main(void)
{
    const char *given = getenv("OC_TEST_SEED");

    if (given)
        seed = strtoull(given, NULL, 10);
    print_message("OC_TEST_SEED=%llu\n", (unsigned long long)seed);
    return test_run(NULL, NULL, NULL, NULL);
}
