/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The stock of idle connections: which one is taken, which ones are closed, and that none is ever lost. The connections
 * are socket pairs, the time is an argument.
 */
#include "fetch/keepalive.h"
#include "support_exchange.h"
#include "support_test.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOW apr_time_from_sec(1000000)
#define ROOM 4

static apr_pool_t *pool;
static oc_keepalive_t *keepalive;
static int descriptors;
static int peers[32]; /* the other ends */
static int n_peers;

/* A connection, whose other end is peers[] at the index returned. */
static int make_connection(oc_connect_result_t *connection)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    memset(connection, 0, sizeof(*connection));
    connection->fd = pair[0];
    (void)snprintf(connection->where, sizeof(connection->where), "192.0.2.%d:80", n_peers);
    peers[n_peers] = pair[1];
    return n_peers++;
}

static int put(const char *host, apr_port_t port, apr_time_t now)
{
    oc_connect_result_t connection;
    int peer = make_connection(&connection);

    oc_keepalive_put(keepalive, host, port, now, &connection);
    return peer;
}

/* Is the other end of peers[@a peer] closed? */
static int is_gone(int peer)
{
    char byte;

    return recv(peers[peer], &byte, 1, MSG_DONTWAIT) == 0;
}

/* The connection to peers[@a peer] is taken; -1: there is none to take. */
static void assert_taken(const char *host, apr_port_t port, apr_time_t now, int peer)
{
    oc_connect_result_t connection;
    char where[32];
    char byte = 0;

    memset(&connection, 0xa5, sizeof(connection));
    assert_int_equal(oc_keepalive_take(keepalive, host, port, now, &connection), peer >= 0);
    if (peer < 0) {
        assert_int_equal(connection.fd, -1);
        assert_string_equal(connection.where, "");
        return;
    }
    (void)snprintf(where, sizeof(where), "192.0.2.%d:80", peer);
    assert_string_equal(connection.where, where);
    assert_string_equal(connection.detail, "");
    assert_int_equal(send(connection.fd, "x", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(peers[peer], &byte, 1, 0), 1);
    (void)close(connection.fd);
}

TEST(responders_are_distinguished)
{
    int a, b, c;

    assert_taken("a.test", 80, NOW, -1);
    a = put("a.test", 80, NOW);
    b = put("b.test", 80, NOW);
    c = put("a.test", 8080, NOW);
    assert_taken("a.tes", 80, NOW, -1);
    assert_taken("a.test.", 80, NOW, -1);
    assert_taken("b.test", 8080, NOW, -1);
    assert_taken("a.test", 80, NOW, a);
    assert_taken("a.test", 80, NOW, -1);
    assert_taken("a.test", 8080, NOW, c);
    assert_taken("b.test", 80, NOW, b);
}

TEST(latest_comes_first)
{
    int first, second, third;

    first = put("a.test", 80, NOW);
    second = put("a.test", 80, NOW + 1);
    third = put("a.test", 80, NOW + 2);
    assert_taken("a.test", 80, NOW + 3, third);
    assert_taken("a.test", 80, NOW + 3, second);
    assert_taken("a.test", 80, NOW + 3, first);
}

TEST(closed_and_unrequested_data)
{
    int silent, closed, talked;

    silent = put("a.test", 80, NOW);
    closed = put("a.test", 80, NOW);
    talked = put("a.test", 80, NOW);
    (void)close(peers[closed]);
    peers[closed] = -1;
    assert_int_equal(send(peers[talked], "HTTP", 4, MSG_NOSIGNAL), 4);
    assert_taken("a.test", 80, NOW, silent);
    assert_int_equal(send(peers[talked], "x", 1, MSG_NOSIGNAL), -1); /* closed */
    assert_taken("a.test", 80, NOW, -1);
}

TEST(old_ones_are_closed)
{
    int old, young, last;

    old = put("a.test", 80, NOW);
    young = put("a.test", 80, NOW + 1);
    oc_keepalive_expire(keepalive, NOW + OC_KEEPALIVE_AGE);
    assert_false(is_gone(old));
    oc_keepalive_expire(keepalive, NOW + OC_KEEPALIVE_AGE + 1);
    assert_true(is_gone(old));
    assert_false(is_gone(young));
    assert_taken("a.test", 80, NOW + OC_KEEPALIVE_AGE + 1, young);
    last = put("b.test", 80, NOW);
    assert_taken("a.test", 80, NOW + OC_KEEPALIVE_AGE + 1, -1); /* of any responder */
    assert_true(is_gone(last));
    last = put("b.test", 80, NOW);
    (void)put("b.test", 80, NOW + 2 * OC_KEEPALIVE_AGE);
    assert_true(is_gone(last));
}

TEST(the_oldest_makes_room)
{
    int made[ROOM + 2];
    int i;

    for (i = 0; i < ROOM + 2; i++) {
        made[i] = put(i % 2 == 0 ? "a.test" : "b.test", 80, NOW + i);
    }
    for (i = 0; i < ROOM + 2; i++) {
        assert_int_equal(is_gone(made[i]), i < 2);
    }
    assert_taken("a.test", 80, NOW + i, made[4]);
    assert_taken("a.test", 80, NOW + i, made[2]);
    assert_taken("a.test", 80, NOW + i, -1);
}

TEST(closed_stock_keeps_nothing)
{
    int before, after;

    before = put("a.test", 80, NOW);
    oc_keepalive_close(keepalive);
    assert_true(is_gone(before));
    after = put("a.test", 80, NOW);
    assert_true(is_gone(after));
    assert_taken("a.test", 80, NOW, -1);
    oc_keepalive_close(keepalive);
}

TEST(no_room_at_all)
{
    keepalive = oc_keepalive_create(0, pool);
    assert_true(is_gone(put("a.test", 80, NOW)));
    assert_taken("a.test", 80, NOW, -1);
}

TEST(too_long_a_name)
{
    char longest[256];
    char longer[257];
    int kept;

    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    memset(longer, 'a', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_true(is_gone(put(longer, 80, NOW)));
    assert_taken(longer, 80, NOW, -1);
    kept = put(longest, 80, NOW);
    assert_taken(longer, 80, NOW, -1);
    assert_taken(longest, 80, NOW, kept);
}

#define THREADS 4 /* two for each of two peers: never more than ROOM connections */
#define TURNS 3000

static atomic_int is_held[256]; /* by descriptor */
static int ends[256];           /* the reading ends of pipes that represent connections; nothing writes to them */
static atomic_int n_ends;

static int open_silent(void)
{
    int pair[2];

    if (pipe(pair) != 0 || pair[0] >= 256) {
        return -1;
    }
    ends[atomic_fetch_add(&n_ends, 1) % 256] = pair[1];
    return pair[0];
}

/* NULL: no fault. */
static void *take_and_put(void *data)
{
    const char *host = data;
    oc_connect_result_t connection;
    int turn;

    for (turn = 0; turn < TURNS; turn++) {
        if (!oc_keepalive_take(keepalive, host, 80, NOW + turn, &connection)) {
            connection.fd = open_silent();
        }
        if (connection.fd < 0 || atomic_exchange(&is_held[connection.fd], 1) != 0) {
            return data;
        }
        atomic_store(&is_held[connection.fd], 0);
        oc_keepalive_put(keepalive, host, 80, NOW + turn, &connection);
        if (turn % 100 == 0) {
            oc_keepalive_expire(keepalive, NOW + turn);
        }
    }
    return NULL;
}

TEST(threads_share_it)
{
    static char hosts[2][8] = {"a.test", "b.test"};
    pthread_t threads[THREADS];
    void *went_wrong;
    int i;

    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_put, hosts[i % 2]), 0);
    }
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &went_wrong), 0);
        assert_null(went_wrong);
    }
    assert_in_range(atomic_load(&n_ends), 2, THREADS); /* what is not lost need not be made again */
    for (i = 0; i < atomic_load(&n_ends); i++) {
        (void)close(ends[i]);
    }
}

static int start(void **state)
{
    (void)state;
    descriptors = exchange_descriptors();
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    keepalive = oc_keepalive_create(ROOM, pool);
    return 0;
}

/* Nothing may stay open but what the test itself holds. */
static int finish(void **state)
{
    (void)state;
    oc_keepalive_close(keepalive);
    while (n_peers > 0) {
        if (peers[--n_peers] >= 0) {
            (void)close(peers[n_peers]);
        }
    }
    apr_pool_destroy(pool);
    if (exchange_descriptors() != descriptors) {
        print_error("%d descriptors before, %d afterwards\n", descriptors, exchange_descriptors());
        return 1;
    }
    return 0;
}

TEST_MAIN(NULL, NULL, start, finish)
