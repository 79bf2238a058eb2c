/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl list: the certificates in a table, filtered and sorted as on the status page. Records of the server's
 * children are verified before they are displayed, and printed escaped.
 */
#include "ctl_judge.h"

#include "view/query.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

enum { PROBLEMS = 'p', STATE = 's', MATCH = 'm', WIDE = 'w', SORT = CTL_LONG };

#define HOST_MIN 20 /* columns for a host, however narrow the terminal */
#define HOST_MAX 60 /* and where the width is not known */
#define REST 50     /* columns for everything except the host */

/* ---- which ---- */

static int take_options(const ctl_t *ctl, oc_query_t *query)
{
    const char *arguments = apr_pstrcat(ctl->pool, "state=", ctl_has(ctl, STATE) ? ctl->values[STATE] : "", NULL);

    if (oc_query_parse(query, arguments, ctl->pool))
        return ctl_usage(ctl, "--state: '%s' is not good, revoked, error, none, no-issuer or no-responder",
                         ctl->values[STATE]);
    arguments = apr_pstrcat(ctl->pool, arguments, "&sort=", ctl_has(ctl, SORT) ? ctl->values[SORT] : "", NULL);
    if (oc_query_parse(query, arguments, ctl->pool))
        return ctl_usage(ctl,
                         "--sort: '%s' is not host, subject, state, left, next, failures or attention, nor one of them "
                         "with - before it",
                         ctl->values[SORT]);
    query->text = ctl_has(ctl, MATCH) ? ctl->values[MATCH] : "";
    query->wants_attention = ctl_has(ctl, PROBLEMS);
    return CTL_OK;
}

/* ctl_row_t *, those that the query matches, in its order */
static apr_array_header_t *apply(const ctl_t *ctl, const ctl_stock_t *stock, const oc_query_t *query,
                                 const apr_array_header_t *rows)
{
    apr_array_header_t *ranks = apr_array_make(ctl->pool, rows->nelts + 1, sizeof(oc_rank_t));
    apr_array_header_t *found = apr_array_make(ctl->pool, rows->nelts + 1, sizeof(const ctl_row_t *));
    const char *reason;
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const oc_view_t *view = &APR_ARRAY_IDX(rows, i, const ctl_row_t *)->view;
        oc_attention_t attention = oc_view_attention(view, ctl->now, stock->expiry_warning, &reason, ctl->pool);

        if (oc_query_matches(query, view, ctl->now, attention))
            APR_ARRAY_PUSH(ranks, oc_rank_t) = oc_query_rank(query, view, ctl->now, attention, (unsigned)i);
    }
    oc_query_sort(query, ranks);
    for (i = 0; i < ranks->nelts; i++)
        APR_ARRAY_PUSH(found, const ctl_row_t *) =
            APR_ARRAY_IDX(rows, APR_ARRAY_IDX(ranks, i, oc_rank_t).ordinal, const ctl_row_t *);
    return found;
}

/* ---- printing ---- */

static void print(void *context, const char *line)
{
    (void)fputs(line, context);
}

static void print_wide(const ctl_t *ctl, const apr_array_header_t *rows)
{
    apr_array_header_t *views = apr_array_make(ctl->pool, rows->nelts + 1, sizeof(oc_view_t));
    int i;

    for (i = 0; i < rows->nelts; i++)
        APR_ARRAY_PUSH(views, oc_view_t) = APR_ARRAY_IDX(rows, i, const ctl_row_t *)->view;
    oc_view_table(views, ctl->now, ctl_width(ctl->pool), print, stdout, ctl->pool);
}

static const char *host_of(const ctl_row_t *row, apr_pool_t *pool)
{
    const oc_view_t *view = &row->view;
    const char *host = view->host ? oc_view_printable(view->host, pool) : ctl_row_label(row, pool);

    return view->hosts && view->hosts->nelts > 1 ? apr_psprintf(pool, "%s +%d", host, view->hosts->nelts - 1) : host;
}

/* As wide as the longest host, if the terminal has room for it. */
static unsigned host_width(const ctl_t *ctl, const apr_array_header_t *rows)
{
    unsigned width = ctl_width(ctl->pool), room = width == 0                ? HOST_MAX
                                                  : width > REST + HOST_MIN ? width - REST
                                                                            : HOST_MIN;
    unsigned longest = (unsigned)strlen("Host");
    int i;

    for (i = 0; i < rows->nelts; i++) {
        unsigned len = (unsigned)strlen(host_of(APR_ARRAY_IDX(rows, i, const ctl_row_t *), ctl->pool));

        longest = len > longest ? len : longest;
    }
    return longest < room ? longest : room;
}

/* A name that does not fit is shortened in its middle. */
static const char *shortened(const char *text, unsigned width, apr_pool_t *pool)
{
    unsigned len = (unsigned)strlen(text), tail = (width - 3) / 2;

    return len <= width ? text : apr_psprintf(pool, "%.*s...%s", (int)(width - 3 - tail), text, text + len - tail);
}

static void print_row(const ctl_t *ctl, const ctl_stock_t *stock, const ctl_row_t *row, unsigned width)
{
    static const char *const colours[] = {CTL_GREEN, CTL_YELLOW, CTL_RED};
    const oc_view_t *view = &row->view;
    const char *reason;
    oc_attention_t attention = oc_view_attention(view, ctl->now, stock->expiry_warning, &reason, ctl->pool);
    int is_stapled = oc_view_is_stapled(view, ctl->now);

    printf("%-*s  %-12s  %-11s  %-11s  %s\n", (int)width, shortened(host_of(row, ctl->pool), width, ctl->pool),
           oc_view_state(view, ctl->now), is_stapled ? oc_view_span(view->usable_until, ctl->now, ctl->pool) : "-",
           oc_view_span(view->next_request, ctl->now, ctl->pool),
           ctl_coloured(ctl, colours[attention], attention == OC_ATTENTION_NONE ? "-" : oc_attention_name(attention)));
    if (attention != OC_ATTENTION_NONE && ctl_has(ctl, PROBLEMS))
        ctl_fold("", oc_view_printable(reason, ctl->pool), 2, ctl_width(ctl->pool));
}

static void print_narrow(const ctl_t *ctl, const ctl_stock_t *stock, const apr_array_header_t *rows)
{
    unsigned width = host_width(ctl, rows);
    int i;

    printf("%s\n", ctl_coloured(ctl, CTL_BOLD,
                                apr_psprintf(ctl->pool, "%-*s  %-12s  %-11s  %-11s  %s", (int)width, "Host", "State",
                                             "Left", "Next query", "Attention")));
    for (i = 0; i < rows->nelts; i++)
        print_row(ctl, stock, APR_ARRAY_IDX(rows, i, const ctl_row_t *), width);
}

/* Does no certificate name a responder, and none demand a staple? */
static int is_idle(const ctl_t *ctl, const apr_array_header_t *rows)
{
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const oc_view_t *view = &APR_ARRAY_IDX(rows, i, const ctl_row_t *)->view;

        if (view->must_staple || strcmp(oc_view_state(view, ctl->now), "no-responder") != 0)
            return 0;
    }
    return rows->nelts > 0;
}

static void print_text(const ctl_t *ctl, const ctl_stock_t *stock, const oc_query_t *query,
                       const apr_array_header_t *rows)
{
    if (rows->nelts == 0 && stock->manifest)
        printf("%s\n", oc_query_is_filter(query) ? "No matching certificates."
                                                 : "The server has no certificates to staple for.");
    else if (rows->nelts > 0 && ctl_has(ctl, WIDE))
        print_wide(ctl, rows);
    else if (rows->nelts > 0)
        print_narrow(ctl, stock, rows);
    if (is_idle(ctl, rows) && !oc_query_is_filter(query) && ctl->arguments->nelts == 0)
        printf("No certificate of this server names an OCSP responder, so there is nothing to staple. This is not an "
               "error.\n");
    if (stock->unused->nelts)
        printf("Responses for certificates that no host uses: %d\n", stock->unused->nelts);
    if (!stock->server)
        printf("The server is not running: nothing is refreshed.\n");
    if (!stock->manifest)
        ctl_say("%s", stock->manifest_problem);
}

/* ---- the command ---- */

static int run(ctl_t *ctl)
{
    apr_array_header_t *rows;
    ctl_stock_t stock;
    oc_query_t query;
    oc_json_t json;
    int status = take_options(ctl, &query);

    if (status == CTL_OK)
        status = ctl_stock_open(ctl, &stock, &rows, 0);
    if (status == CTL_OK && stock.manifest)
        status = ctl_judge_rows(ctl, &stock, rows);
    if (status != CTL_OK)
        return status;
    rows = apply(ctl, &stock, &query, rows);
    if (!ctl_is_json(ctl)) {
        print_text(ctl, &stock, &query, rows);
        return CTL_OK;
    }
    ctl_stock_json(&json, ctl, &stock);
    ctl_stock_json_rows(&json, "certificates", ctl, &stock, rows);
    ctl_stock_json_rows(&json, "unused", ctl, &stock, stock.unused);
    oc_json_end(&json);
    return CTL_OK;
}

static const ctl_option_t options[] = {
    {"problems", PROBLEMS, NULL, "only certificates that need attention, each with the reason and what to do"},
    {"state", STATE, "STATE", "only certificates in this state: good, revoked, error, none, no-issuer or no-responder"},
    {"match", MATCH, "TEXT", "only certificates whose host, subject, serial, fingerprint or responder contains TEXT"},
    {"sort", SORT, "KEY", "order: host, subject, state, left, next, failures or attention; -KEY: descending"},
    {"wide", WIDE, NULL, "all columns: certificate, serial, responder, times, failures, size, origin"},
    CTL_OPTIONS_END};

const ctl_command_t ctl_list = {
    .name = "list",
    .arguments = "[HOST|SERIAL...]",
    .summary = "List the certificates and the state of the response for each",
    .help = "A stored response that does not verify is listed as none. A HOST may be a pattern (*.example.org).\n",
    .options = options,
    .run = run};
