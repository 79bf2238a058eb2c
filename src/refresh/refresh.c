/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The duty of the child that leads: hand what is due to worker threads, which run oc_renew(). Called by the parent
 * (post_config), by every child (child_init), and by the thread of the child that leads. Never fetches or verifies in
 * those.
 */
#include "refresh/refresh.h"

#include "back_off.h"
#include "client_refresh.h"
#include "control.h"
#include "hedge.h"
#include "must_staple.h"
#include "notify.h"
#include "renew.h"
#include "base/deadline.h"
#include "refresh/leader.h"
#include "refresh/shared_store.h"
#include "server/client_table.h"
#include "server/module.h"
#include "server/provider.h"
#include "server/staples.h"
#include "server/stats.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <stdlib.h>

APLOG_USE_MODULE(ocsp_cache);

#define RESCAN_INTERVAL apr_time_from_sec(60) /* detects a clock that was set ahead, independent of the next due time */
#define SET_BACK apr_time_from_sec(1)         /* steps back of less than this move no due time that matters */
#define STOP_PATIENCE \
    apr_time_from_sec(1) /* for threads to end; an exchange looks at its stop flag 20 times a second */
#define FINISH_SLACK \
    apr_time_from_sec(1) /* on top of the longest exchange: to look into the shared store, and to store */
#define CERTIFICATES_PER_THREAD 500
#define MORE_THREADS_MAX 16
#define START_PAUSE apr_time_from_sec(10) /* before the next try to start threads */

/* The refresher of this process. Set up in the parent, inherited; `workers` and `jobs` are those of the one child that
 * leads. */
static struct {
    server_rec *server;
    int has_work; /* a certificate is to be refreshed */
    oc_workers_t *workers;
    apr_pool_t *pool;          /* of jobs and keepalive */
    oc_job_t *jobs;            /* touched by the thread that leads alone */
    oc_keepalive_t *keepalive; /* of the workers' connections */
    unsigned n_jobs;
    apr_time_t next_scan;
    apr_time_t last_tick;  /* a time before it: the clock was set back */
    apr_time_t next_start; /* of threads, and next_look: on the clock of oc_deadline_now() */
    apr_time_t next_look;  /* into OCSPCacheResponseFolder */
    oc_disk_stamp_t seen;  /* that folder */
    uint64_t flags_seen;   /* oc_refresh_flags_has_any() */
} refresher;

/* ---- one child refreshes ---- */

static void work(oc_task_t *task, const atomic_int *stop, apr_pool_t *pool)
{
    if (task->kind == OC_TASK_HEDGE)
        oc_hedge_run((oc_hedge_t *)(void *)task, stop, pool);
    else
        oc_renew((oc_job_t *)(void *)task, stop, pool);
}

static void make_due(oc_job_t *job)
{
    if (job->task.is_queued)
        job->guarded.is_due_again = 1; /* it may have looked already, and be waiting for a responder */
    else
        job->guarded.due = 0;
    refresher.next_scan = 0;
}

static void done_hedge(oc_hedge_t *hedge)
{
    if (atomic_load(&hedge->found.is_full)) /* the job's own exchange has ended, or is about to */
        make_due(hedge->job);
}

static void done_job(oc_job_t *job)
{
    job->task.group = oc_job_responder(job)->group;
    if (job->own.turn > 0) { /* the attempt continues with another responder, when that one has a worker free */
        job->guarded.is_due_again = 1;
        job->guarded.is_requested |= job->own.is_forced;
    }
    job->guarded.due = job->guarded.is_due_again ? 0 : job->own.wake;
    job->guarded.is_due_again = 0;
    if (job->guarded.due < refresher.next_scan)
        refresher.next_scan = job->guarded.due;
}

static void done(oc_task_t *task)
{
    if (task->kind == OC_TASK_HEDGE)
        done_hedge((oc_hedge_t *)(void *)task);
    else
        done_job((oc_job_t *)(void *)task);
}

/* Did the folder of OCSPCacheResponseFolder change? Checked once a second. */
static int has_new_files(void)
{
    const char *folder = oc_settings_global()->response_folder;
    apr_time_t now = oc_deadline_now();

    if (!folder || now < refresher.next_look)
        return 0;
    refresher.next_look = now + apr_time_from_sec(1);
    return oc_response_folder_has_changed(folder, &refresher.seen);
}

/* Run every job. It looks for a file, and bounds its own due time; no responder is queried before that. */
static void make_all_due(void)
{
    unsigned i;

    for (i = 0; i < refresher.n_jobs; i++)
        make_due(&refresher.jobs[i]);
}

/* What any child has requested to be refreshed. */
static void take_refresh_flags(void)
{
    oc_refresh_flags_t *flags = oc_stats_refresh_flags();
    unsigned i;

    if (!flags || !oc_refresh_flags_has_any(flags, &refresher.flags_seen))
        return;
    for (i = 0; i < refresher.n_jobs; i++) {
        if (oc_refresh_flags_take(flags, refresher.jobs[i].ordinal)) {
            refresher.jobs[i].guarded.is_requested = 1;
            make_due(&refresher.jobs[i]);
        }
    }
}

static void hand_out(oc_workers_t *workers, oc_job_t *job)
{
    job->own.is_forced = job->guarded.is_requested;
    job->guarded.is_requested = 0;
    if (job->guarded.import) { /* the worker owns it from here on */
        free(job->own.import);
        job->own.import = job->guarded.import;
        job->guarded.import = NULL;
    }
    oc_workers_submit(workers, &job->task);
}

/* Hand over what is due. Between due times this is a few comparisons. */
static void scan(oc_workers_t *workers, apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    int has_changed = has_new_files(); /* this and the next without the lock: a folder on a network may hang */
    const oc_command_t *command = oc_control_look(pool);
    unsigned i;

    oc_keepalive_expire(refresher.keepalive, oc_deadline_now());
    oc_workers_lock(workers);
    if (has_changed || now < refresher.last_tick - SET_BACK)
        make_all_due();
    refresher.last_tick = now;
    take_refresh_flags();
    if (command)
        oc_control_run(command, refresher.jobs, refresher.n_jobs, make_due);
    if (now >= refresher.next_scan) {
        refresher.next_scan = now + RESCAN_INTERVAL;
        for (i = 0; i < refresher.n_jobs; i++) {
            oc_job_t *job = &refresher.jobs[i];

            if (job->task.is_queued)
                continue;
            job->guarded.due = oc_schedule_clamp(job->guarded.due, now, APR_INT64_MAX, job->own.note.failures,
                                                 &job->managed->settings.bounds);
            if (job->guarded.due <= now)
                hand_out(workers, job);
            else if (job->guarded.due < refresher.next_scan)
                refresher.next_scan = job->guarded.due;
        }
    }
    oc_hedges_submit(workers, refresher.jobs, refresher.n_jobs);
    oc_workers_unlock(workers);
}

/* Threads beyond the default, half of them for the same responder: the first responses of many certificates are all
 * due at once. */
static unsigned more_threads(const oc_global_conf_t *conf)
{
    unsigned more = (unsigned)oc_managed_all()->nelts / CERTIFICATES_PER_THREAD;

    if (!conf->workers_grow)
        return 0;
    return more < MORE_THREADS_MAX ? more : MORE_THREADS_MAX;
}

/* With the pool of jobs and keepalive. No thread works on a job. */
static void forget_jobs(void)
{
    oc_jobs_clear(refresher.jobs, refresher.n_jobs);
    refresher.jobs = NULL;
    refresher.n_jobs = 0;
    apr_pool_destroy(refresher.pool);
}

static apr_status_t start_workers(oc_workers_t **workers)
{
    const oc_global_conf_t *conf = oc_settings_global();
    unsigned n_groups, more = more_threads(conf), n_threads = (unsigned)conf->workers + more;
    unsigned share = (unsigned)conf->workers_per_responder + more / 2;
    apr_pool_t *pool; /* with its own allocator: this is not a thread of httpd */
    apr_status_t rv = apr_pool_create_unmanaged(&pool);

    if (rv != APR_SUCCESS)
        return rv;
    refresher.pool = pool;
    refresher.keepalive = oc_keepalive_create(n_threads, pool);
    n_groups = oc_jobs_make(&refresher.jobs, &refresher.n_jobs, refresher.keepalive, pool);
    if (n_threads > 2 * refresher.n_jobs) /* a job and its hedge each */
        n_threads = 2 * refresher.n_jobs;
    oc_shared_store_start();
    rv = oc_workers_start(workers, n_threads, n_groups, share, work, done);
    if (rv != APR_SUCCESS) {
        oc_shared_store_stop();
        forget_jobs();
        return rv;
    }
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, refresher.server,
                 "this child refreshes OCSP responses: certificates: %u, responders: %u, threads: %u", refresher.n_jobs,
                 n_groups, n_threads);
    return APR_SUCCESS;
}

static void start(void)
{
    apr_time_t now = oc_deadline_now();
    oc_workers_t *workers;
    apr_status_t rv;

    if (now < refresher.next_start)
        return;
    oc_notify_start(refresher.server);
    rv = start_workers(&workers);
    refresher.next_scan = refresher.last_tick = 0;
    if (rv == APR_SUCCESS) {
        refresher.workers = workers;
        return;
    }
    refresher.next_start = now + START_PAUSE;
    ap_log_error(APLOG_MARK, APLOG_ERR, rv, refresher.server,
                 "cannot start a thread to fetch OCSP responses; trying again in ten seconds");
}

static void tick(apr_pool_t *pool)
{
    oc_client_refresh_tick(refresher.server);
    if (!refresher.has_work)
        return;
    if (!refresher.workers)
        start();
    if (!refresher.workers)
        return;
    scan(refresher.workers, pool);
    oc_must_staple_report(pool);
}

static unsigned wind_up(void)
{
    unsigned n_clients = oc_client_refresh_wind_up();

    if (!refresher.workers)
        return n_clients;
    oc_workers_close(refresher.workers);
    return n_clients + oc_workers_running(refresher.workers);
}

/* Also called by the child's main thread, while the thread that leads may begin or end: it reads what is constant in a
 * child. */
static apr_interval_time_t patience(void)
{
    const apr_array_header_t *all = oc_managed_all();
    apr_interval_time_t longest = 0;
    int i;

    if (!oc_leader_is_current())
        return oc_client_refresh_wait();
    for (i = 0; i < all->nelts; i++) {
        const oc_managed_t *managed = APR_ARRAY_IDX(all, i, const oc_managed_t *);

        if (oc_managed_is_refreshed(managed) && managed->settings.timeout > longest)
            longest = managed->settings.timeout;
    }
    longest += FINISH_SLACK;
    return longest > oc_client_refresh_patience() ? longest : oc_client_refresh_patience();
}

static void end(void)
{
    oc_workers_t *workers = refresher.workers;
    unsigned left;

    oc_client_refresh_end(refresher.server);
    refresher.workers = NULL;
    if (!workers)
        return;
    left = oc_workers_stop(workers, STOP_PATIENCE);
    oc_keepalive_close(refresher.keepalive);
    if (left > 0) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, refresher.server,
                     "%u threads are still waiting, for a name lookup or a file; they end with the process", left);
        return;
    }
    oc_shared_store_stop(); /* no worker uses it; a thread that hangs in it is left there */
    oc_workers_destroy(workers);
    forget_jobs(); /* freed here, as a child may drain for hours */
}

static const oc_leader_duty_t DUTY = {tick, wind_up, oc_client_refresh_wind_up, patience, end};

/* ---- the parent ---- */

/* A stored response belongs to one certificate and one issuer. If the issuer of a certificate has changed, the response
 * must not be stapled before it is verified again. No child uses this arena yet. */
static void drop_unbound(server_rec *s, apr_pool_t *ptemp)
{
    const apr_array_header_t *all = oc_managed_all();
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, ptemp);
    for (i = 0; i < all->nelts; i++) {
        const oc_managed_t *managed = APR_ARRAY_IDX(all, i, const oc_managed_t *);
        oc_record_t record;

        apr_pool_clear(pool);
        if (oc_staples_get(managed->cert, &record, NULL, pool) == APR_SUCCESS
            && memcmp(record.binding, managed->cert->binding, sizeof(record.binding)) != 0)
            oc_staples_remove(managed->cert, s);
    }
    apr_pool_destroy(pool);
}

static int has_work(void)
{
    const apr_array_header_t *all = oc_managed_all();
    int i;

    for (i = 0; i < all->nelts; i++)
        if (oc_managed_is_refreshed(APR_ARRAY_IDX(all, i, const oc_managed_t *)))
            return 1;
    return 0;
}

int oc_refresh_post_config(apr_pool_t *pconf, server_rec *main_server)
{
    memset((void *)&refresher, 0, sizeof(refresher));
    refresher.server = main_server;
    oc_leader_post_config(oc_client_table_generation(), &DUTY, main_server);
    oc_must_staple_begin();
    if (!oc_settings_is_active())
        return OK;
    oc_managed_settle(main_server);
    oc_control_post_config(pconf, main_server);
    if (!has_work() || !oc_provider_stapling())
        return OK;

    drop_unbound(main_server, pconf);
    oc_back_off_take_over(main_server, pconf);
    oc_shared_store_init(oc_provider_stapling(), main_server);
    refresher.has_work = 1;
    oc_leader_post_config(oc_provider_stapling(), &DUTY, main_server);
    return OK;
}

/* ---- every child ---- */

static apr_status_t stop_events(void *data)
{
    (void)data;
    oc_notify_stop();
    return APR_SUCCESS;
}

void oc_refresh_child_init(apr_pool_t *pchild)
{
    if (!refresher.has_work) {
        if (oc_client_table())
            oc_leader_child_init(pchild);
        return;
    }
    oc_shared_store_child_init(pchild);
    apr_pool_pre_cleanup_register(pchild, NULL,
                                  stop_events); /* runs after the thread's end, which may have events to report */
    oc_leader_child_init(pchild);
    oc_must_staple_wait(pchild);
}
