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

/* One search in the shared store. */
typedef struct {
    oc_peers_t *peers;
    const oc_managed_t *managed;
    oc_attempt_t *attempt;
    uint32_t random;
    const atomic_int *stop;
    apr_pool_t *pool;
    oc_fleet_entry_t entry; /* that was found; it is verified only if it is news. fetched_at is 0: it does not count */
} search_t;

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
    peers->held =
        (oc_fleet_held_t){record->usable_from, record->usable_until, oc_record_order(record), record->fetched_at};
}

/* The entry cannot be used: log that once for each reason. */
static void refuse(const search_t *search, const char *reason, const char *detail)
{
    oc_peers_t *peers = search->peers;

    ap_log_error(
        APLOG_MARK, peers->logged == reason ? APLOG_DEBUG : APLOG_WARNING, 0, search->managed->server,
        "%s: the entry %s in the shared store %s is ignored: %s%s%s. The next answer of the responder replaces it. "
        "If this recurs, find out what writes to the store",
        search->managed->label, name_of(peers, search->pool), oc_shared_store_provider(), reason, *detail ? ": " : "",
        detail);
    peers->logged = reason;
}

static apr_status_t look(search_t *search)
{
    const char *name = name_of(search->peers, search->pool);
    const char *problem = "it is larger than any response that is stapled";
    const unsigned char *bytes;
    apr_size_t len;
    apr_status_t rv;

    rv = oc_shared_store_get(name, &bytes, &len, OC_FLEET_ENTRY_HEAD_LEN + OC_RESPONSE_MAX, search->stop, search->pool);
    if (rv == APR_NOTFOUND)
        return rv;
    if (rv == APR_SUCCESS)
        problem = oc_fleet_entry_decode(&search->entry, bytes, len, search->peers->key);
    if (!problem)
        return APR_SUCCESS;
    refuse(search, problem, "");
    search->entry.fetched_at = 0;
    return APR_NOTFOUND;
}

/* Verify it like a response from the network, by this server's rules and its clock. */
static int is_valid(const search_t *search, apr_time_t now)
{
    oc_attempt_t *attempt = search->attempt;
    const char *problem;

    attempt->fetched.der = search->entry.der;
    attempt->fetched.der_len = search->entry.der_len;
    oc_attempt_judge(attempt, search->managed->cert, &search->managed->settings, search->pool);
    if (oc_verdict_class(attempt->verdict) != OC_CLASS_TRUTH) {
        oc_stats_exchange(OC_ORIGIN_SHARED, attempt->verdict, -1);
        refuse(search, oc_verdict_text(attempt->verdict), attempt->detail);
        return 0;
    }
    problem = oc_fleet_time_problem(&search->entry, attempt->verified.this_update, search->managed->settings.skew, now);
    if (problem)
        refuse(search, problem, "");
    return !problem;
}

/* Is another server querying the responder (oc_fleet_wait)? If not, this one does, and writes its claim. */
static int must_wait(const search_t *search)
{
    oc_peers_t *peers = search->peers;
    apr_time_t now = apr_time_now();
    apr_interval_time_t longest = search->managed->settings.timeout + CLAIM_GRACE;
    oc_fleet_claim_t claim, own = {oc_shared_store_self(), now};
    unsigned char bytes[OC_FLEET_CLAIM_LEN];
    const unsigned char *found;
    const char *name = apr_pstrcat(search->pool, name_of(peers, search->pool), CLAIM_SUFFIX, NULL);
    apr_size_t len;

    if (oc_shared_store_get(name, &found, &len, OC_FLEET_CLAIM_LEN, search->stop, search->pool) == APR_SUCCESS
        && oc_fleet_claim_decode(&claim, found, len) == APR_SUCCESS && claim.who != own.who) {
        peers->wake = oc_fleet_wait(&peers->patience, &claim, search->entry.fetched_at, longest, now, search->random);
        if (peers->wake)
            return 1;
    }
    peers->patience = 0;
    oc_fleet_claim_encode(&own, bytes);
    oc_shared_store_put(name, bytes, sizeof(bytes), now + longest, search->stop);
    return 0;
}

/* Is there a better response than the one held? As oc_peers_query(), without regard for claims. */
static apr_status_t find(search_t *search)
{
    oc_peers_t *peers = search->peers;
    oc_attempt_t *attempt = search->attempt;
    oc_fleet_entry_t *entry = &search->entry;
    apr_time_t now = apr_time_now();

    peers->is_lacking = 1;
    if (look(search) != APR_SUCCESS)
        return APR_NOTFOUND;
    if (!oc_fleet_is_news(&peers->held, entry, now)) {
        peers->is_lacking = oc_fleet_order(entry->this_update, entry->fetched_at) < peers->held.order;
        return APR_NOTFOUND;
    }
    attempt->origin = OC_ORIGIN_SHARED;
    attempt->source = apr_pstrcat(search->pool, "shared store ", oc_shared_store_provider(), NULL);
    if (!is_valid(search, now)) {
        entry->fetched_at = 0;
        return APR_NOTFOUND;
    }
    peers->is_lacking = 0;
    peers->logged = NULL;

    attempt->obtained_at = entry->fetched_at < now ? entry->fetched_at : now;
    attempt->due = oc_schedule_success(attempt->obtained_at, entry->this_update, attempt->verified.usable_until,
                                       &search->managed->settings.bounds, search->random);
    return oc_fleet_is_due(&peers->held, entry, attempt->due, attempt->verified.usable_until, now) ? APR_INCOMPLETE
                                                                                                   : APR_SUCCESS;
}

apr_status_t oc_peers_query(oc_peers_t *peers, const oc_managed_t *managed, uint32_t random, oc_attempt_t *attempt,
                            const atomic_int *stop, apr_pool_t *pool)
{
    search_t search = {peers, managed, attempt, random, stop, pool, {.fetched_at = 0}};
    apr_status_t rv;

    peers->is_lacking = 0;
    peers->wake = 0;
    if (!oc_shared_store_provider() || !has_key(peers, managed->cert, pool))
        return APR_NOTFOUND;
    oc_attempt_begin(attempt);
    rv = find(&search);
    if (rv == APR_SUCCESS)
        peers->patience = 0;
    else if (rv == APR_NOTFOUND && must_wait(&search))
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
