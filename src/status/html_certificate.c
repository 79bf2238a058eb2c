/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The status page of one certificate: what to do first, then the response, the attempts to renew it, and the
 * certificate itself.
 */
#include "html_certificate.h"

#include "html_parts.h"
#include "base/hex.h"
#include "ocsp/signed_by.h"
#include "view/timeline.h"

#include <apr_strings.h>
#include <http_protocol.h>

typedef struct {
    const oc_status_request_t *request;
    const oc_managed_t *managed;
    unsigned ordinal;
    oc_view_t view;
    oc_attention_t attention;
    const char *reason;
} page_t;

/* One row; @a html is escaped already. */
static void row(request_rec *r, const char *name, const char *html)
{
    ap_rvputs(r, "<dt>", name, "</dt><dd>", html, "</dd>\n", NULL);
}

/* A time, and @a span of it in words. */
static const char *both(apr_time_t time, const char *span, apr_pool_t *pool)
{
    if (time == 0)
        return "-";
    return apr_pstrcat(pool, "<time>", oc_timeline_time(time, pool), "</time> <span class=\"soft\">(", span, ")</span>",
                       NULL);
}

static const char *past_or_future(apr_time_t time, apr_time_t now, apr_pool_t *pool)
{
    return both(time, apr_pstrcat(pool, time > now ? "in " : "", oc_view_span(time, now, pool), NULL), pool);
}

static const char *end_of(apr_time_t time, apr_time_t now, apr_pool_t *pool)
{
    return both(time, oc_view_left(time, now, pool), pool);
}

static const char *hosts_of(const oc_view_t *view, apr_pool_t *pool)
{
    apr_array_header_t *items;
    int i;

    if (!view->hosts || view->hosts->nelts == 1)
        return oc_status_host(view->host, pool);
    items = apr_array_make(pool, view->hosts->nelts, sizeof(const char *)); /* thousands: joined once, not one by one */
    for (i = 0; i < view->hosts->nelts; i++)
        APR_ARRAY_PUSH(items, const char *) =
            apr_pstrcat(pool, "<li>", oc_status_host(APR_ARRAY_IDX(view->hosts, i, const char *), pool), "</li>", NULL);
    return apr_pstrcat(pool, "<ul>", apr_array_pstrcat(pool, items, '\0'), "</ul>", NULL);
}

static const char *responders_of(const oc_view_t *view, apr_pool_t *pool)
{
    apr_array_header_t *items;
    const char *const *url;

    if (!view->url)
        return "none that can be queried";
    items = apr_array_make(pool, 2, sizeof(const char *));
    for (url = view->urls; url && *url; url++)
        APR_ARRAY_PUSH(items, const char *) = apr_pstrcat(pool, "<li>", oc_status_text(*url, pool), "</li>", NULL);
    return items->nelts > 1 ? apr_pstrcat(pool, "<ul>", apr_array_pstrcat(pool, items, '\0'), "</ul>", NULL)
                            : oc_status_text(view->url, pool);
}

static const char *mono(const char *text, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "<span class=\"mono\">", oc_status_text(text, pool), "</span>", NULL);
}

/* ---- the sections ---- */

static void print_top(const page_t *page, apr_pool_t *pool)
{
    const char *level = oc_attention_name(page->attention);
    apr_time_t now = page->request->now;
    const oc_view_t *view = &page->view;
    request_rec *r = page->request->r;

    ap_rvputs(r,
              "<p class=\"hint\"><a href=\"?\">&larr; All certificates</a></p>\n<div id=\"detail\" data-part>\n"
              "<div class=\"title\"><h2>",
              oc_status_host(view->host, pool), " ", oc_status_badge(view, now, pool), "</h2>",
              oc_status_button(page->request, view, pool), "</div>\n", NULL);
    if (page->attention != OC_ATTENTION_NONE)
        ap_rvputs(r, "<div class=\"card ", level, "\"><p><span class=\"badge ", level, "\">", level, "</span> ",
                  ap_escape_html(pool, page->reason), "</p></div>\n", NULL);
    ap_rvputs(r, "<div class=\"tile line\">", oc_timeline_svg(view, now, pool), NULL);
    if (view->has_record && view->this_update)
        ap_rvputs(r, "<div class=\"ends\"><span>thisUpdate ", oc_timeline_time(view->this_update, pool),
                  "</span><span>usable until ", oc_timeline_time(view->usable_until, pool), "</span></div>", NULL);
    ap_rputs("</div>\n", r);
}

static void print_response(const page_t *page, apr_pool_t *pool)
{
    const oc_view_t *view = &page->view;
    apr_time_t now = page->request->now;
    request_rec *r = page->request->r;
    const unsigned char *der;
    const char *signer;
    apr_size_t len;

    ap_rputs("<h2>Response</h2>\n<dl>\n", r);
    row(r, "State", oc_status_badge(view, now, pool));
    if (view->has_record && oc_snapshot_response(page->ordinal, &der, &len, pool) == APR_SUCCESS) {
        if (view->this_update) /* a responder's error has no times and no signer */
            row(r, "thisUpdate", past_or_future(view->this_update, now, pool));
        if (view->next_update)
            row(r, "nextUpdate", past_or_future(view->next_update, now, pool));
        row(r, "Usable until", end_of(view->usable_until, now, pool));
        row(r, "Obtained", past_or_future(view->fetched_at, now, pool));
        row(r, "From", oc_origin_name(view->origin));
        signer = oc_signed_by(der, len, page->managed->cert->issuer, pool);
        if (signer)
            row(r, "Signed by", oc_status_text(signer, pool));
        row(r, "Size", apr_psprintf(pool, "%" APR_SIZE_T_FMT " bytes", view->size));
        row(r, "File",
            apr_pstrcat(pool, "<a href=\"", oc_status_link(view, pool), "&amp;format=der\" download>Download (DER)</a>",
                        NULL));
    }
    ap_rputs("</dl>\n", r);
}

/* The card at the top of the page has the advice; it is repeated here only without a card. */
static void print_attempts(const page_t *page, apr_pool_t *pool)
{
    const char *advice = page->attention == OC_ATTENTION_NONE ? oc_verdict_advice(page->view.last) : "";
    const oc_view_t *view = &page->view;
    apr_time_t now = page->request->now;
    request_rec *r = page->request->r;

    ap_rputs("<h2>Refresh</h2>\n<dl>\n", r);
    row(r, "Last attempt", past_or_future(view->last_attempt, now, pool));
    row(r, "Verdict",
        view->last == OC_PENDING ? "-"
                                 : apr_pstrcat(pool, "<code>", oc_verdict_name(view->last),
                                               "</code>: ", ap_escape_html(pool, oc_verdict_text(view->last)), NULL));
    if (*advice)
        row(r, "What to do", ap_escape_html(pool, advice));
    row(r, "Failures in a row", apr_psprintf(pool, "%u", view->failures));
    row(r, "Next refresh",
        !view->is_refreshed         ? "-"
        : view->next_request <= now ? "now"
                                    : past_or_future(view->next_request, now, pool));
    ap_rputs("</dl>\n", r);
}

static void print_certificate(const page_t *page, apr_pool_t *pool)
{
    const oc_issuer_t *issuer = page->managed->cert->issuer;
    const oc_view_t *view = &page->view;
    request_rec *r = page->request->r;

    ap_rputs("<h2>Certificate</h2>\n<dl>\n", r);
    row(r, view->hosts && view->hosts->nelts > 1 ? "Hosts" : "Host", hosts_of(view, pool));
    row(r, "Subject", oc_status_text(view->subject, pool));
    row(r, "Issuer", oc_status_text(issuer ? oc_signed_by_issuer(issuer, pool) : view->issuer, pool));
    row(r, "Serial", mono(view->serial, pool));
    row(r, "SHA-1", mono(oc_hex_print(view->id, sizeof(view->id), pool), pool));
    row(r, "Expires", end_of(view->not_after, page->request->now, pool));
    row(r, "Must-Staple", view->must_staple ? "yes: clients reject it without a staple" : "no");
    row(r, view->urls && view->urls[0] && view->urls[1] ? "Responders" : "Responder", responders_of(view, pool));
    ap_rputs("</dl>\n", r);
}

/* For the shell: in single quotes, where the path is not plain. */
static const char *shell_word(const char *text, apr_pool_t *pool)
{
    const char *rest, *out = "'";

    if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == strlen(text))
        return text;
    for (rest = strchr(text, '\''); rest; rest = strchr(text, '\'')) {
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, text, (apr_size_t)(rest - text)), "'\\''", NULL);
        text = rest + 1;
    }
    return apr_pstrcat(pool, out, text, "'", NULL);
}

static void print_command(const page_t *page, apr_pool_t *pool)
{
    const char *path = page->request->totals.path;

    if (path && page->view.serial)
        ap_rvputs(page->request->r, "<h2>On the server</h2>\n<pre><code>ocsp-cachectl show -f ",
                  ap_escape_html(pool, shell_word(path, pool)), " ", ap_escape_html(pool, page->view.serial),
                  "</code></pre>\n", NULL);
}

void oc_status_html_certificate(const oc_status_request_t *request, unsigned ordinal)
{
    page_t page = {.request = request, .managed = oc_snapshot_certificate(ordinal), .ordinal = ordinal};
    apr_pool_t *pool = request->r->pool;

    oc_snapshot_take(&page.view, ordinal, request->now, pool);
    page.attention = oc_view_attention(&page.view, request->now, request->expiry_warning, &page.reason, pool);
    oc_status_open_page(request, oc_view_host_text(page.view.host, pool));
    oc_status_print_notice(request);
    print_top(&page, pool);
    print_response(&page, pool);
    print_attempts(&page, pool);
    print_certificate(&page, pool);
    print_command(&page, pool);
    ap_rputs("</div>\n", request->r);
    oc_status_close_page(request);
}
