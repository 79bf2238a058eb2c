/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Waiting for one task, for a bounded time, and what happens to it then.
 */
#include "stage_workers.h"
#include "support_test.h"

static atomic_int not_stopped, stopped = 1;

static apr_status_t await(int number, apr_interval_time_t patience, const atomic_int *stop)
{
    apr_status_t rv;

    oc_workers_lock(workers);
    rv = oc_workers_await(workers, &stage.jobs[number].task, patience, stop);
    oc_workers_unlock(workers);
    return rv;
}

TEST(wait_ends_with_the_task)
{
    start(2, 1, 2);
    submit(0, 9, 1);
    assert_int_equal(await(9, PATIENCE, &not_stopped), APR_SUCCESS);
    assert_int_equal(stage.jobs[9].times_done, 1);
    assert_int_equal(await(9, PATIENCE, &not_stopped), APR_SUCCESS); /* it ended before */
}

TEST(a_running_task_is_left_to_its_thread)
{
    close_gate(0, 1);
    start(1, 1, 1);
    submit(0, 0, 1);
    expect(&stage.running[0], 1);
    assert_int_equal(await(0, apr_time_from_msec(20), &not_stopped), APR_EBUSY);
    close_gate(0, 0);
    assert_int_equal(await(0, PATIENCE, &not_stopped), APR_SUCCESS);
    assert_int_equal(stage.jobs[0].times_done, 1);
}

TEST(a_task_that_was_not_begun_is_withdrawn)
{
    static const int taken[] = {3, 1, 2}; /* the last one, the first one, the only one */
    int i;

    close_gate(0, 1);
    start(1, 1, 1);
    submit(0, 0, 1);
    expect(&stage.running[0], 1);
    submit(1, 3, 1);
    for (i = 0; i < 3; i++) {
        assert_int_equal(await(taken[i], apr_time_from_msec(1), &not_stopped), APR_TIMEUP);
        assert_int_equal(stage.jobs[taken[i]].task.is_queued, 0);
    }
    submit(4, 5, 1); /* the queue is intact */
    close_gate(0, 0);
    expect(&stage.n_ended, 3);
    assert_int_equal(oc_workers_stop(workers, PATIENCE), 0);
    for (i = 1; i <= 3; i++)
        assert_int_equal(stage.jobs[i].times, 0);
    assert_int_equal(stage.jobs[4].times + stage.jobs[5].times, 2);
}

TEST(the_stop_flag_ends_the_wait)
{
    close_gate(0, 1);
    start(1, 1, 1);
    submit(0, 1, 1);
    expect(&stage.running[0], 1);
    settle();
    assert_int_equal(get(&stage.running_all), 1);
    assert_int_equal(await(0, APR_INT64_MAX / 4, &stopped), APR_EBUSY);
    assert_int_equal(await(1, APR_INT64_MAX / 4, &stopped), APR_TIMEUP);
}

/* The end of another task wakes the waiting thread, which checks again without extending its patience. */
TEST(ends_of_others_neither_end_nor_prolong_the_wait)
{
    int i;

    close_gate(0, 1);
    start(3, 2, 2);
    submit(0, 0, 2);
    expect(&stage.running[0], 1);
    for (i = 1; i < 200; i += 2)
        submit(i, i, 2);
    assert_int_equal(await(0, apr_time_from_msec(100), &not_stopped), APR_EBUSY);
}

typedef struct {
    pthread_t id;
    int number;
    apr_status_t rv;
} waiter_t;

static void *wait_in_thread(void *data)
{
    waiter_t *waiter = data;

    submit(waiter->number, waiter->number, 1);
    waiter->rv = await(waiter->number, PATIENCE, &not_stopped);
    return NULL;
}

TEST(many_waits_at_a_time)
{
    waiter_t waiters[16];
    int i;

    start(3, 1, 3);
    for (i = 0; i < 16; i++) {
        waiters[i].number = i;
        assert_int_equal(pthread_create(&waiters[i].id, NULL, wait_in_thread, &waiters[i]), 0);
    }
    for (i = 0; i < 16; i++) {
        pthread_join(waiters[i].id, NULL);
        assert_int_equal(waiters[i].rv, APR_SUCCESS);
        assert_int_equal(stage.jobs[i].times_done, 1);
    }
}

TEST_MAIN(NULL, NULL, set_up, tear_down)
