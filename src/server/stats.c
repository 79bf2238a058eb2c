/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Counters, refresh flags and the ledger of the running server. The parent sets them up; children write to them.
 * oc_stats_handshake() is on the handshake path.
 */
#include "server/stats.h"

#include "server/later.h"
#include "server/managed.h"
#include "server/module.h"
#include "server/staples.h"
#include "state/ledger.h"

#include <ap_mpm.h>
#include <http_log.h>
#include <http_main.h>
#include <stdatomic.h>

APLOG_USE_MODULE(ocsp_cache);

#define COUNTERS_KEY "mod_ocsp_cache:counters:1" /* another number when the layout of the counters changes */
#define LANES_MIN 64

static struct {
    oc_counters_t *counters;
    oc_refresh_flags_t *flags;
    oc_ledger_t *ledger;
    const char *path; /* of the ledger */
    atomic_flag has_warned;
} stats;

/* One lane for each connection that can be served at the same time: c->id is child * threads + thread. */
static unsigned lanes(void)
{
    int daemons = 0, threads = 0;

    (void)ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &daemons);
    (void)ap_mpm_query(AP_MPMQ_HARD_LIMIT_THREADS, &threads);
    if (daemons < 1 || threads < 1 || daemons > OC_COUNTERS_LANES_MAX / threads)
        return OC_COUNTERS_LANES_MAX;
    return daemons * threads > LANES_MIN ? (unsigned)(daemons * threads) : LANES_MIN;
}

/* The counters are attached to the process pool: children of every generation share them, and they survive a reload
 * that removes the module and one that loads it again. The number in the key keeps a newer build from using counters of
 * another layout. */
static oc_counters_t *find_counters(server_rec *s)
{
    void *found = NULL;
    oc_counters_t *counters = NULL;
    apr_status_t rv;

    apr_pool_userdata_get(&found, COUNTERS_KEY, ap_pglobal);
    if (found)
        return found;
    rv = oc_counters_create(&counters, lanes(), ap_pglobal);
    if (rv == APR_SUCCESS)
        apr_pool_userdata_setn(counters, COUNTERS_KEY, NULL, ap_pglobal);
    else
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, s,
                     "no shared memory for counters: handshakes and requests are not counted");
    return counters;
}

static void begin_refresh_flags(apr_pool_t *pconf, server_rec *s)
{
    apr_status_t rv = oc_refresh_flags_create(&stats.flags, (unsigned)oc_managed_all()->nelts, pconf);

    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, s,
                     "no shared memory for refresh requests: the status page cannot refresh a certificate");
}

static void report_no_ledger(const char *problem, server_rec *s)
{
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                 "%s: the results of attempts are not recorded there, and ocsp-cachectl cannot report them", problem);
}

static void write_ledger(void *data, server_rec *s)
{
    const char *problem = NULL;

    if (oc_ledger_commit(data, &problem) != APR_SUCCESS)
        report_no_ledger(problem, s);
}

static const oc_later_t WRITE_LEDGER = {write_ledger, NULL};

static void begin_ledger(apr_pool_t *pconf, server_rec *s)
{
    const char *cache = oc_staples_path(), *problem = NULL;

    if (!cache) /* in memory only: by choice, or after an error that is logged already */
        return;
    stats.path = oc_ledger_path(cache, pconf);
    if (oc_ledger_prepare(&stats.ledger, stats.path, (unsigned)oc_managed_all()->nelts, pconf, &problem) == APR_SUCCESS)
        oc_later_add(&WRITE_LEDGER, stats.ledger);
    else
        report_no_ledger(problem, s);
}

void oc_stats_open(apr_pool_t *pconf, server_rec *main_server)
{
    stats.flags = NULL; /* of the last configuration, in a pool that is gone */
    stats.ledger = NULL;
    stats.path = NULL;
    atomic_flag_clear(&stats.has_warned);
    if (!oc_settings_is_active() || !oc_staples_arena())
        return;
    stats.counters = find_counters(main_server);
    begin_refresh_flags(pconf, main_server);
    begin_ledger(pconf, main_server);
}

void oc_stats_handshake(const conn_rec *c, oc_counters_handshake_t what)
{
    if (stats.counters)
        oc_counters_handshake(stats.counters, (unsigned)c->id, what);
}

void oc_stats_exchange(oc_origin_t origin, oc_verdict_t verdict, apr_interval_time_t elapsed)
{
    if (stats.counters)
        oc_counters_exchange(stats.counters, origin, verdict, elapsed);
}

void oc_stats_enter(unsigned ordinal, const oc_cert_t *cert, const oc_note_t *note, apr_time_t when, server_rec *s)
{
    oc_ledger_entry_t entry = {.note = *note, .last_attempt = when};
    apr_status_t rv;

    if (stats.flags && when > 0)
        oc_refresh_flags_set_attempt(stats.flags, ordinal, when);
    else if (stats.flags) /* entered by the child that led before */
        entry.last_attempt = oc_refresh_flags_last_attempt(stats.flags, ordinal);
    if (!stats.ledger)
        return;
    memcpy(entry.id, cert->id, sizeof(entry.id));
    rv = oc_ledger_write(stats.ledger, ordinal, &entry);
    if (rv != APR_SUCCESS && !atomic_flag_test_and_set(&stats.has_warned))
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, rv, s,
            "cannot write %s: the results of attempts are not recorded there, and ocsp-cachectl cannot report them. "
            "Is the disk full?",
            stats.path);
}

const oc_counters_t *oc_stats_counters(void)
{
    return oc_settings_is_active() ? stats.counters : NULL;
}

oc_refresh_flags_t *oc_stats_refresh_flags(void)
{
    return stats.flags;
}
