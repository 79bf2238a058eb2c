/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The decisions of one server of a fleet. Its times come from fleet/entry.c and from a verified response: all are
 * bounded.
 */
#include "fleet/policy.h"

#include "ocsp/record.h"

#define LOOK_AGAIN apr_time_from_msec(300) /* up to twice that, at random */

uint64_t oc_fleet_order(apr_time_t this_update, apr_time_t fetched_at)
{
    oc_record_t record = {.verdict = OC_GOOD, .this_update = this_update, .fetched_at = fetched_at};

    return oc_record_order(&record);
}

const char *oc_fleet_time_problem(const oc_fleet_entry_t *entry, apr_time_t this_update, apr_interval_time_t skew,
                                  apr_time_t now)
{
    if (entry->this_update != this_update)
        return "its thisUpdate differs from that of its response";
    if (entry->fetched_at > now + skew)
        return "it was fetched in the future: the clocks of the servers differ";
    if (entry->fetched_at < this_update - skew)
        return "it was fetched before its response was produced";
    return NULL;
}

static int is_held(const oc_fleet_held_t *held, apr_time_t now)
{
    return held->from <= now && now < held->until;
}

int oc_fleet_is_news(const oc_fleet_held_t *held, const oc_fleet_entry_t *entry, apr_time_t now)
{
    uint64_t order = oc_fleet_order(entry->this_update, entry->fetched_at);

    return !is_held(held, now) || order > held->order || (order == held->order && entry->fetched_at > held->since);
}

int oc_fleet_is_due(const oc_fleet_held_t *held, const oc_fleet_entry_t *entry, apr_time_t due, apr_time_t usable_until,
                    apr_time_t now)
{
    int is_same = is_held(held, now) && oc_fleet_order(entry->this_update, entry->fetched_at) == held->order;

    return due <= now || (is_same && now > usable_until - (usable_until - entry->this_update) / 4);
}

apr_time_t oc_fleet_wait(apr_time_t *patience, const oc_fleet_claim_t *claim, apr_time_t answered,
                         apr_interval_time_t longest, apr_time_t now, uint32_t random)
{
    int is_patient = *patience == 0 || (now < *patience && *patience <= now + longest);

    if (claim->since <= answered || !is_patient) {
        *patience = 0;
        return 0;
    }
    if (*patience == 0)
        *patience = now + longest;
    return now + LOOK_AGAIN + (apr_time_t)(random % LOOK_AGAIN);
}
