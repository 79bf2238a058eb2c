/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Runs the program of OCSPCacheNotify, for refresh/notify.c. One worker thread: tasks run in the order of posting. A
 * program that hangs must cost events, never time.
 */
#include "base/exec_queue.h"

#include "base/workers.h"

#include <stdlib.h>
#include <string.h>

#define STOP_PATIENCE apr_time_from_sec(1)

typedef struct {
    oc_task_t task; /* first: an event is a task */
    oc_exec_queue_t *queue;
    char **environment; /* one allocation, strings included; NULL: free. Under the workers' lock */
} event_t;

struct oc_exec_queue_t {
    const char *const *argv;
    apr_interval_time_t patience;
    oc_exec_queue_ended_fn *ended;
    void *context;
    oc_workers_t *workers;
    unsigned room;
    unsigned n_waiting; /* under the workers' lock */
    event_t events[];
};

/* @return NULL: out of memory */
static char **copy(const char *const *environment)
{
    size_t n = 0, bytes = 0;
    char **copied, *at;
    size_t i;

    for (; environment[n]; n++)
        bytes += strlen(environment[n]) + 1;
    copied = malloc((n + 1) * sizeof(*copied) + bytes);
    if (!copied)
        return NULL;
    at = (char *)(copied + n + 1);
    for (i = 0; i < n; i++) {
        size_t len = strlen(environment[i]) + 1;

        copied[i] = memcpy(at, environment[i], len);
        at += len;
    }
    copied[n] = NULL;
    return copied;
}

static void work(oc_task_t *task, const atomic_int *stop, apr_pool_t *pool)
{
    const event_t *event = (const event_t *)(const void *)task;
    const oc_exec_queue_t *queue = event->queue;
    oc_spawn_end_t how;
    int number;

    (void)pool;
    how = oc_spawn_run(queue->argv, (const char *const *)(const void *)event->environment, queue->patience, stop,
                       &number);
    queue->ended(queue->context, how, number);
}

static void done(oc_task_t *task)
{
    event_t *event = (event_t *)(void *)task;

    free((void *)event->environment);
    event->environment = NULL;
    event->queue->n_waiting--;
}

apr_status_t oc_exec_queue_start(oc_exec_queue_t **out, const char *const *argv, unsigned room,
                                 apr_interval_time_t patience, oc_exec_queue_ended_fn *ended, void *context)
{
    oc_exec_queue_t *queue = calloc(1, sizeof(*queue) + room * sizeof(queue->events[0]));
    apr_status_t rv;
    unsigned i;

    *out = NULL;
    if (!queue)
        return APR_ENOMEM;
    queue->argv = argv;
    queue->patience = patience;
    queue->ended = ended;
    queue->context = context;
    queue->room = room;
    for (i = 0; i < room; i++)
        queue->events[i].queue = queue;
    rv = oc_workers_start(&queue->workers, 1, 1, 1, work, done);
    if (rv != APR_SUCCESS) {
        free(queue);
        return rv;
    }
    *out = queue;
    return APR_SUCCESS;
}

/* Lock held; there is one while n_waiting < room. */
static event_t *find_free(oc_exec_queue_t *queue)
{
    event_t *event = queue->events;

    while (event->environment)
        event++;
    return event;
}

apr_status_t oc_exec_queue_post(oc_exec_queue_t *queue, const char *const *environment, int is_minor)
{
    unsigned room = is_minor ? queue->room / 2 : queue->room;
    char **copied = copy(environment);
    int has_room;

    if (!copied)
        return APR_ENOMEM;
    oc_workers_lock(queue->workers);
    has_room = queue->n_waiting < room;
    if (has_room) {
        event_t *event = find_free(queue);

        queue->n_waiting++;
        event->environment = copied;
        oc_workers_submit(queue->workers, &event->task);
    }
    oc_workers_unlock(queue->workers);
    if (!has_room)
        free((void *)copied);
    return has_room ? APR_SUCCESS : APR_ENOSPC;
}

unsigned oc_exec_queue_stop(oc_exec_queue_t *queue)
{
    return oc_workers_stop(queue->workers, STOP_PATIENCE);
}

void oc_exec_queue_destroy(oc_exec_queue_t *queue)
{
    unsigned i;

    oc_workers_destroy(queue->workers);
    for (i = 0; i < queue->room; i++)
        free((void *)queue->events[i].environment);
    free(queue);
}
