/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * From a name to a connection: dead, silent and refusing addresses within one deadline. A replacement of getaddrinfo(3)
 * gives some names particular addresses, and calls the real one for all others.
 */
#include "support_exchange.h"
#include "support_responder.h"
#include "support_test.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const responder_answer_t good[] = {
    {.head = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", .body = "\x30\x03\x0a\x01\x00", .body_len = 5}};

/* --- the replacement: "several.test" has these addresses --- */

static struct sockaddr_storage several[12];
static int several_count;

static void several_add(int family, int port)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&several[several_count];
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&several[several_count];

    memset(&several[several_count], 0, sizeof(several[0]));
    several[several_count].ss_family = (sa_family_t)family;
    if (family == AF_INET6) {
        in6->sin6_addr = in6addr_loopback;
        in6->sin6_port = htons((in_port_t)port);
    }
    else {
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in->sin_port = htons((in_port_t)port);
    }
    several_count++;
}

typedef int lookup_t(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static lookup_t *real_lookup(void)
{
    lookup_t *function;

    *(void **)&function = dlsym(RTLD_NEXT, "getaddrinfo");
    return function;
}

/* The real one makes the lists, so that freeaddrinfo(3) can free them; the addresses are ours. */
static int several_lookup(const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    int i;

    for (i = 0; i < several_count; i++) {
        int rc = real_lookup()(several[i].ss_family == AF_INET6 ? "::1" : "127.0.0.1", service, hints, list);

        if (rc != 0) {
            return rc;
        }
        memcpy((*list)->ai_addr, &several[i], (*list)->ai_addrlen);
        list = &(*list)->ai_next;
    }
    return 0;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    if (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) == 0) {
        if (strcmp(host, "several.test") == 0) {
            return several_lookup(service, hints, list);
        }
        if (strcmp(host, "broken.test") == 0) {
            errno = EMFILE;
            return EAI_SYSTEM;
        }
    }
    return real_lookup()(host, service, hints, list);
}

/* --- helpers --- */

static void assert_detail(const oc_fetch_result_t *result, const char *part)
{
    if (strstr(result->detail, part) == NULL) {
        print_error("not in detail: %s\nbut: %s\n", part, result->detail);
        fail();
    }
}

/* --- addresses --- */

TEST(test_refused)
{
    oc_fetch_result_t result;
    int fd;
    int port = responder_dead_port(AF_INET, &fd);
    char expected[80];

    assert_int_equal(exchange_query(exchange_url("127.0.0.1", port), 5000, NULL, &result), OC_CONNECT_FAILED);
    (void)snprintf(expected, sizeof(expected), "127.0.0.1:%d: Connection refused", port);
    assert_string_equal(result.detail, expected);
    assert_int_equal(result.http_status, 0);
    assert_true(result.elapsed < apr_time_from_sec(1)); /* not retried until the deadline */
    (void)close(fd);
}

TEST(ipv6)
{
    oc_fetch_result_t result;

    if (responder_start(&exchange_responder, AF_INET6, good, 1) != 0) {
        print_message("SKIPPED: this machine has no IPv6 loopback address\n");
        skip();
    }
    assert_int_equal(exchange_query(exchange_url("[::1]", exchange_responder.port), 5000, NULL, &result), OC_PENDING);
    responder_stop(&exchange_responder);
    assert_non_null(strstr(exchange_responder.request[0], "\r\nHost: [::1]:"));
}

TEST(ipv6_refused)
{
    oc_fetch_result_t result;
    int fd;
    int port = responder_dead_port(AF_INET6, &fd);

    if (port < 0) {
        print_message("SKIPPED: this machine has no IPv6 loopback address\n");
        skip();
    }
    assert_int_equal(exchange_query(exchange_url("[::1]", port), 5000, NULL, &result), OC_CONNECT_FAILED);
    assert_detail(&result, "[::1]:");
    assert_detail(&result, ": Connection refused");
    (void)close(fd);
}

TEST(first_address_refuses)
{
    oc_fetch_result_t result;
    int fd6, fd4;
    int port6 = responder_dead_port(AF_INET6, &fd6);
    int port4 = responder_dead_port(AF_INET, &fd4);

    assert_int_equal(responder_start(&exchange_responder, AF_INET, good, 1), 0);
    several_add(port6 < 0 ? AF_INET : AF_INET6, port6 < 0 ? port4 : port6);
    several_add(AF_INET, port4);
    several_add(AF_INET, exchange_responder.port);
    assert_int_equal(exchange_query(exchange_url("several.test", 80), 5000, NULL, &result), OC_PENDING);
    assert_true(result.elapsed < apr_time_from_sec(1));
    responder_stop(&exchange_responder);
    assert_non_null(strstr(exchange_responder.request[0], "\r\nHost: several.test\r\n"));
    (void)close(fd6);
    (void)close(fd4);
}

TEST(all_addresses_refuse)
{
    oc_fetch_result_t result;
    int fd;
    int port = responder_dead_port(AF_INET, &fd);
    int i;

    for (i = 0; i < 12; i++) {
        several_add(AF_INET, port);
    }
    assert_int_equal(exchange_query(exchange_url("several.test", 80), 5000, NULL, &result), OC_CONNECT_FAILED);
    assert_detail(&result, "Connection refused; 127.0.0.1:");
    assert_int_equal(strlen(result.detail), sizeof(result.detail) - 1); /* cut, not overrun */
    (void)close(fd);
}

/* A name with hundreds of addresses must not take hundreds of descriptors. */
TEST(ninth_address_is_not_tried)
{
    oc_fetch_result_t result;
    int fd;
    int port = responder_dead_port(AF_INET, &fd);
    int i;

    assert_int_equal(responder_start(&exchange_responder, AF_INET, good, 1), 0);
    for (i = 0; i < 8; i++) {
        several_add(AF_INET, port);
    }
    several_add(AF_INET, exchange_responder.port);
    assert_int_equal(exchange_query(exchange_url("several.test", 80), 5000, NULL, &result), OC_CONNECT_FAILED);
    several_count = 7;
    several_add(AF_INET, exchange_responder.port);
    assert_int_equal(exchange_query(exchange_url("several.test", 80), 5000, NULL, &result), OC_PENDING);
    responder_stop(&exchange_responder);
    assert_int_equal(exchange_responder.connections, 1);
    (void)close(fd);
}

TEST(first_address_is_silent)
{
    oc_fetch_result_t result;
    int fds[4];
    int port = exchange_full_port(fds);

    assert_int_equal(responder_start(&exchange_responder, AF_INET, good, 1), 0);
    several_add(AF_INET, port);
    several_add(AF_INET, exchange_responder.port);
    assert_int_equal(exchange_query(exchange_url("several.test", 80), 20000, NULL, &result), OC_PENDING);
    assert_true(result.elapsed >= apr_time_from_msec(950)); /* it had its second */
    assert_true(result.elapsed < apr_time_from_msec(2500));
    responder_stop(&exchange_responder);
    exchange_close(fds);
}

/* With less time, each address has a share of it, and the last one has time to answer. */
TEST(shares_of_little_time)
{
    oc_fetch_result_t result;
    int fds[4];
    int port = exchange_full_port(fds);

    assert_int_equal(responder_start(&exchange_responder, AF_INET, good, 1), 0);
    several_add(AF_INET, port);
    several_add(AF_INET, port);
    several_add(AF_INET, exchange_responder.port);
    assert_int_equal(exchange_query(exchange_url("several.test", 80), 900, NULL, &result), OC_PENDING);
    assert_true(result.elapsed >= apr_time_from_msec(550));
    responder_stop(&exchange_responder);
    exchange_close(fds);
}

TEST(all_addresses_are_silent)
{
    oc_fetch_result_t result;
    int fds[4];
    int port = exchange_full_port(fds);

    several_add(AF_INET, port);
    several_add(AF_INET, port);
    assert_int_equal(exchange_query(exchange_url("several.test", 80), 300, NULL, &result),
                     OC_TIMED_OUT); /* neither early nor late */
    assert_detail(&result, ": no connection in time; 127.0.0.1:");
    exchange_close(fds);
}

/* A silent address that is started last must not make the loop spin. */
TEST(waits_asleep)
{
    oc_fetch_result_t result;
    struct timespec before, after;
    int fds[4];
    int port = exchange_full_port(fds);
    int i;

    for (i = 0; i < 12; i++) {
        several_add(AF_INET, port);
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    assert_int_equal(exchange_query(exchange_url("several.test", 80), 500, NULL, &result), OC_TIMED_OUT);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    assert_true((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec < 150 * 1000 * 1000L);
    exchange_close(fds);
}

/* --- names --- */

TEST(no_such_name)
{
    oc_fetch_result_t result;

    assert_int_equal(exchange_query("http://no-such-host.invalid/", 5000, NULL, &result), OC_NAME_LOOKUP_FAILED);
    assert_memory_equal(result.detail, "no-such-host.invalid: ", 22);
    assert_true(strlen(result.detail) > 22);
}

TEST(lookup_breaks)
{
    oc_fetch_result_t result;

    assert_int_equal(exchange_query("http://broken.test/", 5000, NULL, &result), OC_NAME_LOOKUP_FAILED);
    assert_string_equal(result.detail, "broken.test: Too many open files");
}

TEST(test_localhost)
{
    oc_fetch_result_t result;

    assert_int_equal(responder_start(&exchange_responder, AF_INET, good, 1), 0);
    assert_int_equal(exchange_query(exchange_url("LOCALHOST", exchange_responder.port), 5000, NULL, &result),
                     OC_PENDING);
    responder_stop(&exchange_responder);
    assert_non_null(strstr(exchange_responder.request[0], "\r\nHost: localhost:"));
}

static int start(void **state)
{
    several_count = 0;
    return exchange_set_up(state);
}

TEST_MAIN(NULL, NULL, start, exchange_tear_down)
