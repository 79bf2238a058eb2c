/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One query for a client certificate, from the table and back into it, in a worker's thread.
 */
#include "client_task.h"

#include "client_query.h"
#include "job.h"

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
    atomic_int failing[OC_CLIENT_TASK_GROUPS];   /* the verdict that was logged; 0: its responder answers */
    atomic_int has_told;                         /* of a certificate without a responder */
    atomic_int is_probed[OC_CLIENT_TASK_GROUPS]; /* a query finds out whether a failing one answers again */
};

oc_client_tasks_t *oc_client_tasks_create(unsigned n_threads, apr_pool_t *pool)
{
    oc_client_tasks_t *tasks = apr_pcalloc(pool, sizeof(*tasks));

    tasks->keepalive = oc_keepalive_create(n_threads, pool);
    return tasks;
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

/* By the responder's name alone: what follows it differs between certificates of one CA. */
static unsigned group_of(const oc_client_host_t *host, const oc_client_t *client)
{
    const char *url = host->responder ? host->responder : client->urls_len > 0 ? client->urls : "";
    const char *name = strstr(url, "://"), *end;
    char text[256];

    name = name ? name + 3 : url;
    end = name + strcspn(name, "/");
    apr_cpystrn(text, name, end - name < (int)sizeof(text) ? (apr_size_t)(end - name) + 1 : sizeof(text));
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
    note->due = oc_schedule_hint(note->due, client->tried_at, verified->usable_until, attempt->fetched.max_age,
                                 &settings->bounds);
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

/* The responder's first failure, and its recovery; what follows is at debug. */
static void log_attempt(client_task_t *task, const oc_client_host_t *host, const oc_attempt_t *attempt,
                        const char *serial)
{
    oc_class_t class = oc_verdict_class(attempt->verdict);
    atomic_int *failing = &task->tasks->failing[task->task.group];

    if (attempt->verdict == OC_URL_UNUSABLE) {
        if (!atomic_exchange(&task->tasks->has_told, 1))
            ap_log_error(
                APLOG_MARK, APLOG_WARNING, 0, host->server,
                "OCSPCacheClient: the client certificate with serial %s names no responder that can be queried. "
                "Set OCSPCacheClientResponder",
                serial);
    }
    else if (class == OC_CLASS_NO_ANSWER && !atomic_exchange(failing, (int)attempt->verdict))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, host->server,
                     "OCSPCacheClient: %s: %s%s%s. Clients whose status is not known are %s until it answers",
                     attempt->source, oc_verdict_text(attempt->verdict), *attempt->detail ? ": " : "", attempt->detail,
                     host->mode == OC_CLIENT_HARD ? "refused" : "let in");
    else if (class == OC_CLASS_TRUTH && atomic_exchange(failing, 0))
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, host->server, "OCSPCacheClient: %s answers again", attempt->source);
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

/* While the responder does not answer, one query at a time finds out whether it does again. The others end at once, so
 * that the clients do not wait for them. */
static void query_or_give_up(client_task_t *task, const oc_clients_entry_t *entry, const oc_client_query_t *query,
                             oc_attempt_t *attempt, apr_pool_t *pool)
{
    int failing = atomic_load(&task->tasks->failing[task->task.group]);
    atomic_int *is_probed = &task->tasks->is_probed[task->task.group];

    if (failing && atomic_exchange(is_probed, 1)) {
        oc_attempt_begin(attempt);
        attempt->verdict = (oc_verdict_t)failing;
        attempt->source = "responder";
        attempt->detail = "while it does not answer, one query at a time is sent";
        return;
    }
    if (failing)
        answer_early(task, entry, (oc_verdict_t)failing);
    oc_client_query(query, attempt, pool);
    if (failing)
        atomic_store(is_probed, 0);
}

void oc_client_tasks_work(oc_task_t *data, const atomic_int *stop, apr_pool_t *pool)
{
    client_task_t *task = (client_task_t *)(void *)data;
    oc_clients_entry_t *entry = apr_palloc(pool, sizeof(*entry));
    const oc_client_host_t *host;
    oc_settings_t settings;
    oc_attempt_t attempt;
    oc_client_query_t query = {.settings = &settings, .keepalive = task->tasks->keepalive, .stop = stop};
    oc_cert_t *cert;

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
    query_or_give_up(task, entry, &query, &attempt, pool);
    if (attempt.verdict == OC_STOPPED)
        return;
    store(task, entry, &attempt, &settings);
    log_attempt(task, host, &attempt, oc_client_serial(&entry->client, pool));
}
