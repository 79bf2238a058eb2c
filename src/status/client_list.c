/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The list of clients as JSON, written row by row: there may be a hundred thousand. It reads the table like any other
 * reader does.
 */
#include "status/client_list.h"

#include "ocsp/signed_by.h"
#include "server/client_table.h"
#include "view/json.h"
#include "version.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

typedef struct {
    request_rec *r;
    oc_json_t json;
    apr_hash_t *issuers; /* id -> subject */
    apr_time_t now;
} list_t;

static void send_piece(void *r, const char *bytes, apr_size_t len)
{
    ap_rwrite(bytes, (int)len, r);
}

/* The issuer's subject, once for all of its clients. NULL: its record has given way. */
static const char *issuer_of(list_t *list, const oc_client_t *client, apr_pool_t *pool)
{
    const char *subject = apr_hash_get(list->issuers, client->issuer, sizeof(client->issuer));
    oc_cert_t *cert;

    if (subject)
        return subject;
    if (oc_clients_cert(oc_client_table(), client, &cert, pool) != APR_SUCCESS)
        return NULL;
    subject = oc_signed_by_issuer(cert->issuer, list->r->pool);
    if (subject)
        apr_hash_set(list->issuers, apr_pmemdup(list->r->pool, client->issuer, sizeof(client->issuer)),
                     sizeof(client->issuer), subject);
    return subject;
}

static const char *state_of(const oc_client_t *client, apr_time_t now)
{
    if (client->verdict == OC_GOOD && client->usable_until <= now)
        return "expired";
    return oc_client_state_name(client->verdict == OC_GOOD      ? OC_CLIENT_GOOD
                                : client->verdict == OC_REVOKED ? OC_CLIENT_REVOKED
                                                                : OC_CLIENT_UNKNOWN);
}

static void put_client(list_t *list, const oc_client_key_t *key, const oc_clients_entry_t *entry, apr_pool_t *pool)
{
    const oc_client_t *client = &entry->client;
    oc_json_t *json = &list->json;

    oc_json_line(json);
    oc_json_object(json, NULL);
    oc_json_string(json, "serial", oc_client_serial(client, pool));
    oc_json_string(json, "issuer", issuer_of(list, client, pool));
    oc_json_string(json, "state", state_of(client, list->now));
    oc_json_time(json, "this_update", client->this_update);
    oc_json_time(json, "usable_until", client->usable_until);
    oc_json_time(json, "obtained", client->fetched_at);
    oc_json_time(json, "seen", oc_clients_seen(oc_client_table(), key));
    oc_json_time(json, "last_attempt", entry->note.verdict == OC_PENDING ? 0 : client->tried_at);
    oc_json_string(json, "last_verdict", oc_verdict_name(entry->note.verdict));
    oc_json_integer(json, "failures", entry->note.failures);
    oc_json_time(json, "next_request", entry->note.due);
    oc_json_end(json);
}

static void put_clients(list_t *list)
{
    unsigned char *scratch = apr_palloc(list->r->pool, OC_BLOCK_DATA_MAX);
    oc_clients_entry_t *entry = apr_palloc(list->r->pool, sizeof(*entry));
    uint32_t cursor = 0, budget = UINT32_MAX; /* the table ends the list */
    oc_client_key_t key;
    apr_pool_t *pool;

    apr_pool_create(&pool, list->r->pool);
    while (!list->r->connection->aborted
           && oc_clients_next(oc_client_table(), &cursor, &key, entry, scratch, &budget) == APR_SUCCESS) {
        apr_pool_clear(pool);
        put_client(list, &key, entry, pool);
    }
    apr_pool_destroy(pool);
}

int oc_client_list_handler(request_rec *r)
{
    list_t list = {.r = r, .issuers = apr_hash_make(r->pool), .now = apr_time_now()};

    if (!r->handler || strcmp(r->handler, OC_CLIENT_LIST_HANDLER_NAME) != 0)
        return DECLINED;
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_set_content_type(r, "application/json");
    if (r->header_only)
        return OK;
    oc_json_begin(&list.json, send_piece, r);
    oc_json_object(&list.json, NULL);
    oc_json_integer(&list.json, "version", 1);
    oc_json_time(&list.json, "generated", list.now);
    oc_json_string(&list.json, "module", OC_VERSION);
    oc_json_array(&list.json, "clients");
    if (oc_client_table())
        put_clients(&list);
    oc_json_line(&list.json);
    oc_json_end(&list.json);
    oc_json_end(&list.json);
    return OK;
}
