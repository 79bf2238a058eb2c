/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status_html_certificate: see oc_status_html_certificate.h.
 */
#include "html_certificate.h"

#include "html_parts.h"
#include "view/timeline.h"

#include <apr_strings.h>
#include <http_protocol.h>

/* One row; @a html is escaped already. */
static void row(request_rec *r, const char *name, const char *html)
{
    ap_rvputs(r, "<dt>", name, "</dt><dd>", html, "</dd>\n", NULL);
}

static const char *both(apr_time_t time, apr_time_t now, apr_pool_t *pool)
{
    if (time == 0)
        return "-";
    return apr_pstrcat(pool, "<time>", oc_timeline_time(time, pool), "</time> <span class=\"soft\">(",
                       time > now ? "in " : "", oc_view_span(time, now, pool), ")</span>", NULL);
}

static const char *hosts_of(const oc_view_t *view, apr_pool_t *pool)
{
    apr_array_header_t *items;
    int i;

    if (!view->hosts)
        return oc_status_text(view->host, pool);
    items = apr_array_make(pool, view->hosts->nelts, sizeof(const char *)); /* thousands: joined once, not one by one */
    for (i = 0; i < view->hosts->nelts; i++)
        APR_ARRAY_PUSH(items, const char *) =
            apr_pstrcat(pool, "<li>", oc_status_text(APR_ARRAY_IDX(view->hosts, i, const char *), pool), "</li>", NULL);
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

static void print_certificate(const oc_status_request_t *request, const oc_view_t *view, apr_pool_t *pool)
{
    request_rec *r = request->r;

    ap_rputs("<h2>Certificate</h2>\n<dl>\n", r);
    row(r, "Hosts", hosts_of(view, pool));
    row(r, "Subject", oc_status_text(view->subject, pool));
    row(r, "Serial", apr_pstrcat(pool, "<span class=\"mono\">", oc_status_text(view->serial, pool), "</span>", NULL));
    row(r, "SHA-1", apr_pstrcat(pool, "<span class=\"mono\">", oc_query_print_id(view->id, pool), "</span>", NULL));
    row(r, "Expires", both(view->not_after, request->now, pool));
    row(r, "Must-Staple", view->must_staple ? "yes: clients refuse it without a staple" : "no");
    row(r, "Responder", responders_of(view, pool));
    ap_rputs("</dl>\n", r);
}

static void print_response(const oc_status_request_t *request, const oc_view_t *view, apr_pool_t *pool)
{
    apr_time_t now = request->now;
    request_rec *r = request->r;

    ap_rputs("<h2>Response</h2>\n<dl>\n", r);
    row(r, "State", oc_status_badge(view, now, pool));
    if (view->has_record) {
        row(r, "thisUpdate", both(view->this_update, now, pool));
        row(r, "nextUpdate", both(view->next_update, now, pool));
        row(r, "Usable until", both(view->usable_until, now, pool));
        row(r, "Got", both(view->fetched_at, now, pool));
        row(r, "From", oc_origin_name(view->origin));
        row(r, "Size", apr_psprintf(pool, "%" APR_SIZE_T_FMT " bytes", view->size));
    }
    ap_rputs("</dl>\n", r);
}

static void print_attempts(const oc_status_request_t *request, const oc_view_t *view, apr_pool_t *pool)
{
    request_rec *r = request->r;
    const char *advice = oc_verdict_advice(view->last);

    ap_rputs("<h2>Requests</h2>\n<dl>\n", r);
    row(r, "Last attempt", both(view->last_attempt, request->now, pool));
    row(r, "Its verdict",
        view->last == OC_PENDING ? "-"
                                 : apr_pstrcat(pool, "<code>", oc_verdict_name(view->last),
                                               "</code>: ", ap_escape_html(pool, oc_verdict_text(view->last)), NULL));
    if (*advice)
        row(r, "What to do", ap_escape_html(pool, advice));
    row(r, "Failures in a row", apr_psprintf(pool, "%u", view->failures));
    row(r, "Next request",
        !view->is_refreshed                  ? "-"
        : view->next_request <= request->now ? "now"
                                             : both(view->next_request, request->now, pool));
    ap_rputs("</dl>\n", r);
}

void oc_status_html_certificate(const oc_status_request_t *request, unsigned ordinal)
{
    const oc_managed_t *managed = APR_ARRAY_IDX(oc_managed_all(), (int)ordinal, const oc_managed_t *);
    apr_pool_t *pool = request->r->pool;
    apr_time_t now = request->now;
    oc_attention_t attention;
    request_rec *r = request->r;
    const char *reason;
    oc_view_t view;

    oc_snapshot_take(&view, managed, ordinal, now, pool);
    attention = oc_view_attention(&view, now, request->expiry_warning, &reason, pool);
    oc_status_open_page(request, view.host);
    oc_status_print_told(request);
    ap_rvputs(r, "<p class=\"hint\"><a href=\"?\">All certificates</a></p>\n<div id=\"detail\" data-part>\n<h2>",
              oc_status_text(view.host, pool), " ", oc_status_badge(&view, now, pool), "</h2>\n", NULL);
    if (attention != OC_ATTENTION_NONE)
        ap_rvputs(r, "<div class=\"card ", oc_attention_name(attention), "\"><p><span class=\"badge ",
                  oc_attention_name(attention), "\">", oc_attention_name(attention), "</span> ",
                  ap_escape_html(pool, reason), "</p></div>\n", NULL);
    ap_rvputs(r, "<div class=\"tile line\">", oc_timeline_svg(&view, now, pool), NULL);
    if (view.has_record)
        ap_rvputs(r, "<div class=\"ends\"><span>thisUpdate ", oc_timeline_time(view.this_update, pool),
                  "</span><span>usable until ", oc_timeline_time(view.usable_until, pool), "</span></div>", NULL);
    ap_rvputs(r, "</div>\n", oc_status_button(request, &view, pool), NULL);
    print_response(request, &view, pool);
    print_attempts(request, &view, pool);
    print_certificate(request, &view, pool);
    ap_rputs("</div>\n", r);
    oc_status_close_page(request);
}
