/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of client certificates of this configuration inside httpd: its arena, its queue and its gate. It exists
 * only where mod_ocsp_client is loaded and a virtual host checks clients.
 */
#ifndef OC_SERVER_CLIENT_TABLE_H
#define OC_SERVER_CLIENT_TABLE_H

#include "client/clients.h"
#include "client/queue.h"
#include "server/client_service.h"
#include "server/generation.h"

/** register_hooks: offer the optional function. */
void oc_client_table_register(void);

/** pre_config: no client is checked until mod_ocsp_client configures the service. */
void oc_client_table_reset(void);

/** check_config, when mod_ocsp_client has had its turn: does a virtual host check clients? */
int oc_client_table_is_wanted(void);

/** post_config, in the parent: create the table. @return OK; HTTP_INTERNAL_SERVER_ERROR: there is no memory (logged) */
int oc_client_table_post_config(apr_pool_t *pconf, server_rec *main_server);

/** NULL: this configuration checks no clients. From post_config on, in every process. */
oc_clients_t *oc_client_table(void);
oc_generation_t *oc_client_table_generation(void);
oc_client_queue_t *oc_client_table_queue(void);

/** The host with this id, else the first one; never NULL where there is a table. */
const oc_client_host_t *oc_client_table_host(uint64_t id);

/** Where queries for a client go, as this configuration has it. From @a pool. @return NULL-terminated; empty: none can
 * be queried */
const char *const *oc_client_table_urls(const oc_client_host_t *host, const oc_client_t *client, apr_pool_t *pool);

/** Store a client (a worker thread; waits for the mutex). */
apr_status_t oc_client_table_put(const oc_client_key_t *key, const oc_client_t *client, const oc_note_t *note);

void oc_client_table_count(unsigned lane, oc_client_count_t what);
uint64_t oc_client_table_counted(oc_client_count_t what);

#endif
