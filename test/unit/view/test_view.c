/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The state of a certificate, whether it needs attention, spans of time, sizes, names; and its object of JSON.
 */
#include "view/view.h"

#include "version.h"

#include "support_cache.h"
#include "support_test.h"

#include <apr_strings.h>
#include <string.h>

#define NOW apr_time_from_sec(1900000000)
#define MINUTE apr_time_from_sec(60)
#define HOUR apr_time_from_sec(3600)
#define DAY apr_time_from_sec(86400)

/* Stapled, renewed in time. */
static oc_view_t good(void)
{
    static const char *const urls[] = {"http://ocsp.example.org/", "http://second.example/", NULL};
    oc_view_t view = {.host = "www.example.org:443",
                      .subject = "CN=www.example.org",
                      .serial = "0A1B",
                      .url = urls[0],
                      .urls = urls,
                      .not_after = NOW + 30 * DAY,
                      .is_refreshed = 1,
                      .has_record = 1,
                      .verdict = OC_GOOD,
                      .origin = OC_ORIGIN_RESPONDER,
                      .this_update = NOW - 2 * DAY,
                      .next_update = NOW + 5 * DAY,
                      .usable_from = NOW - 2 * DAY - HOUR,
                      .usable_until = NOW + 5 * DAY,
                      .fetched_at = NOW - DAY,
                      .size = 1503,
                      .last = OC_GOOD,
                      .last_attempt = NOW - DAY,
                      .next_request = NOW + DAY};

    memset(view.id, 0xAB, sizeof(view.id));
    return view;
}

static oc_view_t never_asked(void)
{
    oc_view_t view = good();

    view.has_record = 0;
    view.last = OC_PENDING;
    view.last_attempt = 0;
    return view;
}

TEST(test_state)
{
    oc_view_t view = good();

    assert_string_equal(oc_view_state(&view, NOW), "good");
    assert_string_equal(oc_view_state(&view, view.usable_until - 1), "good");
    assert_string_equal(oc_view_state(&view, view.usable_until), "none");
    view.verdict = OC_REVOKED;
    assert_string_equal(oc_view_state(&view, NOW), "revoked");
    view.verdict = OC_TRY_LATER;
    assert_string_equal(oc_view_state(&view, NOW), "try-later");
    view = never_asked();
    assert_string_equal(oc_view_state(&view, NOW), "none");
    view.is_refreshed = 0;
    assert_string_equal(oc_view_state(&view, NOW), "no-responder");
}

/* Its level of attention. The reason contains @a word; NULL: there is no reason. */
static void assert_attention(const oc_view_t *view, oc_attention_t attention, const char *word)
{
    const char *reason = NULL;

    assert_int_equal(oc_view_attention(view, NOW, DAY, &reason, cache_pool), attention);
    assert_non_null(reason);
    if (!word)
        assert_string_equal(reason, "");
    else if (!strstr(reason, word))
        fail_msg("\"%s\" does not say \"%s\"", reason, word);
}

TEST(all_is_well)
{
    oc_view_t view = good();

    assert_attention(&view, OC_ATTENTION_NONE, NULL);
    view.must_staple = 1;
    assert_attention(&view, OC_ATTENTION_NONE, NULL);
    view = never_asked();
    view.is_refreshed = 0;
    view.url = NULL;
    assert_attention(&view, OC_ATTENTION_NONE, NULL);
}

TEST(a_missing_issuer_is_told_apart_from_a_missing_responder)
{
    oc_view_t view = never_asked();

    view.is_refreshed = 0;
    view.lacks_issuer = 1;
    assert_string_equal(oc_view_state(&view, NOW), "no-issuer");
    assert_attention(&view, OC_ATTENTION_WARNING, "the certificate of its issuer is not configured");
    view.issuer = "CN=Some CA,O=Test";
    assert_attention(&view, OC_ATTENTION_WARNING, "issuer, CN=Some CA,O=Test, is not configured");
    view.must_staple = 1;
    assert_attention(&view, OC_ATTENTION_CRITICAL, "CN=Some CA,O=Test");
    view.lacks_issuer = 0;
    assert_attention(&view, OC_ATTENTION_CRITICAL, "no OCSP responder can be queried");
}

TEST(attempts_that_fail_are_a_warning_with_advice)
{
    oc_view_t view = good();

    view.failures = OC_VIEW_FAILURES_TOLERATED + 1;
    view.last = OC_TIMED_OUT;
    assert_attention(&view, OC_ATTENTION_WARNING, "7 attempts in a row");
    assert_attention(&view, OC_ATTENTION_WARNING, "5 d 0 h");
    assert_attention(&view, OC_ATTENTION_WARNING, oc_verdict_advice(OC_TIMED_OUT));
    view.has_record = 0;
    assert_attention(&view, OC_ATTENTION_WARNING, oc_verdict_text(OC_TIMED_OUT));
    view.must_staple = 1;
    assert_attention(&view, OC_ATTENTION_CRITICAL, "Must-Staple");
}

/* A monitor that warns of each hiccup is ignored; one that waits for what cannot pass is late. */
TEST(a_short_outage_is_no_warning_while_a_response_lasts)
{
    static const oc_verdict_t pass[] = {OC_INTERNAL_ERROR, OC_TRY_LATER,       OC_NAME_LOOKUP_FAILED,
                                        OC_CONNECT_FAILED, OC_CONNECTION_LOST, OC_HTTP_STATUS};
    static const oc_verdict_t stay[] = {OC_UNAUTHORIZED, OC_URL_UNUSABLE, OC_SIGNATURE_BAD, OC_CACHE_FULL, OC_EXPIRED};
    oc_view_t view = good();
    unsigned i;

    view.failures = OC_VIEW_FAILURES_TOLERATED;
    for (i = 0; i < sizeof(pass) / sizeof(pass[0]); i++) {
        view.last = pass[i];
        assert_attention(&view, OC_ATTENTION_NONE, NULL);
    }
    view.failures = 1;
    for (i = 0; i < sizeof(stay) / sizeof(stay[0]); i++) {
        view.last = stay[i];
        assert_attention(&view, OC_ATTENTION_WARNING, "1 attempt in a row");
    }
    view.last = OC_TIMED_OUT;
    view.usable_until = NOW + HOUR;
    view.fetched_at = NOW - 6 * DAY;
    assert_attention(&view, OC_ATTENTION_WARNING, "1 attempt in a row");
    view.has_record = 0;
    assert_attention(&view, OC_ATTENTION_WARNING, oc_verdict_text(OC_TIMED_OUT));
}

TEST(running_out)
{
    oc_view_t view = good();
    const char *reason;

    view.usable_until = NOW + DAY - 1;
    view.fetched_at = NOW - 6 * DAY;
    assert_attention(&view, OC_ATTENTION_WARNING, "expires in");
    assert_int_equal(oc_view_attention(&view, NOW, 0, &reason, cache_pool), OC_ATTENTION_NONE);
    view.usable_until = NOW + DAY;
    assert_attention(&view, OC_ATTENTION_NONE, NULL);
    view.fetched_at = NOW - HOUR; /* valid for two hours in all: the last quarter counts */
    view.usable_until = NOW + HOUR;
    assert_attention(&view, OC_ATTENTION_NONE, NULL);
    view.fetched_at = NOW - 4 * HOUR;
    assert_attention(&view, OC_ATTENTION_WARNING, "60 min");
    view.usable_until = NOW;
    assert_attention(&view, OC_ATTENTION_WARNING, "has expired");
}

TEST(a_response_from_the_future_is_not_stapled)
{
    oc_view_t view = good();

    view.usable_from = NOW + 20 * 60 * APR_USEC_PER_SEC;
    assert_false(oc_view_is_stapled(&view, NOW));
    assert_true(oc_view_is_stapled(&view, view.usable_from));
    assert_string_equal(oc_view_state(&view, NOW), "none");
    assert_attention(&view, OC_ATTENTION_WARNING, "becomes valid in 20 min. Check that clock");
    view.usable_until = view.usable_from + 1;
    view.fetched_at = view.usable_from;
    assert_false(oc_view_is_running_out(&view, NOW, DAY));
    view.must_staple = 1;
    assert_attention(&view, OC_ATTENTION_CRITICAL, "becomes valid in 20 min");
}

TEST(what_clients_refuse_is_critical)
{
    oc_view_t view = good();

    view.verdict = OC_REVOKED;
    assert_attention(&view, OC_ATTENTION_CRITICAL, oc_verdict_advice(OC_REVOKED));
    view.usable_until = NOW - 1; /* revoked stays revoked when the response is not stapled any more */
    assert_attention(&view, OC_ATTENTION_CRITICAL, "evoked");

    view = good();
    view.not_after = NOW;
    assert_attention(&view, OC_ATTENTION_CRITICAL, "renew");

    view = never_asked();
    assert_attention(&view, OC_ATTENTION_WARNING, oc_verdict_text(OC_PENDING));
    view.must_staple = 1;
    assert_attention(&view, OC_ATTENTION_CRITICAL, oc_verdict_text(OC_PENDING));
    view.is_refreshed = 0;
    assert_attention(&view, OC_ATTENTION_CRITICAL, "SSLStaplingForceURL");

    view = good(); /* an error is stapled, which does not satisfy Must-Staple */
    view.verdict = view.last = OC_UNAUTHORIZED;
    view.failures = 1;
    assert_attention(&view, OC_ATTENTION_WARNING, oc_verdict_advice(OC_UNAUTHORIZED));
    view.must_staple = 1;
    assert_attention(&view, OC_ATTENTION_CRITICAL, oc_verdict_advice(OC_UNAUTHORIZED));
}

TEST(attention_names)
{
    assert_string_equal(oc_attention_name(OC_ATTENTION_NONE), "none");
    assert_string_equal(oc_attention_name(OC_ATTENTION_WARNING), "warning");
    assert_string_equal(oc_attention_name(OC_ATTENTION_CRITICAL), "critical");
    assert_non_null(oc_attention_name((oc_attention_t)77));
    assert_true(OC_ATTENTION_NONE < OC_ATTENTION_WARNING && OC_ATTENTION_WARNING < OC_ATTENTION_CRITICAL);
}

static void assert_span(apr_interval_time_t distance, const char *text)
{
    assert_string_equal(oc_view_span(NOW + distance, NOW, cache_pool), text);
}

TEST(span)
{
    assert_string_equal(oc_view_span(0, NOW, cache_pool), "-");
    assert_span(0, "now");
    assert_span(apr_time_from_sec(8), "8 s");
    assert_span(2 * MINUTE - 1, "119 s");
    assert_span(2 * MINUTE, "2 min");
    assert_span(2 * HOUR - 1, "119 min");
    assert_span(2 * HOUR + 5 * MINUTE, "2 h 5 min");
    assert_span(2 * DAY - MINUTE, "47 h 59 min");
    assert_span(3 * DAY + 4 * HOUR, "3 d 4 h");
    assert_span(-(2 * HOUR + 5 * MINUTE), "2 h 5 min ago");
    assert_span(-apr_time_from_sec(1), "1 s ago");
    assert_string_equal(oc_view_span(INT64_MIN, NOW, cache_pool), "106773981 d 21 h ago");
    assert_string_equal(oc_view_span(INT64_MAX, NOW, cache_pool), "106730000 d 10 h");
    assert_non_null(oc_view_span(INT64_MAX, INT64_MIN, cache_pool));
}

/* ---- JSON ---- */

static void append(void *text, const char *bytes, apr_size_t len)
{
    char **end = text;

    *end = apr_pstrcat(cache_pool, *end, apr_pstrmemdup(cache_pool, bytes, len), NULL);
}

static const char *json_of(const oc_view_t *view)
{
    char *text = apr_pstrdup(cache_pool, "");
    oc_json_t json;

    oc_json_begin(&json, append, &text);
    oc_view_json(&json, NULL, view, NOW, DAY, cache_pool);
    return text;
}

TEST(json_of_a_document)
{
    char *text = apr_pstrdup(cache_pool, "");
    oc_json_t json;

    oc_view_json_begin(&json, append, &text, NOW);
    oc_json_end(&json);
    assert_string_equal(text, "{\"version\":1,\"generated\":1900000000,\"module\":\"" OC_VERSION "\"}\n");
}

TEST(json_of_a_certificate)
{
    oc_view_t view = good();
    apr_array_header_t *hosts = apr_array_make(cache_pool, 2, sizeof(const char *));

    APR_ARRAY_PUSH(hosts, const char *) = view.host;
    APR_ARRAY_PUSH(hosts, const char *) = "a\"b:443";
    view.hosts = hosts;
    assert_string_equal(
        json_of(&view),
        "{\"host\":\"www.example.org:443\",\"hosts\":[\"www.example.org:443\",\"a\\u0022b:443\"],"
        "\"sha1\":\"ABABABABABABABABABABABABABABABABABABABAB\",\"subject\":\"CN=www.example.org\",\"serial\":\"0A1B\","
        "\"responder\":\"http://ocsp.example.org/\",\"responders\":[\"http://ocsp.example.org/\",\"http://"
        "second.example/\"],"
        "\"not_after\":1902592000,\"must_staple\":false,\"state\":\"good\","
        "\"attention\":\"none\",\"reason\":\"\",\"response\":{\"verdict\":\"good\",\"origin\":\"responder\","
        "\"this_update\":1899827200,\"next_update\":1900432000,\"usable_from\":1899823600,\"usable_until\":1900432000,"
        "\"fetched_at\":1899913600,\"size\":1503},\"last_verdict\":\"good\",\"last_attempt\":1899913600,\"failures\":0,"
        "\"next_request\":1900086400}\n");
}

TEST(json_of_the_unknown)
{
    oc_view_t view;

    memset(&view, 0, sizeof(view));
    assert_string_equal(
        json_of(&view),
        "{\"host\":null,\"hosts\":[],\"sha1\":\"0000000000000000000000000000000000000000\",\"subject\":null,"
        "\"serial\":null,\"responder\":null,\"responders\":[],\"not_after\":null,\"must_staple\":false,\"state\":\"no-"
        "responder\","
        "\"attention\":\"none\",\"reason\":\"\",\"response\":null,\"last_verdict\":null,\"last_attempt\":null,"
        "\"failures\":0,\"next_request\":null}\n");
}

TEST(what_is_left)
{
    assert_string_equal(oc_view_left(0, NOW, cache_pool), "-");
    assert_string_equal(oc_view_left(NOW + 3 * DAY, NOW, cache_pool), "3 d 0 h left");
    assert_string_equal(oc_view_left(NOW - 3 * HOUR, NOW, cache_pool), "ended 3 h 0 min ago");
    assert_string_equal(oc_view_left(NOW, NOW, cache_pool), "ended now");
}

TEST(sizes_have_binary_units)
{
    assert_string_equal(oc_view_size(0, cache_pool), "0 B");
    assert_string_equal(oc_view_size(1023, cache_pool), "1023 B");
    assert_string_equal(oc_view_size(1024, cache_pool), "1 KiB");
    assert_string_equal(oc_view_size(1536, cache_pool), "1.5 KiB");
    assert_string_equal(oc_view_size(4194304, cache_pool), "4 MiB");
    assert_string_equal(oc_view_size(1048575, cache_pool), "1 MiB");
    assert_string_equal(oc_view_size((apr_size_t)3 << 30, cache_pool), "3 GiB");
    if (sizeof(apr_size_t) > 4)
        assert_string_equal(oc_view_size((apr_size_t)(UINT64_C(5) << 40), cache_pool), "5120 GiB");
}

TEST(the_usual_port_and_a_repeated_name_are_left_out)
{
    oc_view_t view = good();

    assert_string_equal(oc_view_host_text("www.example.org:443", cache_pool), "www.example.org");
    assert_string_equal(oc_view_host_text("www.example.org:8443", cache_pool), "www.example.org:8443");
    assert_string_equal(oc_view_host_text("[2001:db8::443]:443", cache_pool), "[2001:db8::443]");
    assert_string_equal(oc_view_host_text(":443", cache_pool), ":443");
    assert_null(oc_view_host_text(NULL, cache_pool));
    assert_true(oc_view_subject_is_host(&view));
    view.subject = "CN=WWW.example.org";
    assert_true(oc_view_subject_is_host(&view));
    view.subject = "CN=www.example.org,O=Example";
    assert_false(oc_view_subject_is_host(&view));
    view.subject = "CN=www.example.or";
    assert_false(oc_view_subject_is_host(&view));
    view.subject = NULL;
    assert_false(oc_view_subject_is_host(&view));
    view.host = NULL;
    assert_false(oc_view_subject_is_host(&view));
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
