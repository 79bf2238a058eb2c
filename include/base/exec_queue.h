/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A queue of events for a program that is run once for each, one after the other: posting an event never waits.
 *
 * One thread, a bounded queue, a bounded time for each run. It does not log: a callback reports how each run ended.
 */
#ifndef OC_BASE_EXEC_QUEUE_H
#define OC_BASE_EXEC_QUEUE_H

#include "base/spawn.h"

#include <apr_errno.h>

typedef struct oc_exec_queue_t oc_exec_queue_t;

/** A run has ended. In the queue's thread. */
typedef void oc_exec_queue_ended_fn(void *context, oc_spawn_end_t how, int number);

/**
 * Start the thread.
 * @param argv  the program, by its path, and its arguments, NULL-terminated; they must outlast the queue
 * @param room  how many events may be queued
 * @param patience  how long a run may take
 * @return APR_SUCCESS; else why there is no thread or no memory
 */
apr_status_t oc_exec_queue_start(oc_exec_queue_t **queue, const char *const *argv, unsigned room,
                                 apr_interval_time_t patience, oc_exec_queue_ended_fn *ended, void *context);

/**
 * Queue a run. Never waits. Any thread.
 * @param environment  "NAME=value", NULL-terminated; copied
 * @param is_minor  such events may take half of the room only: the rest is for more serious ones
 * @return APR_SUCCESS; APR_ENOSPC: too many are queued already, and the event is lost; APR_ENOMEM
 */
apr_status_t oc_exec_queue_post(oc_exec_queue_t *queue, const char *const *environment, int is_minor);

/** Begin no further run, and end the current one. Waits a second at most. What is posted from now on is never run.
 *  @return how many threads (0 or 1) have not ended */
unsigned oc_exec_queue_stop(oc_exec_queue_t *queue);

/** Free the memory, after oc_exec_queue_stop() has returned 0 and the last event is posted. The server never does, as a
 *  thread of its workers may be late. */
void oc_exec_queue_destroy(oc_exec_queue_t *queue);

#endif
