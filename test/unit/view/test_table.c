/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of certificates: every line fits the terminal, whatever the certificates contain, and no column is left
 * out.
 */
#include "view/view.h"

#include "support_cache.h"
#include "support_test.h"

#include <apr_strings.h>
#include <string.h>

#define NOW apr_time_from_sec(1900000000)
#define DAY apr_time_from_sec(86400)
#define LONG_URL "http://ocsp.a-certification-authority-with-a-long-name.example.org/status/of/certificates"

/* What was printed, and the widest line of it. */
typedef struct {
    char *text;
    apr_size_t len, cap;
    unsigned lines, widest;
} paper_t;

static void take_line(void *context, const char *line)
{
    paper_t *paper = context;
    apr_size_t len = strlen(line), i;

    assert_true(len > 0 && line[len - 1] == '\n');
    for (i = 0; i < len - 1; i++)
        assert_in_range((unsigned char)line[i], 0x20, 0x7E);
    assert_true(len < 2 || line[len - 2] != ' ');
    paper->lines++;
    if (len - 1 > paper->widest)
        paper->widest = (unsigned)len - 1;
    if (paper->len + len < paper->cap) {
        memcpy(paper->text + paper->len, line, len + 1);
        paper->len += len;
    }
}

static void print(paper_t *paper, const apr_array_header_t *views, unsigned width)
{
    paper->cap = 65536;
    paper->text = apr_pcalloc(cache_pool, paper->cap);
    paper->len = paper->lines = paper->widest = 0;
    oc_view_table(views, NOW, width, take_line, paper, cache_pool);
}

static oc_view_t *add(apr_array_header_t *views)
{
    oc_view_t view = {.host = "www.example.org:443",
                      .subject = "CN=www.example.org",
                      .serial = "0A1B",
                      .url = "http://ocsp.example.org/",
                      .is_refreshed = 1,
                      .has_record = 1,
                      .verdict = OC_GOOD,
                      .origin = OC_ORIGIN_SHARED,
                      .this_update = NOW - 2 * DAY,
                      .next_update = NOW + 5 * DAY,
                      .usable_until = NOW + 5 * DAY,
                      .size = 1503,
                      .next_request = NOW + DAY};

    APR_ARRAY_PUSH(views, oc_view_t) = view;
    return &APR_ARRAY_IDX(views, views->nelts - 1, oc_view_t);
}

static apr_array_header_t *one_view(void)
{
    apr_array_header_t *views = apr_array_make(cache_pool, 1, sizeof(oc_view_t));

    add(views);
    return views;
}

static void assert_has(const paper_t *paper, const char *text)
{
    if (!strstr(paper->text, text))
        fail_msg("\"%s\" is not in:\n%s", text, paper->text);
}

TEST(width_without_limit)
{
    paper_t paper;

    print(&paper, one_view(), 0);
    assert_int_equal(paper.lines, 2);
    assert_string_equal(
        paper.text,
        "Host                 Certificate         Serial  Responder                 Status  This update  Next update  "
        "Next fetch  Failures  Size  Origin\n"
        "www.example.org:443  CN=www.example.org  0A1B    http://ocsp.example.org/  good    2 d 0 h ago  5 d 0 h      "
        "24 h 0 min  -         1503  shared\n");
}

TEST(no_certificates)
{
    paper_t paper;

    print(&paper, apr_array_make(cache_pool, 1, sizeof(oc_view_t)), 80);
    assert_has(&paper, "Host");
    assert_has(&paper, "Origin");
}

TEST(long_texts_lose_their_middle)
{
    apr_array_header_t *views = one_view();
    oc_view_t *view = &APR_ARRAY_IDX(views, 0, oc_view_t);
    paper_t paper;

    view->url = LONG_URL;
    print(&paper, views, 0);
    assert_has(&paper, LONG_URL);
    print(&paper, views, 160);
    assert_int_equal(paper.lines, 2);
    assert_true(paper.widest <= 160);
    assert_has(&paper, "http://ocsp.a-cer");
    assert_has(&paper, "...");
    assert_has(&paper, "ertificates");
}

TEST(rows_of_several_lines)
{
    apr_array_header_t *views = one_view();
    paper_t paper;

    APR_ARRAY_IDX(views, 0, oc_view_t).url = LONG_URL;
    print(&paper, views, 120);
    assert_int_equal(paper.lines, 4);
    assert_true(paper.widest <= 120);
    assert_has(&paper, "www.example.org:443");
    print(&paper, views, 80);
    assert_true(paper.widest <= 80);
    assert_has(&paper, "\n  good");
    assert_has(&paper, "24 h 0 min");
    assert_has(&paper, "shared");
}

/* The terminal breaks a column whose content is wider than itself. All other columns fit. */
TEST(any_width)
{
    apr_array_header_t *views = one_view();
    oc_view_t *view = add(views);
    paper_t paper;
    unsigned width;

    view->url = LONG_URL;
    view->failures = 65535;
    view->last = OC_NAME_LOOKUP_FAILED;
    for (width = 1; width < 400; width++) {
        print(&paper, views, width);
        assert_true(paper.widest <= (width > 30 ? width : 30));
        if (width > 30)
            assert_has(&paper, "65535 name-lookup-failed");
    }
}

TEST(nothing_steers_the_terminal)
{
    apr_array_header_t *views = one_view();
    oc_view_t *view = &APR_ARRAY_IDX(views, 0, oc_view_t);
    paper_t paper;

    view->host = "a\x1b[2Jb\r\n\t\x7f\xC3\xA9";
    view->subject = "";
    view->url = NULL;
    print(&paper, views, 0); /* take_line looks at each character */
    assert_has(&paper, "a\\x1B[2Jb\\x0D\\x0A\\x09\\x7F\\xC3\\xA9  -            0A1B    -          good");
}

TEST(hosts_failures_and_the_unknown)
{
    apr_array_header_t *views = one_view(), *hosts = apr_array_make(cache_pool, 3, sizeof(const char *));
    oc_view_t *view = &APR_ARRAY_IDX(views, 0, oc_view_t);
    paper_t paper;
    int i;

    for (i = 0; i < 3; i++)
        APR_ARRAY_PUSH(hosts, const char *) = view->host;
    view->hosts = hosts;
    view->failures = 3;
    view->last = OC_TIMED_OUT;
    view->has_record = 0;
    print(&paper, views, 0);
    assert_has(&paper, "www.example.org:443 +2  ");
    assert_has(&paper, "none    -            -            24 h 0 min  3 timed-out  -     -\n");
    memset(view, 0, sizeof(*view));
    print(&paper, views, 0);
    assert_has(&paper, "\n-     -            -       -          no-responder  -");
}

TEST(several_responders)
{
    static const char *const urls[] = {"http://ocsp.example.org/", "http://second.example.org/\x1b", LONG_URL, NULL};
    apr_array_header_t *views = one_view();
    oc_view_t *view = &APR_ARRAY_IDX(views, 0, oc_view_t);
    paper_t paper;

    view->urls = urls;
    print(&paper, views, 0);
    assert_has(&paper, "  http://ocsp.example.org/ http://second.example.org/\\x1B " LONG_URL "  good");
    print(&paper, views, 80);
    assert_true(paper.widest <= 80);
    view->url = NULL; /* none of them can be queried */
    print(&paper, views, 0);
    assert_has(&paper, "  0A1B    -          good");
}

TEST(ten_thousand)
{
    static const unsigned WIDTHS[] = {0, 80, 120};
    apr_array_header_t *views = apr_array_make(cache_pool, 10000, sizeof(oc_view_t));
    paper_t paper;
    int i;

    for (i = 0; i < 10000; i++) {
        oc_view_t *view = add(views);

        view->host = apr_psprintf(cache_pool, "host-%d.example.org:443", i);
        if (i == 5000)
            view->url = LONG_URL LONG_URL LONG_URL;
        if (i == 6000)
            view->next_update = INT64_MAX;
    }
    for (i = 0; i < 3; i++) {
        print(&paper, views, WIDTHS[i]);
        assert_int_equal(paper.lines % 10001, 0);
        assert_true(WIDTHS[i] == 0 || paper.widest <= WIDTHS[i]);
    }
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
