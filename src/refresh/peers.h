/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the other servers of the fleet know about one certificate: its entry in the shared store, and the entry that
 * this server writes there. Called in the refresher's threads.
 *
 * Each server picks its own random refresh time after the middle of the validity. The server with the earliest time
 * queries the responder, and the others find its response in the store. They verify it like a response from the
 * network.
 */
#ifndef OC_REFRESH_PEERS_H
#define OC_REFRESH_PEERS_H

#include "attempt.h"
#include "fleet/entry.h"
#include "fleet/policy.h"

#include <stdatomic.h>

/** Of one certificate; zeroed at first. One thread at a time. */
typedef struct {
    unsigned char key[OC_CERT_HASH_LEN];
    int has_key;
    const char *logged;   /* the problem of the entry that was logged last; NULL: none */
    int is_lacking;       /* the last lookup found nothing, or an older response than the one held */
    oc_fleet_held_t held; /* what this server holds itself */
    apr_time_t patience;  /* until when another server's claim is respected; 0: there was none */
    apr_time_t wake;      /* with APR_EAGAIN: when to look again */
} oc_peers_t;

/** This server holds @a record from here on. */
void oc_peers_hold(oc_peers_t *peers, const oc_record_t *record);

/**
 * Has another server obtained a response? A problem with the entry is logged once.
 * @param attempt out, on APR_SUCCESS and APR_INCOMPLETE; its DER from @a pool
 * @return APR_SUCCESS: a valid response that is newer than the one held, or the same one, fetched again; attempt->due
 *   is the time of the next query. APR_INCOMPLETE: a valid and newer one, but the responder is due to be queried as
 *   well: hold it, and call again. APR_EAGAIN: another server is querying the responder: look again at peers->wake; for
 *   each request this lasts no longer than an exchange may take. APR_NOTFOUND: nothing, and this server has written its
 *   claim: query the responder.
 */
apr_status_t oc_peers_query(oc_peers_t *peers, const oc_managed_t *managed, uint32_t random, oc_attempt_t *attempt,
                            const atomic_int *stop, apr_pool_t *pool);

/** Write @a record to the shared store. */
void oc_peers_share(oc_peers_t *peers, const oc_managed_t *managed, const oc_record_t *record, const atomic_int *stop,
                    apr_pool_t *pool);

#endif
