/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of client certificates of this configuration inside httpd: its arena, its queue and its gate. It exists
 * only where mod_ocsp_client is loaded and a virtual host checks clients.
 */
#ifndef OC_SERVER_CLIENT_TABLE_H
#define OC_SERVER_CLIENT_TABLE_H

#include "client/clients.h"
#include "client/gate.h"
#include "client/queue.h"
#include "server/generation.h"

#include <apr_tables.h>
#include <httpd.h>

typedef enum { OC_CLIENT_OFF, OC_CLIENT_SOFT, OC_CLIENT_HARD } oc_client_mode_t;

/** The settings of one virtual host that checks clients. Intervals in microseconds. */
typedef struct {
    server_rec *server;
    uint64_t id; /* the same for hosts that query alike; oc_client_table_configure() sets it */
    oc_client_mode_t mode;
    apr_interval_time_t wait;
    apr_interval_time_t grace;
    apr_interval_time_t max_age; /* of a response without nextUpdate */
    const char *responder;       /* queried in place of those that certificates name; NULL: those */
} oc_client_host_t;

typedef struct {
    const apr_array_header_t *hosts; /* oc_client_host_t *; those with a mode other than off */
    unsigned size;                   /* of the table, in clients */
    const char *path;                /* of the file that stores it; NULL: in memory only */
} oc_client_spec_t;

/** A client that a host has to decide about. */
typedef struct {
    const oc_client_host_t *host;
    oc_client_key_t key;
    X509 *cert, *issuer; /* NULL: not known, so it can be looked up, but not queried */
    unsigned lane;       /* any number that differs between threads, for counters */
} oc_client_contact_t;

/** What happened to clients, since the last reload. */
typedef enum {
    OC_CLIENT_COUNT_GOOD,
    OC_CLIENT_COUNT_REVOKED,
    OC_CLIENT_COUNT_UNKNOWN_PASSED,
    OC_CLIENT_COUNT_UNKNOWN_REFUSED,
    OC_CLIENT_COUNT_WAITED,   /* for an answer */
    OC_CLIENT_COUNT_NO_PLACE, /* did not wait, as too many threads do */
    OC_CLIENT_COUNT_QUERIES,  /* exchanges that ended, */
    OC_CLIENT_COUNT_FAILURES, /* and those without a usable response */
    OC_CLIENT_COUNT_LIMIT
} oc_client_count_t;

/** pre_config: no client is checked until mod_ocsp_client configures the service. */
void oc_client_table_reset(void);

/** check_config: what this configuration needs. @a spec lives as long as the configuration. @return NULL; else what is
 * wrong with it, from @a pool */
const char *oc_client_table_configure(const oc_client_spec_t *spec, apr_pool_t *pool);

/** The file that stores the table, from check_config on; NULL: there is none. */
const char *oc_client_table_path(void);

/** post_config, in the parent: create the table. @return OK; HTTP_INTERNAL_SERVER_ERROR: there is no memory (logged) */
int oc_client_table_post_config(apr_pool_t *pconf, server_rec *main_server);

/** NULL: this configuration checks no clients. From post_config on, in every process. */
oc_clients_t *oc_client_table(void);
oc_generation_t *oc_client_table_generation(void);
oc_client_queue_t *oc_client_table_queue(void);
oc_client_gate_t *oc_client_table_gate(void);

/** const oc_client_host_t *: all that check clients. Never empty where there is a table. */
const apr_array_header_t *oc_client_table_hosts(void);

/** A host with this id, else the first one; never NULL where there is a table. */
const oc_client_host_t *oc_client_table_host(uint64_t id);

/** Where queries for a client go, as this configuration has it. From @a pool. @return NULL-terminated; empty: none can
 * be queried */
const char *const *oc_client_table_urls(const oc_client_host_t *host, const oc_client_t *client, apr_pool_t *pool);

/** Store a client (a worker thread; waits for the mutex). */
apr_status_t oc_client_table_put(const oc_client_key_t *key, const oc_client_t *client, const oc_note_t *note);

void oc_client_table_count(unsigned lane, oc_client_count_t what);
uint64_t oc_client_table_counted(oc_client_count_t what);

#endif
