/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Threads, for the refresher, the shared store and the notifications. POSIX threads directly: APR's thread pool waits
 * for running tasks when it is destroyed, which an exiting child must not do.
 */
#include "base/workers.h"

#include "base/leftover.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define AWAIT_STEP apr_time_from_msec(50)

typedef struct {
    oc_task_t *first, *last;
    unsigned n_running;
} group_t;

/* ENDED: it has left run(), so that joining it does not take long. */
enum { RUNNING, ENDED, JOINED };

typedef struct {
    pthread_t id;
    atomic_int state; /* RUNNING, ENDED, JOINED */
    oc_workers_t *workers;
} worker_t;

struct oc_workers_t {
    apr_pool_t *pool;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a task was queued or has ended, the workers stop, or a thread has ended */
    pthread_cond_t ended;   /* a task was processed: for oc_workers_await() */
    oc_workers_work_fn *work;
    oc_workers_done_fn *done;
    worker_t *workers;
    unsigned n_workers;
    group_t *groups;
    unsigned n_groups;
    unsigned share;
    unsigned turn; /* the group to begin with: round robin */
    unsigned n_live;
    int is_closed; /* no task begins */
    atomic_int stop;
};

void oc_workers_lock(oc_workers_t *workers)
{
    pthread_mutex_lock(&workers->mutex);
}

void oc_workers_unlock(oc_workers_t *workers)
{
    pthread_mutex_unlock(&workers->mutex);
}

void oc_workers_submit(oc_workers_t *workers, oc_task_t *task)
{
    group_t *group = &workers->groups[task->group];

    if (task->is_queued)
        return;
    task->is_queued = 1;
    task->next = NULL;
    if (group->first)
        group->last->next = task;
    else
        group->first = task;
    group->last = task;
    pthread_cond_signal(&workers->changed);
}

/* The next task of the next group that has not used up its share. Lock held. */
static oc_task_t *take_task(oc_workers_t *workers)
{
    unsigned i;

    for (i = 0; !workers->is_closed && i < workers->n_groups; i++) {
        group_t *group = &workers->groups[(workers->turn + i) % workers->n_groups];
        oc_task_t *task = group->first;

        if (!task || group->n_running >= workers->share)
            continue;
        group->first = task->next;
        group->n_running++;
        task->is_begun = 1;
        workers->turn = (workers->turn + i + 1) % workers->n_groups;
        return task;
    }
    return NULL;
}

/* A pool without a parent: not even apr_terminate() destroys it while a late thread uses it. */
static apr_pool_t *create_pool(void)
{
    apr_pool_t *pool = NULL;

    if (apr_pool_create_unmanaged(&pool) == APR_SUCCESS)
        apr_pool_tag(pool, "ocsp_cache_worker");
    return pool;
}

static void *run(void *data)
{
    worker_t *self = data;
    oc_workers_t *workers = self->workers;
    apr_pool_t *pool = create_pool();

    oc_workers_lock(workers);
    while (pool && !atomic_load(&workers->stop)) {
        oc_task_t *task = take_task(workers);

        if (!task) {
            pthread_cond_wait(&workers->changed, &workers->mutex);
            continue;
        }
        oc_workers_unlock(workers);
        workers->work(task, &workers->stop, pool);
        apr_pool_clear(pool);
        oc_workers_lock(workers);
        workers->groups[task->group].n_running--;
        task->is_queued = task->is_begun = 0;
        workers->done(task); /* the task may be freed from here on */
        pthread_cond_broadcast(&workers->ended);
        pthread_cond_signal(&workers->changed); /* this group has room in its share again */
    }
    oc_workers_unlock(workers);
    if (pool)
        apr_pool_destroy(pool);

    oc_workers_lock(workers);
    atomic_store(&self->state, ENDED);
    workers->n_live--;
    pthread_cond_broadcast(&workers->changed);
    oc_workers_unlock(workers);
    return NULL;
}

/* The main thread handles signals: a worker that received one of httpd's would run its handler in the wrong thread. */
static int start_threads(oc_workers_t *workers, unsigned n_threads)
{
    sigset_t all, before;
    int error = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    oc_workers_lock(workers);
    while (error == 0 && workers->n_workers < n_threads) {
        worker_t *worker = &workers->workers[workers->n_workers];

        worker->workers = workers;
        oc_leftover_add();
        error = pthread_create(&worker->id, NULL, run, worker);
        if (error == 0)
            workers->n_workers++;
        else
            oc_leftover_remove();
    }
    workers->n_live = workers->n_workers;
    if (workers->n_live > 0)
        error = 0;
    oc_workers_unlock(workers);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

apr_status_t oc_workers_start(oc_workers_t **out, unsigned n_threads, unsigned n_groups, unsigned share,
                              oc_workers_work_fn *work, oc_workers_done_fn *done)
{
    apr_pool_t *pool = create_pool();
    pthread_condattr_t attr;
    oc_workers_t *workers;
    int error;

    *out = NULL;
    if (!pool)
        return APR_ENOMEM;
    workers = apr_pcalloc(pool, sizeof(*workers));
    workers->pool = pool;
    workers->groups = apr_pcalloc(pool, n_groups * sizeof(*workers->groups));
    workers->n_groups = n_groups;
    workers->share = share;
    workers->work = work;
    workers->done = done;
    workers->workers = apr_pcalloc(pool, n_threads * sizeof(*workers->workers));
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* setting the wall clock does not change a wait */
    pthread_cond_init(&workers->changed, &attr);
    pthread_cond_init(&workers->ended, &attr);
    pthread_condattr_destroy(&attr);

    error = start_threads(workers, n_threads);
    if (error != 0) {
        oc_workers_destroy(workers);
        return error;
    }
    *out = workers;
    return APR_SUCCESS;
}

static struct timespec after(apr_interval_time_t patience)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)apr_time_sec(patience);
    until.tv_nsec += (long)apr_time_usec(patience) * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

/* Remove a task that no thread has begun from the queue. Lock held. */
static void withdraw(oc_workers_t *workers, oc_task_t *task)
{
    group_t *group = &workers->groups[task->group];
    oc_task_t **at = &group->first, *before = NULL;

    while (*at != task) {
        before = *at;
        at = &before->next;
    }
    *at = task->next;
    if (group->last == task)
        group->last = before;
    task->is_queued = 0;
}

static int is_past(const struct timespec *when)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > when->tv_sec || (now.tv_sec == when->tv_sec && now.tv_nsec >= when->tv_nsec);
}

apr_status_t oc_workers_await(oc_workers_t *workers, oc_task_t *task, apr_interval_time_t patience,
                              const atomic_int *stop)
{
    struct timespec until = after(patience);

    while (task->is_queued && !is_past(&until) && !atomic_load(stop)) {
        struct timespec step = after(patience < AWAIT_STEP ? patience : AWAIT_STEP);

        pthread_cond_timedwait(&workers->ended, &workers->mutex, &step);
    }
    if (!task->is_queued)
        return APR_SUCCESS;
    if (task->is_begun)
        return APR_EBUSY;
    withdraw(workers, task);
    return APR_TIMEUP;
}

void oc_workers_close(oc_workers_t *workers)
{
    oc_workers_lock(workers);
    workers->is_closed = 1;
    oc_workers_unlock(workers);
}

unsigned oc_workers_running(oc_workers_t *workers)
{
    unsigned i, n_running = 0;

    oc_workers_lock(workers);
    for (i = 0; i < workers->n_groups; i++)
        n_running += workers->groups[i].n_running;
    oc_workers_unlock(workers);
    return n_running;
}

unsigned oc_workers_stop(oc_workers_t *workers, apr_interval_time_t patience)
{
    struct timespec until = after(patience);
    unsigned i, n_live;

    atomic_store(&workers->stop, 1);
    oc_workers_lock(workers);
    pthread_cond_broadcast(&workers->changed);
    while (workers->n_live > 0 && pthread_cond_timedwait(&workers->changed, &workers->mutex, &until) != ETIMEDOUT)
        ;
    n_live = workers->n_live;
    oc_workers_unlock(workers);

    /* Join them: OpenSSL's cleanup at exit must not meet a thread that is freeing its thread-local state. */
    for (i = 0; i < workers->n_workers; i++)
        if (atomic_load(&workers->workers[i].state) == ENDED && pthread_join(workers->workers[i].id, NULL) == 0) {
            atomic_store(&workers->workers[i].state, JOINED);
            oc_leftover_remove();
        }
    return n_live;
}

void oc_workers_destroy(oc_workers_t *workers)
{
    pthread_cond_destroy(&workers->changed);
    pthread_cond_destroy(&workers->ended);
    pthread_mutex_destroy(&workers->mutex);
    apr_pool_destroy(workers->pool);
}
