/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_ssl_hooks: the two hooks through which mod_ssl asks for OCSP responses (http_ssl.h, since httpd 2.4.48).
 */
#ifndef OC_SERVER_SSL_HOOKS_H
#define OC_SERVER_SSL_HOOKS_H

#include <http_ssl.h>

/** ssl_ocsp_prime_hook: a vhost serves a certificate. In the parent. @return OK: we answer for it, whatever can be stapled;
 *  DECLINED: this vhost is not ours. */
int oc_ssl_hooks_prime(server_rec *s, apr_pool_t *pool, const char *id, apr_size_t id_len, const char *pem);

/**
 * ssl_ocsp_get_resp_hook: a client asks for the status in its handshake. One look-up and one copy out of shared memory:
 * no lock, no system call, no network, no file, no ASN.1; memory from the connection's pool alone.
 * @return OK: `callback` has been called, with NULL and 0 when there is nothing to staple; DECLINED: this vhost is not ours.
 */
int oc_ssl_hooks_get_resp(server_rec *s, conn_rec *c, const char *id, apr_size_t id_len,
                          ap_ssl_ocsp_copy_resp *callback, void *userdata);

/** The variable that says what the handshake of a request's connection stapled. */
#define OC_STAPLE_VARIABLE "OCSP_STAPLE"

/**
 * post_read_request hook: set OC_STAPLE_VARIABLE for %{OCSP_STAPLE}e, CGI and expressions: what was stapled, as oc_verdict_name() has it;
 * "none": it was asked for, and there was nothing to send. Not set where nobody asked: no TLS, a client that does not care, a resumed
 * session; nor where another module staples.
 */
int oc_ssl_hooks_tell_request(request_rec *r);

#endif
