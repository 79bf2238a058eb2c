/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What of a URL is displayed: never a password, and never another host than the one that is queried.
 */
#include "fetch/url.h"
#include "support_test.h"

#include <apr_strings.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static apr_pool_t *pool;

/* A text, what is displayed of it, and the host that is queried (NULL: none, the URL is unusable). */
static const struct {
    const char *text;
    const char *displayed;
    const char *host;
} rows[] = {
    {"http://ocsp.test/x", "http://ocsp.test/x", "ocsp.test"},
    {"http://me:secret@ocsp.test/x", "http://ocsp.test/x", "ocsp.test"},
    {"http://me@ocsp.test:81", "http://ocsp.test:81", "ocsp.test"},
    {"http://@ocsp.test", "http://ocsp.test", "ocsp.test"},
    {"HTTP://me:se@cret@[2001:db8::1]:81/", "HTTP://[2001:db8::1]:81/", "2001:db8::1"},

    /* An '@' after the authority does not affect the host. */
    {"http://127.0.0.1:28881/x@trusted.example/", "http://127.0.0.1:28881/x@trusted.example/", "127.0.0.1"},
    {"http://127.0.0.1?x@trusted.example/", "http://127.0.0.1?x@trusted.example/", "127.0.0.1"},
    {"http://127.0.0.1#@trusted.example/", "http://127.0.0.1#@trusted.example/", "127.0.0.1"},
    {"http://127.0.0.1/http://me@trusted.example/", "http://127.0.0.1/http://me@trusted.example/", "127.0.0.1"},
    {"http://me:secret@127.0.0.1/x@trusted.example/", "http://127.0.0.1/x@trusted.example/", "127.0.0.1"},
    {"http://trusted.example\\@127.0.0.1/", "http://127.0.0.1/", "127.0.0.1"},
    {"http://127.0.0.1\\@trusted.example/", "http://trusted.example/", "trusted.example"},
    {"http://trusted.example%2f@127.0.0.1/", "http://127.0.0.1/", "127.0.0.1"},

    /* Not usable, and yet with a password. */
    {"https://me:secret@ocsp.test/", "https://ocsp.test/", NULL},
    {"ldap://me:secret@ocsp.test/", "ldap://ocsp.test/", NULL},
    {"http://me:sec/ret@ocsp.test:3128", "***@ocsp.test:3128", NULL},
    {"http://me:sec#ret@ocsp.test/", "***@ocsp.test/", NULL},
    {"http://me:sec?ret@ocsp.test/", "***@ocsp.test/", NULL},
    {"http:/me:secret@ocsp.test/", "***@ocsp.test/", NULL},
    {"me:secret@ocsp.test", "***@ocsp.test", NULL},
    {" http://me:secret@ocsp.test", "***@ocsp.test", NULL},
    {"//me:secret@ocsp.test", "***@ocsp.test", NULL},
    {"://me:secret@ocsp.test", "***@ocsp.test", NULL},
    {"127.0.0.1/x@trusted.example", "***@trusted.example", NULL},
    {"@", "***@", NULL},
    {"", "", NULL},
};

TEST(displayed)
{
    size_t i;

    assert_null(oc_url_public(NULL, pool));
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *displayed = oc_url_public(rows[i].text, pool);

        assert_string_equal(displayed, rows[i].displayed);
        assert_null(strstr(displayed, "ret@"));
    }
}

/* The host that is displayed is the one that is queried, whichever parser finds the end of the authority. */
TEST(displayed_host_is_queried)
{
    oc_url_t given, displayed;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *problem = oc_url_parse(&given, rows[i].text, OC_URL_PROXY, pool);

        assert_int_equal(!problem, rows[i].host != NULL);
        if (problem)
            continue;
        assert_string_equal(given.host, rows[i].host);
        assert_null(oc_url_parse(&displayed, oc_url_public(rows[i].text, pool), OC_URL_RESPONDER, pool));
        assert_string_equal(displayed.host, given.host);
        assert_int_equal(displayed.port, given.port);
        assert_string_equal(displayed.path, given.path);
    }
}

/* Texts out of the characters that divide a URL. */
TEST(displayed_host_of_any_text)
{
    static const char letters[] = "a/?#@:\\[].";
    uint32_t seed = 1, n;
    char text[7 + 9];

    for (n = 0; n < 200000; n++) {
        oc_url_t given, displayed;
        size_t len = strlen("http://"), end = len + n % 9;

        memcpy(text, "http://", len);
        for (; len < end; len++) {
            seed = seed * 1103515245 + 12345;
            text[len] = letters[(seed >> 16) % (sizeof(letters) - 1)];
        }
        text[len] = '\0';
        if (!oc_url_parse(&given, text, OC_URL_PROXY, pool)) {
            assert_null(oc_url_parse(&displayed, oc_url_public(text, pool), OC_URL_RESPONDER, pool));
            assert_string_equal(displayed.authority, given.authority);
        }
        apr_pool_clear(pool);
    }
}

static int start(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int finish(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

TEST_MAIN(NULL, NULL, start, finish)
