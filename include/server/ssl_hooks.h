/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The two hooks through which mod_ssl requests OCSP responses (http_ssl.h, since httpd 2.4.48), and the variable for
 * access logs.
 */
#ifndef OC_SERVER_SSL_HOOKS_H
#define OC_SERVER_SSL_HOOKS_H

#include <http_ssl.h>

/** ssl_ocsp_prime_hook: a vhost serves a certificate. In the parent. @return OK: this module is responsible for it,
 * even if nothing can be stapled; DECLINED: it is not. */
int oc_ssl_hooks_prime(server_rec *s, apr_pool_t *pool, const char *id, apr_size_t id_len, const char *pem);

/**
 * ssl_ocsp_get_resp_hook: a client requests the status in its handshake. One lookup and one copy out of shared memory:
 * no lock, no system call, no network, no file, no ASN.1, and memory only from the connection's pool.
 * @return OK: `callback` has been called, with NULL and 0 when there is nothing to staple; DECLINED: this module does
 * not staple for the vhost.
 */
int oc_ssl_hooks_get_resp(server_rec *s, conn_rec *c, const char *id, apr_size_t id_len,
                          ap_ssl_ocsp_copy_resp *callback, void *userdata);

/** The variable that names what was stapled in the handshake of a request's connection. */
#define OC_STAPLE_VARIABLE "OCSP_STAPLE"

/**
 * post_read_request hook: set OC_STAPLE_VARIABLE for %{OCSP_STAPLE}e, CGI and expressions. The value is what was
 * stapled, by oc_verdict_name(), or "none" if there was nothing to send. Not set if the client did not request a status
 * (no TLS, no status_request extension, a resumed session) or if another module staples.
 */
int oc_ssl_hooks_tell_request(request_rec *r);

#endif
