/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The block in mod_status: one pass over the certificates, then a few lines. Subjects and URLs come from certificates
 * and are untrusted: everything is escaped.
 */
#include "status/mod_status.h"

#include "location.h"
#include "snapshot.h"
#include "server/settings.h"

#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <mod_status.h>

#define ROWS_MAX 20

/* All certificates together. */
typedef struct {
    oc_snapshot_totals_t totals;
    int certificates;
    int stapled;      /* good or revoked */
    int no_responder; /* which is expected */
    int attention[OC_ATTENTION_CRITICAL + 1];
    apr_time_t next_expiry;                              /* of what is stapled; 0: nothing is */
    apr_array_header_t *rows[OC_ATTENTION_CRITICAL + 1]; /* const char *, as HTML: the first of each kind */
} summary_t;

/* All that are queried, in this order. */
static const char *responders_of(const oc_view_t *view, apr_pool_t *pool)
{
    const char *all = view->url ? ap_escape_html(pool, view->url) : "-";
    const char *const *next = view->url && view->urls && view->urls[0] ? view->urls + 1 : NULL;

    for (; next && *next; next++)
        all = apr_pstrcat(pool, all, "<br>", ap_escape_html(pool, *next), NULL);
    return all;
}

static const char *make_row(const oc_view_t *view, apr_time_t now, const char *reason, apr_pool_t *pool,
                            apr_pool_t *keep)
{
    return apr_psprintf(
        keep, "<tr><td>%s</td><td>%s<br>serial %s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
        ap_escape_html(pool, oc_view_host_text(view->host, pool)), ap_escape_html(pool, view->subject),
        ap_escape_html(pool, view->serial), responders_of(view, pool), oc_view_state(view, now),
        view->has_record && view->usable_from <= now ? oc_view_left(view->usable_until, now, pool) : "-",
        oc_view_span(view->next_request, now, pool), ap_escape_html(pool, reason));
}

static void add(summary_t *summary, const oc_view_t *view, apr_time_t now, apr_pool_t *pool, apr_pool_t *keep)
{
    const char *reason;
    oc_attention_t attention = oc_view_attention(view, now, oc_settings_global()->expiry_warning, &reason, pool);
    apr_array_header_t *rows = summary->rows[attention];

    summary->certificates++;
    summary->attention[attention]++;
    summary->no_responder += !view->is_refreshed && !view->lacks_issuer;
    if (oc_view_is_stapled(view, now) && oc_verdict_class(view->verdict) == OC_CLASS_TRUTH) {
        summary->stapled++;
        if (summary->next_expiry == 0 || view->usable_until < summary->next_expiry)
            summary->next_expiry = view->usable_until;
    }
    if (attention != OC_ATTENTION_NONE && rows->nelts < ROWS_MAX)
        APR_ARRAY_PUSH(rows, const char *) = make_row(view, now, reason, pool, keep);
}

static void summarise(summary_t *summary, apr_time_t now, apr_pool_t *keep)
{
    apr_pool_t *pool;
    unsigned n;
    int i;

    for (i = 0; i <= OC_ATTENTION_CRITICAL; i++)
        summary->rows[i] = apr_array_make(keep, 4, sizeof(const char *));
    apr_pool_create(&pool, keep);
    for (n = 0; n < oc_snapshot_count(); n++) {
        oc_view_t view;

        oc_snapshot_take(&view, n, now, pool);
        add(summary, &view, now, pool, keep);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
}

/* Exchanges with responders: how many brought a certificate's status, and how many anything else. */
static void count_requests(const oc_counters_totals_t *counters, uint64_t *succeeded, uint64_t *failed)
{
    int verdict;

    *succeeded = *failed = 0;
    for (verdict = 0; verdict < OC_VERDICT_LIMIT; verdict++) {
        int is_truth = oc_verdict_class((oc_verdict_t)verdict) == OC_CLASS_TRUTH;

        *(is_truth ? succeeded : failed) += counters->exchanges[OC_ORIGIN_RESPONDER][verdict];
    }
}

/* The keys of ?auto, one per line. */
static void print_auto(request_rec *r, const summary_t *summary, apr_time_t now)
{
    const oc_snapshot_totals_t *totals = &summary->totals;
    const uint64_t *handshakes = totals->counters.handshakes;
    uint64_t succeeded, failed;

    count_requests(&totals->counters, &succeeded, &failed);
    ap_rprintf(r,
               "OCSPCacheCertificates: %d\nOCSPCacheCertificatesStapled: %d\nOCSPCacheCertificatesWarning: %d\n"
               "OCSPCacheCertificatesCritical: %d\nOCSPCacheNextExpiry: %" APR_INT64_T_FMT "\n",
               summary->certificates, summary->stapled, summary->attention[OC_ATTENTION_WARNING],
               summary->attention[OC_ATTENTION_CRITICAL],
               summary->next_expiry ? apr_time_sec(summary->next_expiry - now) : -1);
    ap_rprintf(r,
               "OCSPCacheStapled: %" APR_UINT64_T_FMT "\nOCSPCacheStapledErrors: %" APR_UINT64_T_FMT
               "\nOCSPCacheNotStapled: %" APR_UINT64_T_FMT "\nOCSPCacheRequestsSucceeded: %" APR_UINT64_T_FMT
               "\nOCSPCacheRequestsFailed: %" APR_UINT64_T_FMT "\n",
               handshakes[OC_COUNTERS_STAPLED], handshakes[OC_COUNTERS_ERROR], handshakes[OC_COUNTERS_NOTHING],
               succeeded, failed);
    ap_rprintf(r,
               "OCSPCacheFile: %s\nOCSPCacheSize: %" APR_SIZE_T_FMT "\nOCSPCacheBlocks: %u\nOCSPCacheBlocksUsed: %u\n",
               totals->path ? totals->path : "memory only", totals->cache.size, totals->cache.blocks,
               totals->cache.blocks_used);
}

static void print_rows(request_rec *r, const summary_t *summary, const char *page)
{
    int level, i, n = 0, all = summary->attention[OC_ATTENTION_CRITICAL] + summary->attention[OC_ATTENTION_WARNING];

    if (all == 0)
        return;
    ap_rputs(
        "<table border=\"0\"><tr><th>Host</th><th>Certificate</th><th>Responder</th><th>State</th><th>Time left</th>"
        "<th>Next refresh</th><th>Why</th></tr>\n",
        r);
    for (level = OC_ATTENTION_CRITICAL; level > OC_ATTENTION_NONE; level--)
        for (i = 0; i < summary->rows[level]->nelts && n < ROWS_MAX; i++, n++)
            ap_rputs(APR_ARRAY_IDX(summary->rows[level], i, const char *), r);
    ap_rputs("</table>\n", r);
    if (all > n)
        ap_rprintf(r,
                   page ? "<p><a href=\"%s?attention=1&amp;sort=attention\">and %d more</a></p>\n"
                        : "<p>%sand %d more</p>\n",
                   page ? page : "", all - n);
}

static void print_html(request_rec *r, const summary_t *summary, apr_time_t now)
{
    const oc_snapshot_totals_t *totals = &summary->totals;
    const uint64_t *handshakes = totals->counters.handshakes;
    const char *path = oc_status_location(r),
               *page = path ? ap_escape_html(r->pool, ap_escape_uri(r->pool, path)) : NULL;
    uint64_t succeeded, failed;

    count_requests(&totals->counters, &succeeded, &failed);
    ap_rprintf(r,
               "<hr>\n<h1>OCSP Stapling</h1>\n<dl><dt>Certificates: %d; stapled: %d, without a responder: %d. "
               "Attention needed: %d, critical: %d</dt>\n<dt>First response to expire: %s</dt>\n",
               summary->certificates, summary->stapled, summary->no_responder,
               summary->attention[OC_ATTENTION_CRITICAL] + summary->attention[OC_ATTENTION_WARNING],
               summary->attention[OC_ATTENTION_CRITICAL], oc_view_left(summary->next_expiry, now, r->pool));
    ap_rprintf(r,
               "<dt>Handshakes that requested a status: %" APR_UINT64_T_FMT " stapled, %" APR_UINT64_T_FMT
               " stapled with an error, %" APR_UINT64_T_FMT
               " not stapled</dt>\n<dt>Requests to responders: %" APR_UINT64_T_FMT " succeeded, %" APR_UINT64_T_FMT
               " failed</dt>\n",
               handshakes[OC_COUNTERS_STAPLED], handshakes[OC_COUNTERS_ERROR], handshakes[OC_COUNTERS_NOTHING],
               succeeded, failed);
    ap_rprintf(r, "<dt>Cache: %s of %s used, stored in %s</dt></dl>\n",
               oc_view_size((apr_size_t)totals->cache.blocks_used * OC_BLOCK_SIZE, r->pool),
               oc_view_size(totals->cache.size, r->pool),
               totals->path ? ap_escape_html(r->pool, totals->path) : "memory only");
    if (page)
        ap_rvputs(r, "<p><a href=\"", page, "\">All certificates</a></p>\n", NULL);
    else
        ap_rputs("<p>For a page with all certificates, set <code>SetHandler ocsp-cache-status</code> in a "
                 "<code>&lt;Location&gt;</code>.</p>\n",
                 r);
    print_rows(r, summary, page);
}

static int status_hook(request_rec *r, int flags)
{
    summary_t summary = {.certificates = 0};
    apr_time_t now = apr_time_now();

    if (!oc_snapshot_totals(&summary.totals))
        return OK;
    summarise(&summary, now, r->pool);
    if (flags & AP_STATUS_SHORT)
        print_auto(r, &summary, now);
    else
        print_html(r, &summary, now);
    return OK;
}

void oc_mod_status_post_config(apr_pool_t *pconf)
{
    oc_status_location_post_config(pconf);
}

void oc_mod_status_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, status_hook, NULL, NULL, APR_HOOK_MIDDLE);
}
