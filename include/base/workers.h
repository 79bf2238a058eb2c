/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_workers: a bounded number of threads that work off tasks, of which each belongs to a group: no group gets more than its
 * share of the threads, so that one dead responder cannot delay the tasks of another.
 *
 * Used by one child at a time. The threads own all their memory: a child may exit while one is still inside a name look-up that
 * nothing can interrupt.
 */
#ifndef OC_BASE_WORKERS_H
#define OC_BASE_WORKERS_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>
#include <stdatomic.h>

typedef struct oc_workers_t oc_workers_t;

/** Part of every task; the rest is the caller's. Zero it before first use. */
typedef struct oc_task_t {
    unsigned group;
    int is_queued; /* from oc_workers_submit() until its work returned; the workers's to change, under its lock */
    int is_begun;  /* likewise, from when a thread took it */
    struct oc_task_t *next;
} oc_task_t;

/** Work one task off, in any of the threads; @a pool is cleared afterwards. Look at @a stop wherever it may take long. */
typedef void oc_workers_work_fn(oc_task_t *task, const atomic_int *stop, apr_pool_t *pool);

/** The task may be submitted again from now on: note what its work decided. Under the workers's lock; short. */
typedef void oc_workers_done_fn(oc_task_t *task);

/**
 * Start @a n_threads threads for tasks of groups 0 to n_groups - 1, of each at most @a share at a time.
 * @return APR_SUCCESS, also when fewer threads (at least one) could be had; else why not a single one.
 */
apr_status_t oc_workers_start(oc_workers_t **workers, unsigned n_threads, unsigned n_groups, unsigned share,
                              oc_workers_work_fn *work, oc_workers_done_fn *done);

/** Queue a task unless it is queued or being worked on already. Between lock and unlock. */
void oc_workers_submit(oc_workers_t *workers, oc_task_t *task);

/**
 * Wait for a task that was submitted, by whoever submitted it; between lock and unlock, which is given up meanwhile.
 * @param patience  how long; @a stop: looked at 20 times a second, ends the wait early
 * @return APR_SUCCESS: it is worked off. APR_TIMEUP: no thread began it, and none will: it is no longer queued.
 *   APR_EBUSY: a thread is at it still: its memory has to stay until `done` is called for it.
 */
apr_status_t oc_workers_await(oc_workers_t *workers, oc_task_t *task, apr_interval_time_t patience,
                              const atomic_int *stop);

/** Keep the threads from beginning or ending a task: to look at the tasks' own data. Short. */
void oc_workers_lock(oc_workers_t *workers);
void oc_workers_unlock(oc_workers_t *workers);

/** Let no further task begin, ask the running ones to stop, and wait for them until @a patience has passed. @return how many
 *  threads are still at work; they end as soon as they look at the stop flag. From one thread at a time; may be called again. */
unsigned oc_workers_stop(oc_workers_t *workers, apr_interval_time_t patience);

/** Give the workers's memory back, after oc_workers_stop() has returned 0, when nobody else holds the workers. While a thread is at work
 *  its memory has to stay, to the end of the process if need be. */
void oc_workers_destroy(oc_workers_t *workers);

#endif
