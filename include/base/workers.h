/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A bounded number of threads that process tasks. Each task belongs to a group, and no group gets more than its share
 * of the threads, so that one dead responder cannot delay the tasks of another.
 *
 * The threads own all their memory: a child may exit while one is still in a name lookup that nothing can interrupt.
 * It then exits without the clean-up that the thread would meet (base/leftover.h).
 */
#ifndef OC_BASE_WORKERS_H
#define OC_BASE_WORKERS_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>
#include <stdatomic.h>

typedef struct oc_workers_t oc_workers_t;

/** The beginning of every task; the rest is the caller's. Zero it before first use. */
typedef struct oc_task_t {
    unsigned group;
    unsigned kind; /* the caller's, where it has tasks of several kinds */
    int is_queued; /* from oc_workers_submit() until its work returned; changed by the workers, under their lock */
    int is_begun;  /* likewise, from when a thread takes it */
    struct oc_task_t *next;
} oc_task_t;

/** Process a task, in any of the threads. @a pool is cleared afterwards. Check @a stop wherever it may take long. */
typedef void oc_workers_work_fn(oc_task_t *task, const atomic_int *stop, apr_pool_t *pool);

/** From now on the task may be submitted again: note its result. Under the workers' lock; short. */
typedef void oc_workers_done_fn(oc_task_t *task);

/**
 * Start @a n_threads threads for tasks of the groups 0 to n_groups - 1, at most @a share of each group at a time.
 * @return APR_SUCCESS, also when fewer threads (at least one) could be started; else why there is none.
 */
apr_status_t oc_workers_start(oc_workers_t **workers, unsigned n_threads, unsigned n_groups, unsigned share,
                              oc_workers_work_fn *work, oc_workers_done_fn *done);

/** Queue a task, unless it is queued or being processed already. Between lock and unlock. */
void oc_workers_submit(oc_workers_t *workers, oc_task_t *task);

/**
 * Wait for a task that the caller submitted; between lock and unlock, which is released meanwhile.
 * @param patience  how long; @a stop: checked 20 times a second, ends the wait early
 * @return APR_SUCCESS: it is processed. APR_TIMEUP: no thread has begun it, and none will: it is not queued any more.
 *   APR_EBUSY: a thread is still processing it: its memory must stay until `done` is called for it.
 */
apr_status_t oc_workers_await(oc_workers_t *workers, oc_task_t *task, apr_interval_time_t patience,
                              const atomic_int *stop);

/** Keep the threads from beginning or ending a task, to access the tasks' own data. Short. */
void oc_workers_lock(oc_workers_t *workers);
void oc_workers_unlock(oc_workers_t *workers);

/** Let no further task begin; those that are queued stay queued. Then oc_workers_stop() ends the threads. */
void oc_workers_close(oc_workers_t *workers);

/** How many tasks threads work on at this moment. */
unsigned oc_workers_running(oc_workers_t *workers);

/** Begin no further task, set the stop flag of the running ones, and wait for them until @a patience has passed. From
 *  one thread at a time; may be called again. @return how many threads still run; they end when they check the stop
 *  flag. */
unsigned oc_workers_stop(oc_workers_t *workers, apr_interval_time_t patience);

/** Free the memory, after oc_workers_stop() has returned 0 and nothing else refers to it. While a thread runs, the
 *  memory must stay, if necessary until the process ends. */
void oc_workers_destroy(oc_workers_t *workers);

#endif
