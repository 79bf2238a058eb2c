/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The look-up in the handshake. OpenSSL calls verify() in place of X509_verify_cert(), for each certificate that a
 * client sends: in the first handshake, in a renegotiation, and in post-handshake authentication.
 */
#include "mtls.h"

#include <apr_strings.h>
#include <http_log.h>
#include <openssl/x509.h>

APLOG_USE_MODULE(ocsp_client);

#define WAIT_PAUSE apr_time_from_sec(5) /* after a wait without an answer, before the same connection waits again */

static void write_serial(char *text, apr_size_t size, const X509 *cert)
{
    const ASN1_INTEGER *serial = cert ? X509_get0_serialNumber(cert) : NULL;
    BIGNUM *number = serial ? ASN1_INTEGER_to_BN(serial, NULL) : NULL;
    char *hex = number ? BN_bn2hex(number) : NULL;

    apr_cpystrn(text, hex ? hex : "?", size);
    OPENSSL_free(hex);
    BN_free(number);
}

oc_client_answer_t oc_mtls_answer(oc_mtls_connection_t *connection, const oc_client_host_t *host)
{
    oc_client_answer_t answer = {OC_CLIENT_UNKNOWN, OC_CLIENT_SOURCE_NONE, 0, 0};
    apr_time_t now = apr_time_now(), waited_at = atomic_load(&connection->waited_at);
    oc_client_contact_t contact = oc_mtls_contact(connection, host);

    if (connection->is_anchor) /* as mod_ssl has it; the administrator trusts this very certificate */
        answer.state = OC_CLIENT_GOOD;
    if (!connection->has_key)
        return answer;
    answer = oc_mtls_service()->look_up(&contact);
    if (!answer.may_change || (waited_at > 0 && now >= waited_at && now < waited_at + WAIT_PAUSE))
        return answer;
    answer = oc_mtls_service()->obtain(&contact);
    atomic_store(&connection->waited_at, apr_time_now());
    return answer;
}

/* The first one of a connection is news. With HTTP/2, a client may send many requests before its connection ends. */
static void log_refusal(oc_mtls_connection_t *connection, const char *why, const char *what)
{
    int level = atomic_exchange(&connection->is_refused, 1) ? APLOG_DEBUG : APLOG_WARNING;
    char serial[128];

    write_serial(serial, sizeof(serial), connection->cert);
    ap_log_cerror(APLOG_MARK, level, 0, connection->c,
                  "OCSPCacheClient: the client certificate with serial %s is %s: %s refused", serial, why, what);
}

/* Once for each certificate of a connection. */
static void log_unknown(oc_mtls_connection_t *connection, const char *what)
{
    char serial[128];

    if (atomic_exchange(&connection->is_told, 1))
        return;
    write_serial(serial, sizeof(serial), connection->cert);
    ap_log_cerror(APLOG_MARK, APLOG_INFO, 0, connection->c,
                  "OCSPCacheClient: the status of the client certificate with serial %s is not known: %s accepted",
                  serial, what);
}

int oc_mtls_admits(oc_mtls_connection_t *connection, const oc_client_host_t *host, const oc_client_answer_t *answer,
                   const char *what)
{
    oc_client_contact_t contact = oc_mtls_contact(connection, host);
    int is_admitted =
        answer->state == OC_CLIENT_GOOD || (answer->state == OC_CLIENT_UNKNOWN && host->mode != OC_CLIENT_HARD);
    oc_client_count_t count = answer->state == OC_CLIENT_GOOD      ? OC_CLIENT_COUNT_GOOD
                              : answer->state == OC_CLIENT_REVOKED ? OC_CLIENT_COUNT_REVOKED
                              : is_admitted                        ? OC_CLIENT_COUNT_UNKNOWN_PASSED
                                                                   : OC_CLIENT_COUNT_UNKNOWN_REFUSED;

    oc_mtls_service()->count(&contact, count);
    if (!is_admitted)
        log_refusal(connection, answer->state == OC_CLIENT_REVOKED ? "revoked" : "of unknown status", what);
    else if (answer->state == OC_CLIENT_UNKNOWN)
        log_unknown(connection, what);
    return is_admitted;
}

/* Only a chain without any error, up to a CA of the host, is taken: with SSLVerifyClient optional_no_ca, mod_ssl accepts
 * certificates that anyone can make, and their responders must not be queried. The error alone does not tell: with
 * SSLCARevocationCheck ... no_crl_for_cert_ok, mod_ssl resets it. */
static void take(oc_mtls_connection_t *connection, X509_STORE_CTX *ctx)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);

    if (X509_STORE_CTX_get_error(ctx) == X509_V_OK && chain
        && X509_STORE_CTX_get_num_untrusted(ctx) < sk_X509_num(chain))
        oc_mtls_take_chain(connection, chain);
    else
        oc_mtls_take_unverified(connection, X509_STORE_CTX_get0_cert(ctx));
}

static int verify(X509_STORE_CTX *ctx, void *data)
{
    const oc_client_host_t *host = data;
    int ok = X509_verify_cert(ctx); /* mod_ssl's own callback runs within */
    SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    conn_rec *c = ssl ? SSL_get_app_data(ssl) : NULL;
    oc_mtls_connection_t *connection = c ? oc_mtls_connection(c) : NULL;
    oc_client_answer_t answer;

    if (ok <= 0 || !connection)
        return ok;
    take(connection, ctx);
    answer = oc_mtls_answer(connection, host);
    if (oc_mtls_admits(connection, host, &answer, "handshake"))
        return ok;
    X509_STORE_CTX_set_error(ctx, answer.state == OC_CLIENT_REVOKED ? X509_V_ERR_CERT_REVOKED
                                                                    : X509_V_ERR_OCSP_CERT_UNKNOWN);
    return 0;
}

/* OpenSSL takes this callback from the host of the address, whichever host SNI chose. */
static SSL_TICKET_RETURN judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_len,
                                      SSL_TICKET_STATUS status, void *data)
{
    (void)name;
    (void)name_len;
    (void)data;
    if ((status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) || !oc_mtls_may_resume(ssl, session))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

int oc_mtls_init_server(server_rec *s, apr_pool_t *p, int is_proxy, SSL_CTX *ctx)
{
    const oc_mtls_conf_t *conf = oc_mtls_conf(s);

    (void)p;
    if (is_proxy || !oc_mtls_is_active())
        return OK;
    SSL_CTX_set_session_ticket_cb(ctx, NULL, judge_ticket, NULL);
    if (conf->host.mode != OC_CLIENT_OFF)
        SSL_CTX_set_cert_verify_callback(ctx, verify, (void *)&conf->host);
    return OK;
}
