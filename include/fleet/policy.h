/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * When a server of a fleet takes a response that another one obtained, waits for one that is querying the responder, or
 * queries the responder itself.
 *
 * Pure functions of times: no clock, no state, no store. src/refresh/peers.c calls them in the server,
 * test/bench/fleet.c for ten thousand servers in virtual time. Anything may be in the store: nothing there may keep a
 * server from the responder for long.
 */
#ifndef OC_FLEET_POLICY_H
#define OC_FLEET_POLICY_H

#include "fleet/entry.h"

/** What this server holds for a certificate. All 0: nothing. */
typedef struct {
    apr_time_t from;  /* its usable time: not from the future, unless the clock was set back */
    apr_time_t until; /* the end of that */
    uint64_t order;   /* oc_record_order() */
    apr_time_t since; /* when a responder sent it, to this server or to another */
} oc_fleet_held_t;

/** The order of a verified response with these times (oc_record_order). */
uint64_t oc_fleet_order(apr_time_t this_update, apr_time_t fetched_at);

/**
 * What is wrong with the times of an entry, whose response has been verified? NULL: nothing; else the end of a
 * sentence, static.
 * @param this_update of the response; @param skew how much clocks may differ
 */
const char *oc_fleet_time_problem(const oc_fleet_entry_t *entry, apr_time_t this_update, apr_interval_time_t skew,
                                  apr_time_t now);

/** Is the entry's response newer than the one held, or the same, fetched again later? */
int oc_fleet_is_news(const oc_fleet_held_t *held, const oc_fleet_entry_t *entry, apr_time_t now);

/**
 * Is the entry's response due for renewal itself, since @a due has passed? The same response as the one held is due
 * when three quarters of its time have passed, whatever @a due: then every server queries the responder. So an attacker
 * who writes to the store cannot keep a fleet from doing so.
 * @param usable_until  of the entry's response, as verified
 */
int oc_fleet_is_due(const oc_fleet_held_t *held, const oc_fleet_entry_t *entry, apr_time_t due, apr_time_t usable_until,
                    apr_time_t now);

/**
 * Another server's claim was found: is it respected? It ends with an entry that is newer than the claim, and it is
 * respected for no longer than an exchange may take.
 * @param patience in and out: until when claims are respected for this query; 0: none has been found; set to 0 at the
 * end
 * @param answered when the entry in the store was fetched; 0: there is none
 * @param longest  how long an exchange may take
 * @return when to look again; 0: query the responder
 */
apr_time_t oc_fleet_wait(apr_time_t *patience, const oc_fleet_claim_t *claim, apr_time_t answered,
                         apr_interval_time_t longest, apr_time_t now, uint32_t random);

#endif
