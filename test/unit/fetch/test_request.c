/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What a responder or a proxy receives, and which URLs are rejected before anything is sent.
 */
#include "fetch/request.h"
#include "support_exchange.h"
#include "support_responder.h"
#include "support_test.h"
#include "version.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GOOD                                                                                                  \
    {                                                                                                         \
        .head = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", .body = "\x30\x03\x0a\x01\x00", .body_len = 5 \
    }

static const responder_answer_t good[] = {GOOD, GOOD};

/* Query @a path; what the responder received is in exchange_responder.request[0]. */
static void ask(const char *path, size_t der_len, const char *proxy_user)
{
    oc_fetch_result_t result;
    exchange_t exchange = {.der_len = der_len, .timeout_ms = 5000};

    assert_int_equal(responder_start(&exchange_responder, AF_INET, good, 2), 0);
    if (proxy_user != NULL) {
        exchange.url = path;
        exchange.proxy = apr_psprintf(exchange_pool, "http://%s127.0.0.1:%d", proxy_user, exchange_responder.port);
    }
    else {
        exchange.url = apr_psprintf(exchange_pool, "http://127.0.0.1:%d%s", exchange_responder.port, path);
    }
    assert_int_equal(exchange_run(&exchange, &result, exchange_pool), OC_PENDING);
    responder_stop(&exchange_responder);
    assert_int_equal(exchange_responder.connections, 1);
    assert_int_equal(result.der_len, 5);
}

static void assert_contains(const char *text)
{
    if (strstr(exchange_responder.request[0], text) == NULL) {
        print_error("missing: %s\nin: %s\n", text, exchange_responder.request[0]);
        fail();
    }
}

static void assert_headers(const char *host)
{
    assert_contains(apr_pstrcat(exchange_pool, "\r\nHost: ", host, "\r\n", NULL));
    assert_contains("\r\nAccept: application/ocsp-response\r\n");
    assert_contains("\r\nUser-Agent: mod_ocsp_cache/" OC_VERSION "\r\n");
    assert_contains("\r\nConnection: close\r\n");
}

/* The path between @a before and the HTTP version, decoded, is the request. */
static void assert_get(const char *before, size_t der_len)
{
    const char *request = exchange_responder.request[0];
    const char *end = strstr(request, " HTTP/1.0\r\n");
    unsigned char der[EXCHANGE_LONG + 3];
    char *segment;
    const char *base64;

    assert_memory_equal(request, before, strlen(before));
    assert_non_null(end);
    segment = apr_pstrmemdup(exchange_pool, request + strlen(before), (apr_size_t)(end - request) - strlen(before));
    assert_null(strpbrk(segment, "+/="));
    assert_non_null(strstr(segment, "%2B"));
    assert_non_null(strstr(segment, "%2F"));
    base64 = apr_punescape_url(exchange_pool, segment, NULL, NULL, 0);
    assert_int_equal(strlen(base64), (der_len + 2) / 3 * 4);
    assert_true(EVP_DecodeBlock(der, (const unsigned char *)base64, (int)strlen(base64)) >= (int)der_len);
    assert_memory_equal(der, exchange_request(), der_len);
}

TEST(get)
{
    ask("/ocsp", EXCHANGE_SHORT, NULL);
    assert_get("GET /ocsp/", EXCHANGE_SHORT);
    assert_non_null(strstr(exchange_responder.request[0], "%3D"));
    assert_headers(apr_psprintf(exchange_pool, "127.0.0.1:%d", exchange_responder.port));
    assert_null(strstr(exchange_responder.request[0], "Proxy-Authorization"));
    assert_null(strstr(exchange_responder.request[0], "Content-"));
    ask("", EXCHANGE_SHORT - 1, NULL);
    assert_get("GET /", EXCHANGE_SHORT - 1);
    ask("/a/b/", EXCHANGE_SHORT, NULL);
    assert_get("GET /a/b/", EXCHANGE_SHORT);
    ask("/a#fragment", EXCHANGE_SHORT, NULL);
    assert_get("GET /a/", EXCHANGE_SHORT);
}

static void assert_posted(size_t der_len)
{
    const char *body = strstr(exchange_responder.request[0], "\r\n\r\n");

    assert_contains("\r\nContent-Type: application/ocsp-request\r\n");
    assert_contains(apr_psprintf(exchange_pool, "\r\nContent-Length: %d\r\n", (int)der_len));
    assert_int_equal(exchange_responder.request_len[0], (size_t)(body + 4 - exchange_responder.request[0]) + der_len);
    assert_memory_equal(body + 4, exchange_request(), der_len);
}

TEST(post)
{
    ask("/ocsp", EXCHANGE_LONG, NULL);
    assert_memory_equal(exchange_responder.request[0], "POST /ocsp HTTP/1.0\r\n", 21);
    assert_headers(apr_psprintf(exchange_pool, "127.0.0.1:%d", exchange_responder.port));
    assert_posted(EXCHANGE_LONG);
}

TEST(query_goes_by_post)
{
    ask("/ocsp?ca=1&x=%20", EXCHANGE_SHORT, NULL);
    assert_memory_equal(exchange_responder.request[0], "POST /ocsp?ca=1&x=%20 HTTP/1.0\r\n", 32);
    assert_posted(EXCHANGE_SHORT);
    ask("?q", EXCHANGE_SHORT, NULL);
    assert_memory_equal(exchange_responder.request[0], "POST /?q HTTP/1.0\r\n", 19);
}

/* RFC 5019 section 5: up to and including 255 bytes. */
TEST(longest_get)
{
    oc_url_t url;
    oc_request_t request = {
        .responder = &url, .der = exchange_request(), .der_len = EXCHANGE_SHORT, .pool = exchange_pool};
    int gets = 0;
    size_t i;

    for (i = 1; i < 300; i++) {
        char *text = apr_psprintf(exchange_pool, "http://h.test:8080/%0*d", (int)i, 0);
        const char *path;

        assert_null(oc_url_parse(&url, text, OC_URL_RESPONDER, exchange_pool));
        path = oc_request_get_path(&request);
        if (path != NULL) {
            assert_true(strlen("http://h.test:8080") + strlen(path) <= 255);
            assert_int_equal(gets, (int)i - 1); /* no gap before it */
            gets++;
        }
    }
    assert_in_range(gets, 1, 254);
    /* The first one rejected would have had 256. */
    assert_null(oc_url_parse(&url, apr_psprintf(exchange_pool, "http://h.test:8080/%0*d", gets, 0), OC_URL_RESPONDER,
                             exchange_pool));
    assert_int_equal(strlen("http://h.test:8080") + strlen(oc_request_get_path(&request)), 255);
    request.der_len = EXCHANGE_LONG;
    assert_null(oc_request_get_path(&request));
}

TEST(test_proxy)
{
    ask("http://ocsp.nowhere.invalid/x", EXCHANGE_SHORT, "");
    assert_get("GET http://ocsp.nowhere.invalid/x/", EXCHANGE_SHORT);
    assert_headers("ocsp.nowhere.invalid");
    assert_null(strstr(exchange_responder.request[0], "Proxy-Authorization"));
    ask("http://ocsp.nowhere.invalid:8888/x?y", EXCHANGE_LONG, "");
    assert_memory_equal(exchange_responder.request[0], "POST http://ocsp.nowhere.invalid:8888/x?y HTTP/1.0\r\n", 52);
    assert_headers("ocsp.nowhere.invalid:8888");
    assert_posted(EXCHANGE_LONG);
    ask("http://[2001:DB8::1]/x", EXCHANGE_LONG, "us%40er:pa%20ss@");
    assert_memory_equal(exchange_responder.request[0], "POST http://[2001:db8::1]/x HTTP/1.0\r\n", 38);
    assert_headers("[2001:db8::1]");
    assert_contains("\r\nProxy-Authorization: Basic dXNAZXI6cGEgc3M=\r\n"); /* us@er:pa ss */
}

TEST(proxy_failures)
{
    static const responder_answer_t wants_password[] = {{.head = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"}};
    oc_fetch_result_t result;
    exchange_t exchange = {.url = "http://ocsp.nowhere.invalid/", .der_len = EXCHANGE_LONG, .timeout_ms = 5000};
    int fd;
    int port;

    assert_int_equal(responder_start(&exchange_responder, AF_INET, wants_password, 1), 0);
    exchange.proxy = apr_psprintf(exchange_pool, "http://user:secret@127.0.0.1:%d/", exchange_responder.port);
    assert_int_equal(exchange_run(&exchange, &result, exchange_pool), OC_HTTP_STATUS);
    responder_stop(&exchange_responder);
    assert_int_equal(result.http_status, 407);
    assert_string_equal(result.detail,
                        apr_psprintf(exchange_pool, "proxy 127.0.0.1:%d: HTTP status 407 Proxy Authentication Required",
                                     exchange_responder.port));

    port = responder_dead_port(AF_INET, &fd);
    exchange.proxy = apr_psprintf(exchange_pool, "http://127.0.0.1:%d", port);
    assert_int_equal(exchange_run(&exchange, &result, exchange_pool), OC_CONNECT_FAILED);
    assert_string_equal(result.detail, apr_psprintf(exchange_pool, "proxy 127.0.0.1:%d: Connection refused", port));
    (void)close(fd);

    exchange.proxy = "https://127.0.0.1:1";
    assert_int_equal(exchange_run(&exchange, &result, exchange_pool), OC_URL_UNUSABLE);
    assert_non_null(strstr(result.detail, "proxy's URL: https is not supported"));
    exchange.proxy = "http://u%zz@127.0.0.1";
    assert_int_equal(exchange_run(&exchange, &result, exchange_pool), OC_URL_UNUSABLE);
}

TEST(unusable_urls)
{
    static const char *const urls[][2] = {
        {"https://ocsp.test/", "https is not supported"},
        {"HTTPS://ocsp.test/", "https is not supported"},
        {"ldap://ocsp.test/", "scheme is not http"},
        {"ocsp.test/x", "does not begin with http://"},
        {"/x", "does not begin with http://"},
        {"", "empty"},
        {"http://", ""},
        {"http:///x", "names no host"},
        {"http://:80/x", "names no host"},
        {"http:ocsp.test", ""},
        {"http://user@ocsp.test/", "user name or password"},
        {"http://user:pass@ocsp.test/", "user name or password"},
        {"http://@ocsp.test/", "user name or password"},
        {"http://ocsp.test:0/", "port"},
        {"http://ocsp.test:65536/", "port"},
        {"http://ocsp.test:99999999999999999999/", "port"},
        {"http://ocsp.test:8x/", ""},
        {"http://ocsp.test:-1/", ""},
        {"http://ocsp.test/a b", "space"},
        {"http://ocsp.test/a\r\nHost: evil", "control character"},
        {"http://ocsp.test/\xc3\xa4", "beyond ASCII"},
        {"http://oc%73p.test/", "neither a name nor an address"},
        {"http://a,b/", "neither a name nor an address"},
        {"http://[::1/", ""},
        {"http://[::g]/", "neither a name nor an address"},
        {"http://[fe80::1%25eth0]/", "neither a name nor an address"},
        {"http://[name]/", "neither a name nor an address"},
        {"http://::1/", ""},
    };
    oc_fetch_result_t result;
    exchange_t exchange = {.der_len = EXCHANGE_SHORT, .timeout_ms = 1000};
    char *longest;
    size_t i;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        const char *problem = oc_fetch_url_problem(urls[i][0], exchange_pool);

        if (problem == NULL || strstr(problem, urls[i][1]) == NULL) {
            print_error("%s: %s\n", urls[i][0], problem != NULL ? problem : "no problem");
            fail();
        }
        assert_null(oc_fetch_responder(urls[i][0], exchange_pool));
        exchange.url = urls[i][0];
        assert_int_equal(exchange_run(&exchange, &result, exchange_pool), OC_URL_UNUSABLE);
        assert_string_equal(result.detail, problem);
    }
    assert_non_null(oc_fetch_url_problem(NULL, exchange_pool));
    longest = apr_psprintf(exchange_pool, "http://h/%0*d", OC_URL_MAX - 9, 0);
    assert_null(oc_fetch_url_problem(longest, exchange_pool));
    assert_non_null(oc_fetch_url_problem(apr_pstrcat(exchange_pool, longest, "0", NULL), exchange_pool));
}

TEST(responder_names)
{
    static const char *const names[][2] = {
        {"http://OCSP.Test/x", "ocsp.test:80"},
        {"HTTP://ocsp.test:80", "ocsp.test:80"},
        {"http://ocsp.test:/x", "ocsp.test:80"},
        {"http://ocsp.test:8080?x", "ocsp.test:8080"},
        {"http://127.0.0.1:65535", "127.0.0.1:65535"},
        {"http://[2001:DB8::1]:81/", "[2001:db8::1]:81"},
        {"http://[::1]", "[::1]:80"},
        {"http://a_b-c.test#f", "a_b-c.test:80"},
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_null(oc_fetch_url_problem(names[i][0], exchange_pool));
        assert_string_equal(oc_fetch_responder(names[i][0], exchange_pool), names[i][1]);
    }
}

int main(void)
{
    /* A client that used these would not reach the responder above. */
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("HTTP_PROXY", "http://127.0.0.1:1", 1);
    return test_run(NULL, NULL, exchange_set_up, exchange_tear_down);
}
