/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The share of each group, the turns, and that every task is processed once.
 */
#include "stage_workers.h"
#include "support_test.h"

TEST(each_task_is_done_once)
{
    int i;

    start(4, 3, 2);
    submit(0, 199, 3);
    expect(&stage.n_ended, 200);
    settle();
    assert_int_equal(get(&stage.n_begun), 200);
    assert_int_equal(oc_workers_stop(workers, PATIENCE), 0);
    for (i = 0; i < 200; i++) {
        assert_int_equal(stage.jobs[i].times, 1);
        assert_int_equal(stage.jobs[i].times_done, 1);
        assert_int_equal(stage.jobs[i].was_queued, 0);
    }
    assert_int_equal(stage.pools_cleaned, 200);
}

TEST(a_group_gets_no_more_than_its_share)
{
    close_gate(0, 1);
    close_gate(1, 1);
    start(6, 2, 2);
    submit(0, 19, 2);
    expect(&stage.running[0], 2);
    expect(&stage.running[1], 2);
    settle(); /* two threads are idle, and six tasks of each group are queued */
    assert_int_equal(get(&stage.running_all), 4);
    close_gate(0, 0);
    close_gate(1, 0);
    expect(&stage.n_ended, 20);
    assert_int_equal(stage.most[0], 2);
    assert_int_equal(stage.most[1], 2);
}

TEST(a_hanging_group_delays_no_other)
{
    close_gate(0, 1);
    start(3, 5, 2);
    submit(0, 99, 5);
    expect(&stage.n_ended, 80); /* all of the other four */
    expect(&stage.running[0], 2);
    assert_int_equal(get(&stage.running_all), 2);
    close_gate(0, 0);
    expect(&stage.n_ended, 100);
    assert_int_equal(stage.most[0], 2);
}

/* Control of the previous test: where the share is all threads, the same group delays every other. */
TEST(control_a_share_of_all_threads_isolates_no_group)
{
    int i;

    close_gate(0, 1);
    start(3, 5, 3);
    for (i = 0; i < 3; i++)
        submit(5 * i, 5 * i, 5);
    expect(&stage.running[0], 3);
    submit(20, 99, 5);
    settle();
    assert_int_equal(get(&stage.n_begun), 3);
    close_gate(0, 0);
    expect(&stage.n_ended, 83);
}

TEST(all_threads_are_used_and_no_more)
{
    close_gate(0, 1);
    start(5, 1, 64);
    submit(0, 19, 1);
    expect(&stage.running[0], 5);
    settle();
    assert_int_equal(get(&stage.running_all), 5);
    close_gate(0, 0);
    expect(&stage.n_ended, 20);
    assert_int_equal(stage.most_all, 5);
}

TEST(groups_take_turns_and_a_group_keeps_its_order)
{
    static const int expected[] = {0, 10, 20, 1, 11, 21, 2, 12, 3};
    static const int submitted[] = {0, 1, 2, 3, 10, 11, 12, 20, 21};
    unsigned i;

    start(1, 3, 1);
    oc_workers_lock(workers);
    for (i = 0; i < 9; i++) {
        stage.jobs[submitted[i]].task.group = (unsigned)submitted[i] / 10;
        oc_workers_submit(workers, &stage.jobs[submitted[i]].task);
    }
    oc_workers_unlock(workers);
    expect(&stage.n_ended, 9);
    for (i = 0; i < 9; i++)
        assert_int_equal(stage.order[i], expected[i]);
}

TEST(nothing_begins_under_the_lock)
{
    start(4, 1, 4);
    oc_workers_lock(workers);
    stage.jobs[0].task.group = 0;
    oc_workers_submit(workers, &stage.jobs[0].task);
    settle();
    assert_int_equal(get(&stage.n_begun), 0);
    assert_int_equal(stage.jobs[0].task.is_queued, 1);
    oc_workers_unlock(workers);
    expect(&stage.n_ended, 1);
}

TEST(a_task_is_queued_once_until_its_work_returns)
{
    int is_queued = 1;
    apr_time_t end = apr_time_now() + PATIENCE;

    close_gate(0, 1);
    start(4, 1, 4);
    submit(0, 0, 1);
    submit(0, 0, 1);
    expect(&stage.running[0], 1);
    submit(0, 0, 1); /* it is being processed: not a second time, neither now nor later */
    settle();
    assert_int_equal(get(&stage.n_begun), 1);
    close_gate(0, 0);
    while (is_queued && apr_time_now() < end) {
        oc_workers_lock(workers);
        is_queued = stage.jobs[0].task.is_queued;
        oc_workers_unlock(workers);
    }
    assert_int_equal(is_queued, 0);
    settle();
    assert_int_equal(get(&stage.n_begun), 1);
    submit(0, 0, 1);
    expect(&stage.n_ended, 2);
}

/* As in the refresher: one thread queues what is due, again and again, while the workers process it. */
TEST(many_rounds)
{
    apr_time_t end = apr_time_now() + PATIENCE;
    int i;

    start(8, 7, 2);
    while (get(&stage.n_ended) < 3 * TASKS_MAX && apr_time_now() < end) {
        oc_workers_lock(workers);
        for (i = 0; i < TASKS_MAX; i++) {
            job_t *job = &stage.jobs[i];

            if (job->task.is_queued || job->times_done == 3)
                continue;
            job->task.group = (unsigned)i % 7;
            oc_workers_submit(workers, &job->task);
        }
        oc_workers_unlock(workers);
    }
    assert_int_equal(oc_workers_stop(workers, PATIENCE), 0);
    for (i = 0; i < TASKS_MAX; i++)
        assert_int_equal(stage.jobs[i].times, 3);
    for (i = 0; i < 7; i++)
        assert_in_range(stage.most[i], 1, 2);
}

TEST_MAIN(NULL, NULL, set_up, tear_down)
