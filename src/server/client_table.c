/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Sets the table of client certificates up in the parent, and gives it to the units that read and write it in the
 * children. Nothing here runs where mod_ocsp_client is not loaded.
 */
#include "server/client_table.h"

#include "fetch/fetch.h"
#include "fetch/url.h"
#include "server/module.h"
#include "server/settings.h"

#include <ap_mpm.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_main.h>

APLOG_USE_MODULE(ocsp_cache);

#define CONSUMER "mod_ocsp_client"
#define SEEN_KEY "mod_ocsp_cache:clients-seen:1"

/* When clients came, for the whole life of the server: a reload must not forget which ones to refresh. */
typedef struct {
    oc_client_seen_t *places;
    uint32_t n;
} seen_t;

static struct {
    const oc_client_spec_t *spec; /* NULL: no client is checked */
    oc_generation_t *generation;
    oc_clients_t *clients;
    oc_client_queue_t *queue;
    oc_client_gate_t *gate;
} table;

void oc_client_table_reset(void)
{
    memset(&table, 0, sizeof(table));
}

/* What the result of a query depends on, and when there is another query. Hosts that have it in common share what is
 * known of a client. Others do not: a client that came first to a host without a responder would stay unknown to one
 * that has one. */
static uint64_t identity(const oc_client_host_t *host, apr_pool_t *pool)
{
    const char *proxy = oc_settings_server(host->server)->proxy_url;
    oc_settings_t settings;

    oc_settings_resolve(host->server, &settings);
    return oc_client_host_id(apr_psprintf(pool,
                                          "%s %s %" APR_TIME_T_FMT " %" APR_TIME_T_FMT " %" APR_TIME_T_FMT
                                          " %" APR_TIME_T_FMT " %" APR_TIME_T_FMT " %" APR_TIME_T_FMT,
                                          host->responder ? host->responder : "-", proxy ? proxy : "-", host->max_age,
                                          settings.max_age, settings.skew, settings.timeout, settings.bounds.max,
                                          settings.bounds.retry_max));
}

const char *oc_client_table_configure(const oc_client_spec_t *spec, apr_pool_t *pool)
{
    oc_global_conf_t *settings = oc_settings_edit();
    int i;

    for (i = 0; i < spec->hosts->nelts; i++) {
        oc_client_host_t *host = APR_ARRAY_IDX(spec->hosts, i, oc_client_host_t *);
        const char *url = host->responder;
        const char *problem = url ? oc_fetch_url_problem(url, pool) : NULL;

        if (problem)
            return apr_psprintf(pool, "OCSPCacheClientResponder %s: %s", oc_url_public(url, pool), problem);
        host->id = identity(host, pool);
    }
    if (spec->path && settings->is_provider && strcmp(spec->path, oc_argument_file(&settings->cache, pool)) == 0)
        return apr_psprintf(pool, "OCSPCacheClientFile: %s is the file of SSLStaplingCache. Give each its own file",
                            spec->path);
    table.spec = spec;
    settings->checks_clients = 1;
    return NULL;
}

const char *oc_client_table_path(void)
{
    return table.spec ? table.spec->path : NULL;
}

static seen_t *find_seen(uint32_t n)
{
    void *found = NULL;
    seen_t *seen;
    apr_shm_t *shm;

    apr_pool_userdata_get(&found, SEEN_KEY, ap_pglobal);
    seen = found;
    if (seen && seen->n == n)
        return seen;
    if (apr_shm_create(&shm, n * sizeof(*seen->places), NULL, ap_pglobal) != APR_SUCCESS) /* anonymous: zeroed */
        return NULL;
    seen = apr_palloc(ap_pglobal, sizeof(*seen));
    seen->places = apr_shm_baseaddr_get(shm);
    seen->n = n;
    apr_pool_userdata_setn(seen, SEEN_KEY, NULL, ap_pglobal);
    return seen;
}

/* At most a quarter of the threads wait, of each process and of all. */
static apr_status_t open_gate(apr_pool_t *pconf)
{
    int daemons = 0, threads = 0;

    (void)ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &daemons);
    (void)ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    if (daemons < 1)
        daemons = 1;
    if (threads < 1)
        threads = 1;
    return oc_client_gate_create(&table.gate, (unsigned)(daemons * threads > 4 ? daemons * threads / 4 : 1),
                                 (unsigned)(threads > 4 ? threads / 4 : 1), pconf);
}

int oc_client_table_post_config(apr_pool_t *pconf, server_rec *main_server)
{
    oc_generation_spec_t spec = {CONSUMER, NULL, 0, OC_SHM_DROP_OLDEST, 1, "OCSPCacheClientFile"};
    apr_status_t rv = APR_ENOMEM;
    seen_t *seen;

    if (!table.spec)
        return OK;
    spec.path = table.spec->path;
    spec.size = oc_clients_size_for(table.spec->size);
    seen = find_seen(oc_clients_seen_for(table.spec->size));
    if (!seen || oc_client_queue_create(&table.queue, pconf) != APR_SUCCESS || open_gate(pconf) != APR_SUCCESS
        || (rv = oc_generation_begin(&table.generation, &spec, main_server)) != APR_SUCCESS) {
        if (rv != APR_EBUSY) /* the file of another server, which is logged */
            ap_log_error(APLOG_MARK, APLOG_EMERG, 0, main_server,
                         "OCSPCacheClient: there is no memory for the table of %u clients. Set a smaller "
                         "OCSPCacheClientSize",
                         table.spec->size);
        table.generation = NULL;
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    table.clients = oc_clients_create(oc_generation_shm(table.generation), seen->places, seen->n, pconf);
    return OK;
}

oc_clients_t *oc_client_table(void)
{
    return table.clients;
}

oc_generation_t *oc_client_table_generation(void)
{
    return table.generation;
}

oc_client_queue_t *oc_client_table_queue(void)
{
    return table.queue;
}

oc_client_gate_t *oc_client_table_gate(void)
{
    return table.gate;
}

const apr_array_header_t *oc_client_table_hosts(void)
{
    return table.spec->hosts;
}

const oc_client_host_t *oc_client_table_host(uint64_t id)
{
    int i;

    for (i = 0; i < table.spec->hosts->nelts; i++)
        if (APR_ARRAY_IDX(table.spec->hosts, i, const oc_client_host_t *)->id == id)
            return APR_ARRAY_IDX(table.spec->hosts, i, const oc_client_host_t *);
    return APR_ARRAY_IDX(table.spec->hosts, 0, const oc_client_host_t *);
}

const char *const *oc_client_table_urls(const oc_client_host_t *host, const oc_client_t *client, apr_pool_t *pool)
{
    apr_array_header_t *urls = apr_array_make(pool, 2, sizeof(const char *));
    const char *url = client->urls, *end = url + client->urls_len;

    if (host->responder)
        APR_ARRAY_PUSH(urls, const char *) = host->responder;
    for (; !host->responder && url < end; url += strlen(url) + 1) {
        const char *mapped = apr_hash_get(oc_settings_global()->responders, url, APR_HASH_KEY_STRING);
        const char *used = mapped ? mapped : url;

        if (!oc_fetch_url_problem(used, pool))
            APR_ARRAY_PUSH(urls, const char *) = used;
    }
    APR_ARRAY_PUSH(urls, const char *) = NULL;
    return (const char *const *)(const void *)urls->elts;
}

apr_status_t oc_client_table_put(const oc_client_key_t *key, const oc_client_t *client, const oc_note_t *note)
{
    server_rec *s = oc_client_table_host(client->host)->server;
    apr_status_t rv = oc_generation_lock(table.generation, s);

    if (rv != APR_SUCCESS)
        return rv;
    oc_clients_keep_issuer(table.clients, client, apr_time_now());
    rv = oc_clients_put(table.clients, key, client, note, apr_time_now());
    oc_generation_unlock(table.generation, s);
    return rv;
}

void oc_client_table_count(unsigned lane, oc_client_count_t what)
{
    oc_shm_count(oc_clients_shm(table.clients), lane, what);
}

uint64_t oc_client_table_counted(oc_client_count_t what)
{
    return oc_shm_counter(oc_clients_shm(table.clients), what);
}
