/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The lead: one holder among many processes, and another one soon after each kind of end.
 */
#include "base/lead.h"
#include "support_system.h"
#include "support_test.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 20
#define PATIENCE_MS 10000
#define QUIET_MS 100 /* so long nothing is to be heard of a second holder */

/* How a holder ends. */
typedef enum { STAYS, EXITS_QUICKLY, EXITS_HOLDING, ENDS_ITS_THREAD } end_t;

static apr_pool_t *pool;
static oc_lead_t *lead;
static int heard[2], commands[2]; /* pipes: holders write their pid; a byte tells a holder to end */
static pid_t children[CHILDREN];

static int setup(void **state)
{
    (void)state;
    apr_pool_create(&pool, NULL);
    if (!system_is_emulated() || system_creates_robust_mutexes())
        assert_int_equal(oc_lead_create(&lead, pool), APR_SUCCESS);
    assert_int_equal(pipe(heard), 0);
    assert_int_equal(pipe(commands), 0);
    return 0;
}

static int teardown(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < CHILDREN; i++) {
        if (children[i] > 0) {
            kill(children[i], SIGKILL);
            waitpid(children[i], NULL, 0);
        }
        children[i] = 0;
    }
    close(heard[0]);
    close(heard[1]);
    close(commands[0]);
    close(commands[1]);
    apr_pool_destroy(pool);
    return 0;
}

static void *hold(void *data)
{
    end_t end = *(end_t *)data;
    pid_t self = getpid();
    char byte;

    if (oc_lead_take(lead) != APR_SUCCESS || write(heard[1], &self, sizeof(self)) != (ssize_t)sizeof(self))
        abort();
    if (read(commands[0], &byte, 1) != 1)
        abort();
    if (end == EXITS_QUICKLY)
        _exit(0);
    if (end == EXITS_HOLDING)
        exit(0);
    if (end == STAYS)
        oc_lead_release(lead);
    return NULL;
}

static pid_t start_child(end_t end)
{
    pid_t pid = fork();
    pthread_t thread;

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    if (pthread_create(&thread, NULL, hold, &end) != 0)
        _exit(1);
    pthread_join(thread, NULL);
    for (;;)
        pause();
}

static void start_children(end_t end)
{
    int i;

    for (i = 0; i < CHILDREN; i++)
        children[i] = start_child(end);
}

/* @return the next holder; 0: none within @a patience. */
static pid_t wait_holder(int patience)
{
    struct pollfd fd = {.fd = heard[0], .events = POLLIN};
    pid_t pid = 0;

    if (poll(&fd, 1, patience) == 1)
        assert_int_equal(read(heard[0], &pid, sizeof(pid)), sizeof(pid));
    return pid;
}

static void expect_one_holder(pid_t *holder)
{
    *holder = wait_holder(PATIENCE_MS);
    assert_true(*holder > 0);
    assert_int_equal(wait_holder(QUIET_MS), 0);
}

static void forget(pid_t pid)
{
    int i;

    waitpid(pid, NULL, 0);
    for (i = 0; i < CHILDREN; i++)
        if (children[i] == pid)
            children[i] = 0;
}

TEST(a_holder_that_is_killed_is_followed_by_one)
{
    pid_t holder;
    int i;

    SYSTEM_NEEDS(system_has_robust_mutexes(), "robust mutexes");
    start_children(STAYS);
    for (i = 0; i < CHILDREN; i++) {
        expect_one_holder(&holder);
        kill(holder, SIGKILL);
        forget(holder);
    }
    assert_int_equal(wait_holder(0), 0);
}

static void expect_followers(end_t end)
{
    pid_t holder;
    int i;

    start_children(end);
    for (i = 0; i < CHILDREN; i++) {
        expect_one_holder(&holder);
        assert_int_equal(write(commands[1], "", 1), 1);
    }
}

TEST(a_holder_that_releases_it_is_followed_by_one)
{
    SYSTEM_NEEDS(system_creates_robust_mutexes(), "creation of robust mutexes");
    expect_followers(STAYS);
}

TEST(a_holder_that_exits_is_followed_by_one)
{
    SYSTEM_NEEDS(system_has_robust_mutexes(), "robust mutexes");
    expect_followers(EXITS_HOLDING);
}

TEST(a_holder_that_exits_without_clean_up_is_followed_by_one)
{
    SYSTEM_NEEDS(system_has_robust_mutexes(), "robust mutexes");
    expect_followers(EXITS_QUICKLY);
}

TEST(a_holder_whose_thread_ends_is_followed_by_one)
{
    SYSTEM_NEEDS(system_has_robust_mutexes(), "robust mutexes");
    expect_followers(ENDS_ITS_THREAD);
}

TEST(a_sleeper_that_is_killed_takes_nothing_along)
{
    pid_t holder;
    int i;

    SYSTEM_NEEDS(system_has_robust_mutexes(), "robust mutexes");
    start_children(STAYS);
    expect_one_holder(&holder);
    for (i = 0; i < CHILDREN - 1; i++)
        if (children[i] != holder) {
            kill(children[i], SIGKILL);
            forget(children[i]);
        }
    kill(holder, SIGKILL);
    forget(holder);
    if (children[CHILDREN - 1] > 0)
        expect_one_holder(&holder);
}

static void *sleep_there(void *data)
{
    (void)data;
    if (oc_lead_take(lead) == APR_SUCCESS)
        abort(); /* the parent of this process holds it */
    return NULL;
}

/* A child's pools go before its threads do. */
TEST(a_sleeping_thread_does_not_keep_its_process_from_exiting)
{
    int status = -1;
    pthread_t thread;
    pid_t pid;

    SYSTEM_NEEDS(system_creates_robust_mutexes(), "creation of robust mutexes");
    assert_int_equal(oc_lead_take(lead), APR_SUCCESS);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (pthread_create(&thread, NULL, sleep_there, NULL) != 0)
            _exit(1);
        usleep(20000);
        apr_pool_destroy(pool);
        usleep(20000);
        exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    oc_lead_release(lead);
}

TEST_MAIN(NULL, NULL, setup, teardown)
