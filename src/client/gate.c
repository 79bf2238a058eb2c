/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Places in shared memory, each with the time until which it is taken. The count of this process is in its own memory.
 */
#include "client/gate.h"

#include <apr_shm.h>
#include <stdatomic.h>
#include <stdint.h>

struct oc_client_gate_t {
    _Atomic int64_t *places;
    unsigned n_places;
    unsigned places_here;
    atomic_uint n_here;
};

apr_status_t oc_client_gate_create(oc_client_gate_t **out, unsigned places, unsigned places_here, apr_pool_t *pool)
{
    oc_client_gate_t *gate = apr_pcalloc(pool, sizeof(*gate));
    apr_shm_t *shm;
    apr_status_t rv = apr_shm_create(&shm, places * sizeof(*gate->places), NULL, pool); /* anonymous: zeroed */

    if (rv != APR_SUCCESS)
        return rv;
    gate->places = apr_shm_baseaddr_get(shm);
    gate->n_places = places;
    gate->places_here = places_here;
    *out = gate;
    return APR_SUCCESS;
}

int oc_client_gate_enter(oc_client_gate_t *gate, apr_time_t now, apr_time_t until)
{
    unsigned i;

    if (atomic_fetch_add(&gate->n_here, 1) < gate->places_here) {
        for (i = 0; i < gate->n_places; i++) {
            int64_t taken = atomic_load(&gate->places[i]);

            if (taken <= now && atomic_compare_exchange_strong(&gate->places[i], &taken, until))
                return (int)i;
        }
    }
    atomic_fetch_sub(&gate->n_here, 1);
    return -1;
}

void oc_client_gate_leave(oc_client_gate_t *gate, int place)
{
    atomic_store(&gate->places[place], 0);
    atomic_fetch_sub(&gate->n_here, 1);
}
