/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Runs happen in order, one at a time; a program that hangs costs events, never time. Runs under ThreadSanitizer, too.
 */
#include "base/exec_queue.h"

#include "support_cache_file.h"
#include "support_test.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG apr_time_from_sec(60)
#define FLOOD 1000

static atomic_int n_well, n_slow, n_other;

static void count(void *context, oc_spawn_end_t how, int number)
{
    (void)context;
    atomic_fetch_add(how == OC_SPAWN_EXITED && number == 0 ? &n_well
                     : how == OC_SPAWN_TOO_SLOW            ? &n_slow
                                                           : &n_other,
                     1);
}

static int setup(void **state)
{
    atomic_store(&n_well, 0);
    atomic_store(&n_slow, 0);
    atomic_store(&n_other, 0);
    return cache_folder_setup(state);
}

static const char **script(const char *text)
{
    const char *argv[] = {"/bin/sh", "-c", text, "sh", cache_in_folder("other"), NULL};

    return apr_pmemdup(cache_pool, (const void *)argv, sizeof(argv));
}

static oc_exec_queue_t *start(const char *text, unsigned room, apr_interval_time_t patience)
{
    oc_exec_queue_t *notify = NULL;

    assert_int_equal(oc_exec_queue_start(&notify, script(text), room, patience, count, NULL), APR_SUCCESS);
    return notify;
}

static apr_status_t post(oc_exec_queue_t *notify, int number, int is_minor)
{
    char text[32];
    const char *environment[] = {"PATH=/usr/bin:/bin", text, NULL};

    snprintf(text, sizeof(text), "N=%d", number);
    return oc_exec_queue_post(notify, environment, is_minor);
}

/* Until @a n runs have ended well. */
static void wait_well(int n)
{
    while (atomic_load(&n_well) < n)
        usleep(1000);
    assert_int_equal(atomic_load(&n_well), n);
}

static void end(oc_exec_queue_t *notify)
{
    assert_int_equal(oc_exec_queue_stop(notify), 0);
    oc_exec_queue_destroy(notify);
}

TEST(in_order)
{
    oc_exec_queue_t *notify = start("echo $N >> \"$1\"", 8, LONG);
    int i;

    for (i = 0; i < 8; i++)
        assert_int_equal(post(notify, i, 0), APR_SUCCESS);
    wait_well(8);
    assert_string_equal(cache_read_text("other"), "0\n1\n2\n3\n4\n5\n6\n7\n");
    end(notify);
}

/* Room becomes free again, many times. */
TEST(more_events_than_room_over_time)
{
    oc_exec_queue_t *notify = start("exit 0", 2, LONG);
    int i;

    for (i = 0; i < 20; i++) {
        while (post(notify, i, 0) == APR_ENOSPC)
            usleep(1000);
    }
    wait_well(20);
    end(notify);
}

/* It hangs, and 1,000 events are posted: as many as there is room for are queued, and no post waits. */
TEST(flood_while_the_program_hangs)
{
    oc_exec_queue_t *notify = start("exec sleep 60", 16, LONG);
    int i, taken = 0;

    for (i = 0; i < FLOOD; i++) {
        apr_status_t rv = post(notify, i, 0);

        assert_true(rv == APR_SUCCESS || rv == APR_ENOSPC);
        taken += rv == APR_SUCCESS;
    }
    assert_int_equal(taken, 16); /* the current one included */
    end(notify);
    assert_int_equal(atomic_load(&n_well), 0);
}

TEST(minor_events_leave_room_for_serious_ones)
{
    oc_exec_queue_t *notify = start("exec sleep 60", 10, LONG);
    int i;

    for (i = 0; i < 5; i++)
        assert_int_equal(post(notify, i, 1), APR_SUCCESS);
    assert_int_equal(post(notify, i, 1), APR_ENOSPC);
    for (i = 5; i < 10; i++)
        assert_int_equal(post(notify, i, 0), APR_SUCCESS);
    assert_int_equal(post(notify, i, 0), APR_ENOSPC);
    end(notify);
}

/* The next event gets a new run. */
TEST(one_that_hangs_is_killed)
{
    oc_exec_queue_t *notify = start("test $N != 0 || exec sleep 60", 4, apr_time_from_msec(300));

    assert_int_equal(post(notify, 0, 0), APR_SUCCESS);
    assert_int_equal(post(notify, 1, 0), APR_SUCCESS);
    while (atomic_load(&n_slow) < 1)
        usleep(1000);
    wait_well(1);
    end(notify);
    assert_int_equal(atomic_load(&n_slow), 1);
}

static void *post_many(void *data)
{
    int i;

    for (i = 0; i < 50; i++)
        (void)post(data, i, i % 2);
    return NULL;
}

TEST(threads_post)
{
    oc_exec_queue_t *notify = start("exit 0", 8, LONG);
    pthread_t threads[4];
    int i;

    for (i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, notify), 0);
    for (i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    while (atomic_load(&n_well) < 1)
        usleep(1000);
    end(notify); /* with queued events: their memory is freed */
    assert_true(atomic_load(&n_well) <= 200);
}

/* A thread that was late posts after the end. */
TEST(late_post_is_harmless)
{
    oc_exec_queue_t *notify = start("exit 0", 2, LONG);

    assert_int_equal(oc_exec_queue_stop(notify), 0);
    assert_int_equal(post(notify, 0, 0), APR_SUCCESS);
    assert_int_equal(post(notify, 1, 0), APR_SUCCESS);
    assert_int_equal(post(notify, 2, 0), APR_ENOSPC);
    end(notify);
    assert_int_equal(atomic_load(&n_well), 0);
}

TEST(stop_without_events)
{
    end(start("exit 0", 1, LONG));
    assert_int_equal(atomic_load(&n_well) + atomic_load(&n_other), 0);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, setup, cache_folder_teardown)
