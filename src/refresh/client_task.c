/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One query for a client certificate, from the table and back into it, in a worker's thread.
 */
#include "client_task.h"

#include "client_query.h"
#include "job.h"

#include "client/outages.h"
#include "server/client_table.h"
#include "server/module.h"

#include <apr_strings.h>
#include <http_log.h>
#include <string.h>

APLOG_USE_MODULE(ocsp_cache);

#define TASKS 1024u                     /* waiting or running */
#define PROBES 16u                      /* places that a client's task may take */
#define TASKS_OF_GROUP 128u             /* of them, so that a responder that hangs leaves room for others */
#define RETRY_MAX apr_time_from_sec(60) /* a client that is refused waits no longer for a responder that is back */

typedef struct {
    oc_task_t task; /* first: it is one */
    oc_client_tasks_t *tasks;
    oc_client_key_t key;
    int is_taken;
} client_task_t;

struct oc_client_tasks_t {
    client_task_t task[TASKS];
    unsigned n_taken[OC_CLIENT_TASK_GROUPS]; /* under the workers' lock */
    oc_keepalive_t *keepalive;
    oc_client_outages_t *outages;
    atomic_int has_told; /* of a certificate without a responder */
};

oc_client_tasks_t *oc_client_tasks_create(unsigned n_threads, apr_pool_t *pool)
{
    oc_client_tasks_t *tasks = apr_pcalloc(pool, sizeof(*tasks));

    tasks->keepalive = oc_keepalive_create(n_threads, pool);
    tasks->outages = oc_client_outages_create(pool);
    return tasks;
}

apr_interval_time_t oc_client_tasks_wait(void)
{
    const apr_array_header_t *hosts = oc_client_table_hosts();
    apr_interval_time_t longest = 0;
    int i;

    for (i = 0; i < hosts->nelts; i++)
        if (APR_ARRAY_IDX(hosts, i, const oc_client_host_t *)->wait > longest)
            longest = APR_ARRAY_IDX(hosts, i, const oc_client_host_t *)->wait;
    return longest;
}

apr_interval_time_t oc_client_tasks_timeout(void)
{
    const apr_array_header_t *hosts = oc_client_table_hosts();
    apr_interval_time_t longest = 0;
    oc_settings_t settings;
    int i;

    for (i = 0; i < hosts->nelts; i++) {
        oc_settings_resolve(APR_ARRAY_IDX(hosts, i, const oc_client_host_t *)->server, &settings);
        if (settings.timeout > longest)
            longest = settings.timeout;
    }
    return longest;
}

void oc_client_tasks_expire(oc_client_tasks_t *tasks, apr_time_t now)
{
    oc_keepalive_expire(tasks->keepalive, now);
}

void oc_client_tasks_close(oc_client_tasks_t *tasks)
{
    oc_keepalive_close(tasks->keepalive);
}

/* ---- the queue ---- */

/* The responder's name and port: what follows them differs between certificates of one CA. */
static const char *name_in(const char *url, apr_size_t *len)
{
    const char *name = strstr(url, "://");

    name = name ? name + 3 : url;
    *len = strcspn(name, "/");
    return name;
}

static unsigned group_of(const oc_client_host_t *host, const oc_client_t *client)
{
    const char *proxy = oc_settings_server(host->server)->proxy_url;
    const char *url = proxy ? proxy : host->responder ? host->responder : client->urls_len > 0 ? client->urls : "";
    apr_size_t len;
    const char *name = name_in(url, &len);
    char text[256];

    apr_cpystrn(text, name, len < sizeof(text) ? len + 1 : sizeof(text));
    return (unsigned)(oc_client_host_id(text) % OC_CLIENT_TASK_GROUPS);
}

/* A free place for the client; NULL: there is none, or its task is there. Workers' lock held. */
static client_task_t *find_place(oc_client_tasks_t *tasks, const oc_client_key_t *key)
{
    client_task_t *place = NULL;
    uint32_t first, i;

    memcpy(&first, key->bytes, sizeof(first));
    for (i = 0; i < PROBES; i++) {
        client_task_t *task = &tasks->task[(first + i) % TASKS];

        if (task->is_taken && memcmp(&task->key, key, sizeof(*key)) == 0)
            return NULL;
        if (!task->is_taken && !place)
            place = task;
    }
    return place;
}

void oc_client_tasks_submit(oc_client_tasks_t *tasks, oc_workers_t *workers, const oc_client_key_t *key,
                            const oc_client_t *client)
{
    unsigned group = group_of(oc_client_table_host(client->host), client);
    client_task_t *task;

    oc_workers_lock(workers);
    task = tasks->n_taken[group] < TASKS_OF_GROUP ? find_place(tasks, key) : NULL;
    if (task) {
        memset(&task->task, 0, sizeof(task->task));
        task->task.group = group;
        task->tasks = tasks;
        task->key = *key;
        task->is_taken = 1;
        tasks->n_taken[group]++;
        oc_workers_submit(workers, &task->task);
    }
    oc_workers_unlock(workers);
}

void oc_client_tasks_done(oc_task_t *task)
{
    client_task_t *done = (client_task_t *)(void *)task;

    done->is_taken = 0;
    done->tasks->n_taken[task->group]--;
}

/* ---- the query ---- */

static void resolve(const oc_client_host_t *host, oc_settings_t *settings)
{
    oc_settings_resolve(host->server, settings);
    settings->open_ended = host->max_age;
    if (settings->bounds.retry_max > RETRY_MAX)
        settings->bounds.retry_max = RETRY_MAX;
    if (settings->bounds.retry_min > settings->bounds.retry_max)
        settings->bounds.retry_min = settings->bounds.retry_max;
}

static void take_truth(oc_client_t *client, oc_note_t *note, const oc_attempt_t *attempt, const oc_settings_t *settings)
{
    const oc_verify_result_t *verified = &attempt->verified;

    client->verdict = attempt->verdict;
    client->this_update = verified->this_update;
    client->usable_until = verified->usable_until;
    client->fetched_at = client->tried_at;
    note->failures = 0;
    note->verdict = attempt->verdict;
    note->due = oc_schedule_success(client->tried_at, verified->this_update, verified->usable_until, &settings->bounds,
                                    oc_job_random());
    note->due = oc_schedule_hint(note->due, client->tried_at, verified->this_update, verified->usable_until,
                                 attempt->fetched.max_age, &settings->bounds, oc_job_random());
}

static void take_failure(const oc_client_t *client, oc_note_t *note, const oc_attempt_t *attempt,
                         const oc_settings_t *settings)
{
    note->failures++;
    note->verdict = attempt->verdict;
    note->due = oc_schedule_failure(client->tried_at, client->usable_until, note->failures,
                                    attempt->fetched.retry_after, &settings->bounds, oc_job_random());
}

/* An older response than the one that is held: a cache on the way, or an attacker, replays it. */
static int is_superseded(const oc_client_t *client, const oc_attempt_t *attempt)
{
    return client->verdict != OC_PENDING && attempt->verified.this_update < client->this_update;
}

/* The first failure, and the recovery; what follows either is at debug. @param verdict before it was compared with what
 * is stored */
static void log_news(const oc_client_host_t *host, const oc_attempt_t *attempt, oc_verdict_t verdict)
{
    if (oc_verdict_class(verdict) == OC_CLASS_TRUTH)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, host->server, "OCSPCacheClient: %s answers again", attempt->source);
    else
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, host->server,
                     "OCSPCacheClient: %s: %s%s%s. Clients whose status is not known are %s until it answers",
                     attempt->source, oc_verdict_text(verdict), *attempt->detail ? ": " : "", attempt->detail,
                     host->mode == OC_CLIENT_HARD ? "refused" : "let in");
}

static void log_attempt(client_task_t *task, const oc_client_host_t *host, const oc_attempt_t *attempt,
                        const char *serial)
{
    if (attempt->verdict == OC_URL_UNUSABLE && !atomic_exchange(&task->tasks->has_told, 1))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, host->server,
                     "OCSPCacheClient: the client certificate with serial %s names no responder that can be queried. "
                     "Set OCSPCacheClientResponder",
                     serial);
    ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, host->server,
                 "client certificate with serial %s: %s: %s%s%s (in %" APR_TIME_T_FMT " ms)", serial, attempt->source,
                 oc_verdict_name(attempt->verdict), *attempt->detail ? ": " : "", attempt->detail,
                 attempt->elapsed / 1000);
}

static void store(client_task_t *task, oc_clients_entry_t *entry, oc_attempt_t *attempt, const oc_settings_t *settings)
{
    int is_truth = oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH;

    entry->client.tried_at = apr_time_now();
    if (is_truth && is_superseded(&entry->client, attempt)) {
        attempt->verdict = OC_SUPERSEDED;
        is_truth = 0;
    }
    if (is_truth)
        take_truth(&entry->client, &entry->note, attempt, settings);
    else
        take_failure(&entry->client, &entry->note, attempt, settings);
    (void)oc_client_table_put(&task->key, &entry->client, &entry->note);
    if (attempt->elapsed < 0) /* nothing was sent */
        return;
    oc_client_table_count(task->task.group, OC_CLIENT_COUNT_QUERIES);
    if (!is_truth)
        oc_client_table_count(task->task.group, OC_CLIENT_COUNT_FAILURES);
}

/* A good client whose usable time is over waits for this attempt. It is let in for its grace if the attempt fails, and
 * the responder is known to fail: so it need not wait until that shows once more. The entry itself stays as it is: the
 * attempt counts once, when it ends. */
static void answer_early(const client_task_t *task, const oc_clients_entry_t *entry, oc_verdict_t failing)
{
    oc_note_t note = entry->note;

    if (entry->client.verdict != OC_GOOD)
        return;
    note.failures++;
    note.verdict = failing;
    (void)oc_client_table_put(&task->key, &entry->client, &note);
}

/* What is queried for the client, in which order, by which way: an outage concerns the clients of these alone. */
static const char *route_of(const oc_client_query_t *query, apr_pool_t *pool)
{
    const char *route = query->proxy ? query->proxy : "";
    const char *const *url;
    apr_size_t len;

    for (url = query->urls; *url; url++) {
        const char *name = name_in(*url, &len);

        route = apr_pstrcat(pool, route, " ", apr_pstrmemdup(pool, name, len), NULL);
    }
    return route;
}

static void give_up(const oc_client_query_t *query, oc_verdict_t failing, oc_attempt_t *attempt, apr_pool_t *pool)
{
    oc_attempt_begin(attempt);
    attempt->verdict = failing;
    attempt->source = apr_pstrcat(pool, "responder ", *query->urls, NULL);
    attempt->detail = "while it does not answer, one query at a time is sent";
}

/* While the responder does not answer, one query at a time finds out whether it does again. The others end at once, so
 * that the clients do not wait for them. @return 1: what it found out is worth a line in the log */
static int query_or_give_up(const client_task_t *task, const oc_clients_entry_t *entry, const oc_client_query_t *query,
                            oc_attempt_t *attempt, apr_pool_t *pool)
{
    oc_client_outages_t *outages = task->tasks->outages;
    oc_client_trial_t trial;

    if (!oc_client_outages_begin(outages, route_of(query, pool), &trial)) {
        give_up(query, trial.failing, attempt, pool);
        return 0;
    }
    if (trial.is_probe)
        answer_early(task, entry, trial.failing);
    oc_client_query(query, attempt, pool);
    return oc_client_outages_end(outages, &trial, attempt->verdict, attempt->fetched.http_status);
}

void oc_client_tasks_work(oc_task_t *data, const atomic_int *stop, apr_pool_t *pool)
{
    client_task_t *task = (client_task_t *)(void *)data;
    oc_clients_entry_t *entry = apr_palloc(pool, sizeof(*entry));
    const oc_client_host_t *host;
    oc_settings_t settings;
    oc_attempt_t attempt;
    oc_client_query_t query = {.settings = &settings, .keepalive = task->tasks->keepalive, .stop = stop};
    oc_verdict_t verdict;
    oc_cert_t *cert;
    int is_news;

    if (oc_clients_get(oc_client_table(), &task->key, entry) != APR_SUCCESS
        || oc_client_is_paused(&entry->client, &entry->note, apr_time_now()))
        return;
    if (oc_clients_cert(oc_client_table(), &entry->client, &cert, pool) != APR_SUCCESS)
        return;
    host = oc_client_table_host(entry->client.host);
    resolve(host, &settings);
    query.cert = cert;
    query.urls = oc_client_table_urls(host, &entry->client, pool);
    query.proxy = oc_settings_server(host->server)->proxy_url;
    is_news = query_or_give_up(task, entry, &query, &attempt, pool);
    verdict = attempt.verdict;
    if (verdict == OC_STOPPED)
        return;
    store(task, entry, &attempt, &settings);
    if (is_news)
        log_news(host, &attempt, verdict);
    log_attempt(task, host, &attempt, oc_client_serial(&entry->client, pool));
}
