/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The time line: what is drawn where, for any times, and that the text has the same facts.
 */
#include "view/timeline.h"

#include "support_cache.h"
#include "support_test.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define NOW apr_time_from_sec(1900000000)
#define DAY apr_time_from_sec(86400)

static oc_view_t held(void)
{
    return (oc_view_t){.url = "http://ocsp.example.org/",
                       .is_refreshed = 1,
                       .has_record = 1,
                       .verdict = OC_GOOD,
                       .this_update = NOW - DAY,
                       .next_update = NOW + 3 * DAY,
                       .usable_until = NOW + 3 * DAY,
                       .fetched_at = NOW - DAY,
                       .next_request = NOW + DAY};
}

/* The number in @a attribute of the element of class @a class. Fails the test if there is none. */
static double number(const char *svg, const char *class, const char *attribute)
{
    const char *element = strstr(svg, apr_pstrcat(cache_pool, "class=\"", class, "\"", NULL));
    const char *value;

    assert_non_null(element);
    value = strstr(element, apr_pstrcat(cache_pool, " ", attribute, "=\"", NULL));
    assert_non_null(value);
    return strtod(value + strlen(attribute) + 3, NULL);
}

static void assert_near(double a, double b)
{
    assert_true(a - b < 0.02 && b - a < 0.02);
}

TEST(places_are_to_scale)
{
    oc_view_t view = held();
    const char *svg = oc_timeline_svg(&view, NOW, cache_pool);

    assert_near(number(svg, "t-life", "x"), 1);
    assert_near(number(svg, "t-life", "width"), 98);
    assert_near(number(svg, "t-now", "x"), 1 + 98 * 0.25);
    assert_near(number(svg, "t-past", "width"), 98 * 0.25);
    assert_near(number(svg, "t-next", "cx"), 1 + 98 * 0.5);
}

TEST(an_early_end_is_seen)
{
    oc_view_t view = held();
    const char *svg;

    view.usable_until = NOW + DAY; /* the signer's certificate ends before nextUpdate */
    svg = oc_timeline_svg(&view, NOW, cache_pool);
    assert_near(number(svg, "t-life", "width"), 98 * 0.5);
    view.usable_until = NOW - DAY / 2; /* it has ended */
    svg = oc_timeline_svg(&view, NOW, cache_pool);
    assert_near(number(svg, "t-life", "width"), 98 * 0.125);
    assert_near(number(svg, "t-past", "width"), 98 * 0.125);
    assert_non_null(strstr(svg, "12 h 0 min ago"));
}

TEST(the_words_state_the_same)
{
    oc_view_t view = held();
    const char *svg = oc_timeline_svg(&view, NOW, cache_pool);
    const char *text =
        "thisUpdate 2030-03-16 17:46:40 UTC; nextUpdate 2030-03-20 17:46:40 UTC; usable until 2030-03-20 17:46:40 UTC "
        "(3 d 0 h left); next refresh in 24 h 0 min";

    assert_non_null(strstr(svg, apr_pstrcat(cache_pool, "aria-label=\"", text, "\"", NULL)));
    assert_non_null(strstr(svg, apr_pstrcat(cache_pool, "<title>", text, "</title>", NULL)));
    view.next_request = NOW;
    assert_non_null(strstr(oc_timeline_svg(&view, NOW, cache_pool), "due now"));
    view.has_record = 0;
    svg = oc_timeline_svg(&view, NOW, cache_pool);
    assert_non_null(strstr(svg, "No response yet; next refresh: due now"));
    assert_null(strstr(svg, "t-life"));
    view.is_refreshed = 0;
    assert_non_null(strstr(oc_timeline_svg(&view, NOW, cache_pool), "no responder can be queried"));
    view.lacks_issuer = 1;
    assert_non_null(strstr(oc_timeline_svg(&view, NOW, cache_pool), "the certificate of the issuer is missing"));
}

TEST(the_kind_is_a_class)
{
    oc_view_t view = held();

    assert_non_null(strstr(oc_timeline_svg(&view, NOW, cache_pool), "class=\"timeline good\""));
    view.verdict = OC_REVOKED;
    assert_non_null(strstr(oc_timeline_svg(&view, NOW, cache_pool), "class=\"timeline revoked\""));
    view.verdict = OC_TRY_LATER;
    assert_non_null(strstr(oc_timeline_svg(&view, NOW, cache_pool), "class=\"timeline error\""));
}

/* Numbers from a file or from shared memory may be anything. */
TEST(any_times_stay_within)
{
    static const apr_time_t times[] = {0, 1, -1, APR_INT64_MIN, APR_INT64_MAX, NOW, NOW - 1, NOW + 1};
    const unsigned n = sizeof(times) / sizeof(times[0]);
    uint64_t seed = 5;
    int i;

    for (i = 0; i < 20000; i++) {
        oc_view_t view = held();
        const char *svg;

        view.this_update = times[cache_below(&seed, n)];
        view.next_update = times[cache_below(&seed, n)];
        view.usable_until = times[cache_below(&seed, n)];
        view.fetched_at = times[cache_below(&seed, n)];
        view.next_request = times[cache_below(&seed, n)];
        svg = oc_timeline_svg(&view, NOW, cache_pool);
        assert_true(number(svg, "t-life", "x") >= 1 && number(svg, "t-life", "width") >= 0);
        assert_true(number(svg, "t-life", "x") + number(svg, "t-life", "width") <= 99.02);
        assert_true(number(svg, "t-now", "x") >= 1 && number(svg, "t-now", "x") <= 99);
        if (i % 100 == 0)
            apr_pool_clear(cache_pool);
    }
}

TEST(test_times)
{
    assert_string_equal(oc_timeline_time(0, cache_pool), "-");
    assert_string_equal(oc_timeline_time(NOW, cache_pool), "2030-03-17 17:46:40 UTC");
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
