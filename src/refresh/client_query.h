/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One query about a client certificate: the exchange and the verification that server certificates get, without a job,
 * a hedge or peers, which a client that waits half a second has no use for.
 */
#ifndef OC_REFRESH_CLIENT_QUERY_H
#define OC_REFRESH_CLIENT_QUERY_H

#include "attempt.h"
#include "fetch/keepalive.h"

typedef struct {
    const oc_cert_t *cert;
    const char *const *urls; /* NULL-terminated; each takes an equal part of what is left of the timeout */
    const char *proxy;       /* NULL: none */
    const oc_settings_t *settings;
    oc_keepalive_t *keepalive;
    const atomic_int *stop;
} oc_client_query_t;

/** Query the responders in their order until one has a valid response. @param attempt out; OC_STOPPED: the server
 * stops. In a worker's thread; does not log, store or count. */
void oc_client_query(const oc_client_query_t *query, oc_attempt_t *attempt, apr_pool_t *pool);

#endif
