/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The status page for browsers: the summary, then the certificates, a hundred to a page. Elements with data-part are
 * what the script replaces; the page is complete without it.
 */
#include "html.h"

#include "client_numbers.h"
#include "html_parts.h"
#include "html_summary.h"
#include "view/timeline.h"

#include <apr_strings.h>
#include <http_protocol.h>

#define ROWS_PER_PAGE 100

/* ---- the list ---- */

static void print_option(request_rec *r, const char *value, const char *word, int is_chosen)
{
    ap_rprintf(r, "<option value=\"%s\"%s>%s</option>", value, is_chosen ? " selected" : "", word);
}

static void print_form(const oc_status_request_t *request)
{
    const oc_query_t *query = &request->query;
    request_rec *r = request->r;
    unsigned i;

    ap_rprintf(r,
               "<form class=\"filter\" method=\"get\" action=\"?\" role=\"search\"><input type=\"search\" name=\"q\" "
               "aria-label=\"Host, subject, serial or responder\" placeholder=\"Host, subject, serial, responder\" "
               "maxlength=\"256\" value=\"%s\" autocomplete=\"off\" spellcheck=\"false\">"
               "<select name=\"state\" aria-label=\"State\">",
               ap_escape_html(r->pool, query->text));
    print_option(r, "", "Any state", query->group == OC_GROUP_ANY);
    for (i = 0; i < OC_GROUPS; i++)
        print_option(r, oc_query_group_name((oc_group_t)i), oc_status_group_word((oc_group_t)i),
                     query->group == (oc_group_t)i);
    ap_rprintf(r,
               "</select><label><input type=\"checkbox\" name=\"attention\" value=\"1\"%s> Needs attention</label>"
               "<input type=\"hidden\" name=\"sort\" value=\"%s%s\"><button>Filter</button></form>\n",
               query->wants_attention ? " checked" : "", query->is_descending ? "-" : "",
               oc_query_sort_name(query->sort));
}

static void print_heading(const oc_status_request_t *request, oc_sort_t sort, const char *word)
{
    oc_query_t query = request->query;
    int is_sorted = query.sort == sort;

    query.page = 1;
    query.is_descending = is_sorted && !query.is_descending;
    query.sort = is_sorted && request->query.is_descending ? OC_SORT_CONFIGURATION : sort;
    if (query.sort == OC_SORT_CONFIGURATION)
        query.is_descending = 0;
    ap_rprintf(request->r, "<th scope=\"col\"%s><a data-go href=\"%s\">%s</a></th>",
               !is_sorted ? ""
                          : (request->query.is_descending ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\""),
               oc_status_query_link(&query, request->r->pool), word);
}

static const char *last_attempt(const oc_view_t *view, apr_time_t now, apr_pool_t *pool)
{
    const char *when = oc_status_time(view->last_attempt, now, pool);

    if (view->last == OC_PENDING)
        return "-";
    if (view->failures == 0)
        return apr_pstrcat(pool, "<span>", oc_verdict_name(view->last), "</span><small>", when, "</small>", NULL);
    return apr_psprintf(pool, "<span class=\"badge warning\">%s</span><small>%u in a row; %s</small>",
                        oc_verdict_name(view->last), view->failures, when);
}

static int print_row(void *context, const oc_view_t *view, unsigned ordinal, oc_attention_t attention,
                     const char *reason, apr_pool_t *pool)
{
    const oc_status_request_t *request = context;
    oc_group_t group = oc_query_group(view, request->now);
    int more = view->hosts ? view->hosts->nelts - 1 : 0,
        is_stapled = group == OC_GROUP_GOOD || group == OC_GROUP_REVOKED;

    (void)ordinal;
    (void)reason;
    ap_rvputs(request->r, "<tr class=\"", oc_attention_name(attention), "\"><th scope=\"row\"><a href=\"",
              oc_status_link(view, pool), "\">", oc_status_host(view->host, pool), "</a>",
              more > 0 ? apr_psprintf(pool, " <a class=\"more\" href=\"%s\">and %d more host%s</a>",
                                      oc_status_link(view, pool), more, more == 1 ? "" : "s")
                       : "",
              oc_view_subject_is_host(view)
                  ? ""
                  : apr_pstrcat(pool, "<span class=\"soft\">", oc_status_text(view->subject, pool), "</span>", NULL),
              "<small class=\"mono\">", oc_status_text(view->serial, pool), "</small></th>", NULL);
    ap_rvputs(request->r, "<td data-label=\"State\"><span>", oc_status_badge(view, request->now, pool),
              view->must_staple ? " <span class=\"badge\">Must-Staple</span>" : "", "</span></td><td class=\"life\">",
              oc_timeline_svg(view, request->now, pool), "</td><td data-label=\"Time left\">",
              oc_status_time(is_stapled ? view->usable_until : 0, request->now, pool),
              "</td><td data-label=\"Next refresh\">",
              view->is_refreshed && view->next_request > 0 && view->next_request <= request->now
                  ? "now"
                  : oc_status_time(view->is_refreshed ? view->next_request : 0, request->now, pool),
              "</td><td data-label=\"Last attempt\">", last_attempt(view, request->now, pool), "</td></tr>\n", NULL);
    return 1;
}

static void print_page_link(const oc_status_request_t *request, unsigned page, unsigned pages, const char *word)
{
    oc_query_t query = request->query;

    if (page < 1 || page > pages || page == query.page)
        return;
    query.page = page;
    ap_rprintf(request->r, "<a data-go href=\"%s\">%s</a> ", oc_status_query_link(&query, request->r->pool), word);
}

static void print_pager(const oc_status_request_t *request, unsigned pages)
{
    unsigned page = request->query.page;

    if (pages < 2)
        return;
    ap_rputs("<nav class=\"pager\" aria-label=\"Pages\">", request->r);
    print_page_link(request, 1, pages, "First");
    print_page_link(request, page - 1, pages, "Previous");
    ap_rprintf(request->r, "<span>Page %u of %u</span> ", page, pages);
    print_page_link(request, page + 1, pages, "Next");
    print_page_link(request, pages, pages, "Last");
    ap_rputs("</nav>\n", request->r);
}

static void print_table(oc_status_request_t *request, const apr_array_header_t *ranks, unsigned all)
{
    unsigned n = (unsigned)ranks->nelts, pages = (n + ROWS_PER_PAGE - 1) / ROWS_PER_PAGE;
    request_rec *r = request->r;

    if (request->query.page > pages) {
        if (pages > 0)
            ap_rprintf(r, "<p class=\"note\" role=\"status\">There is no page %u. This is the last one.</p>\n",
                       request->query.page);
        request->query.page = pages ? pages : 1;
    }
    ap_rprintf(r, "<div class=\"hint\"><span role=\"status\">%u of %u</span>", n, all);
    ap_rputs(
        "<ul class=\"legend\" aria-hidden=\"true\"><li><svg width=\"22\" height=\"8\"><rect class=\"t-past\" "
        "width=\"11\" "
        "height=\"6\" y=\"1\"/><rect class=\"t-life\" x=\"11\" y=\"1\" width=\"11\" height=\"6\"/></svg>valid from "
        "thisUpdate on</li><li><svg width=\"2\" height=\"14\"><rect class=\"t-now\" width=\"2\" "
        "height=\"14\"/></svg>now</li>"
        "<li><svg width=\"12\" height=\"12\"><circle class=\"t-next\" cx=\"6\" cy=\"6\" r=\"4\"/></svg>next "
        "refresh</li></ul></div>\n",
        r);
    if (n == 0) {
        ap_rputs("<p class=\"empty\">No matching certificates. <a data-go href=\"?\">Show all</a></p>\n", r);
        return;
    }
    ap_rputs("<table>\n<thead><tr>", r);
    print_heading(request, OC_SORT_HOST, "Host, certificate");
    print_heading(request, OC_SORT_STATE, "State");
    ap_rputs("<th scope=\"col\">Validity</th>", r);
    print_heading(request, OC_SORT_LEFT, "Time left");
    print_heading(request, OC_SORT_NEXT, "Next refresh");
    print_heading(request, OC_SORT_FAILURES, "Last attempt");
    ap_rputs("</tr></thead>\n<tbody>\n", r);
    oc_status_visit_ranked(request, ranks, (request->query.page - 1) * ROWS_PER_PAGE, ROWS_PER_PAGE, print_row,
                           request);
    ap_rputs("</tbody>\n</table>\n", r);
    print_pager(request, pages);
}

/* ---- the page ---- */

static void print_nothing(const oc_status_request_t *request)
{
    ap_rputs("<div id=\"summary\" data-part>\n<div class=\"tiles\">\n", request->r);
    oc_client_numbers_html(request);
    ap_rputs("</div>\n</div>\n", request->r);
    ap_rputs(
        request->is_active
            ? "<p class=\"empty\" id=\"list\" data-part>No host has <code>SSLUseStapling on</code>, or mod_md staples "
              "for those that do. <code>apachectl -t</code> reports what is missing.</p>\n"
            : "<p class=\"empty\" id=\"list\" data-part>This configuration does not staple from this cache: "
              "<code>SSLStaplingCache</code> does not name <code>ocsp_cache</code>, or <code>OCSPCacheRefresh</code> "
              "is off.</p>\n",
        request->r);
}

void oc_status_html(const oc_status_request_t *wanted)
{
    oc_status_request_t request = *wanted;
    request_rec *r = request.r;
    oc_status_census_t census;
    apr_array_header_t *ranks = oc_status_select(&request, &census);
    unsigned attention = census.attention[OC_ATTENTION_WARNING] + census.attention[OC_ATTENTION_CRITICAL];

    oc_status_open_page(&request, attention ? apr_psprintf(r->pool, "(%u) OCSP stapling", attention) : "OCSP stapling");
    oc_status_print_notice(&request);
    if (census.all == 0) {
        print_nothing(&request);
        oc_status_close_page(&request);
        return;
    }
    oc_status_print_summary(&request, &census);
    ap_rputs("<h2>Certificates</h2>\n", r);
    print_form(&request);
    ap_rputs("<div id=\"list\" data-part>\n", r);
    print_table(&request, ranks, census.all);
    ap_rvputs(r, "</div>\n", oc_status_button(&request, NULL, r->pool), NULL);
    oc_status_close_page(&request);
}
