/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The arguments of the status page: parsing, printing, and which certificates they select in which order.
 */
#include "view/query.h"

#include "support_cache.h"
#include "support_test.h"

#include <apr_strings.h>
#include <string.h>

#define NOW apr_time_from_sec(1900000000)
#define DAY apr_time_from_sec(86400)

static oc_query_t parsed(const char *arguments)
{
    oc_query_t query;

    assert_null(oc_query_parse(&query, arguments, cache_pool));
    return query;
}

static void refused(const char *arguments, const char *why)
{
    oc_query_t query;
    const char *problem = oc_query_parse(&query, arguments, cache_pool);

    assert_non_null(problem);
    assert_non_null(strstr(problem, why));
    assert_in_range(query.page, 1, 1000000);
    assert_non_null(query.text);
}

static oc_view_t good(const char *host)
{
    oc_view_t view = {.host = host,
                      .subject = "CN=Subject",
                      .serial = "0A1B",
                      .url = "http://ocsp.example.org/",
                      .is_refreshed = 1,
                      .has_record = 1,
                      .verdict = OC_GOOD,
                      .usable_until = NOW + DAY};

    memset(view.id, 0xAB, sizeof(view.id));
    return view;
}

TEST(without_arguments_all_are_selected)
{
    oc_query_t query = parsed(NULL);

    assert_int_equal(query.format, OC_FORMAT_HTML);
    assert_int_equal(query.group, OC_GROUP_ANY);
    assert_int_equal(query.sort, OC_SORT_CONFIGURATION);
    assert_int_equal(query.page, 1);
    assert_false(oc_query_is_filter(&query));
    assert_string_equal(oc_query_print(&query, cache_pool), "?");
    assert_string_equal(oc_query_print((query = parsed("&&q=&state=&sort="), &query), cache_pool), "?");
}

TEST(what_is_printed_reads_the_same)
{
    static const char *const arguments[] = {
        "q=a+b%26c%3D%22%3C%C3%A4&state=error&attention=1&sort=-left&page=7&format=json",
        "id=00112233445566778899AABBCCDDEEFF00112233", "state=no-responder&sort=attention", "q=%2B"};
    apr_size_t i;

    for (i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
        oc_query_t query = parsed(arguments[i]);
        const char *link = oc_query_print(&query, cache_pool);
        oc_query_t again = parsed(link + 1);

        assert_string_equal(oc_query_print(&again, cache_pool), link);
        assert_string_equal(again.text, query.text);
        assert_memory_equal(again.id, query.id, sizeof(query.id));
        assert_true(again.has_id == query.has_id && again.group == query.group && again.sort == query.sort
                    && again.is_descending == query.is_descending && again.page == query.page
                    && again.format == query.format && again.wants_attention == query.wants_attention);
    }
    assert_string_equal(parsed("q=a+b%26c%3D%22%3C%C3%A4").text, "a b&c=\"<\xC3\xA4");
    assert_string_equal(oc_query_print((oc_query_t[]){parsed("notice=one&id="
                                                             "0000000000000000000000000000000000000000")},
                                       cache_pool),
                        "?id=0000000000000000000000000000000000000000");
}

TEST(unknown_arguments_are_refused)
{
    char *text = apr_pcalloc(cache_pool, 300);

    refused("fromat=json", "Unknown argument fromat");
    refused("format=xml", "format cannot be xml");
    refused("state=<b>", "state cannot be <b>");
    refused("state=a%0Ab", "a\\x0Ab");
    refused("q=%zz", "not URL-encoded");
    refused("q=%00", "not URL-encoded");
    refused("q=%2", "not URL-encoded");
    refused("sort=--host", "sort cannot be");
    refused("sort=-", "sort cannot be -");
    refused("attention=yes", "attention cannot be");
    refused("notice=you", "notice cannot be");
    refused("notice=", "notice cannot be empty");
    refused("format=der", "needs the argument id");
    refused("page=0", "page cannot be 0");
    refused("page=-1", "page cannot be");
    refused("page=1x", "page cannot be");
    refused("page=1000001", "page cannot be");
    refused("page=18446744073709551617", "page cannot be");
    refused("id=0011", "id cannot be 0011");
    refused("id=", "id cannot be empty");
    refused("id=00112233445566778899AABBCCDDEEFF0011223g", "id cannot be");
    memcpy(text, "q=", 2);
    memset(text + 2, 'x', 257);
    refused(text, "q cannot be");
    text[2 + 256] = '\0';
    assert_int_equal(strlen(parsed(text).text), 256);
}

TEST(groups)
{
    oc_view_t view = good("a");

    assert_int_equal(oc_query_group(&view, NOW), OC_GROUP_GOOD);
    assert_int_equal(oc_query_group(&view, NOW + DAY), OC_GROUP_NONE);
    view.verdict = OC_REVOKED;
    assert_int_equal(oc_query_group(&view, NOW), OC_GROUP_REVOKED);
    view.verdict = OC_TRY_LATER;
    assert_int_equal(oc_query_group(&view, NOW), OC_GROUP_ERROR);
    view.is_refreshed = 0;
    assert_int_equal(oc_query_group(&view, NOW), OC_GROUP_ERROR);
    view.has_record = 0;
    assert_int_equal(oc_query_group(&view, NOW), OC_GROUP_NO_RESPONDER);
    assert_string_equal(oc_query_group_name(OC_GROUP_NO_RESPONDER), "no-responder");
    assert_string_equal(oc_query_group_name(OC_GROUP_ANY), "");
    assert_string_equal(oc_query_group_name((oc_group_t)-1), "");
    assert_string_equal(oc_query_sort_name((oc_sort_t)99), "");
}

static int matches(const char *arguments, const oc_view_t *view, oc_attention_t attention)
{
    oc_query_t query = parsed(arguments);

    return oc_query_matches(&query, view, NOW, attention);
}

TEST(matching)
{
    apr_array_header_t *hosts = apr_array_make(cache_pool, 2, sizeof(const char *));
    oc_view_t view = good("www.example.org:443"), unknown = {0};

    APR_ARRAY_PUSH(hosts, const char *) = view.host;
    APR_ARRAY_PUSH(hosts, const char *) = "second.example.net:443";
    view.hosts = hosts;
    assert_true(matches("q=WWW.example", &view, OC_ATTENTION_NONE));
    assert_true(matches("q=example.NET:443", &view, OC_ATTENTION_NONE));
    assert_true(matches("q=subject", &view, OC_ATTENTION_NONE));
    assert_true(matches("q=a1", &view, OC_ATTENTION_NONE));
    assert_true(matches("q=ababABab", &view, OC_ATTENTION_NONE));
    assert_true(matches("q=ocsp.example.org/", &view, OC_ATTENTION_NONE));
    assert_false(matches("q=www.example.orgx", &view, OC_ATTENTION_NONE));
    assert_false(matches("state=revoked", &view, OC_ATTENTION_NONE));
    assert_false(matches("attention=1", &view, OC_ATTENTION_NONE));
    assert_true(matches("attention=1&state=good&q=www", &view, OC_ATTENTION_WARNING));
    assert_true(matches("id=abababababababababababababababababababab", &view, OC_ATTENTION_NONE));
    assert_false(matches("id=abababababababababababababababababababac", &view, OC_ATTENTION_NONE));
    assert_false(matches("q=x", &unknown, OC_ATTENTION_NONE));
    assert_true(matches("", &unknown, OC_ATTENTION_NONE));
}

/* The ordinals of three certificates in the requested order. */
static const char *order(const char *arguments)
{
    static const oc_attention_t attention[3] = {OC_ATTENTION_NONE, OC_ATTENTION_CRITICAL, OC_ATTENTION_WARNING};
    oc_view_t views[3] = {good("B"), good("a"), good("c")};
    apr_array_header_t *ranks = apr_array_make(cache_pool, 3, sizeof(oc_rank_t));
    oc_query_t query = parsed(arguments);
    unsigned i;

    views[0].failures = 7;
    views[1].usable_until = NOW + 2 * DAY;
    views[2].has_record = 0;
    views[2].next_request = NOW;
    for (i = 0; i < 3; i++)
        APR_ARRAY_PUSH(ranks, oc_rank_t) = oc_query_rank(&query, &views[i], NOW, attention[i], i);
    oc_query_sort(&query, ranks);
    return apr_psprintf(cache_pool, "%u%u%u", APR_ARRAY_IDX(ranks, 0, oc_rank_t).ordinal,
                        APR_ARRAY_IDX(ranks, 1, oc_rank_t).ordinal, APR_ARRAY_IDX(ranks, 2, oc_rank_t).ordinal);
}

TEST(test_order)
{
    assert_string_equal(order(""), "012");
    assert_string_equal(order("sort=host"), "102");
    assert_string_equal(order("sort=-host"), "201");
    assert_string_equal(order("sort=subject"), "012");
    assert_string_equal(order("sort=-subject"), "012");
    assert_string_equal(order("sort=left"), "201");
    assert_string_equal(order("sort=-left"), "102");
    assert_string_equal(order("sort=state"), "012");
    assert_string_equal(order("sort=-state"), "201");
    assert_string_equal(order("sort=-next"), "201");
    assert_string_equal(order("sort=-failures"), "012");
    assert_string_equal(order("sort=attention"), "120");
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
