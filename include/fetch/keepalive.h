/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Open connections to responders, idle between two exchanges.
 *
 * All worker threads share one stock: the tasks of one responder are spread over the threads, and a thread serves the
 * responders in turn. It holds no more connections to one of them than exchanges with it ran at the same time.
 */
#ifndef OC_FETCH_KEEPALIVE_H
#define OC_FETCH_KEEPALIVE_H

#include "fetch/connect.h"

#include <apr_pools.h>
#include <apr_time.h>

/* Most responders close an idle connection after 5 to 75 seconds; there is nothing to gain by keeping it longer. */
#define OC_KEEPALIVE_AGE apr_time_from_sec(10)

/** For any thread at any time. None of the calls waits for a responder. */
typedef struct oc_keepalive_t oc_keepalive_t;

/** An empty stock with room for @a room connections. @a pool must outlast every use. It closes nothing:
 *  call oc_keepalive_close(). */
oc_keepalive_t *oc_keepalive_create(unsigned room, apr_pool_t *pool);

/**
 * Take out a connection to @a host and @a port: the one used last that is not older than OC_KEEPALIVE_AGE, and that the
 * responder has neither closed nor sent anything on. Any other that is found is closed.
 * @param now of oc_deadline_now()
 * @return 1: @a connection is filled in as by oc_connect(), and the caller closes it; 0: there is none.
 */
int oc_keepalive_take(oc_keepalive_t *keepalive, const char *host, apr_port_t port, apr_time_t now,
                      oc_connect_result_t *connection);

/** Put a connection into the stock, which owns its descriptor from then on. Where there is no room, the oldest one is
 *  closed. */
void oc_keepalive_put(oc_keepalive_t *keepalive, const char *host, apr_port_t port, apr_time_t now,
                      const oc_connect_result_t *connection);

/** Close what is older than OC_KEEPALIVE_AGE. Call it now and then while there are no exchanges. */
void oc_keepalive_expire(oc_keepalive_t *keepalive, apr_time_t now);

/** Close all of them, and from then on every one that is put. */
void oc_keepalive_close(oc_keepalive_t *keepalive);

#endif
