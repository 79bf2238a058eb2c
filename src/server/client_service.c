/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Answers whether a client certificate is good, in the thread of its connection. A known client takes one look-up. For
 * another one this thread stores what a query needs, tells the child that leads, and watches the table: whichever
 * process obtains the answer, and for however many connections, it arrives there. This thread waits for nothing else:
 * neither for a mutex nor for the disk.
 */
#include "server/client_service.h"

#include "version.h"
#include "base/deadline.h"
#include "ocsp/cert.h"
#include "server/managed.h"
#include "server/module.h"
#include "server/settings.h"

#include <http_log.h>
#include <openssl/err.h>
#include <string.h>

APLOG_USE_MODULE(ocsp_cache);

#define STEP_MIN apr_time_from_msec(1)
#define STEP_MAX apr_time_from_msec(5)

static oc_client_answer_t decide(const oc_client_contact_t *contact)
{
    oc_clients_entry_t entry;
    int is_known = oc_clients_get(oc_client_table(), &contact->key, &entry) == APR_SUCCESS;

    return oc_client_decide(is_known ? &entry.client : NULL, &entry.note, apr_time_now(), contact->host->grace);
}

/* For each handshake and each request with a client certificate: test/guards/hot_path.py allows no lock, no system
 * call and no allocation here. */
static oc_client_answer_t look_up_client(const oc_client_contact_t *contact)
{
    if (!oc_client_table()) /* the configuration that this connection began with is gone */
        return oc_client_decide(NULL, NULL, 0, 0);
    oc_clients_touch(oc_client_table(), &contact->key, apr_time_now());
    return decide(contact);
}

/* ---- a client without an answer ---- */

/* What is stored of a client. */
typedef struct {
    const oc_client_contact_t *contact;
    apr_pool_t *pool;
    oc_cert_t *cert; /* NULL: there is nothing to store, or it is stored */
    oc_client_t client;
} arrival_t;

static void prepare(arrival_t *arrival, const oc_client_contact_t *contact)
{
    const char *reason = "there is no memory";

    memset(arrival, 0, sizeof(*arrival));
    arrival->contact = contact;
    if (!contact->cert || !contact->issuer || apr_pool_create_unmanaged(&arrival->pool) != APR_SUCCESS)
        return;
    if (oc_cert_from_x509(&arrival->cert, contact->cert, contact->issuer, oc_issuer_set_create(arrival->pool),
                          arrival->pool, &reason)
        != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, contact->host->server,
                     "OCSPCacheClient: a client certificate cannot be queried: %s", reason);
        arrival->cert = NULL;
    }
    else if (!oc_client_begin(&arrival->client, arrival->cert, contact->host->id, apr_time_now(), arrival->pool))
        arrival->cert = NULL;
}

static void put(arrival_t *arrival)
{
    oc_clients_t *clients = oc_client_table();
    apr_time_t now = apr_time_now();
    oc_clients_entry_t *entry = apr_palloc(arrival->pool, sizeof(*entry));
    const oc_client_key_t *key = &arrival->contact->key;
    oc_note_t note = {0};

    if (oc_clients_put_issuer(clients, arrival->cert, arrival->client.issuer, now) == APR_SUCCESS
        && oc_clients_get(clients, key, entry) != APR_SUCCESS)
        (void)oc_clients_put(clients, key, &arrival->client, &note, now);
}

/* Store the client, unless another thread has, and tell the child that leads. Without waiting: a writer that meets a
 * slow disk keeps the mutex for seconds, and so does the process that writes the file after a reload. */
static void announce(arrival_t *arrival)
{
    const oc_client_contact_t *contact = arrival->contact;
    server_rec *s = contact->host->server;

    if (arrival->cert) {
        if (oc_generation_lock_briefly(oc_client_table_generation(), s) != APR_SUCCESS)
            return;
        put(arrival);
        oc_generation_unlock(oc_client_table_generation(), s);
        arrival->cert = NULL;
    }
    oc_client_queue_put(oc_client_table_queue(), &contact->key);
}

/* Until the answer cannot change, or the time is over. */
static oc_client_answer_t watch(arrival_t *arrival, oc_client_answer_t answer, apr_time_t until)
{
    apr_interval_time_t step = STEP_MIN;

    while (answer.may_change && oc_deadline_now() < until) {
        apr_sleep(step);
        if (step < STEP_MAX)
            step += STEP_MIN;
        if (arrival->cert)
            announce(arrival);
        answer = decide(arrival->contact);
        if (answer.source == OC_CLIENT_SOURCE_CACHE)
            answer.source = OC_CLIENT_SOURCE_RESPONDER;
    }
    return answer;
}

static oc_client_answer_t wait_for_answer(arrival_t *arrival, oc_client_answer_t answer)
{
    const oc_client_contact_t *contact = arrival->contact;
    apr_time_t now = oc_deadline_now(), until = now + contact->host->wait;
    int place = oc_client_gate_enter(oc_client_table_gate(), now, until);

    oc_client_table_count(contact->lane, place < 0 ? OC_CLIENT_COUNT_NO_PLACE : OC_CLIENT_COUNT_WAITED);
    if (place < 0)
        return answer;
    answer = watch(arrival, answer, until);
    oc_client_gate_leave(oc_client_table_gate(), place);
    return answer;
}

static oc_client_answer_t obtain(const oc_client_contact_t *contact)
{
    oc_client_answer_t answer = look_up_client(contact);
    arrival_t arrival;

    if (!answer.may_change || !oc_client_table())
        return answer;
    prepare(&arrival, contact);
    announce(&arrival);
    if (contact->host->wait > 0)
        answer = wait_for_answer(&arrival, answer);
    if (arrival.pool)
        apr_pool_destroy(arrival.pool);
    return answer;
}

/* ---- the optional function ---- */

static void count(const oc_client_contact_t *contact, oc_client_count_t what)
{
    if (oc_client_table())
        oc_client_table_count(contact->lane, what);
}

static const oc_client_service_t *oc_client_service(void)
{
    static const oc_client_service_t service = {
        .version = OC_VERSION,
        .configure = oc_client_table_configure,
        .is_tls = oc_settings_is_tls,
        .host_name = oc_managed_host,
        .state_name = oc_client_state_name,
        .source_name = oc_client_source_name,
        .identify = oc_client_identify,
        .look_up = look_up_client,
        .obtain = obtain,
        .count = count,
    };

    return &service;
}

void oc_client_service_register(void)
{
    APR_REGISTER_OPTIONAL_FN(oc_client_service);
}
