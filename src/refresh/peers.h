/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_peers: what the other servers of the fleet know of one certificate: the entry that lies for it in the shared store
 * (oc_shared_store), and the one that this server leaves there. For the refresher's threads.
 *
 * When to ask next is each server's own throw of the dice, after the middle of the validity: whoever throws the earliest date
 * asks the responder, and the others, at theirs, find what it got. What they find is judged like an answer off the wire.
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
    const char *told;     /* what was wrong with the entry when that was said; NULL: nothing */
    int is_lacking;       /* the last look found nothing, or less than what this server holds */
    oc_fleet_held_t held; /* what this server holds itself */
    apr_time_t patience;  /* until when another server's claim is respected; 0: none has been met */
    apr_time_t wake;      /* with APR_EAGAIN: when to look again */
} oc_peers_t;

/** This server holds @a record now. */
void oc_peers_hold(oc_peers_t *peers, const oc_record_t *record);

/**
 * Has another server asked lately? An entry that is of no use is complained about, once.
 * @param attempt out, on APR_SUCCESS and APR_INCOMPLETE; its DER from @a pool
 * @return APR_SUCCESS: a true response that is newer than the one held, or the same, fetched anew; attempt->due says when to ask next.
 *   APR_INCOMPLETE: a true and newer one, but it is time to ask the responder all the same: hold it, and call again. APR_EAGAIN: another
 *   server is asking just now: look again at peers->wake; for each request this goes on for no longer than an exchange may take.
 *   APR_NOTFOUND: nothing, and it is claimed that this server is asking: so ask.
 */
apr_status_t oc_peers_ask(oc_peers_t *peers, const oc_managed_t *managed, uint32_t random, oc_attempt_t *attempt,
                          const atomic_int *stop, apr_pool_t *pool);

/** Leave @a record for the others. */
void oc_peers_tell(oc_peers_t *peers, const oc_managed_t *managed, const oc_record_t *record, const atomic_int *stop,
                   apr_pool_t *pool);

#endif
