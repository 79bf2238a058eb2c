/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_exec_queue: see oc_exec_queue.h. A workers of one: tasks are told in the order in which they were posted.
 */
#include "base/exec_queue.h"

#include "base/workers.h"

#include <stdlib.h>
#include <string.h>

#define STOP_PATIENCE apr_time_from_sec(1)

typedef struct {
    oc_task_t task; /* first: an event is a task */
    oc_exec_queue_t *notify;
    char **environment; /* one piece of memory, strings and all; NULL: nothing waits here. Under the workers's lock */
} event_t;

struct oc_exec_queue_t {
    const char *const *argv;
    apr_interval_time_t patience;
    oc_exec_queue_ended_fn *ended;
    void *context;
    oc_workers_t *workers;
    unsigned room;
    unsigned n_waiting; /* under the workers's lock */
    event_t events[];
};

/* @return NULL: no memory */
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
    const oc_exec_queue_t *notify = event->notify;
    oc_spawn_end_t how;
    int number;

    (void)pool;
    how = oc_spawn_run(notify->argv, (const char *const *)(const void *)event->environment, notify->patience, stop,
                       &number);
    notify->ended(notify->context, how, number);
}

static void done(oc_task_t *task)
{
    event_t *event = (event_t *)(void *)task;

    free((void *)event->environment);
    event->environment = NULL;
    event->notify->n_waiting--;
}

apr_status_t oc_exec_queue_start(oc_exec_queue_t **out, const char *const *argv, unsigned room,
                                 apr_interval_time_t patience, oc_exec_queue_ended_fn *ended, void *context)
{
    oc_exec_queue_t *notify = calloc(1, sizeof(*notify) + room * sizeof(notify->events[0]));
    apr_status_t rv;
    unsigned i;

    *out = NULL;
    if (!notify)
        return APR_ENOMEM;
    notify->argv = argv;
    notify->patience = patience;
    notify->ended = ended;
    notify->context = context;
    notify->room = room;
    for (i = 0; i < room; i++)
        notify->events[i].notify = notify;
    rv = oc_workers_start(&notify->workers, 1, 1, 1, work, done);
    if (rv != APR_SUCCESS) {
        free(notify);
        return rv;
    }
    *out = notify;
    return APR_SUCCESS;
}

/* Lock held; there is one while n_waiting < room. */
static event_t *find_free(oc_exec_queue_t *notify)
{
    event_t *event = notify->events;

    while (event->environment)
        event++;
    return event;
}

apr_status_t oc_exec_queue_post(oc_exec_queue_t *notify, const char *const *environment, int is_minor)
{
    unsigned room = is_minor ? notify->room / 2 : notify->room;
    char **copied = copy(environment);
    int has_room;

    if (!copied)
        return APR_ENOMEM;
    oc_workers_lock(notify->workers);
    has_room = notify->n_waiting < room;
    if (has_room) {
        event_t *event = find_free(notify);

        notify->n_waiting++;
        event->environment = copied;
        oc_workers_submit(notify->workers, &event->task);
    }
    oc_workers_unlock(notify->workers);
    if (!has_room)
        free((void *)copied);
    return has_room ? APR_SUCCESS : APR_ENOSPC;
}

unsigned oc_exec_queue_stop(oc_exec_queue_t *notify)
{
    return oc_workers_stop(notify->workers, STOP_PATIENCE);
}

void oc_exec_queue_destroy(oc_exec_queue_t *notify)
{
    unsigned i;

    oc_workers_destroy(notify->workers);
    for (i = 0; i < notify->room; i++)
        free((void *)notify->events[i].environment);
    free(notify);
}
