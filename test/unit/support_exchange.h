/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Calls oc_fetch() and checks what must hold for every outcome: a bounded printable detail, an unchanged error queue,
 * an answer only with OC_PENDING, a timeout neither early nor late.
 */
#ifndef SUPPORT_EXCHANGE_H
#define SUPPORT_EXCHANGE_H

#include "fetch/fetch.h"
#include "support_responder.h"

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

/** The request; its base64 has all three characters that a path must not contain. */
const unsigned char *exchange_request(void);

/** How many descriptors this process has open. Compare it while no responder runs. */
int exchange_descriptors(void);

/** Call oc_fetch and check. The answer is copied to @a pool, which the caller owns. */
oc_verdict_t exchange_run(const exchange_t *exchange, oc_fetch_result_t *result, apr_pool_t *pool);

/** The pool and the responder of the running test, for tests that need one of each. */
extern apr_pool_t *exchange_pool;
extern responder_t exchange_responder;

/** Set up and tear down both: for TEST_MAIN. */
int exchange_set_up(void **state);
int exchange_tear_down(void **state);

/** "http://host:port/", in the test's pool */
const char *exchange_url(const char *host, int port);

/** Query @a url by POST, within the test's pool; no descriptor may stay open. */
oc_verdict_t exchange_query(const char *url, int timeout_ms, atomic_int *stop, oc_fetch_result_t *result);

/** responder_full_port(), or skip the test; and close its sockets. */
int exchange_full_port(int fds[4]);
void exchange_close(const int fds[4]);

#endif
