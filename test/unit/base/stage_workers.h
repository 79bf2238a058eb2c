/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * For the tests of the workers: tasks that wait at gates, which the test opens, and record what they see. That
 * something does not happen is checked after a pause in which it could.
 */
#ifndef STAGE_WORKERS_H
#define STAGE_WORKERS_H

#include "base/workers.h"

#include <apr_general.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE apr_time_from_sec(10)
#define TASKS_MAX 256

typedef struct {
    oc_task_t task; /* first: a job is a task */
    int number;
    int times;      /* it was processed */
    int times_done; /* under the workers' lock */
    int was_queued; /* when `done` was called */
    int inside;     /* how many threads process it: more than one is a failure */
    int is_deaf;    /* checks the gate only, not the stop flag */
} job_t;

static void note_done(oc_task_t *task)
{
    job_t *job = (job_t *)(void *)task;

    job->times_done++; /* needs no other lock: the workers' is held */
    job->was_queued |= task->is_queued;
}

/* What the tasks saw, and their gates. Under `mutex`; the workers' own lock is never taken inside it. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    job_t jobs[TASKS_MAX];
    int order[4 * TASKS_MAX]; /* numbers, as they were begun */
    int n_begun, n_ended, n_stopped;
    int running[TASKS_MAX], most[TASKS_MAX]; /* by group */
    int running_all, most_all;
    int is_closed[TASKS_MAX]; /* the gates, by group */
    int pools_cleaned, overlaps, wrong_masks;
} stage;

static oc_workers_t *workers;

/* With AddressSanitizer. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void wait_a_moment(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 5000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&stage.changed, &stage.mutex, &until);
}

/* Until *count is at least @a enough; else the test fails. Mutex held. */
static void wait_for(const int *count, int enough)
{
    apr_time_t end = apr_time_now() + PATIENCE;

    while (*count < enough && apr_time_now() < end)
        wait_a_moment();
    assert_true(*count >= enough);
}

static apr_status_t pool_cleaned(void *data)
{
    (void)data;
    pthread_mutex_lock(&stage.mutex);
    stage.pools_cleaned++;
    pthread_mutex_unlock(&stage.mutex);
    return APR_SUCCESS;
}

static int signals_are_blocked(void)
{
    sigset_t mask;

    return pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGTERM) == 1
           && sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGHUP) == 1 && sigismember(&mask, SIGALRM) == 1;
}

static void begin(job_t *job)
{
    unsigned group = job->task.group;

    stage.order[stage.n_begun++] = job->number;
    stage.overlaps += job->inside++ != 0;
    stage.wrong_masks += !signals_are_blocked();
    if (++stage.running[group] > stage.most[group])
        stage.most[group] = stage.running[group];
    if (++stage.running_all > stage.most_all)
        stage.most_all = stage.running_all;
    pthread_cond_broadcast(&stage.changed);
}

static void work(oc_task_t *task, const atomic_int *stop, apr_pool_t *pool)
{
    job_t *job = (job_t *)(void *)task;

    apr_pool_cleanup_register(pool, NULL, pool_cleaned, apr_pool_cleanup_null);
    memset(apr_palloc(pool, 10000), 1, 10000);
    pthread_mutex_lock(&stage.mutex);
    begin(job);
    while (stage.is_closed[task->group] && (job->is_deaf || !atomic_load(stop)))
        wait_a_moment();
    stage.n_stopped += atomic_load(stop) != 0;
    stage.running[task->group]--;
    stage.running_all--;
    stage.n_ended++;
    job->inside--;
    job->times++;
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.mutex);
    memset(apr_palloc(pool, 1000), 2, 1000); /* valid: the pool belongs to this task until it returns */
}

static int set_up(void **state)
{
    int i;

    (void)state;
    memset(&stage, 0, sizeof(stage));
    pthread_mutex_init(&stage.mutex, NULL);
    pthread_cond_init(&stage.changed, NULL);
    for (i = 0; i < TASKS_MAX; i++)
        stage.jobs[i].number = i;
    workers = NULL;
    return 0;
}

static void close_gate(int group, int is_closed)
{
    pthread_mutex_lock(&stage.mutex);
    stage.is_closed[group] = is_closed;
    pthread_cond_broadcast(&stage.changed);
    pthread_mutex_unlock(&stage.mutex);
}

/* No thread may outlive a test, even a failed one. */
static int tear_down(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < TASKS_MAX; i++)
        close_gate(i, 0);
    if (workers && oc_workers_stop(workers, PATIENCE) != 0)
        return -1;
    if (workers)
        oc_workers_destroy(workers);
    workers = NULL;
    pthread_mutex_destroy(&stage.mutex);
    pthread_cond_destroy(&stage.changed);
    return stage.overlaps || stage.wrong_masks;
}

static void start(unsigned n_threads, unsigned n_groups, unsigned share)
{
    apr_status_t rv;

    if (__lsan_disable) /* a late thread keeps the workers' own memory; what the threads allocate must be freed */
        __lsan_disable();
    rv = oc_workers_start(&workers, n_threads, n_groups, share, work, note_done);
    if (__lsan_enable)
        __lsan_enable();
    assert_int_equal(rv, APR_SUCCESS);
    assert_non_null(workers);
}

/* Queue the jobs first to last; number n belongs to group n % n_groups. */
static void submit(int first, int last, unsigned n_groups)
{
    int i;

    oc_workers_lock(workers);
    for (i = first; i <= last; i++) {
        if (!stage.jobs[i].task.is_queued)
            stage.jobs[i].task.group = (unsigned)i % n_groups;
        oc_workers_submit(workers, &stage.jobs[i].task);
    }
    oc_workers_unlock(workers);
}

static int get(const int *count)
{
    int value;

    pthread_mutex_lock(&stage.mutex);
    value = *count;
    pthread_mutex_unlock(&stage.mutex);
    return value;
}

static void expect(const int *count, int enough)
{
    pthread_mutex_lock(&stage.mutex);
    wait_for(count, enough);
    pthread_mutex_unlock(&stage.mutex);
}

/* The pause in which something could happen. */
static void settle(void)
{
    struct timespec moment = {0, 50000000};

    nanosleep(&moment, NULL);
}

#endif
