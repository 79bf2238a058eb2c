/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl probe --connect: one TLS connection to a running server, as a client that requests the certificate's
 * status, and the module's own verification of the staple. Called by ctl_probe.c in the process without rights. Whether
 * the chain is trusted is not checked: only the issuer that signed the certificate matters for its status.
 */
#include "ctl_probe.h"

#include "base/deadline.h"
#include "fetch/connect.h"
#include "ocsp/issuer.h"
#include "ocsp/x509.h"

#include <apr_network_io.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define USUAL_PORT 443

typedef struct {
    probe_t *probe;
    const char *host;
    apr_port_t port;
    oc_deadline_t deadline;
    int fd; /* -1: not connected */
    SSL *ssl;
} visit_t;

static int fail(probe_t *probe, const char *name, const char *text, const char *detail)
{
    probe->name = name;
    probe->text = text;
    probe->detail = apr_pstrdup(probe->pool, detail);
    return 0;
}

int probe_connect_options(const probe_t *probe, int queries)
{
    char *host, *scope;
    apr_port_t port;

    if (probe->ctl->arguments->nelts != 0)
        return ctl_usage(probe->ctl, "--connect takes the certificate from the server: name no other");
    if (queries)
        return ctl_usage(probe->ctl, "--url, --proxy and --hash are for a responder: not with --connect");
    if (apr_parse_addr_port(&host, &scope, &port, probe->connect, probe->pool) != APR_SUCCESS || !host || scope)
        return ctl_usage(probe->ctl, "--connect: '%s' is not HOST:PORT", probe->connect);
    if (probe->servername && !*probe->servername)
        return ctl_usage(probe->ctl, "--servername: the name is empty");
    return CTL_OK;
}

/* ---- the connection ---- */

static int reach(visit_t *visit)
{
    oc_connect_result_t result;
    oc_verdict_t verdict = oc_connect(visit->host, visit->port, &visit->deadline, NULL, &result);

    visit->fd = result.fd;
    switch (verdict) {
    case OC_PENDING:
        visit->probe->address = apr_pstrdup(visit->probe->pool, result.where);
        return 1;
    case OC_NAME_LOOKUP_FAILED:
        return fail(visit->probe, "name-lookup-failed", "the server's name cannot be looked up", result.detail);
    case OC_CONNECT_FAILED:
        return fail(visit->probe, "connect-failed", "the server refuses the connection", result.detail);
    case OC_TIMED_OUT:
        return fail(visit->probe, "timed-out", "the server did not accept the connection in time", result.detail);
    default:
        return fail(visit->probe, oc_verdict_name(verdict), "no connection could be made", result.detail);
    }
}

/* An address is not a name for SNI (RFC 6066 section 3). */
static int is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static apr_status_t free_ssl(void *ssl)
{
    SSL_free(ssl);
    return APR_SUCCESS;
}

static int prepare(visit_t *visit)
{
    probe_t *probe = visit->probe;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (!probe->servername && !is_address(visit->host))
        probe->servername = visit->host;
    visit->ssl = context ? SSL_new(context) : NULL;
    SSL_CTX_free(context);
    if (!visit->ssl)
        return fail(probe, "out-of-resources", "OpenSSL cannot make a connection", "");
    apr_pool_cleanup_register(probe->pool, visit->ssl, free_ssl, apr_pool_cleanup_null);
    SSL_set_verify(visit->ssl, SSL_VERIFY_NONE, NULL);
    if (SSL_set_tlsext_status_type(visit->ssl, TLSEXT_STATUSTYPE_ocsp) != 1 || SSL_set_fd(visit->ssl, visit->fd) != 1
        || (probe->servername && SSL_set_tlsext_host_name(visit->ssl, probe->servername) != 1))
        return fail(probe, "out-of-resources", "OpenSSL cannot request the status", "");
    return 1;
}

static int fail_handshake(visit_t *visit)
{
    unsigned long error = ERR_peek_last_error();
    const char *why = error ? ERR_reason_error_string(error) : NULL;

    ERR_clear_error();
    return fail(visit->probe, "no-tls", "the TLS handshake failed", why ? why : "the server closed the connection");
}

static int shake_hands(visit_t *visit)
{
    struct pollfd fd = {.fd = visit->fd};
    int result, wanted;

    ERR_clear_error();
    while ((result = SSL_connect(visit->ssl)) != 1) {
        wanted = SSL_get_error(visit->ssl, result);
        if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
            return fail_handshake(visit);
        fd.events = wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        if (oc_deadline_poll(&visit->deadline, &fd, 1, visit->deadline.end) != OC_PENDING)
            return fail(visit->probe, "timed-out", "the server did not complete the TLS handshake in time", "");
    }
    visit->probe->protocol = SSL_get_version(visit->ssl);
    return 1;
}

/* ---- what the server sent ---- */

static void take_issuer(probe_t *probe, X509 *leaf, X509 *issuer, const apr_array_header_t *candidates)
{
    const char *names;
    char subject[512];

    if (issuer) {
        oc_x509_subject(subject, sizeof(subject), issuer);
        probe->issuer = apr_pstrdup(probe->pool, subject);
        return;
    }
    names = oc_issuer_names(candidates, leaf, probe->pool);
    probe->issuer_gap =
        apr_pstrcat(probe->pool, "the certificate of the issuer is missing: ", oc_issuer_needed(leaf, probe->pool),
                    " is needed", *names ? "; there are " : "", names, NULL);
}

/* The certificate, and its issuer out of @a given (X509 *) or what the server sent. */
static int take_chain(visit_t *visit, const apr_array_header_t *given)
{
    probe_t *probe = visit->probe;
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(visit->ssl);
    apr_array_header_t *candidates = apr_array_copy(probe->pool, given);
    const char *problem = "the server sent no certificate";
    X509 *leaf = chain && sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : NULL, *issuer;
    int i;

    if (!leaf)
        return fail(probe, "no-tls", problem, "");
    for (i = 1; i < sk_X509_num(chain); i++)
        APR_ARRAY_PUSH(candidates, X509 *) = sk_X509_value(chain, i);
    issuer = oc_issuer_choose(candidates, leaf);
    ERR_clear_error();
    if (oc_cert_from_x509(&probe->cert, leaf, issuer, oc_issuer_set_create(probe->pool), probe->pool, &problem)
        != APR_SUCCESS)
        return fail(probe, "certificate-unusable", "the server's certificate cannot be used", problem);
    take_issuer(probe, leaf, issuer, candidates);
    return 1;
}

static void take_staple(visit_t *visit)
{
    probe_t *probe = visit->probe;
    oc_verify_subject_t subject;
    const unsigned char *der = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(visit->ssl, &der);

    probe->fetched.der = der && len > 0 ? der : NULL;
    probe->fetched.der_len = probe->fetched.der ? (apr_size_t)len : 0;
    if (!probe->fetched.der)
        fail(probe, "no-staple",
             probe->cert->must_staple
                 ? "the server sends no staple: clients reject this Must-Staple certificate"
                 : "the server sends no staple; the certificate is not Must-Staple, so clients accept it",
             "");
    else if (!probe->issuer)
        fail(probe, "issuer-missing", probe->issuer_gap, "");
    else if (probe->fetched.der_len > OC_RESPONSE_MAX)
        fail(probe, oc_verdict_name(OC_TOO_LARGE), oc_verdict_text(OC_TOO_LARGE), "");
    else if (oc_cert_subject(probe->cert, &subject, probe->pool) != APR_SUCCESS)
        fail(probe, oc_verdict_name(OC_OUT_OF_RESOURCES), oc_verdict_text(OC_OUT_OF_RESOURCES), "");
    else {
        probe_verify(probe, &subject);
        probe->name = oc_verdict_name(probe->verdict);
        probe->text = oc_verdict_text(probe->verdict);
    }
}

void probe_connect(probe_t *probe, const apr_array_header_t *given)
{
    visit_t visit = {.probe = probe, .fd = -1};
    char *host, *scope;

    (void)apr_parse_addr_port(&host, &scope, &visit.port, probe->connect, probe->pool);
    visit.host = host;
    if (visit.port == 0)
        visit.port = USUAL_PORT;
    (void)signal(SIGPIPE, SIG_IGN); /* a server that closes the connection; this process does nothing else */
    probe->begun = oc_deadline_now();
    oc_deadline_start(&visit.deadline, probe->timeout, NULL);
    if (reach(&visit) && prepare(&visit) && shake_hands(&visit) && take_chain(&visit, given))
        take_staple(&visit);
    probe->fetched.elapsed = oc_deadline_now() - probe->begun;
    if (visit.fd >= 0)
        close(visit.fd);
}
