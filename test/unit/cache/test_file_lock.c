/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One server per cache file (invariant 11). The lock belongs to one process: another is refused, fork does not pass it
 * on, and the end of the process releases it.
 */
#include "support_cache_file.h"
#include "support_test.h"

#include <apr_strings.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char lock_path[sizeof(CACHE_FOLDER) + 16];

static int set_stage(void **state)
{
    if (cache_folder_setup(state) != 0)
        return -1;
    strcat(strcpy(lock_path, cache_path), ".lock");
    alarm(60);
    return 0;
}

static int clear_stage(void **state)
{
    alarm(0);
    return cache_folder_teardown(state);
}

static apr_status_t lock(const char **problem)
{
    *problem = NULL;
    return oc_file_lock(cache_path, cache_pool, problem);
}

/* Try from another process. @return 0: it got the lock; 1: it was refused, and the message names `holder`; else an
 * error. */
static int try_from_elsewhere(pid_t holder)
{
    pid_t child = fork();
    int status;

    assert_int_not_equal(child, -1);
    if (child == 0) {
        const char *problem;
        apr_status_t rv = lock(&problem);

        if (rv == APR_SUCCESS)
            _exit(problem ? 3 : 0);
        if (rv != APR_EBUSY || !problem || !strstr(problem, cache_path))
            _exit(4);
        _exit(strstr(problem, apr_psprintf(cache_pool, "process %ld)", (long)holder)) ? 1 : 5);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A process that takes the lock, has a child that lives on, and reports it through a pipe. */
static pid_t start_holder(int *child_of_holder)
{
    int pipe_fds[2];
    pid_t holder, ids[1] = {0};

    assert_int_equal(pipe(pipe_fds), 0);
    holder = fork();
    assert_int_not_equal(holder, -1);
    if (holder == 0) {
        const char *problem;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (lock(&problem) != APR_SUCCESS)
            _exit(1);
        ids[0] = fork();
        if (ids[0] != 0 && write(pipe_fds[1], ids, sizeof(ids)) != (ssize_t)sizeof(ids))
            _exit(2);
        alarm(60); /* even if the test fails */
        for (;;)   /* the child too: it holds every descriptor of its parent */
            pause();
    }
    close(pipe_fds[1]);
    assert_int_equal(read(pipe_fds[0], ids, sizeof(ids)), (ssize_t)sizeof(ids));
    close(pipe_fds[0]);
    *child_of_holder = ids[0];
    return holder;
}

TEST(invariant_11_second_process_is_refused)
{
    const char *problem;
    struct stat st;

    assert_int_equal(lock(&problem), APR_SUCCESS);
    assert_int_equal(stat(lock_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(try_from_elsewhere(getpid()), 1);
    assert_int_equal(try_from_elsewhere(getpid()), 1); /* and the attempt did not release it */
}

TEST(invariant_11_lock_ends_with_its_pool)
{
    apr_pool_t *pool;
    const char *problem = NULL;

    apr_pool_create(&pool, cache_pool);
    assert_int_equal(oc_file_lock(cache_path, pool, &problem), APR_SUCCESS);
    assert_int_equal(try_from_elsewhere(getpid()), 1);
    apr_pool_destroy(pool);
    assert_int_equal(try_from_elsewhere(getpid()), 0);
}

/* Killed, with a child that drains its last connections: the next server starts nevertheless. */
TEST(invariant_11_lock_dies_with_its_process)
{
    const char *problem;
    int child, status;
    pid_t holder = start_holder(&child);

    assert_int_equal(lock(&problem), APR_EBUSY);
    assert_int_equal(try_from_elsewhere(holder), 1);
    assert_int_equal(kill(holder, SIGKILL), 0);
    assert_int_equal(waitpid(holder, &status, 0), holder);
    assert_int_equal(kill(child, 0), 0); /* the child lives */
    assert_int_equal(lock(&problem), APR_SUCCESS);
    assert_int_equal(try_from_elsewhere(getpid()), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
}

/* An observer creates nothing, and does not affect the holder. */
TEST(holder_is_visible_from_outside)
{
    struct stat st;
    int child, status;
    pid_t holder;

    assert_int_equal(oc_file_lock_holder(cache_path, cache_pool), 0);
    assert_int_equal(stat(lock_path, &st), -1);
    holder = start_holder(&child);
    assert_int_equal(oc_file_lock_holder(cache_path, cache_pool), holder);
    assert_int_equal(try_from_elsewhere(holder), 1);
    assert_int_equal(kill(holder, SIGKILL), 0);
    assert_int_equal(waitpid(holder, &status, 0), holder);
    assert_int_equal(oc_file_lock_holder(cache_path, cache_pool), 0);
    assert_int_equal(kill(child, SIGKILL), 0);
}

TEST(lock_file_is_no_symlink)
{
    const char *problem;
    struct stat st;

    assert_int_equal(symlink("/tmp/oc-test-nobody-wants-this", lock_path), 0);
    assert_int_equal(lock(&problem), ELOOP);
    assert_non_null(strstr(problem, lock_path));
    assert_int_equal(stat("/tmp/oc-test-nobody-wants-this", &st), -1);
}

TEST(lock_without_folder)
{
    const char *problem = NULL;

    assert_int_equal(oc_file_lock("/nowhere/at/all", cache_pool, &problem), APR_ENOENT);
    assert_non_null(strstr(problem, "/nowhere/at/all.lock"));
}

TEST_MAIN(cache_group_setup, cache_group_teardown, set_stage, clear_stage)
