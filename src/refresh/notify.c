/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Runs the program of OCSPCacheNotify. The values come from certificates and responders, so they are passed in
 * environment variables, where no character has a special meaning, and as printable ASCII only.
 */
#include "notify.h"

#include "base/exec_queue.h"
#include "fetch/url.h"
#include "server/module.h"
#include "view/view.h"

#include <apr_strings.h>
#include <http_log.h>
#include <stdatomic.h>

APLOG_USE_MODULE(ocsp_cache);

#define ROOM 256
#define PATIENCE apr_time_from_sec(30)
#define HOSTS_MAX \
    32768 /* bytes: a kernel takes 128 KiB in one string, and a certificate may serve thousands of hosts */
#define VARIABLES_MAX 16
#define PATH_OF_PROGRAM "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static struct {
    oc_exec_queue_t *notify; /* NULL: no program is configured */
    server_rec *server;
    const char *program;
    int has_warned_of_end; /* of the notifier's thread */
    atomic_int has_warned_of_loss;
} events;

/* ---- how the program ended ---- */

static const char *explain(oc_spawn_end_t how, int number, char *text, apr_size_t size)
{
    char why[120];

    switch (how) {
    case OC_SPAWN_EXITED:
        apr_snprintf(text, size, "it exited with status %d", number);
        break;
    case OC_SPAWN_SIGNALLED:
        apr_snprintf(text, size, "it was killed by signal %d", number);
        break;
    case OC_SPAWN_TOO_SLOW:
        apr_snprintf(text, size, "it was killed after %" APR_TIME_T_FMT " seconds", apr_time_sec(PATIENCE));
        break;
    default:
        apr_snprintf(text, size, "it cannot be run: %s. Check that the server's User may run it",
                     apr_strerror(number, why, sizeof(why)));
        break;
    }
    return text;
}

/* Logged once, until the program succeeds again. */
static void ended(void *context, oc_spawn_end_t how, int number)
{
    int is_well = how == OC_SPAWN_EXITED && number == 0;
    char text[200];

    (void)context;
    if (how == OC_SPAWN_STOPPED)
        return;
    if (!is_well)
        ap_log_error(APLOG_MARK, events.has_warned_of_end ? APLOG_DEBUG : APLOG_WARNING, 0, events.server,
                     "OCSPCacheNotify: %s: %s", events.program, explain(how, number, text, sizeof(text)));
    else if (events.has_warned_of_end)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, events.server, "OCSPCacheNotify: %s works again", events.program);
    events.has_warned_of_end = !is_well;
}

void oc_notify_start(server_rec *main_server)
{
    const char *const *argv = oc_settings_global()->notify;
    apr_status_t rv;

    if (!argv || events.notify)
        return;
    events.server = main_server;
    events.program = argv[0];
    events.has_warned_of_end = 0;
    atomic_store(&events.has_warned_of_loss, 0);
    rv = oc_exec_queue_start(&events.notify, argv, ROOM, PATIENCE, ended, NULL);
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, main_server,
                     "OCSPCacheNotify: cannot start a thread to run %s; no events are reported", argv[0]);
}

/* Its memory is not freed: a worker thread that hung in a disk or a name lookup may still post an event. */
void oc_notify_stop(void)
{
    if (events.notify)
        (void)oc_exec_queue_stop(events.notify);
}

/* ---- the event ---- */

typedef struct {
    const char *variable[VARIABLES_MAX + 1];
    int n;
    apr_pool_t *pool;
} environment_t;

static void set(environment_t *env, const char *name, const char *value)
{
    env->variable[env->n++] =
        apr_pstrcat(env->pool, name, "=", value && *value ? oc_view_printable(value, env->pool) : "", NULL);
}

/* Seconds since 1970; empty: there is no such time. */
static void set_time(environment_t *env, const char *name, apr_time_t when)
{
    set(env, name, when > 0 ? apr_psprintf(env->pool, "%" APR_TIME_T_FMT, apr_time_sec(when)) : NULL);
}

static const char *all_hosts(const oc_managed_t *managed, apr_pool_t *pool)
{
    const apr_array_header_t *hosts = oc_managed_hosts(managed, pool);
    apr_array_header_t *taken = apr_array_make(pool, hosts->nelts, sizeof(const char *));
    apr_size_t size = 0;
    int i;

    for (i = 0; i < hosts->nelts; i++) {
        const char *host = APR_ARRAY_IDX(hosts, i, const char *);

        size += strlen(host) + 1;
        if (size > HOSTS_MAX)
            break;
        APR_ARRAY_PUSH(taken, const char *) = host;
    }
    return apr_array_pstrcat(pool, taken, ' ');
}

static const char *name_of(oc_notify_t event)
{
    static const char *const NAMES[] = {"first-response", "revoked", "expiring", "expired", "recovered"};

    return NAMES[event];
}

static void describe(environment_t *env, const oc_job_t *job, oc_notify_t event, oc_verdict_t error, const char *detail)
{
    const oc_managed_t *managed = job->managed;
    int is_held = oc_job_is_covered(job, apr_time_now()), is_error = error != OC_PENDING;

    set(env, "PATH", PATH_OF_PROGRAM);
    set(env, "OCSP_CACHE_EVENT", name_of(event));
    set(env, "OCSP_CACHE_HOST", managed->host);
    set(env, "OCSP_CACHE_HOSTS", all_hosts(managed, env->pool));
    set(env, "OCSP_CACHE_SUBJECT", managed->cert->subject);
    set(env, "OCSP_CACHE_SERIAL", managed->cert->serial);
    set_time(env, "OCSP_CACHE_NOT_AFTER", managed->cert->not_after);
    set(env, "OCSP_CACHE_MUST_STAPLE", managed->cert->must_staple ? "1" : "0");
    set(env, "OCSP_CACHE_RESPONDER", managed->url ? oc_url_public(managed->url, env->pool) : NULL);
    set(env, "OCSP_CACHE_STATUS", !is_held ? "none" : job->logged.revoked ? "revoked" : "good");
    set_time(env, "OCSP_CACHE_USABLE_UNTIL", is_held ? job->own.usable_until : 0);
    set_time(env, "OCSP_CACHE_NEXT_REQUEST", job->own.note.due);
    set(env, "OCSP_CACHE_ERROR", is_error ? oc_verdict_name(error) : NULL);
    set(env, "OCSP_CACHE_ERROR_TEXT",
        is_error ? apr_pstrcat(env->pool, oc_verdict_text(error), *detail ? ": " : "", detail, NULL) : NULL);
}

static void warn_of_loss(const oc_job_t *job, oc_notify_t event, int is_minor, apr_status_t rv)
{
    if (rv == APR_ENOSPC)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, job->managed->server,
                     "OCSPCacheNotify: %s is too slow: %s of %d events is full, and further events are lost until "
                     "there is room. First lost: %s, %s",
                     events.program, is_minor ? "the half for first responses of its queue" : "its queue", ROOM,
                     name_of(event), job->managed->label);
    else
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, job->managed->server,
                     "OCSPCacheNotify: there is no memory for an event, and further ones are lost until there is. "
                     "First lost: %s, %s",
                     name_of(event), job->managed->label);
}

void oc_notify_post(const oc_job_t *job, oc_notify_t event, oc_verdict_t error, const char *detail, apr_pool_t *pool)
{
    environment_t env = {.n = 0, .pool = pool};
    int is_minor = event == OC_NOTIFY_FIRST_RESPONSE;
    apr_status_t rv;

    if (!events.notify)
        return;
    describe(&env, job, event, error, detail);
    rv = oc_exec_queue_post(events.notify, env.variable, is_minor);
    if (rv == APR_SUCCESS)
        atomic_store(&events.has_warned_of_loss, 0);
    else if (!atomic_exchange(&events.has_warned_of_loss, 1))
        warn_of_loss(job, event, is_minor, rv);
}
