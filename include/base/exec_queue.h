/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_exec_queue: events wait here to be told to a program, one after the other, so that nobody who has an event to tell ever waits.
 *
 * One thread, a bounded queue, a bounded time for each run. It knows nothing of httpd and does not log: whoever starts it learns how each
 * run ended.
 */
#ifndef OC_BASE_EXEC_QUEUE_H
#define OC_BASE_EXEC_QUEUE_H

#include "base/spawn.h"

#include <apr_errno.h>

typedef struct oc_exec_queue_t oc_exec_queue_t;

/** A run ended. In the thread of the notifier. */
typedef void oc_exec_queue_ended_fn(void *context, oc_spawn_end_t how, int number);

/**
 * Start the thread.
 * @param argv  the program, by its path, and its arguments, NULL at the end; they have to outlast the notifier
 * @param room  how many events may wait
 * @param patience  how long a run may take
 * @return APR_SUCCESS; else why there is no thread or no memory
 */
apr_status_t oc_exec_queue_start(oc_exec_queue_t **notify, const char *const *argv, unsigned room,
                                 apr_interval_time_t patience, oc_exec_queue_ended_fn *ended, void *context);

/**
 * Have the program told. Never waits. Any thread.
 * @param environment  "NAME=value", NULL at the end; copied
 * @param is_minor  it may take only half of the room: the rest is for worse news
 * @return APR_SUCCESS; APR_ENOSPC: too many wait already, and it is lost; APR_ENOMEM
 */
apr_status_t oc_exec_queue_post(oc_exec_queue_t *notify, const char *const *environment, int is_minor);

/** Let no further run begin, and ask the one at work to end. Waits a second at most. What is posted from now on is kept, and never told.
 *  @return how many threads (0 or 1) have not ended */
unsigned oc_exec_queue_stop(oc_exec_queue_t *notify);

/** Give the memory back, once oc_exec_queue_stop() returned 0 and nobody posts any more. */
void oc_exec_queue_destroy(oc_exec_queue_t *notify);

#endif
