/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * How many threads of the server may wait for the status of a client at the same time. A place is taken until a given
 * time, so a child that is killed while it waits keeps none.
 */
#ifndef OC_CLIENT_GATE_H
#define OC_CLIENT_GATE_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>

typedef struct oc_client_gate_t oc_client_gate_t;

/** In the parent. @param places for all processes together @param places_here for each process */
apr_status_t oc_client_gate_create(oc_client_gate_t **gate, unsigned places, unsigned places_here, apr_pool_t *pool);

/** Take a place. @param now, until on the clock of oc_deadline_now() @return its number; -1: all are taken */
int oc_client_gate_enter(oc_client_gate_t *gate, apr_time_t now, apr_time_t until);

void oc_client_gate_leave(oc_client_gate_t *gate, int place);

#endif
