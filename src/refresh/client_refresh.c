/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * In the child that leads: a thread that takes the keys of waiting clients out of the queue and looks through the table
 * for what is due, and workers that query. Queries are limited by their number, so neither a flood of clients nor a
 * responder that hangs makes this child grow, and each responder has a share of the queries, so that one does not keep
 * others waiting. A client that finds no room stays in the table, where the next look finds it.
 */
#include "client_refresh.h"

#include "client_task.h"
#include "base/deadline.h"
#include "base/leftover.h"
#include "server/client_table.h"
#include "server/module.h"
#include "server/settings.h"

#include <http_log.h>
#include <pthread.h>
#include <signal.h>

APLOG_USE_MODULE(ocsp_cache);

#define STOP_PATIENCE apr_time_from_sec(1)
#define FINISH_SLACK apr_time_from_sec(1)
#define START_PAUSE apr_time_from_sec(10)
#define WAIT_MS 50 /* for a key: the thread checks whether it is to end this often */
#define LOOK_PAUSE apr_time_from_sec(1)
#define LOOK_BUDGET 4096u /* blocks of the table between two looks into the queue */

/* Of this process, where it leads. */
static struct {
    oc_client_tasks_t *tasks; /* NULL: not started */
    oc_workers_t *workers;
    apr_pool_t *pool;
    pthread_t thread;
    atomic_int is_ending;
    apr_time_t next_start, next_look; /* on the clock of oc_deadline_now() */
    uint32_t cursor;                  /* of the look through the table */
} refresher;

/* ---- the thread ---- */

/* Continue to look for what is due. */
static void look(oc_clients_entry_t *entry, unsigned char *scratch)
{
    const oc_clients_t *clients = oc_client_table();
    uint32_t budget = LOOK_BUDGET;
    oc_client_key_t key;
    apr_status_t rv;

    if (oc_deadline_now() < refresher.next_look)
        return;
    while ((rv = oc_clients_next(clients, &refresher.cursor, &key, entry, scratch, &budget)) == APR_SUCCESS)
        if (oc_client_is_due(&entry->client, &entry->note, oc_clients_seen(clients, &key), apr_time_now()))
            oc_client_tasks_submit(refresher.tasks, refresher.workers, &key, &entry->client);
    if (rv == APR_EOF) {
        refresher.cursor = 0;
        refresher.next_look = oc_deadline_now() + LOOK_PAUSE;
    }
}

/* A client waits for this answer, if there is still none. */
static void answer(const oc_client_key_t *key, oc_clients_entry_t *entry)
{
    if (oc_clients_get(oc_client_table(), key, entry) == APR_SUCCESS
        && oc_client_decide(&entry->client, &entry->note, apr_time_now(), 0).may_change)
        oc_client_tasks_submit(refresher.tasks, refresher.workers, key, &entry->client);
}

static void *run(void *data)
{
    oc_clients_entry_t *entry = apr_palloc(refresher.pool, sizeof(*entry));
    unsigned char *scratch = apr_palloc(refresher.pool, OC_BLOCK_DATA_MAX);
    oc_client_key_t key;
    unsigned n;

    (void)data;
    while (!atomic_load(&refresher.is_ending)) {
        int wait = WAIT_MS;

        for (n = 0; n < LOOK_BUDGET && oc_client_queue_take(oc_client_table_queue(), &key, wait); n++, wait = 0)
            answer(&key, entry);
        look(entry, scratch);
    }
    return NULL;
}

static apr_status_t start_thread(void)
{
    sigset_t all, before;
    int error;

    atomic_store(&refresher.is_ending, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&refresher.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void end_thread(void)
{
    atomic_store(&refresher.is_ending, 1);
    pthread_join(refresher.thread, NULL);
}

/* ---- the duty ---- */

static apr_status_t start(void)
{
    const oc_global_conf_t *conf = oc_settings_global();
    apr_pool_t *pool; /* with its own allocator: this is not a thread of httpd */
    apr_status_t rv = apr_pool_create_unmanaged(&pool);

    if (rv != APR_SUCCESS)
        return rv;
    refresher.pool = pool;
    refresher.cursor = 0;
    refresher.tasks = oc_client_tasks_create((unsigned)conf->workers, pool);
    rv = oc_workers_start(&refresher.workers, (unsigned)conf->workers, OC_CLIENT_TASK_GROUPS,
                          (unsigned)conf->workers_per_responder, oc_client_tasks_work, oc_client_tasks_done);
    if (rv == APR_SUCCESS) {
        rv = start_thread();
        if (rv == APR_SUCCESS)
            return rv;
        (void)oc_workers_stop(refresher.workers, STOP_PATIENCE);
        oc_workers_destroy(refresher.workers);
    }
    refresher.tasks = NULL;
    apr_pool_destroy(pool);
    return rv;
}

void oc_client_refresh_tick(server_rec *s)
{
    apr_time_t now = oc_deadline_now();
    apr_status_t rv;

    if (refresher.tasks)
        oc_client_tasks_expire(refresher.tasks, now);
    if (!oc_client_table() || refresher.tasks || now < refresher.next_start)
        return;
    rv = start();
    refresher.next_start = now + START_PAUSE;
    if (rv == APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, "this child obtains the status of client certificates");
    else
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     "cannot start a thread to query for client certificates; trying again in ten seconds");
}

unsigned oc_client_refresh_wind_up(void)
{
    if (!refresher.tasks)
        return 0;
    oc_workers_close(refresher.workers);
    return oc_workers_running(refresher.workers);
}

apr_interval_time_t oc_client_refresh_patience(void)
{
    return refresher.tasks ? oc_client_tasks_timeout() + FINISH_SLACK : 0;
}

apr_interval_time_t oc_client_refresh_wait(void)
{
    return refresher.tasks ? oc_client_tasks_wait() : 0;
}

void oc_client_refresh_end(server_rec *s)
{
    unsigned left;

    if (!refresher.tasks)
        return;
    end_thread();
    left = oc_workers_stop(refresher.workers, STOP_PATIENCE);
    oc_client_tasks_close(refresher.tasks);
    if (left > 0) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s,
                     "%u threads that query for client certificates still wait, for a name lookup; they end with the "
                     "process",
                     left);
    }
    else {
        oc_workers_destroy(refresher.workers);
        apr_pool_destroy(refresher.pool);
    }
    refresher.tasks = NULL;
}
