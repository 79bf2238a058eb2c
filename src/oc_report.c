/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_report: see oc_report.h. One snapshot per certificate, two small printers for it. Subjects and URLs come out of
 * certificates, which anybody may have filled: everything is escaped.
 */
#include "oc_report.h"

#include "oc_books.h"
#include "oc_managed.h"
#include "oc_module.h"
#include "oc_store.h"

#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <mod_status.h>

/* A certificate as it stands now. */
typedef struct {
    const oc_managed_t *managed;
    oc_verdict_t state;      /* of what is stapled now; OC_PENDING: nothing */
    apr_time_t usable_until; /* 0: nothing */
    apr_time_t next_request; /* 0: never, or not known yet */
    oc_verdict_t last;       /* of the last attempt */
    unsigned failures;
} snapshot_t;

static snapshot_t take_snapshot(const oc_managed_t *managed, apr_time_t now, apr_pool_t *pool)
{
    snapshot_t snapshot = {managed, OC_PENDING, 0, 0, OC_PENDING, 0};
    oc_record_t record;
    oc_note_t note;
    apr_status_t rv = oc_store_get(managed->cert, &record, &note, pool);

    snapshot.next_request = note.due;
    snapshot.last = note.verdict;
    snapshot.failures = note.failures;
    if (rv == APR_SUCCESS && record.usable_until > now) {
        snapshot.state = record.verdict;
        snapshot.usable_until = record.usable_until;
    }
    return snapshot;
}

static const char *state_of(const snapshot_t *snapshot)
{
    if (snapshot->usable_until)
        return oc_verdict_name(snapshot->state);
    return snapshot->managed->url ? "none" : "no-responder";
}

static const char *error_of(const snapshot_t *snapshot)
{
    return snapshot->failures > 0 ? oc_verdict_name(snapshot->last) : "";
}

/* "3 d 4 h", "12 min", "8 s": the two largest units are as much as anybody reads. */
static const char *span(apr_time_t until, apr_time_t now, apr_pool_t *pool)
{
    apr_int64_t seconds = apr_time_sec(until - now);

    if (until == 0)
        return "-";
    if (seconds <= 0)
        return "now";
    if (seconds < 120)
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " s", seconds);
    if (seconds < 7200)
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " min", seconds / 60);
    if (seconds < 172800)
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " h %" APR_INT64_T_FMT " min", seconds / 3600, seconds / 60 % 60);
    return apr_psprintf(pool, "%" APR_INT64_T_FMT " d %" APR_INT64_T_FMT " h", seconds / 86400, seconds / 3600 % 24);
}

static void print_html(request_rec *r, const snapshot_t *snapshot, apr_time_t now, apr_pool_t *pool)
{
    const oc_managed_t *managed = snapshot->managed;

    ap_rprintf(
        r, "<tr><td>%s</td><td>%s<br>serial %s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
        ap_escape_html(pool, managed->host), ap_escape_html(pool, managed->cert->subject), managed->cert->serial,
        managed->url ? ap_escape_html(pool, managed->url) : "-", state_of(snapshot),
        span(snapshot->usable_until, now, pool), span(managed->url ? snapshot->next_request : 0, now, pool),
        *error_of(snapshot) ? apr_psprintf(pool, "%s (%u in a row)", error_of(snapshot), snapshot->failures) : "-");
}

/* The keys of ?auto, one per line, numbered in the order of the configuration. Times in seconds, -1: none. */
static void print_auto(request_rec *r, const snapshot_t *snapshot, int i, apr_time_t now)
{
    const oc_managed_t *managed = snapshot->managed;

    ap_rprintf(r, "OCSPCacheCert%dHost: %s\n", i, managed->host);
    ap_rprintf(r, "OCSPCacheCert%dSubject: %s\n", i, managed->cert->subject);
    ap_rprintf(r, "OCSPCacheCert%dSerial: %s\n", i, managed->cert->serial);
    ap_rprintf(r, "OCSPCacheCert%dResponder: %s\n", i, managed->url ? managed->url : "-");
    ap_rprintf(r, "OCSPCacheCert%dStatus: %s\n", i, state_of(snapshot));
    ap_rprintf(r, "OCSPCacheCert%dSecondsLeft: %" APR_INT64_T_FMT "\n", i,
               snapshot->usable_until ? apr_time_sec(snapshot->usable_until - now) : -1);
    ap_rprintf(r, "OCSPCacheCert%dNextRequest: %" APR_INT64_T_FMT "\n", i,
               snapshot->next_request ? apr_time_sec(snapshot->next_request - now) : -1);
    ap_rprintf(r, "OCSPCacheCert%dFailures: %u\n", i, snapshot->failures);
    ap_rprintf(r, "OCSPCacheCert%dLastError: %s\n", i, *error_of(snapshot) ? error_of(snapshot) : "-");
}

static void print_summary(request_rec *r, const oc_shm_t *shm, int n, int is_auto)
{
    const char *path = oc_store_path();
    oc_tally_totals_t totals = {0};
    oc_shm_stats_t stats;

    oc_shm_stats(shm, &stats);
    if (oc_books_tally())
        oc_tally_read(oc_books_tally(), &totals);
    ap_rprintf(r,
               is_auto ? "OCSPCacheCertificates: %d\nOCSPCacheFile: %s\nOCSPCacheSize: %" APR_SIZE_T_FMT
                         "\nOCSPCacheBlocks: %u\nOCSPCacheBlocksUsed: %u\nOCSPCacheStapled: %" APR_UINT64_T_FMT
                         "\nOCSPCacheStapledErrors: %" APR_UINT64_T_FMT "\nOCSPCacheNotStapled: %" APR_UINT64_T_FMT "\n"
                       : "<hr>\n<h1>OCSP Stapling</h1>\n<p>%d certificates, kept in %s. Cache of %" APR_SIZE_T_FMT
                         " bytes: %u blocks, %u used. Handshakes that asked for a status: %" APR_UINT64_T_FMT
                         " got it, %" APR_UINT64_T_FMT " got an error, %" APR_UINT64_T_FMT " got nothing.</p>\n",
               n, path ? (is_auto ? path : ap_escape_html(r->pool, path)) : "memory only", stats.size, stats.blocks,
               stats.blocks_used, totals.handshakes[OC_TALLY_STAPLED], totals.handshakes[OC_TALLY_ERROR],
               totals.handshakes[OC_TALLY_NOTHING]);
}

static int status_hook(request_rec *r, int flags)
{
    const apr_array_header_t *all = oc_managed_all();
    const oc_shm_t *shm = oc_store_arena();
    int i, is_auto = flags & AP_STATUS_SHORT;
    apr_time_t now = apr_time_now();
    apr_pool_t *pool;

    if (!oc_config_is_active() || !shm)
        return OK;
    print_summary(r, shm, all->nelts, is_auto);
    if (!is_auto)
        ap_rputs(
            "<table border=\"0\"><tr><th>Host</th><th>Certificate</th><th>Responder</th><th>Stapled</th><th>Left</th>"
            "<th>Next request</th><th>Last error</th></tr>\n",
            r);
    apr_pool_create(&pool, r->pool);
    for (i = 0; i < all->nelts; i++) {
        snapshot_t snapshot = take_snapshot(APR_ARRAY_IDX(all, i, const oc_managed_t *), now, pool);

        if (is_auto)
            print_auto(r, &snapshot, i, now);
        else
            print_html(r, &snapshot, now, pool);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    if (!is_auto)
        ap_rputs("</table>\n", r);
    return OK;
}

void oc_report_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, status_hook, NULL, NULL, APR_HOOK_MIDDLE);
}
