/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads and writes one certificate's entry in the shared store. An entry is never trusted: it is verified like a
 * response from the network. A problem with it is logged once for each reason.
 */
#include "peers.h"

#include "refresh/shared_store.h"
#include "server/module.h"
#include "server/settings.h"
#include "server/stats.h"

#include <apr_strings.h>
#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

#define CLAIM_SUFFIX ":asking"
#define CLAIM_GRACE apr_time_from_sec(2) /* beyond the timeout of an exchange; stores count whole seconds */

static int has_key(oc_peers_t *peers, const oc_cert_t *cert, apr_pool_t *pool)
{
    if (!peers->has_key)
        peers->has_key = oc_fleet_entry_key(cert, peers->key, pool) == APR_SUCCESS;
    return peers->has_key;
}

static const char *name_of(const oc_peers_t *peers, apr_pool_t *pool)
{
    char *name = apr_palloc(pool, OC_FLEET_ENTRY_NAME_LEN);

    oc_fleet_entry_name(oc_settings_global()->shared_prefix, peers->key, name);
    return name;
}

void oc_peers_hold(oc_peers_t *peers, const oc_record_t *record)
{
    peers->held = (oc_fleet_held_t){record->usable_until, oc_record_order(record), record->fetched_at};
}

/* The entry cannot be used: log that once for each reason. */
static void refuse(oc_peers_t *peers, const oc_managed_t *managed, const char *reason, const char *detail,
                   apr_pool_t *pool)
{
    ap_log_error(
        APLOG_MARK, peers->logged == reason ? APLOG_DEBUG : APLOG_WARNING, 0, managed->server,
        "%s: the entry %s in the shared store %s is ignored: %s%s%s. The next answer of the responder replaces it. "
        "If this recurs, find out what writes to the store",
        managed->label, name_of(peers, pool), oc_shared_store_provider(), reason, *detail ? ": " : "", detail);
    peers->logged = reason;
}

static apr_status_t look(oc_peers_t *peers, const oc_managed_t *managed, oc_fleet_entry_t *entry,
                         const atomic_int *stop, apr_pool_t *pool)
{
    const char *problem = "it is larger than any response that is stapled";
    const unsigned char *bytes;
    apr_size_t len;
    apr_status_t rv;

    rv = oc_shared_store_get(name_of(peers, pool), &bytes, &len, OC_FLEET_ENTRY_HEAD_LEN + OC_RESPONSE_MAX, stop, pool);
    if (rv == APR_NOTFOUND)
        return rv;
    if (rv == APR_SUCCESS)
        problem = oc_fleet_entry_decode(entry, bytes, len, peers->key);
    if (!problem)
        return APR_SUCCESS;
    refuse(peers, managed, problem, "", pool);
    return APR_NOTFOUND;
}

/* Verify it like a response from the network, by this server's rules and its clock. */
static int is_true(oc_peers_t *peers, const oc_managed_t *managed, const oc_fleet_entry_t *entry, oc_attempt_t *attempt,
                   apr_time_t now, apr_pool_t *pool)
{
    const char *problem;

    attempt->fetched.der = entry->der;
    attempt->fetched.der_len = entry->der_len;
    oc_attempt_judge(attempt, managed, pool);
    if (oc_verdict_class(attempt->verdict) != OC_CLASS_TRUTH) {
        oc_stats_exchange(OC_ORIGIN_SHARED, attempt->verdict, -1);
        refuse(peers, managed, oc_verdict_text(attempt->verdict), attempt->detail, pool);
    }
    else if ((problem = oc_fleet_time_problem(entry, attempt->verified.this_update, managed->settings.skew, now)))
        refuse(peers, managed, problem, "", pool);
    else
        return 1;
    return 0;
}

/* Is another server querying the responder (oc_fleet_wait)? If not, this one does, and writes its claim. */
static int must_wait(oc_peers_t *peers, const oc_managed_t *managed, uint32_t random, apr_time_t answered,
                     const atomic_int *stop, apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    apr_interval_time_t longest = managed->settings.timeout + CLAIM_GRACE;
    oc_fleet_claim_t claim, own = {oc_shared_store_self(), now};
    unsigned char bytes[OC_FLEET_CLAIM_LEN];
    const unsigned char *found;
    const char *name;
    apr_size_t len;

    name = apr_pstrcat(pool, name_of(peers, pool), CLAIM_SUFFIX, NULL);
    if (oc_shared_store_get(name, &found, &len, OC_FLEET_CLAIM_LEN, stop, pool) == APR_SUCCESS
        && oc_fleet_claim_decode(&claim, found, len) == APR_SUCCESS && claim.who != own.who) {
        peers->wake = oc_fleet_wait(&peers->patience, &claim, answered, longest, now, random);
        if (peers->wake)
            return 1;
    }
    peers->patience = 0;
    oc_fleet_claim_encode(&own, bytes);
    oc_shared_store_put(name, bytes, sizeof(bytes), now + longest, stop);
    return 0;
}

/* Is there a better response than the one held? As oc_peers_query(), without regard for claims. */
static apr_status_t find(oc_peers_t *peers, const oc_managed_t *managed, uint32_t random, oc_fleet_entry_t *entry,
                         oc_attempt_t *attempt, const atomic_int *stop, apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();

    peers->is_lacking = 1;
    if (look(peers, managed, entry, stop, pool) != APR_SUCCESS)
        return APR_NOTFOUND;
    if (!oc_fleet_is_news(&peers->held, entry, now)) {
        peers->is_lacking = oc_fleet_order(entry->this_update, entry->fetched_at) < peers->held.order;
        return APR_NOTFOUND;
    }
    attempt->origin = OC_ORIGIN_SHARED;
    attempt->source = apr_pstrcat(pool, "shared store ", oc_shared_store_provider(), NULL);
    if (!is_true(peers, managed, entry, attempt, now, pool)) {
        entry->fetched_at = 0;
        return APR_NOTFOUND;
    }
    peers->is_lacking = 0;
    peers->logged = NULL;

    attempt->obtained_at = entry->fetched_at < now ? entry->fetched_at : now;
    attempt->due = oc_schedule_success(attempt->obtained_at, entry->this_update, attempt->verified.usable_until,
                                       &managed->settings.bounds, random);
    return oc_fleet_is_due(&peers->held, entry, attempt->due, attempt->verified.usable_until, now) ? APR_INCOMPLETE
                                                                                                   : APR_SUCCESS;
}

apr_status_t oc_peers_query(oc_peers_t *peers, const oc_managed_t *managed, uint32_t random, oc_attempt_t *attempt,
                            const atomic_int *stop, apr_pool_t *pool)
{
    oc_fleet_entry_t entry = {.fetched_at = 0};
    apr_status_t rv;

    peers->is_lacking = 0;
    peers->wake = 0;
    if (!oc_shared_store_provider() || !has_key(peers, managed->cert, pool))
        return APR_NOTFOUND;
    oc_attempt_begin(attempt);
    rv = find(peers, managed, random, &entry, attempt, stop, pool);
    if (rv == APR_SUCCESS)
        peers->patience = 0;
    else if (rv == APR_NOTFOUND && must_wait(peers, managed, random, entry.fetched_at, stop, pool))
        rv = APR_EAGAIN;
    return rv;
}

void oc_peers_share(oc_peers_t *peers, const oc_managed_t *managed, const oc_record_t *record, const atomic_int *stop,
                    apr_pool_t *pool)
{
    oc_fleet_entry_t entry = {.this_update = record->this_update,
                              .fetched_at = record->fetched_at,
                              .der = record->der,
                              .der_len = record->der_len};
    unsigned char *bytes;
    apr_size_t len;

    if (!oc_shared_store_provider() || !has_key(peers, managed->cert, pool))
        return;
    memcpy(entry.key, peers->key, sizeof(entry.key));
    bytes = apr_palloc(pool, OC_FLEET_ENTRY_HEAD_LEN + record->der_len);
    len = oc_fleet_entry_encode(&entry, bytes);
    if (len > 0)
        oc_shared_store_put(name_of(peers, pool), bytes, len, record->usable_until, stop);
    peers->is_lacking = 0;
}
