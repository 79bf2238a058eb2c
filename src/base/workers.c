/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_crew: see oc_crew.h. POSIX threads directly: APR's thread pool waits for running tasks when it is destroyed, which a
 * child that is told to exit must not do.
 */
#include "base/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define AWAIT_STEP apr_time_from_msec(50)

typedef struct {
    oc_task_t *first, *last;
    unsigned n_running;
} group_t;

typedef struct {
    pthread_t id;
    int has_ended; /* its work is over: joining it does not take long */
    oc_crew_t *crew;
} worker_t;

struct oc_crew_t {
    apr_pool_t *pool;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a task was queued or ended, or the crew stops, or a thread ended */
    pthread_cond_t ended;   /* a task was worked off: for oc_crew_await() */
    oc_crew_work_fn *work;
    oc_crew_done_fn *done;
    worker_t *workers;
    unsigned n_workers;
    group_t *groups;
    unsigned n_groups;
    unsigned share;
    unsigned turn; /* the group to look at first: round robin */
    unsigned n_live;
    atomic_int stop;
};

void oc_crew_lock(oc_crew_t *crew)
{
    pthread_mutex_lock(&crew->mutex);
}

void oc_crew_unlock(oc_crew_t *crew)
{
    pthread_mutex_unlock(&crew->mutex);
}

void oc_crew_submit(oc_crew_t *crew, oc_task_t *task)
{
    group_t *group = &crew->groups[task->group];

    if (task->is_queued)
        return;
    task->is_queued = 1;
    task->next = NULL;
    if (group->first)
        group->last->next = task;
    else
        group->first = task;
    group->last = task;
    pthread_cond_signal(&crew->changed);
}

/* The next task of the next group that has not its full share at work. Lock held. */
static oc_task_t *take_task(oc_crew_t *crew)
{
    unsigned i;

    for (i = 0; i < crew->n_groups; i++) {
        group_t *group = &crew->groups[(crew->turn + i) % crew->n_groups];
        oc_task_t *task = group->first;

        if (!task || group->n_running >= crew->share)
            continue;
        group->first = task->next;
        group->n_running++;
        task->is_begun = 1;
        crew->turn = (crew->turn + i + 1) % crew->n_groups;
        return task;
    }
    return NULL;
}

/* A pool of nobody's: not even apr_terminate() takes it away from a thread that is late. */
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
    oc_crew_t *crew = self->crew;
    apr_pool_t *pool = create_pool();

    oc_crew_lock(crew);
    while (pool && !atomic_load(&crew->stop)) {
        oc_task_t *task = take_task(crew);

        if (!task) {
            pthread_cond_wait(&crew->changed, &crew->mutex);
            continue;
        }
        oc_crew_unlock(crew);
        crew->work(task, &crew->stop, pool);
        apr_pool_clear(pool);
        oc_crew_lock(crew);
        crew->groups[task->group].n_running--;
        task->is_queued = task->is_begun = 0;
        crew->done(task); /* the task may be gone from here on */
        pthread_cond_broadcast(&crew->ended);
        pthread_cond_signal(&crew->changed); /* this group has a share free again */
    }
    oc_crew_unlock(crew);
    if (pool)
        apr_pool_destroy(pool);

    oc_crew_lock(crew);
    self->has_ended = 1;
    crew->n_live--;
    pthread_cond_broadcast(&crew->changed);
    oc_crew_unlock(crew);
    return NULL;
}

/* Signals are the main thread's business: a worker that took httpd's would run its handlers in the wrong place. */
static int start_threads(oc_crew_t *crew, unsigned n_threads)
{
    sigset_t all, before;
    int error = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    oc_crew_lock(crew);
    while (error == 0 && crew->n_workers < n_threads) {
        worker_t *worker = &crew->workers[crew->n_workers];

        worker->crew = crew;
        error = pthread_create(&worker->id, NULL, run, worker);
        if (error == 0)
            crew->n_workers++;
    }
    crew->n_live = crew->n_workers;
    if (crew->n_live > 0)
        error = 0;
    oc_crew_unlock(crew);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

apr_status_t oc_crew_start(oc_crew_t **out, unsigned n_threads, unsigned n_groups, unsigned share,
                           oc_crew_work_fn *work, oc_crew_done_fn *done)
{
    apr_pool_t *pool = create_pool();
    pthread_condattr_t attr;
    oc_crew_t *crew;
    int error;

    *out = NULL;
    if (!pool)
        return APR_ENOMEM;
    crew = apr_pcalloc(pool, sizeof(*crew));
    crew->pool = pool;
    crew->groups = apr_pcalloc(pool, n_groups * sizeof(*crew->groups));
    crew->n_groups = n_groups;
    crew->share = share;
    crew->work = work;
    crew->done = done;
    crew->workers = apr_pcalloc(pool, n_threads * sizeof(*crew->workers));
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* patience does not depend on the calendar */
    pthread_cond_init(&crew->changed, &attr);
    pthread_cond_init(&crew->ended, &attr);
    pthread_condattr_destroy(&attr);

    error = start_threads(crew, n_threads);
    if (error != 0) {
        oc_crew_destroy(crew);
        return error;
    }
    *out = crew;
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

/* Take back a task that no thread has begun. Lock held. */
static void withdraw(oc_crew_t *crew, oc_task_t *task)
{
    group_t *group = &crew->groups[task->group];
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

apr_status_t oc_crew_await(oc_crew_t *crew, oc_task_t *task, apr_interval_time_t patience, const atomic_int *stop)
{
    struct timespec until = after(patience);

    while (task->is_queued && !is_past(&until) && !atomic_load(stop)) {
        struct timespec step = after(patience < AWAIT_STEP ? patience : AWAIT_STEP);

        pthread_cond_timedwait(&crew->ended, &crew->mutex, &step);
    }
    if (!task->is_queued)
        return APR_SUCCESS;
    if (task->is_begun)
        return APR_EBUSY;
    withdraw(crew, task);
    return APR_TIMEUP;
}

unsigned oc_crew_stop(oc_crew_t *crew, apr_interval_time_t patience)
{
    struct timespec until = after(patience);
    unsigned i, n_live;

    atomic_store(&crew->stop, 1);
    oc_crew_lock(crew);
    pthread_cond_broadcast(&crew->changed);
    while (crew->n_live > 0 && pthread_cond_timedwait(&crew->changed, &crew->mutex, &until) != ETIMEDOUT)
        ;
    n_live = crew->n_live;
    oc_crew_unlock(crew);

    /* Joined, not only heard of: OpenSSL's clean-up at exit must not meet a thread that is giving back its thread-local state. */
    for (i = 0; i < crew->n_workers; i++)
        if (crew->workers[i].has_ended == 1 && pthread_join(crew->workers[i].id, NULL) == 0)
            crew->workers[i].has_ended = 2;
    return n_live;
}

void oc_crew_destroy(oc_crew_t *crew)
{
    pthread_cond_destroy(&crew->changed);
    pthread_cond_destroy(&crew->ended);
    pthread_mutex_destroy(&crew->mutex);
    apr_pool_destroy(crew->pool);
}
