/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_fleet: when a server of a fleet takes what another one got, waits for one that is asking, or asks the responder itself.
 *
 * Pure functions of times: no clock, no state, no store. oc_peers runs them in the server, test/bench/fleet.c for ten thousand servers
 * in virtual time. What comes out of the store may be anything: nothing in there keeps a server from asking for long.
 */
#ifndef OC_FLEET_POLICY_H
#define OC_FLEET_POLICY_H

#include "fleet/entry.h"

/** What this server holds for a certificate. All 0: nothing. */
typedef struct {
    apr_time_t until; /* the end of its usable time */
    uint64_t order;   /* oc_record_order() */
    apr_time_t since; /* when a responder gave it, to this server or to another */
} oc_fleet_held_t;

/** How a true response with these times would be ordered (oc_record_order). */
uint64_t oc_fleet_order(apr_time_t this_update, apr_time_t fetched_at);

/** Is the entry's response newer than the one held, or the same, fetched anew? */
int oc_fleet_is_news(const oc_fleet_held_t *held, const oc_fleet_entry_t *entry, apr_time_t now);

/**
 * Has the entry's response to be asked for anew, because its own date, @a due, has come? Also: the same response as the one held is not put off
 * again when three quarters of its time are over; then every server asks for itself. So nobody who writes to the store can
 * keep a fleet from asking.
 * @param usable_until  of the entry's response, as verified
 */
int oc_fleet_is_due(const oc_fleet_held_t *held, const oc_fleet_entry_t *entry, apr_time_t due, apr_time_t usable_until,
                    apr_time_t now);

/**
 * Another server's claim was found: is it to be respected? It is over when there is an entry that came after it, and it is
 * respected for no longer than an exchange may take.
 * @param patience in and out: until when claims are respected for this request; 0: none has been met; set to 0 when it is over
 * @param answered when the entry in the store was fetched; 0: there is none
 * @param longest  how long an exchange may take
 * @return when to look again; 0: ask
 */
apr_time_t oc_fleet_wait(apr_time_t *patience, const oc_fleet_claim_t *claim, apr_time_t answered,
                         apr_interval_time_t longest, apr_time_t now, uint32_t random);

#endif
