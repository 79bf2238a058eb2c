/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The keys of clients without an answer, from every child to the one that leads.
 *
 * It is a pipe that the parent creates: the kernel keeps each key whole, wakes the reader, and keeps what a child that
 * is killed had written or had not read. Nothing depends on a key that does not fit: the child that leads also finds
 * the client in the table.
 */
#ifndef OC_CLIENT_QUEUE_H
#define OC_CLIENT_QUEUE_H

#include "client/client.h"

typedef struct oc_client_queue_t oc_client_queue_t;

/** In the parent; closed in this process with @a pool. Programs that the server runs do not inherit it. */
apr_status_t oc_client_queue_create(oc_client_queue_t **queue, apr_pool_t *pool);

/** Any thread of any child; does not wait. */
void oc_client_queue_put(oc_client_queue_t *queue, const oc_client_key_t *key);

/** Wait for a key for @a milliseconds at most. @return 0: none came */
int oc_client_queue_take(oc_client_queue_t *queue, oc_client_key_t *key, int milliseconds);

#endif
