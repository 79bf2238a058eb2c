/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which client is at the other end of a connection: from the chain that its handshake verified, or, where it resumed a
 * session, from what the session carries.
 *
 * A session contains the client's certificate but not its issuer, which may have come from the client. So the key of
 * the client is put into the session too, as the application's data, which OpenSSL keeps in tickets and caches.
 */
#include "mtls.h"

#include <http_connection.h>
#include <http_log.h>
#include <http_protocol.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <util_filter.h>

APLOG_USE_MODULE(ocsp_client);

#define FILTER "OCSP_CLIENT_CLOSE"
#define CLOSE_PAUSE apr_time_from_sec(1) /* for the answer that refuses to be sent */

/* What a session carries. */
typedef struct {
    unsigned char tag[8];
    oc_client_key_t key;
} session_data_t;

static const unsigned char TAG[8] = "ocsp-c1";

static ap_filter_rec_t *close_filter;

oc_mtls_connection_t *oc_mtls_connection(conn_rec *c)
{
    return ap_get_module_config((c->master ? c->master : c)->conn_config, &ocsp_client_module);
}

static apr_status_t free_certificates(void *data)
{
    oc_mtls_connection_t *connection = data;

    X509_free(connection->cert);
    X509_free(connection->issuer);
    connection->cert = connection->issuer = NULL;
    connection->has_cert = connection->has_key = 0;
    return APR_SUCCESS;
}

int oc_mtls_pre_handshake(conn_rec *c, SSL *ssl, int is_proxy)
{
    oc_mtls_connection_t *connection;

    if (is_proxy || !oc_mtls_is_active())
        return DECLINED;
    connection = apr_pcalloc(c->pool, sizeof(*connection));
    connection->c = c;
    connection->ssl = ssl;
    ap_set_module_config(c->conn_config, &ocsp_client_module, connection);
    apr_pool_cleanup_register(c->pool, connection, free_certificates, apr_pool_cleanup_null);
    return DECLINED;
}

oc_client_contact_t oc_mtls_contact(const oc_mtls_connection_t *connection, const oc_client_host_t *host)
{
    return (oc_client_contact_t){host, connection->key, connection->cert, connection->issuer,
                                 (unsigned)connection->c->id};
}

/* ---- a handshake with a certificate ---- */

static void mark_session(const oc_mtls_connection_t *connection)
{
    SSL_SESSION *session = SSL_get_session(connection->ssl);
    session_data_t data;

    memcpy(data.tag, TAG, sizeof(data.tag));
    data.key = connection->key;
    if (session)
        (void)SSL_SESSION_set1_ticket_appdata(session, &data, sizeof(data));
}

int oc_mtls_take_chain(oc_mtls_connection_t *connection, STACK_OF(X509) * chain)
{
    free_certificates(connection);
    connection->has_cert = 1;
    atomic_store(&connection->waited_at, 0);
    atomic_store(&connection->is_told, 0);
    atomic_store(&connection->is_refused, 0);
    if (sk_X509_num(chain) < 2)
        return 0;
    connection->cert = sk_X509_value(chain, 0);
    connection->issuer = sk_X509_value(chain, 1);
    X509_up_ref(connection->cert);
    X509_up_ref(connection->issuer);
    connection->has_key = oc_mtls_service()->identify(&connection->key, connection->cert, connection->issuer);
    if (connection->has_key)
        mark_session(connection);
    return connection->has_key;
}

void oc_mtls_take_unverified(oc_mtls_connection_t *connection, X509 *cert)
{
    free_certificates(connection);
    connection->has_cert = 1;
    connection->cert = cert;
    if (cert)
        X509_up_ref(cert);
}

/* ---- a resumed session ---- */

static int read_session(oc_mtls_connection_t *connection)
{
    SSL_SESSION *session = SSL_get_session(connection->ssl);
    void *data = NULL;
    size_t len = 0;

    if (!session || !SSL_SESSION_get0_ticket_appdata(session, &data, &len) || len != sizeof(session_data_t)
        || memcmp(data, TAG, sizeof(TAG)) != 0)
        return 0;
    memcpy(connection->key.bytes, (const unsigned char *)data + sizeof(TAG), sizeof(connection->key.bytes));
    return 1;
}

/* Among the CAs of the host, for the first query about this client since the server started. */
static X509 *find_issuer(const oc_mtls_connection_t *connection)
{
    X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(connection->ssl));
    X509_STORE_CTX *lookup = X509_STORE_CTX_new();
    X509 *issuer = NULL;

    ERR_set_mark();
    if (lookup && X509_STORE_CTX_init(lookup, store, connection->cert, NULL) == 1
        && X509_STORE_CTX_get1_issuer(&issuer, lookup, connection->cert) != 1)
        issuer = NULL;
    X509_STORE_CTX_free(lookup);
    ERR_pop_to_mark();
    return issuer;
}

/* The issuer is looked for only where it is needed: a folder of CAs is read from the disk. */
static void take_resumed(oc_mtls_connection_t *connection, const oc_client_host_t *host)
{
    oc_client_contact_t contact;

    connection->cert = SSL_get1_peer_certificate(connection->ssl);
    connection->has_cert = connection->cert != NULL;
    if (!connection->has_cert)
        return;
    connection->has_key = read_session(connection);
    contact = oc_mtls_contact(connection, host);
    if (connection->has_key && !oc_mtls_service()->look_up(&contact).may_change)
        return;
    connection->issuer = find_issuer(connection);
    if (connection->issuer)
        connection->has_key = oc_mtls_service()->identify(&connection->key, connection->cert, connection->issuer);
}

/* A handshake whose chain this module did not see: another module has replaced the callback, unless this host checks no
 * clients. OpenSSL has no function that tells beforehand. Requests are still checked. */
static void take_unseen(oc_mtls_connection_t *connection, const oc_client_host_t *host)
{
    static atomic_flag has_told = ATOMIC_FLAG_INIT;
    STACK_OF(X509) *chain = SSL_get0_verified_chain(connection->ssl);

    if (!chain)
        return;
    (void)oc_mtls_take_chain(connection, chain);
    if (host->mode != OC_CLIENT_OFF && !atomic_flag_test_and_set(&has_told))
        ap_log_cerror(APLOG_MARK, APLOG_ERR, 0, connection->c,
                      "OCSPCacheClient: another module has replaced the callback that verifies client certificates: "
                      "clients are not checked in handshakes, but at each request");
}

/* The one that SNI chose. */
static const oc_client_host_t *host_of(const oc_mtls_connection_t *connection)
{
    const server_rec *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection->ssl)); /* set by mod_ssl */

    return &oc_mtls_conf(s ? s : connection->c->base_server)->host;
}

/* Of a connection whose handshake verify() did not see. */
static void take_late(oc_mtls_connection_t *connection)
{
    const oc_client_host_t *host = host_of(connection);

    if (SSL_session_reused(connection->ssl))
        take_resumed(connection, host);
    else
        take_unseen(connection, host);
}

/* Runs again for each part of a connection that the event MPM took back meanwhile. */
int oc_mtls_process_connection(conn_rec *c)
{
    oc_mtls_connection_t *connection = c->master ? NULL : oc_mtls_connection(c);

    if (!connection || c->aborted || !SSL_is_init_finished(connection->ssl))
        return DECLINED;
    if (!connection->has_cert)
        take_late(connection);
    if (connection->has_cert && !connection->has_filter && strcmp(ap_get_protocol(c), "h2") == 0) {
        ap_add_input_filter_handle(close_filter, NULL, NULL, c);
        connection->has_filter = 1;
    }
    return DECLINED;
}

/* ---- the end ---- */

void oc_mtls_drop_session(oc_mtls_connection_t *connection)
{
    SSL_SESSION *session = SSL_get_session(connection->ssl);

    if (session)
        (void)SSL_CTX_remove_session(SSL_get_SSL_CTX(connection->ssl), session);
}

/* HTTP/2: a stream has refused a request, in its own thread; this is the connection's. mod_http2 reads once more when
 * it has sent the answer, and then when the client sends something. The answer gets a moment to be sent before the
 * connection ends. */
static apr_status_t close_refused(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                                  apr_off_t readbytes)
{
    oc_mtls_connection_t *connection = oc_mtls_connection(f->c);
    apr_time_t refused_at = atomic_load(&connection->refused_at);

    if (refused_at > 0 && !connection->is_dropped) {
        oc_mtls_drop_session(connection);
        connection->is_dropped = 1;
    }
    if (refused_at > 0 && apr_time_now() > refused_at + CLOSE_PAUSE) {
        f->c->keepalive = AP_CONN_CLOSE;
        return APR_EOF;
    }
    return ap_get_brigade(f->next, bb, mode, block, readbytes);
}

void oc_mtls_connection_register(void)
{
    close_filter = ap_register_input_filter(FILTER, close_refused, NULL, AP_FTYPE_CONNECTION);
}
