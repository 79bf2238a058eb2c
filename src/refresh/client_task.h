/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The queries for client certificates that are waiting or running in the child that leads: one for each client, a
 * limited number in all and for each responder.
 */
#ifndef OC_REFRESH_CLIENT_TASK_H
#define OC_REFRESH_CLIENT_TASK_H

#include "base/workers.h"
#include "client/client.h"

#define OC_CLIENT_TASK_GROUPS 64u /* responders share a group where their names' hashes are the same */

typedef struct oc_client_tasks_t oc_client_tasks_t;

oc_client_tasks_t *oc_client_tasks_create(unsigned n_threads, apr_pool_t *pool);

/** Hand a query to the workers, unless there is one for this client, or no room. */
void oc_client_tasks_submit(oc_client_tasks_t *tasks, oc_workers_t *workers, const oc_client_key_t *key,
                            const oc_client_t *client);

/** For oc_workers_start(). */
void oc_client_tasks_work(oc_task_t *task, const atomic_int *stop, apr_pool_t *pool);
void oc_client_tasks_done(oc_task_t *task);

/** The longest time that a client waits, of all hosts that check clients. Where there is a table. */
apr_interval_time_t oc_client_tasks_wait(void);

/** The longest time that a query takes, of all hosts that check clients. Where there is a table. */
apr_interval_time_t oc_client_tasks_timeout(void);

/** Close connections to responders that have been idle for long. @param now of oc_deadline_now() */
void oc_client_tasks_expire(oc_client_tasks_t *tasks, apr_time_t now);

/** Close all idle connections to responders, and from then on those that become idle. */
void oc_client_tasks_close(oc_client_tasks_t *tasks);

#endif
