/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The thread is started last in child_init, so that it never runs before the child's mutexes are initialized. It blocks
 * all signals. The child's main thread ends it: it waits, with a limit, for a thread that leads, and not for one that
 * sleeps, which the exit of the process ends. A thread that exceeds the limit must not use httpd, which destroys its
 * pools by then; the process exits without the clean-up of libraries (base/leftover.h).
 */
#include "refresh/leader.h"

#include "base/deadline.h"
#include "base/leftover.h"
#include "server/module.h"

#include <ap_mpm.h>
#include <apr_signal.h>
#include <http_log.h>
#include <mpm_common.h>
#include <pthread.h>
#include <scoreboard.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

APLOG_USE_MODULE(ocsp_cache);

#define TICK apr_time_from_msec(100)
#define FINISH_TICK apr_time_from_msec(20)
#define YIELD apr_time_from_msec(200)     /* for others to take the lead before a child that is near its end */
#define END_PATIENCE apr_time_from_sec(2) /* for a tick and the end of the duty */

/* DRAINING: connections that were accepted are still being counted; end_thread() decides between the other two. */
typedef enum { NOT_ENDING, DRAINING, FINISH, AT_ONCE } ending_t;

/* Set up in the parent, inherited. */
static struct {
    server_rec *server;
    oc_generation_t *generation; /* NULL: no child leads */
    const oc_leader_duty_t *duty;
    pthread_t thread;
    atomic_int ending; /* an ending_t */
    atomic_uint connections;

    pthread_mutex_t gate; /* guards what follows; never held in the duty */
    pthread_cond_t changed;
    int is_leading;
    int is_exiting;   /* the main thread is exiting */
    int is_abandoned; /* it has stopped waiting for the thread */
} leader;

void oc_leader_post_config(oc_generation_t *generation, const oc_leader_duty_t *duty, server_rec *main_server)
{
    pthread_condattr_t attr;

    memset((void *)&leader, 0, sizeof(leader));
    leader.server = main_server;
    leader.generation = generation;
    leader.duty = duty;
    pthread_mutex_init(&leader.gate, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&leader.changed, &attr);
    pthread_condattr_destroy(&attr);
}

void oc_leader_count_connection(void)
{
    atomic_fetch_add_explicit(&leader.connections, 1, memory_order_relaxed);
}

int oc_leader_is_current(void)
{
    int generation = 0;

    if (ap_mpm_query(AP_MPMQ_GENERATION, &generation) != APR_SUCCESS || !ap_scoreboard_image)
        return 1;
    return generation == ap_scoreboard_image->global->running_generation;
}

/* ---- the thread ---- */

/* Wait until @a until on the clock of oc_deadline_now(), or until a change. Gate held. @return 0: the time is over */
static int wait_until(apr_time_t until)
{
    struct timespec when = {(time_t)apr_time_sec(until), (long)apr_time_usec(until) * 1000};

    return pthread_cond_timedwait(&leader.changed, &leader.gate, &when) == 0;
}

/* Has this child served this fraction of MaxConnectionsPerChild? */
static int has_served(unsigned numerator, unsigned denominator)
{
    unsigned long n = atomic_load_explicit(&leader.connections, memory_order_relaxed);

    return ap_max_requests_per_child > 0 && n * denominator >= (unsigned long)ap_max_requests_per_child * numerator;
}

static apr_status_t take_lead(oc_lead_t *lead)
{
    apr_status_t rv = oc_lead_take(lead);

    if (rv != APR_SUCCESS || !has_served(1, 2))
        return rv;
    oc_lead_release(lead);
    apr_sleep(YIELD);
    return oc_lead_take(lead);
}

/* The process has stopped waiting for this thread, and may have begun to destroy its pools. Gate held. */
static void stay_out_of_the_way(void)
{
    pthread_mutex_unlock(&leader.gate);
    for (;;)
        pause();
}

/* Clients of a generation that a reload ends still wait, and watch its table alone. */
static unsigned in_flight(void)
{
    return oc_leader_is_current() ? leader.duty->wind_up() : leader.duty->wind_up_clients();
}

/* Gate held, and released meanwhile. */
static void finish(void)
{
    apr_time_t end = oc_deadline_now() + leader.duty->patience();

    while (in_flight() > 0 && oc_deadline_now() < end && atomic_load(&leader.ending) != AT_ONCE)
        wait_until(oc_deadline_now() + FINISH_TICK);
}

/* Gate held, and released meanwhile. */
static void lead(apr_pool_t *pool)
{
    while (atomic_load(&leader.ending) == NOT_ENDING && oc_leader_is_current()) {
        apr_time_t next = oc_deadline_now() + TICK;

        pthread_mutex_unlock(&leader.gate);
        leader.duty->tick(pool);
        apr_pool_clear(pool);
        pthread_mutex_lock(&leader.gate);
        if (leader.is_abandoned)
            stay_out_of_the_way();
        while (!leader.is_exiting && wait_until(next))
            ;
    }
    finish();
    pthread_mutex_unlock(&leader.gate);
    leader.duty->end();
    pthread_mutex_lock(&leader.gate);
}

static void *run(void *data)
{
    oc_lead_t *shared = oc_generation_lead(leader.generation);
    apr_status_t rv = take_lead(shared);
    apr_pool_t *pool = NULL;

    (void)data;
    pthread_mutex_lock(&leader.gate);
    if (rv != APR_SUCCESS && !leader.is_exiting)
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, leader.server,
                     "cannot wait for the lock that decides which child refreshes: this child refreshes no responses "
                     "until you reload the server");
    if (rv == APR_SUCCESS && !leader.is_exiting && apr_pool_create_unmanaged(&pool) == APR_SUCCESS) {
        leader.is_leading = 1;
        lead(pool);
        if (leader.is_abandoned)
            stay_out_of_the_way();
        apr_pool_destroy(pool);
        leader.is_leading = 0;
        pthread_cond_broadcast(&leader.changed);
    }
    if (rv == APR_SUCCESS)
        oc_lead_release(shared);
    pthread_mutex_unlock(&leader.gate);
    return NULL;
}

/* ---- the end of the child ---- */

static int is_blocked(int signal)
{
    sigset_t mask;

    return pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, signal) == 1;
}

static int is_threaded(void)
{
    int result = 0;

    return ap_mpm_query(AP_MPMQ_IS_THREADED, &result) == APR_SUCCESS && result != AP_MPMQ_NOT_SUPPORTED;
}

/* prefork in httpd 2.4 reports every end as ungraceful. When the server stops, it calls this from its SIGTERM handler,
 * where that signal is blocked. In a graceful stop no exchange is finished, as no child remains to use the response. */
void oc_leader_child_stopping(int is_graceful)
{
    int may_finish = is_threaded() ? is_graceful : !is_blocked(SIGTERM);

    atomic_store(&leader.ending, may_finish ? DRAINING : AT_ONCE);
}

static void on_terminate(int signal)
{
    (void)signal;
    atomic_store(&leader.ending, AT_ONCE);
}

/* The parent counts a child of prefork as idle until it has ended, and would not start another one in its place. */
static void report_busy(void)
{
    apr_proc_t self = {.pid = getpid()};
    int slot = is_threaded() || !ap_scoreboard_image ? -1 : ap_find_child_by_pid(&self);

    if (slot >= 0)
        (void)ap_update_child_status_from_indexes(slot, 0, SERVER_GRACEFUL, NULL);
}

/* Wait for the thread that leads. Gate held. @return 0: it is too late to wait any longer */
static int wait_for_thread(void)
{
    apr_interval_time_t patience = atomic_load(&leader.ending) == FINISH ? leader.duty->patience() : 0;
    apr_time_t until = oc_deadline_now() + patience + END_PATIENCE;

    while (leader.is_leading && (wait_until(until) || oc_deadline_now() < until))
        ;
    return !leader.is_leading;
}

static apr_status_t end_thread(void *data)
{
    void (*before)(int);
    int is_leading, has_ended = 0, draining = DRAINING;

    (void)data;
    if ((!has_served(1, 1) && oc_leader_is_current())
        || !atomic_compare_exchange_strong(&leader.ending, &draining, FINISH))
        atomic_store(&leader.ending, AT_ONCE);
    before = apr_signal(
        SIGTERM, on_terminate); /* prefork ignores it by now; while this child finishes, it is a reason to stop */
    pthread_mutex_lock(&leader.gate);
    leader.is_exiting = 1;
    is_leading = leader.is_leading;
    pthread_cond_broadcast(&leader.changed);
    if (is_leading) {
        report_busy();
        has_ended = wait_for_thread();
        leader.is_abandoned = !has_ended;
        if (leader.is_abandoned)
            oc_leftover_add();
    }
    pthread_mutex_unlock(&leader.gate);
    if (is_leading && has_ended)
        pthread_join(leader.thread, NULL);
    apr_signal(SIGTERM, before);
    return APR_SUCCESS;
}

void oc_leader_child_init(apr_pool_t *pchild)
{
    sigset_t all, before;
    int error;

    if (!leader.generation)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&leader.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        apr_pool_pre_cleanup_register(pchild, NULL, end_thread);
    else
        ap_log_error(APLOG_MARK, APLOG_ERR, error, leader.server,
                     "cannot start the thread that refreshes responses when no other child does: this child leaves it "
                     "to others");
}
