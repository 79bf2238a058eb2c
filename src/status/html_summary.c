/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The upper half of the status page: the tiles with numbers, and a card for each reason why certificates need
 * attention.
 */
#include "html_summary.h"

#include "client_numbers.h"
#include "html_parts.h"

#include <apr_strings.h>
#include <http_protocol.h>

#define CARDS_MAX 8 /* reasons; the list below the cards shows every certificate */
#define HOSTS_MAX 5

/* ---- tiles ---- */

static void print_certificates_tile(const oc_status_request_t *request, const oc_status_census_t *census)
{
    request_rec *r = request->r;
    const char *separator = "";
    unsigned i;

    ap_rprintf(r, "<div class=\"tile\"><h2>Certificates</h2><strong>%u</strong><p>", census->all);
    for (i = 0; i < OC_GROUPS; i++) {
        oc_query_t query = {.text = "", .group = (oc_group_t)i, .page = 1};

        if (census->groups[i] == 0)
            continue;
        ap_rprintf(r, "%s<a data-go href=\"%s\">%u&nbsp;%s</a>", separator, oc_status_query_link(&query, r->pool),
                   census->groups[i], oc_status_group_word((oc_group_t)i));
        separator = " &middot; ";
    }
    ap_rputs("</p></div>\n", r);
}

static void print_attention_tile(const oc_status_request_t *request, const oc_status_census_t *census)
{
    unsigned critical = census->attention[OC_ATTENTION_CRITICAL], warnings = census->attention[OC_ATTENTION_WARNING];
    request_rec *r = request->r;

    ap_rprintf(r, "<div class=\"tile %s\"><h2>Attention</h2><strong>",
               critical ? "critical" : (warnings ? "warning" : "good"));
    if (critical + warnings == 0)
        ap_rputs("None</strong><p>no certificate needs attention</p></div>\n", r);
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
               "</strong><p>%" APR_UINT64_T_FMT " without a staple, %" APR_UINT64_T_FMT
               " with an error; since the server started</p></div>\n",
               counters->handshakes[OC_COUNTERS_STAPLED], counters->handshakes[OC_COUNTERS_NOTHING],
               counters->handshakes[OC_COUNTERS_ERROR]);
}

/* Half of the exchanges took no longer than this. */
static const char *median(const oc_counters_totals_t *counters, uint64_t count, apr_pool_t *pool)
{
    uint64_t sum = 0;
    unsigned i;

    for (i = 0; i < OC_COUNTERS_BUCKETS - 1; i++) {
        sum += counters->latency[i];
        if (sum * 2 >= count)
            return apr_psprintf(pool, "half within %" APR_TIME_T_FMT " ms", oc_counters_bounds[i] / 1000);
    }
    return "most took over a minute";
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
               "<div class=\"tile\"><h2>Responses obtained</h2><strong>%" APR_UINT64_T_FMT
               "</strong><p>%" APR_UINT64_T_FMT " attempt%s failed%s%s</p></div>\n",
               answered, failed, failed == 1 ? "" : "s", timed ? "; exchanges: " : "",
               timed ? median(counters, timed, r->pool) : "");
}

static void print_cache_tile(request_rec *r, const oc_snapshot_totals_t *totals)
{
    ap_rprintf(r,
               "<div class=\"tile wide\"><h2>Cache</h2><strong>%s <small>of %s</small></strong><svg class=\"bar\" "
               "aria-hidden=\"true\"><rect "
               "width=\"100%%\" height=\"6\" rx=\"3\"/><rect class=\"full\" width=\"%.2f%%\" height=\"6\" "
               "rx=\"3\"/></svg><p>%s "
               "%s</p></div>\n",
               oc_view_size((apr_size_t)totals->cache.blocks_used * OC_BLOCK_SIZE, r->pool),
               oc_view_size(totals->cache.size, r->pool),
               totals->cache.blocks ? 100.0 * totals->cache.blocks_used / totals->cache.blocks : 0,
               totals->path ? "stored in" : "in memory only: responses are lost when the server stops",
               totals->path ? oc_status_text(totals->path, r->pool) : "");
}

/* ---- what needs attention ---- */

/* Certificates that need attention for the same reason: a responder that is out gives one card for all that depend on
 * it. */
typedef struct {
    oc_attention_t attention;
    const char *reason;
    unsigned n;
    const char *url; /* of the responder of all of them; NULL: they have several */
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
        card->url = view->url && strlen(view->url) <= OC_QUERY_TEXT_MAX ? apr_pstrdup(lasting, view->url) : NULL;
    }
    if (card->url && (!view->url || strcmp(card->url, view->url) != 0))
        card->url = NULL;
    if (card->n < HOSTS_MAX) {
        card->first[card->n] = *view;
        card->first[card->n].host = apr_pstrdup(lasting, view->host);
    }
    card->n++;
    return 1;
}

/* The list of what needs attention, of one responder where they share it. */
static const char *link_to_all(const card_t *card, apr_pool_t *pool)
{
    oc_query_t query = {.text = card->url ? card->url : "",
                        .group = OC_GROUP_ANY,
                        .wants_attention = 1,
                        .sort = OC_SORT_ATTENTION,
                        .page = 1};

    return oc_status_query_link(&query, pool);
}

static void print_card(const oc_status_request_t *request, const card_t *card)
{
    const char *level = oc_attention_name(card->attention);
    request_rec *r = request->r;
    unsigned i, shown = card->n < HOSTS_MAX ? card->n : HOSTS_MAX;

    ap_rvputs(r, "<li class=\"card ", level, "\"><div>", NULL);
    for (i = 0; i < shown; i++)
        ap_rvputs(r, "<a class=\"who\" href=\"", oc_status_link(&card->first[i], r->pool), "\">",
                  oc_status_host(card->first[i].host, r->pool), "</a> ", NULL);
    if (card->n > shown)
        ap_rprintf(r, "<a data-go href=\"%s\">and %u more</a> ", link_to_all(card, r->pool), card->n - shown);
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
    worst.query =
        (oc_query_t){.text = "", .group = OC_GROUP_ANY, .wants_attention = 1, .sort = OC_SORT_ATTENTION, .page = 1};
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

void oc_status_print_summary(const oc_status_request_t *request, const oc_status_census_t *census)
{
    request_rec *r = request->r;

    ap_rputs("<div id=\"summary\" data-part>\n<div class=\"tiles\">\n", r);
    print_attention_tile(request, census);
    print_certificates_tile(request, census);
    print_handshakes_tile(r, &request->totals.counters);
    print_exchanges_tile(r, &request->totals.counters);
    oc_client_numbers_html(request);
    print_cache_tile(r, &request->totals);
    ap_rputs("</div>\n", r);
    if (census->groups[OC_GROUP_NO_RESPONDER] == census->all)
        ap_rputs("<p class=\"note\">No certificate of this server names an OCSP responder, so there is nothing to "
                 "staple. Many CAs no longer run one. This is not an error.</p>\n",
                 r);
    print_attention(request, census);
    ap_rputs("</div>\n", r);
}
