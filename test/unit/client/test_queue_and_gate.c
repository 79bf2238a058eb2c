/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The queue and the gate between processes: keys stay whole when several processes write them and when they are full,
 * and a process that is killed keeps no place.
 */
#include "client/gate.h"
#include "client/queue.h"

#include "support_test.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 4
#define EACH 200

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

static oc_client_key_t key_of(int byte)
{
    oc_client_key_t key;

    memset(key.bytes, byte, sizeof(key.bytes));
    return key;
}

TEST(keys_of_several_processes_stay_whole)
{
    oc_client_queue_t *queue = NULL;
    oc_client_key_t key;
    int i, n, count = 0;

    assert_int_equal(oc_client_queue_create(&queue, pool), APR_SUCCESS);
    assert_int_equal(oc_client_queue_take(queue, &key, 0), 0);
    for (i = 0; i < WRITERS; i++) {
        if (fork() == 0) {
            oc_client_key_t mine = key_of(i + 1);

            for (n = 0; n < EACH; n++)
                oc_client_queue_put(queue, &mine);
            _exit(0);
        }
    }
    for (; count < WRITERS * EACH && oc_client_queue_take(queue, &key, 5000); count++)
        for (n = 1; n < OC_CLIENT_KEY_LEN; n++)
            assert_int_equal(key.bytes[n], key.bytes[0]);
    assert_int_equal(count, WRITERS * EACH);
    while (wait(NULL) > 0)
        ;
}

/* Nothing waits, and what is in it stays whole. */
TEST(full_queue_takes_no_more)
{
    oc_client_queue_t *queue = NULL;
    oc_client_key_t key = key_of(9);
    int i, n = 0;

    assert_int_equal(oc_client_queue_create(&queue, pool), APR_SUCCESS);
    for (i = 0; i < 100000; i++)
        oc_client_queue_put(queue, &key);
    while (oc_client_queue_take(queue, &key, 0)) {
        assert_int_equal(key.bytes[31], 9);
        n++;
    }
    assert_true(n > 100 && n < 100000);
}

TEST(gate_has_places_for_each_process_and_for_all)
{
    oc_client_gate_t *gate = NULL;
    int one, two;

    assert_int_equal(oc_client_gate_create(&gate, 3, 2, pool), APR_SUCCESS);
    one = oc_client_gate_enter(gate, 100, 200);
    two = oc_client_gate_enter(gate, 100, 200);
    assert_true(one >= 0 && two >= 0 && one != two);
    assert_int_equal(oc_client_gate_enter(gate, 100, 200), -1); /* this process has its share */
    oc_client_gate_leave(gate, one);
    assert_int_equal(oc_client_gate_enter(gate, 100, 200), one);
}

TEST(killed_process_keeps_no_place)
{
    oc_client_gate_t *gate = NULL;
    int status;

    assert_int_equal(oc_client_gate_create(&gate, 1, 1, pool), APR_SUCCESS);
    if (fork() == 0) {
        (void)oc_client_gate_enter(gate, 100, 200);
        kill(getpid(), SIGKILL);
    }
    wait(&status);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(oc_client_gate_enter(gate, 150, 250), -1);
    assert_int_equal(oc_client_gate_enter(gate, 200, 300), 0);
}

/* ---- threads ---- */

typedef struct {
    oc_client_gate_t *gate;
    _Atomic int inside, most;
} crowd_t;

static void *visit(void *data)
{
    crowd_t *crowd = data;
    int i;

    for (i = 0; i < 20000; i++) {
        int place = oc_client_gate_enter(crowd->gate, 1, 2), now;

        if (place < 0)
            continue;
        now = ++crowd->inside;
        if (now > crowd->most)
            crowd->most = now;
        crowd->inside--;
        oc_client_gate_leave(crowd->gate, place);
    }
    return NULL;
}

TEST(threads_share_the_places)
{
    crowd_t crowd = {0};
    pthread_t thread[4];
    int i;

    assert_int_equal(oc_client_gate_create(&crowd.gate, 2, 3, pool), APR_SUCCESS);
    for (i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, visit, &crowd), 0);
    for (i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    assert_true(crowd.most >= 1 && crowd.most <= 2);
    assert_true(oc_client_gate_enter(crowd.gate, 1, 2) >= 0);
}

TEST_MAIN(NULL, NULL, setup, teardown)
