/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The steps of one connection. It never blocks: each step goes as far as the socket permits.
 */
#include "load_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

/* ------------------------------------------------------------------------------------------------------- OpenSSL */

/* A chain is verified in full when its certificate is new for this host, and not again for each of many thousand
 * handshakes: the client must not be what is measured. The handshake's own signature is verified by OpenSSL each time.
 */
static int verify_chain(X509_STORE_CTX *store, void *data)
{
    load_run_t *run = data;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    load_host_t *host = ((load_conn_t *)SSL_get_app_data(ssl))->host;
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    int is_known;

    pthread_mutex_lock(&run->mutex);
    is_known = host->verified && X509_cmp(host->verified, leaf) == 0;
    pthread_mutex_unlock(&run->mutex);
    if (is_known) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    if (X509_verify_cert(store) != 1)
        return 0;
    pthread_mutex_lock(&run->mutex);
    X509_free(host->verified);
    X509_up_ref(leaf);
    host->verified = leaf;
    pthread_mutex_unlock(&run->mutex);
    return 1;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    load_conn_t *conn = SSL_get_app_data(ssl);
    SSL_SESSION **kept = &conn->worker->session[conn->host - conn->worker->run->host];

    SSL_SESSION_free(*kept);
    *kept = session;
    return 1;
}

SSL_CTX *load_conn_ctx(load_run_t *run)
{
    const load_options_t *options = run->options;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (!ctx || SSL_CTX_load_verify_file(ctx, options->ca_file) != 1)
        load_die("%s: no certificates", options->ca_file);
    SSL_CTX_set_min_proto_version(ctx, options->tls);
    SSL_CTX_set_max_proto_version(ctx, options->tls);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify_chain, run);
    if (options->ask)
        SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
    if (options->resume) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, keep_session);
    }
    return ctx;
}

/* ------------------------------------------------------------------------------------------------- one connection */

void load_conn_drop(load_conn_t *conn)
{
    if (conn->ssl)
        SSL_free(conn->ssl);
    if (conn->fd >= 0)
        close(conn->fd);
    conn->prev->next = conn->next;
    conn->next->prev = conn->prev;
    conn->worker->active--;
    free(conn);
}

static void note(load_conn_t *conn, load_outcome_t outcome, const load_detail_t *detail)
{
    load_run_t *run = conn->worker->run;
    uint64_t now = load_now(), unset = 0;
    load_tally_t *tally = conn->worker->tally;

    load_tally_note(tally, outcome, conn->intended - run->begin, now - conn->intended);
    if (outcome == LOAD_GOOD) {
        if (atomic_compare_exchange_strong(&conn->host->good_at, &unset, now))
            atomic_fetch_add(&run->n_good, 1);
    }
    else if (outcome != LOAD_RESUMED && outcome != LOAD_FAILED && atomic_load(&conn->host->good_at))
        tally->late_good++;
    if (run->options->stream)
        load_stream_note(conn, outcome, detail);
}

void load_conn_fail(load_conn_t *conn, const char *what, const char *why)
{
    char *kept = conn->worker->tally->first_failed;
    load_detail_t detail = {0};

    snprintf(detail.why, sizeof(detail.why), "%s: %s", what, why);
    if (!kept[0])
        snprintf(kept, sizeof(conn->worker->tally->first_failed), "%s", detail.why);
    note(conn, LOAD_FAILED, &detail);
    load_conn_drop(conn);
}

/* Sends close_notify, then reads what the server still sends (session tickets, its close_notify) until it closes: a
 * connection cut off earlier would have the server's last write of the handshake fail. */
static void finish(load_conn_t *conn)
{
    char bytes[512];
    int got;

    while ((got = SSL_read(conn->ssl, bytes, sizeof(bytes))) > 0)
        ;
    switch (SSL_get_error(conn->ssl, got)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        break;
    default:
        load_conn_drop(conn);
    }
    ERR_clear_error();
}

void load_conn_done(load_conn_t *conn, load_outcome_t outcome, const load_detail_t *detail)
{
    load_tally_t *tally = conn->worker->tally;

    note(conn, outcome, detail);
    if (outcome == LOAD_WRONG && !tally->first_wrong[0])
        snprintf(tally->first_wrong, sizeof(tally->first_wrong), "%s", detail->why);
    conn->phase = LOAD_CLOSE;
    SSL_shutdown(conn->ssl);
    finish(conn);
}

static void handshake(load_conn_t *conn)
{
    int done = SSL_connect(conn->ssl);
    load_detail_t detail = {0};
    load_outcome_t outcome;

    if (done != 1) {
        const char *text;

        switch (SSL_get_error(conn->ssl, done)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return;
        case SSL_ERROR_SYSCALL:
            text = errno ? strerror(errno) : "closed by the server";
            break;
        default:
            text = ERR_reason_error_string(ERR_peek_error());
        }
        load_conn_fail(conn, "handshake", text ? text : "unknown");
        ERR_clear_error();
        return;
    }
    if (conn->worker->run->identity) {
        load_client_request(conn);
        return;
    }
    outcome =
        SSL_session_reused(conn->ssl) ? LOAD_RESUMED : load_judge_staple(conn->worker->run->judge, conn->ssl, &detail);
    load_conn_done(conn, outcome, &detail);
}

static void begin_handshake(load_conn_t *conn)
{
    load_run_t *run = conn->worker->run;
    SSL_SESSION *kept = run->options->resume ? conn->worker->session[conn->host - run->host] : NULL;
    SSL_SESSION *copy;

    if (!(conn->ssl = SSL_new(run->ctx)) || SSL_set_fd(conn->ssl, conn->fd) != 1)
        load_die("no memory");
    SSL_set_app_data(conn->ssl, (char *)conn);
    SSL_set_tlsext_host_name(conn->ssl, conn->host->name);
    SSL_set1_host(conn->ssl, conn->host->name);
    if (run->identity)
        load_client_use(conn);
    if (kept && (copy = SSL_SESSION_dup(kept)) != NULL) { /* OpenSSL lets a TLS 1.3 session be used but once */
        SSL_set_session(conn->ssl, copy);
        SSL_SESSION_free(copy);
    }
    conn->phase = LOAD_HANDSHAKE;
    handshake(conn);
}

static void connected(load_conn_t *conn)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        load_conn_fail(conn, "connect", strerror(error ? error : errno));
        return;
    }
    if (!conn->worker->run->options->connect_only) {
        begin_handshake(conn);
        return;
    }
    note(conn, LOAD_NONE, &(load_detail_t){0});
    load_conn_drop(conn);
}

void load_conn_advance(load_conn_t *conn)
{
    switch (conn->phase) {
    case LOAD_CONNECT:
        connected(conn);
        break;
    case LOAD_HANDSHAKE:
        handshake(conn);
        break;
    case LOAD_REQUEST:
        load_client_request(conn);
        break;
    case LOAD_ANSWER:
        load_client_answer(conn);
        break;
    case LOAD_CLOSE:
        finish(conn);
        break;
    }
}
