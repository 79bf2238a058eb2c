/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The end of the workers: patience, late threads, and that nothing is left behind.
 */
#include "stage_workers.h"
#include "support_test.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/wait.h>
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

static int clean_up_pipe[2] = {-1, -1};

static void clean_up(void)
{
    (void)!write(clean_up_pipe[1], "c", 1);
}

/* As OpenSSL registers its own: before the first thread begins. */
static int register_clean_up(void **state)
{
    (void)state;
    return atexit(clean_up);
}

/* A process that exits with status 7. @return whether it ran its clean-up */
static int has_cleaned_up(int with_late_thread)
{
    int status = 0;
    char byte;
    pid_t child;

    assert_int_equal(pipe(clean_up_pipe), 0);
    child = fork();
    if (child == 0) {
        if (__lsan_disable)
            __lsan_disable();
        stage.jobs[0].is_deaf = with_late_thread;
        close_gate(0, 1);
        start(1, 1, 1);
        submit(0, 0, 1);
        expect(&stage.running[0], 1);
        exit(oc_workers_stop(workers, with_late_thread ? 0 : PATIENCE) == (unsigned)with_late_thread ? 7 : 1);
    }
    close(clean_up_pipe[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    status = read(clean_up_pipe[0], &byte, 1) == 1;
    close(clean_up_pipe[0]);
    clean_up_pipe[1] = -1;
    return status;
}

TEST(a_process_cleans_up_only_without_late_threads)
{
    assert_int_equal(has_cleaned_up(0), 1);
#ifndef __SANITIZE_THREAD__ /* it reports the thread, and changes the status */
    assert_int_equal(has_cleaned_up(1), 0);
#endif
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

TEST_MAIN(register_clean_up, NULL, set_up, tear_down)
