/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The end of the workers: patience, late threads, and that nothing is left behind.
 */
#include "stage_workers.h"
#include "support_test.h"

#include <dirent.h>
#include <unistd.h>

static int n_threads_here(void)
{
    DIR *folder = opendir("/proc/self/task");
    int n = 0;

    assert_non_null(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n - 2;
}

static int n_descriptors(void)
{
    int fd, n = 0;

    for (fd = 0; fd < 256; fd++)
        n += dup2(fd, fd) == fd;
    return n;
}

static apr_time_t time_to_stop(apr_interval_time_t patience, unsigned expected_left)
{
    struct timespec before, after;

    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(oc_workers_stop(workers, patience), expected_left);
    clock_gettime(CLOCK_MONOTONIC, &after);
    return apr_time_from_sec(after.tv_sec - before.tv_sec) + (after.tv_nsec - before.tv_nsec) / 1000;
}

TEST(idle_threads_end_at_once)
{
    start(8, 2, 4);
    assert_true(time_to_stop(PATIENCE, 0) < PATIENCE / 2);
    assert_true(time_to_stop(PATIENCE, 0) < PATIENCE / 2);
}

TEST(running_tasks_are_waited_for_and_queued_ones_never_begin)
{
    close_gate(0, 1);
    start(4, 1, 4);
    submit(0, 49, 1);
    expect(&stage.running[0], 4);
    assert_true(time_to_stop(PATIENCE, 0) < PATIENCE / 2);
    assert_int_equal(stage.n_begun, 4);
    assert_int_equal(stage.n_stopped, 4);
    close_gate(0, 0);
    settle();
    assert_int_equal(get(&stage.n_begun), 4);
    assert_int_equal(stage.jobs[49].times, 0);
}

TEST(patience_ends)
{
    apr_time_t took;
    int i;

    for (i = 0; i < 2; i++)
        stage.jobs[i].is_deaf = 1;
    close_gate(0, 1);
    start(5, 1, 5);
    submit(0, 4, 1);
    expect(&stage.running[0], 5);
    took = time_to_stop(apr_time_from_msec(200), 2);
    assert_true(took >= apr_time_from_msec(200));
    assert_true(took < PATIENCE / 2);
    close_gate(0, 0);
    assert_int_equal(oc_workers_stop(workers, PATIENCE), 0);
}

TEST(no_patience_at_all)
{
    stage.jobs[0].is_deaf = 1;
    close_gate(0, 1);
    start(1, 1, 1);
    submit(0, 0, 1);
    expect(&stage.running[0], 1);
    assert_true(time_to_stop(0, 1) < PATIENCE / 2);
}

TEST(a_thread_that_is_late_keeps_its_memory_when_apr_ends)
{
    stage.jobs[0].is_deaf = 1;
    close_gate(0, 1);
    start(1, 1, 1);
    submit(0, 0, 1);
    expect(&stage.running[0], 1);
    assert_int_equal(oc_workers_stop(workers, 0), 1);
    apr_terminate(); /* as in a child that exits while a thread is in a name lookup */
    assert_int_equal(get(&stage.pools_cleaned), 0);
    assert_int_equal(apr_initialize(), APR_SUCCESS);
    close_gate(0, 0);
    assert_int_equal(oc_workers_stop(workers, PATIENCE), 0);
    assert_int_equal(get(&stage.pools_cleaned), 1);
}

TEST(nothing_is_left)
{
    int round, threads = n_threads_here(), descriptors = n_descriptors();
    apr_time_t end = apr_time_now() + PATIENCE;

    for (round = 0; round < 10; round++) {
        start(8, 2, 8);
        submit(0, 49, 2);
        expect(&stage.n_ended, 50 * (round + 1));
        assert_int_equal(oc_workers_stop(workers, PATIENCE), 0);
    }
    while (n_threads_here() > threads && apr_time_now() < end) /* the last steps of a thread that no longer counts */
        settle();
    assert_int_equal(n_threads_here(), threads);
    assert_int_equal(n_descriptors(), descriptors);
    assert_int_equal(stage.pools_cleaned, 500);
}

TEST_MAIN(NULL, NULL, set_up, tear_down)
