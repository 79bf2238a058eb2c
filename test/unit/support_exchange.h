/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * support_exchange: ask oc_fetch once, and check on the way what must hold whatever the outcome: a bounded printable
 * detail, the error queue as it was, an answer only with OC_PENDING, a time-out neither early nor late.
 */
#ifndef SUPPORT_EXCHANGE_H
#define SUPPORT_EXCHANGE_H

#include "fetch/fetch.h"

#define EXCHANGE_SHORT 70 /* bytes of a request that goes by GET */
#define EXCHANGE_LONG 300 /* and of one that does not */

typedef struct {
    const char *url;
    const char *proxy;
    size_t der_len; /* EXCHANGE_SHORT, EXCHANGE_LONG or less */
    int timeout_ms;
    atomic_int *stop;
    const oc_deadline_t *deadline; /* NULL: one of the two above */
    int by_post;
    oc_keepalive_t *keepalive;
    const oc_trace_t *trace;
} exchange_t;

/** The bytes sent as a request; their base64 has all three characters that a path must not contain. */
const unsigned char *exchange_request(void);

/** How many descriptors this process has open: to be compared while no responder runs. */
int exchange_descriptors(void);

/** Call oc_fetch and check. The answer is copied to @a pool, which the caller owns. */
oc_verdict_t exchange_run(const exchange_t *exchange, oc_fetch_result_t *result, apr_pool_t *pool);

/** responder_full_port(), or the test is skipped; and the end of its sockets. */
int exchange_full_port(int fds[4]);
void exchange_close(const int fds[4]);

#endif
