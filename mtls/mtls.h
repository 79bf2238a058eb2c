/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the units of mod_ocsp_client share: the module record, the settings of a virtual host, and what is known of a
 * connection. This module is small, and linked with libssl: it takes certificates out of connections, and enforces what
 * mod_ocsp_cache finds out about them (server/client_service.h).
 */
#ifndef OC_MTLS_H
#define OC_MTLS_H

#include "server/client_service.h"

#include <ap_mmn.h>
#include <http_config.h>
#include <httpd.h>
#include <openssl/ssl.h>
#include <stdatomic.h>

extern module AP_MODULE_DECLARE_DATA ocsp_client_module;

#define OC_UNSET (-1)

/** SSLVerifyClient, as far as this module distinguishes its values. */
typedef enum { OC_VERIFY_NONE, OC_VERIFY_NO_CA, OC_VERIFY_CA } oc_verify_client_t;

/** The directives of one <VirtualHost>. OC_UNSET and NULL: not set. */
typedef struct {
    int mode; /* OCSPCacheClient: an oc_client_mode_t */
    apr_interval_time_t wait, grace, max_age;
    const char *responder;

    /* mod_ssl's, which are read for the checks. */
    int verify_client;
    const char *ocsp_enable; /* SSLOCSPEnable: "file:line"; "": off */
    int has_own_settings;    /* one of the directives above except OCSPCacheClient */

    oc_client_host_t host; /* all of it, with defaults; from check_config on */
} oc_mtls_conf_t;

static inline const oc_mtls_conf_t *oc_mtls_conf(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &ocsp_client_module);
}

/* ---- config.c ---- */

extern const command_rec oc_mtls_directives[];
void oc_mtls_reset(apr_pool_t *pconf);
void *oc_mtls_create_server(apr_pool_t *pool, server_rec *s);
void *oc_mtls_merge_server(apr_pool_t *pool, void *base, void *add);

/** check_config: fill in defaults, find mod_ocsp_cache, and hand it what this configuration needs. */
int oc_mtls_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server);

/** Does a host of this configuration check clients? */
int oc_mtls_is_active(void);

/** The name of a directive of this configuration that concerns all hosts that check clients; NULL: there is none. */
const char *oc_mtls_written(void);

/** Was SSLVerifyClient found outside of "none", in this host or one of its directories? */
int oc_mtls_verifies_in_directory(void);

/** mod_ocsp_cache's functions; valid where oc_mtls_is_active(). */
const oc_client_service_t *oc_mtls_service(void);

/* ---- check.c ---- */

/** test_config: what `apachectl -t` reports. */
void oc_mtls_test_config(apr_pool_t *pconf, server_rec *main_server);

/* ---- connection.c ---- */

/** The client of one connection. Written by the thread of the connection; streams of HTTP/2 read it in others. */
typedef struct {
    conn_rec *c;
    SSL *ssl;
    int has_cert;
    int has_key;         /* the client can be looked up */
    int is_anchor;       /* its certificate is one of the CAs of the host: nobody reports its status */
    unsigned n_certs;    /* how many it has presented */
    int has_filter;      /* HTTP/2: that ends the connection */
    int is_dropped;      /* HTTP/2: its session, after a refusal */
    X509 *cert, *issuer; /* NULL: not known; held */
    oc_client_key_t key;
    atomic_int is_told;             /* a line about this client's unknown status is in the log */
    atomic_int is_refused;          /* and one about a refusal */
    _Atomic(apr_time_t) waited_at;  /* when a wait for an answer ended (apr_time_now); 0: none */
    _Atomic(apr_time_t) refused_at; /* when a request was refused first; 0: none */
} oc_mtls_connection_t;

/** NULL: no TLS, or nothing is checked. */
oc_mtls_connection_t *oc_mtls_connection(conn_rec *c);

/** pre_handshake: note the connection's SSL object. */
int oc_mtls_pre_handshake(conn_rec *c, SSL *ssl, int is_proxy);

/** The handshake verified this chain, up to a CA of the host. */
void oc_mtls_take_chain(oc_mtls_connection_t *connection, STACK_OF(X509) * chain);

/** The handshake accepted this certificate, which no CA vouches for: its status stays unknown. */
void oc_mtls_take_unverified(oc_mtls_connection_t *connection, X509 *cert);

/** Can the client of this session be looked up, or queried? Otherwise it must not resume the session: only a full
 * handshake shows its issuer. */
int oc_mtls_may_resume(SSL *ssl, const SSL_SESSION *session);

/** process_connection, behind mod_ssl's handshake: learn who resumed a session. */
int oc_mtls_process_connection(conn_rec *c);

/** The session must not be resumed. In the connection's thread. */
void oc_mtls_drop_session(oc_mtls_connection_t *connection);

/** register_hooks */
void oc_mtls_connection_register(void);

/** A contact to look up. */
oc_client_contact_t oc_mtls_contact(const oc_mtls_connection_t *connection, const oc_client_host_t *host);

/* ---- handshake.c ---- */

/** init_server of mod_ssl: certificates that clients of this host send are looked up once they are verified. */
int oc_mtls_init_server(server_rec *s, apr_pool_t *p, int is_proxy, SSL_CTX *ctx);

/** Look the client up; wait where it may still come, unless this connection just waited. Counts. */
oc_client_answer_t oc_mtls_answer(oc_mtls_connection_t *connection, const oc_client_host_t *host);

/** Does the answer let the client in? Counts, and logs what is not good. @param what the event, for the log */
int oc_mtls_admits(oc_mtls_connection_t *connection, const oc_client_host_t *host, const oc_client_answer_t *answer,
                   const char *what);

/* ---- request.c ---- */

/** post_read_request: look the client up, set the variables, refuse. */
int oc_mtls_post_read_request(request_rec *r);

/** check_access, behind mod_ssl's: the same for a certificate that mod_ssl demanded for this directory. */
int oc_mtls_check_access(request_rec *r);

#endif
