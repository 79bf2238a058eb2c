/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One thread in each child waits for the lead of its generation. In the child that leads, it runs the refresher's duty.
 *
 * A waiting thread sleeps in the kernel. When the child that leads ends, for whatever reason, another one takes the
 * lead at once. A child that ends on its own, at MaxConnectionsPerChild, keeps the lead until the exchanges in flight
 * have ended.
 */
#ifndef OC_REFRESH_LEADER_H
#define OC_REFRESH_LEADER_H

#include "server/generation.h"

/** What the child that leads does. The thread that leads calls all of these, one after the other. */
typedef struct {
    /** Ten times a second; @a pool is this thread's own, and cleared afterwards. */
    void (*tick)(apr_pool_t *pool);
    /** Begin nothing further. @return how many exchanges are in flight */
    unsigned (*wind_up)(void);
    /** The same for what clients wait for, alone: a new generation obtains the rest. */
    unsigned (*wind_up_clients)(void);
    /** How long to wait for those when the child ends on its own, or after a reload. */
    apr_interval_time_t (*patience)(void);
    /** Stop what is still in flight, and release everything. Takes at most a second. */
    void (*end)(void);
} oc_leader_duty_t;

/** post_config, in the parent. @param generation  whose lead the children wait for; NULL: none leads */
void oc_leader_post_config(oc_generation_t *generation, const oc_leader_duty_t *duty, server_rec *main_server);

/** child_init, when everything that the duty needs is ready in this child: start the thread. The end of @a pchild ends
 *  it. */
void oc_leader_child_init(apr_pool_t *pchild);

/** child_stopping: the child begins to end. @param is_graceful  as httpd passes it. Safe in a signal handler. */
void oc_leader_child_stopping(int is_graceful);

/** A client connected to this child. Any thread. A child that is near MaxConnectionsPerChild leaves the lead to others.
 *  */
void oc_leader_count_connection(void);

/** Does this child belong to the generation that serves? A draining child obtains no more responses for stapling. */
int oc_leader_is_current(void);

#endif
