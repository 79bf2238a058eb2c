/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Durations: every unit, what is not one, and how a limit is written in the unit that a user chose.
 */
#include "base/duration.h"

#include "support_test.h"

#include <apr_strings.h>

#define SECOND APR_USEC_PER_SEC
#define DAY (86400 * SECOND)

static apr_pool_t *pool;

static int setup(void **state)
{
    (void)state;
    apr_pool_create(&pool, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

TEST(every_unit)
{
    static const struct {
        const char *text;
        apr_interval_time_t duration;
    } all[] = {{"0", 0},
               {"7", 7 * SECOND},
               {"007s", 7 * SECOND},
               {"250ms", 250000},
               {"5m", 300 * SECOND},
               {"5mi", 300 * SECOND},
               {"5MIN", 300 * SECOND},
               {"12h", DAY / 2},
               {"12hr", DAY / 2},
               {"1d", DAY},
               {"2w", 14 * DAY},
               {"30d", 30 * DAY}};
    unsigned i;

    for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
        apr_interval_time_t duration = -1;

        assert_true(oc_duration_parse(all[i].text, 30 * DAY, &duration));
        assert_int_equal(duration, all[i].duration);
    }
}

TEST(anything_else)
{
    static const char *const all[] = {"",
                                      " 5",
                                      "5 ",
                                      "-5",
                                      "+5",
                                      "h",
                                      "5x",
                                      "5hh",
                                      "5.5h",
                                      "0x5",
                                      "5minutes",
                                      "5 h",
                                      "5,h",
                                      "31d",
                                      "1e3",
                                      "99999999999999999999",
                                      "5w",
                                      "721h",
                                      "9223372036854775807w",
                                      "soon"};
    apr_interval_time_t duration = 42;
    unsigned i;

    for (i = 0; i < sizeof(all) / sizeof(*all); i++)
        assert_false(oc_duration_parse(all[i], 30 * DAY, &duration));
    assert_int_equal(duration, 42);
}

TEST(limits_in_the_users_unit)
{
    assert_string_equal(oc_duration_text(30 * DAY, "999h", pool), "720h");
    assert_string_equal(oc_duration_text(30 * DAY, "999d", pool), "30d");
    assert_string_equal(oc_duration_text(30 * DAY, "9999999", pool), "2592000s");
    assert_string_equal(oc_duration_text(30 * DAY, "9999999s", pool), "2592000s");
    assert_string_equal(oc_duration_text(60 * SECOND, "2h", pool), "1min");
    assert_string_equal(oc_duration_text(60 * SECOND, "5m", pool), "1min");
    assert_string_equal(oc_duration_text(60 * SECOND, "61s", pool), "60s");
    assert_string_equal(oc_duration_text(SECOND, "0h", pool), "1s");
    assert_string_equal(oc_duration_text(0, "-5", pool), "0w");
    assert_string_equal(oc_duration_text(10000, "1", pool), "10ms");
    assert_string_equal(oc_duration_text(7, "1", pool), "7us");
}

TEST_MAIN(NULL, NULL, setup, teardown)
