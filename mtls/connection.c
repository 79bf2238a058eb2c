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
    connection->has_cert = connection->has_key = connection->is_anchor = 0;
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
    return (oc_client_contact_t){host, oc_client_key_for(connection->key, host->id), connection->cert,
                                 connection->issuer, (unsigned)connection->c->id};
}

/* ---- a handshake with a certificate ---- */

/* A session that was copied has the key of the certificate before. */
static void mark_session(const oc_mtls_connection_t *connection)
{
    SSL_SESSION *session = SSL_get_session(connection->ssl);
    session_data_t data;

    memcpy(data.tag, TAG, sizeof(data.tag));
    data.key = connection->key;
    if (session)
        (void)SSL_SESSION_set1_ticket_appdata(session, &data, connection->has_key ? sizeof(data) : 0);
}

static void take_cert(oc_mtls_connection_t *connection, X509 *cert)
{
    free_certificates(connection);
    connection->has_cert = 1;
    connection->n_certs++;
    atomic_store(&connection->waited_at, 0);
    atomic_store(&connection->is_told, 0);
    atomic_store(&connection->is_refused, 0);
    connection->cert = cert;
    if (cert)
        X509_up_ref(cert);
}

static void take_issuer(oc_mtls_connection_t *connection, X509 *issuer)
{
    connection->issuer = issuer;
    connection->has_key = oc_mtls_service()->identify(&connection->key, connection->cert, issuer);
}

void oc_mtls_take_chain(oc_mtls_connection_t *connection, STACK_OF(X509) * chain)
{
    X509 *issuer = sk_X509_value(chain, 1);

    take_cert(connection, sk_X509_value(chain, 0));
    connection->is_anchor = !issuer;
    if (issuer && X509_up_ref(issuer))
        take_issuer(connection, issuer);
    mark_session(connection);
}

void oc_mtls_take_unverified(oc_mtls_connection_t *connection, X509 *cert)
{
    take_cert(connection, cert);
    mark_session(connection);
}

/* ---- the CAs of the host that SNI chose ---- */

static X509_STORE_CTX *open_store(SSL *ssl, X509 *cert)
{
    X509_STORE_CTX *lookup = X509_STORE_CTX_new();

    if (lookup && X509_STORE_CTX_init(lookup, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), cert, NULL) == 1)
        return lookup;
    X509_STORE_CTX_free(lookup);
    return NULL;
}

/* For the first query about a client since the server started. NULL: the client alone has its issuer. */
static X509 *find_issuer(SSL *ssl, X509 *cert)
{
    X509_STORE_CTX *lookup;
    X509 *issuer = NULL;

    ERR_set_mark();
    lookup = open_store(ssl, cert);
    if (lookup && X509_STORE_CTX_get1_issuer(&issuer, lookup, cert) != 1)
        issuer = NULL;
    if (issuer && X509_cmp(issuer, cert) != 0 && X509_verify(cert, X509_get0_pubkey(issuer)) != 1) {
        X509_free(issuer); /* it has the name alone */
        issuer = NULL;
    }
    X509_STORE_CTX_free(lookup);
    ERR_pop_to_mark();
    return issuer;
}

static int is_ca(SSL *ssl, X509 *cert)
{
    X509_STORE_CTX *lookup;
    STACK_OF(X509) * namesakes;
    int i, is_one = 0;

    ERR_set_mark();
    lookup = open_store(ssl, cert);
    namesakes = lookup ? X509_STORE_CTX_get1_certs(lookup, X509_get_subject_name(cert)) : NULL;
    for (i = 0; i < sk_X509_num(namesakes); i++)
        is_one |= X509_cmp(sk_X509_value(namesakes, i), cert) == 0;
    sk_X509_pop_free(namesakes, X509_free);
    X509_STORE_CTX_free(lookup);
    ERR_pop_to_mark();
    return is_one;
}

/* ---- a resumed session ---- */

static int read_session(const SSL_SESSION *session, oc_client_key_t *key)
{
    void *data = NULL;
    size_t len = 0;

    if (!session || !SSL_SESSION_get0_ticket_appdata((SSL_SESSION *)session, &data, &len)
        || len != sizeof(session_data_t) || memcmp(data, TAG, sizeof(TAG)) != 0)
        return 0;
    memcpy(key->bytes, (const unsigned char *)data + sizeof(TAG), sizeof(key->bytes));
    return 1;
}

/* The issuer is looked for only where it is needed: a folder of CAs is read from the disk. */
static void take_resumed(oc_mtls_connection_t *connection, const oc_client_host_t *host)
{
    X509 *cert = SSL_get1_peer_certificate(connection->ssl), *issuer;
    oc_client_contact_t contact;

    if (!cert)
        return;
    take_cert(connection, cert);
    X509_free(cert);
    connection->has_key = read_session(SSL_get_session(connection->ssl), &connection->key);
    contact = oc_mtls_contact(connection, host);
    if (connection->has_key && !oc_mtls_service()->look_up(&contact).may_change)
        return;
    if (SSL_get_verify_result(connection->ssl) != X509_V_OK)
        return;
    issuer = find_issuer(connection->ssl, cert);
    if (issuer && X509_cmp(issuer, cert) == 0) {
        connection->is_anchor = 1;
        X509_free(issuer);
    }
    else if (issuer)
        take_issuer(connection, issuer);
}

/* A handshake whose chain this module did not see: another module has replaced the callback, unless this host checks no
 * clients. OpenSSL has no function that tells beforehand. Requests are still checked. */
static void take_unseen(oc_mtls_connection_t *connection, const oc_client_host_t *host)
{
    static atomic_flag has_told = ATOMIC_FLAG_INIT;
    STACK_OF(X509) *chain = SSL_get0_verified_chain(connection->ssl);
    int n = sk_X509_num(chain);

    if (n < 1)
        return;
    if (SSL_get_verify_result(connection->ssl) == X509_V_OK && is_ca(connection->ssl, sk_X509_value(chain, n - 1)))
        oc_mtls_take_chain(connection, chain);
    else
        oc_mtls_take_unverified(connection, sk_X509_value(chain, 0));
    if (host->mode != OC_CLIENT_OFF && !atomic_flag_test_and_set(&has_told))
        ap_log_cerror(APLOG_MARK, APLOG_ERR, 0, connection->c,
                      "OCSPCacheClient: another module has replaced the callback that verifies client certificates: "
                      "clients are not checked in handshakes, but at each request");
}

/* The one that SNI chose. */
static const oc_client_host_t *host_of(SSL *ssl)
{
    const server_rec *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)); /* set by mod_ssl */
    const conn_rec *c = SSL_get_app_data(ssl);                        /* and so is this */

    return &oc_mtls_conf(s ? s : c->base_server)->host;
}

int oc_mtls_may_resume(SSL *ssl, const SSL_SESSION *session)
{
    X509 *cert = SSL_SESSION_get0_peer((SSL_SESSION *)session), *issuer;
    const oc_client_host_t *host = host_of(ssl);
    oc_client_contact_t contact = {.host = host};

    if (!cert || host->mode == OC_CLIENT_OFF)
        return 1;
    if (read_session(session, &contact.key)) {
        contact.key = oc_client_key_for(contact.key, host->id);
        if (!oc_mtls_service()->look_up(&contact).may_change)
            return 1;
    }
    issuer = find_issuer(ssl, cert);
    X509_free(issuer);
    return issuer != NULL;
}

/* Of a connection whose handshake verify() did not see. */
static void take_late(oc_mtls_connection_t *connection)
{
    const oc_client_host_t *host = host_of(connection->ssl);

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
