/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status_html: see oc_status_html.h. Elements with data-part are what the script renews; all of the page is there without it.
 */
#include "html.h"

#include "html_parts.h"
#include "view/timeline.h"

#include <apr_strings.h>
#include <http_protocol.h>

#define PAGE_SIZE 100
#define CARDS_MAX 8 /* what wants attention is summed up, not enumerated */
#define HOSTS_MAX 5

static const char *const group_words[OC_GROUPS] = {"good", "revoked", "responder's error", "nothing held",
                                                   "no responder"};

/* ---- tiles ---- */

static void print_certificates_tile(const oc_status_request_t *request, const oc_status_census_t *census)
{
    request_rec *r = request->r;
    const char *separator = "";
    unsigned i;

    ap_rprintf(r, "<div class=\"tile\"><h2>Certificates</h2><strong>%u</strong><p>", census->all);
    for (i = 0; i < OC_GROUPS; i++) {
        oc_query_t query = {.text = "", .group = (oc_group_t)i, .page = 1, .told = ""};

        if (census->groups[i] == 0)
            continue;
        ap_rprintf(r, "%s<a data-go href=\"%s\">%u&nbsp;%s</a>", separator, oc_status_query_link(&query, r->pool),
                   census->groups[i], group_words[i]);
        separator = " &middot; ";
    }
    ap_rputs("</p></div>\n", r);
}

static void print_attention_tile(const oc_status_request_t *request, const oc_status_census_t *census)
{
    unsigned critical = census->attention[OC_ATTENTION_CRITICAL], warnings = census->attention[OC_ATTENTION_WARNING];
    request_rec *r = request->r;

    ap_rprintf(r, "<div class=\"tile %s\"><h2>Need attention</h2><strong>",
               critical ? "critical" : (warnings ? "warning" : "good"));
    if (critical + warnings == 0)
        ap_rputs("None</strong><p>all is as it should be</p></div>\n", r);
    else
        ap_rprintf(r,
                   "%u</strong><p><a data-go href=\"?attention=1&amp;sort=attention\">%u critical &middot; %u "
                   "warning%s</a></p></div>\n",
                   critical + warnings, critical, warnings, warnings == 1 ? "" : "s");
}

static void print_handshakes_tile(request_rec *r, const oc_counters_totals_t *counters)
{
    ap_rprintf(r,
               "<div class=\"tile\"><h2>Stapled handshakes</h2><strong>%" APR_UINT64_T_FMT
               "</strong><p>%" APR_UINT64_T_FMT " got nothing, %" APR_UINT64_T_FMT
               " an error, since the server was started</p></div>\n",
               counters->handshakes[OC_COUNTERS_STAPLED], counters->handshakes[OC_COUNTERS_NOTHING],
               counters->handshakes[OC_COUNTERS_ERROR]);
}

/* "50 ms": half of the exchanges took no longer than this. */
static const char *median(const oc_counters_totals_t *counters, uint64_t count, apr_pool_t *pool)
{
    uint64_t sum = 0;
    unsigned i;

    for (i = 0; i < OC_COUNTERS_BUCKETS - 1; i++) {
        sum += counters->latency[i];
        if (sum * 2 >= count)
            return apr_psprintf(pool, "half of them within %" APR_TIME_T_FMT " ms", oc_counters_bounds[i] / 1000);
    }
    return "most of them slower than a minute";
}

static void print_exchanges_tile(request_rec *r, const oc_counters_totals_t *counters)
{
    uint64_t answered = 0, failed = 0, timed = 0;
    unsigned i, origin;

    for (origin = 0; origin < OC_ORIGIN_LIMIT; origin++)
        for (i = 0; i < OC_VERDICT_LIMIT; i++) {
            if (oc_verdict_class((oc_verdict_t)i) == OC_CLASS_TRUTH)
                answered += counters->exchanges[origin][i];
            else
                failed += counters->exchanges[origin][i];
        }
    for (i = 0; i < OC_COUNTERS_BUCKETS; i++)
        timed += counters->latency[i];
    ap_rprintf(r,
               "<div class=\"tile\"><h2>Responses got</h2><strong>%" APR_UINT64_T_FMT "</strong><p>%" APR_UINT64_T_FMT
               " attempt%s failed%s%s</p></div>\n",
               answered, failed, failed == 1 ? "" : "s", timed ? "; exchanges: " : "",
               timed ? median(counters, timed, r->pool) : "");
}

static void print_cache_tile(request_rec *r, const oc_snapshot_totals_t *totals)
{
    char used[5], size[5];

    apr_strfsize((apr_off_t)totals->cache.blocks_used * OC_BLOCK_SIZE, used);
    apr_strfsize((apr_off_t)totals->cache.size, size);
    ap_rprintf(
        r,
        "<div class=\"tile wide\"><h2>Cache</h2><strong>%s of %s</strong><svg class=\"bar\" aria-hidden=\"true\"><rect "
        "width=\"100%%\" height=\"6\" rx=\"3\"/><rect class=\"full\" width=\"%.2f%%\" height=\"6\" "
        "rx=\"3\"/></svg><p>%s "
        "%s</p></div>\n",
        used + strspn(used, " "), size + strspn(size, " "),
        totals->cache.blocks ? 100.0 * totals->cache.blocks_used / totals->cache.blocks : 0,
        totals->path ? "kept in" : "in memory only: responses are lost when the server stops",
        totals->path ? oc_status_text(totals->path, r->pool) : "");
}

/* ---- what needs attention ---- */

/* Certificates that want the same: when a responder is out, one card says so for all that it answers for. */
typedef struct {
    oc_attention_t attention;
    const char *reason;
    unsigned n;
    oc_view_t first[HOSTS_MAX];
} card_t;

typedef struct {
    const oc_status_request_t *request;
    card_t cards[CARDS_MAX];
    unsigned n_cards;
    unsigned left_out;
} deck_t;

static int deal(void *context, const oc_view_t *view, unsigned ordinal, oc_attention_t attention, const char *reason,
                apr_pool_t *pool)
{
    deck_t *deck = context;
    apr_pool_t *lasting = deck->request->r->pool;
    unsigned i = 0;
    card_t *card;

    (void)ordinal;
    (void)pool;
    while (i < deck->n_cards && (deck->cards[i].attention != attention || strcmp(deck->cards[i].reason, reason) != 0))
        i++;
    if (i == CARDS_MAX) {
        deck->left_out++;
        return 1;
    }
    card = &deck->cards[i];
    if (i == deck->n_cards) {
        deck->n_cards++;
        card->attention = attention;
        card->reason = apr_pstrdup(lasting, reason);
    }
    if (card->n < HOSTS_MAX) {
        card->first[card->n] = *view;
        card->first[card->n].host = apr_pstrdup(lasting, view->host);
    }
    card->n++;
    return 1;
}

static void print_card(const oc_status_request_t *request, const card_t *card)
{
    const char *level = oc_attention_name(card->attention);
    request_rec *r = request->r;
    unsigned i, shown = card->n < HOSTS_MAX ? card->n : HOSTS_MAX;

    ap_rvputs(r, "<li class=\"card ", level, "\"><div>", NULL);
    for (i = 0; i < shown; i++)
        ap_rvputs(r, "<a class=\"who\" href=\"", oc_status_link(&card->first[i], r->pool), "\">",
                  oc_status_text(card->first[i].host, r->pool), "</a> ", NULL);
    if (card->n > shown)
        ap_rprintf(r, "and %u more ", card->n - shown);
    ap_rvputs(r, "<span class=\"badge ", level, "\">", level, "</span><p>", ap_escape_html(r->pool, card->reason),
              "</p></div>", card->n == 1 ? oc_status_button(request, &card->first[0], r->pool) : "", "</li>\n", NULL);
}

static void print_attention(const oc_status_request_t *request, const oc_status_census_t *census)
{
    unsigned i, n = census->attention[OC_ATTENTION_WARNING] + census->attention[OC_ATTENTION_CRITICAL];
    oc_status_request_t worst = *request;
    deck_t deck = {.request = request};
    apr_array_header_t *ranks;

    if (n == 0 || oc_query_is_filter(&request->query) || request->query.page > 1)
        return;
    worst.query = (oc_query_t){
        .text = "", .group = OC_GROUP_ANY, .wants_attention = 1, .sort = OC_SORT_ATTENTION, .page = 1, .told = ""};
    ranks = oc_status_select(&worst, NULL);
    oc_status_visit_ranked(request, ranks, 0, (unsigned)ranks->nelts, deal, &deck);
    ap_rputs("<h2>Needs attention</h2>\n<ul class=\"cards\">\n", request->r);
    for (i = 0; i < deck.n_cards; i++)
        print_card(request, &deck.cards[i]);
    ap_rputs("</ul>\n", request->r);
    if (n > deck.n_cards)
        ap_rprintf(
            request->r,
            "<p class=\"hint\"><a data-go href=\"?attention=1&amp;sort=attention\">All %u that need "
            "attention</a>%s</p>\n",
            n, deck.left_out ? apr_psprintf(request->r->pool, "<span>%u for other reasons</span>", deck.left_out) : "");
}

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
    print_option(r, "", "any state", query->group == OC_GROUP_ANY);
    for (i = 0; i < OC_GROUPS; i++)
        print_option(r, oc_query_group_name((oc_group_t)i), group_words[i], query->group == (oc_group_t)i);
    ap_rprintf(r,
               "</select><label><input type=\"checkbox\" name=\"attention\" value=\"1\"%s> needs attention</label>"
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
              oc_status_link(view, pool), "\">", oc_status_text(view->host, pool), "</a>",
              more > 0 ? apr_psprintf(pool, " <small>and %d more host%s</small>", more, more == 1 ? "" : "s") : "",
              "<span class=\"soft\">", oc_status_text(view->subject, pool), "</span><small class=\"mono\">",
              oc_status_text(view->serial, pool), "</small></th>", NULL);
    ap_rvputs(request->r, "<td data-label=\"State\"><span>", oc_status_badge(view, request->now, pool),
              view->must_staple ? " <span class=\"badge\">Must-Staple</span>" : "", "</span></td><td class=\"life\">",
              oc_timeline_svg(view, request->now, pool), "</td><td data-label=\"Stapled for\">",
              oc_status_time(is_stapled ? view->usable_until : 0, request->now, pool),
              "</td><td data-label=\"Next request\">",
              view->is_refreshed && view->next_request <= request->now
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
    unsigned n = (unsigned)ranks->nelts, pages = (n + PAGE_SIZE - 1) / PAGE_SIZE;
    request_rec *r = request->r;

    if (request->query.page > pages) /* there were more a moment ago */
        request->query.page = pages ? pages : 1;
    ap_rprintf(r, "<div class=\"hint\"><span role=\"status\">%u of %u</span>", n, all);
    ap_rputs(
        "<ul class=\"legend\" aria-hidden=\"true\"><li><svg width=\"22\" height=\"8\"><rect class=\"t-past\" "
        "width=\"11\" "
        "height=\"6\" y=\"1\"/><rect class=\"t-life\" x=\"11\" y=\"1\" width=\"11\" height=\"6\"/></svg>valid, from "
        "thisUpdate on</li><li><svg width=\"2\" height=\"14\"><rect class=\"t-now\" width=\"2\" "
        "height=\"14\"/></svg>now</li>"
        "<li><svg width=\"12\" height=\"12\"><circle class=\"t-next\" cx=\"6\" cy=\"6\" r=\"4\"/></svg>next "
        "request</li></ul></div>\n",
        r);
    if (n == 0) {
        ap_rputs("<p class=\"empty\">No certificate is like that. <a data-go href=\"?\">Show all</a></p>\n", r);
        return;
    }
    ap_rputs("<table>\n<thead><tr>", r);
    print_heading(request, OC_SORT_HOST, "Host, certificate");
    print_heading(request, OC_SORT_STATE, "State");
    ap_rputs("<th scope=\"col\">Validity</th>", r);
    print_heading(request, OC_SORT_LEFT, "Stapled for");
    print_heading(request, OC_SORT_NEXT, "Next request");
    print_heading(request, OC_SORT_FAILURES, "Last attempt");
    ap_rputs("</tr></thead>\n<tbody>\n", r);
    oc_status_visit_ranked(request, ranks, (request->query.page - 1) * PAGE_SIZE, PAGE_SIZE, print_row, request);
    ap_rputs("</tbody>\n</table>\n", r);
    print_pager(request, pages);
}

/* ---- the page ---- */

static void print_nothing(const oc_status_request_t *request)
{
    ap_rputs(
        request->is_active
            ? "<p class=\"empty\" id=\"list\" data-part>No certificate is stapled for. Is there a host with "
              "<code>SSLUseStapling on</code>, and an issuer beside its certificate? <code>apachectl -t</code> says "
              "what is missing.</p>\n"
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
    oc_status_print_told(&request);
    if (census.all == 0) {
        print_nothing(&request);
        oc_status_close_page(&request);
        return;
    }
    ap_rputs("<div id=\"summary\" data-part>\n<div class=\"tiles\">\n", r);
    print_attention_tile(&request, &census);
    print_certificates_tile(&request, &census);
    print_handshakes_tile(r, &request.totals.counters);
    print_exchanges_tile(r, &request.totals.counters);
    print_cache_tile(r, &request.totals);
    ap_rputs("</div>\n", r);
    print_attention(&request, &census);
    ap_rputs("</div>\n<h2>Certificates</h2>\n", r);
    print_form(&request);
    ap_rputs("<div id=\"list\" data-part>\n", r);
    print_table(&request, ranks, census.all);
    ap_rputs("</div>\n", r);
    ap_rputs(oc_status_button(&request, NULL, r->pool), r);
    oc_status_close_page(&request);
}
