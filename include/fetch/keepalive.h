/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_keepalive: connections to responders that have carried an exchange and wait for the next one.
 *
 * One stock for all threads of a workers: the tasks of one responder are spread over the threads, and a thread takes the
 * responders in turn. It holds no more connections to one of them than exchanges with it ran side by side.
 */
#ifndef OC_FETCH_KEEPALIVE_H
#define OC_FETCH_KEEPALIVE_H

#include "fetch/connect.h"

#include <apr_pools.h>
#include <apr_time.h>

/* Responders close sooner or later what is not used, most after 5 to 75 seconds; nobody gains by holding on longer. */
#define OC_KEEPALIVE_AGE apr_time_from_sec(10)

/** Any thread may use it at any time. None of the calls waits for a peer. */
typedef struct oc_keepalive_t oc_keepalive_t;

/** An empty stock with room for @a room connections. @a pool must outlast every use; it closes nothing: that is
 *  oc_keepalive_close(). */
oc_keepalive_t *oc_keepalive_create(unsigned room, apr_pool_t *pool);

/**
 * Take a connection to @a host and @a port out: the one used last that is not older than OC_KEEPALIVE_AGE and on which the
 * peer has neither closed nor said anything. Those found otherwise are closed on the way.
 * @param now of oc_deadline_now()
 * @return 1: @a connection is filled in as by oc_connect(), and the caller's to close; 0: there is none.
 */
int oc_keepalive_take(oc_keepalive_t *keepalive, const char *host, apr_port_t port, apr_time_t now,
                      oc_connect_result_t *connection);

/** Leave a connection for others. Its descriptor is the stock's from here on, and may be closed at once: for want of
 *  room the oldest is. */
void oc_keepalive_put(oc_keepalive_t *keepalive, const char *host, apr_port_t port, apr_time_t now,
                      const oc_connect_result_t *connection);

/** Close what is older than OC_KEEPALIVE_AGE: to be called now and then while nobody asks. */
void oc_keepalive_expire(oc_keepalive_t *keepalive, apr_time_t now);

/** Close all of them, and from here on every one that is put. */
void oc_keepalive_close(oc_keepalive_t *keepalive);

#endif
