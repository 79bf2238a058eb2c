/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl refresh: have the running server query the responders now, and report the results from its ledger.
 */
#include "ctl_command.h"

#include <stdio.h>
#include <string.h>

enum { ALL = 'a', TIMEOUT = 't' };

#define PATIENCE apr_time_from_sec(30)

typedef struct {
    const ctl_row_t *row;
    const char *problem; /* why no responder can be queried; NULL: one can */
    int is_done;
} wish_t;

typedef struct {
    const ctl_t *ctl;
    oc_command_t command;
    wish_t *wishes;
    int n;
    int n_queries; /* wishes without a problem */
} refresh_t;

/* Has an attempt ended since the command? One in the ledger from a clock that was ahead is not taken for it. */
static int is_later(const refresh_t *refresh, const wish_t *wish, apr_time_t attempt)
{
    return attempt >= refresh->command.number && attempt != wish->row->view.last_attempt;
}

/* The ledger says when the last attempt ended. */
static int are_done(void *data)
{
    refresh_t *refresh = data;
    const char *problem = NULL;
    apr_hash_t *ledger;
    apr_pool_t *pool;
    int i, left = 0;

    apr_pool_create(&pool, refresh->ctl->pool);
    if (oc_ledger_load(&ledger, oc_ledger_path(refresh->ctl->path, pool), pool, &problem) == APR_SUCCESS) {
        for (i = 0; i < refresh->n; i++) {
            wish_t *wish = &refresh->wishes[i];
            const oc_ledger_entry_t *entry = apr_hash_get(ledger, wish->row->view.id, OC_CERT_ID_LEN);

            wish->is_done = wish->is_done || (!wish->problem && entry && is_later(refresh, wish, entry->last_attempt));
        }
    }
    for (i = 0; i < refresh->n; i++)
        left += !refresh->wishes[i].problem && !refresh->wishes[i].is_done;
    apr_pool_destroy(pool);
    return left == 0;
}

static const char *problem_of(const ctl_row_t *row)
{
    if (row->view.lacks_issuer)
        return "the server does not have the certificate of its issuer";
    return row->view.url ? NULL : "it has no responder that can be queried";
}

/* Fill in what is to be queried. A certificate for which no responder can be queried is a failure where it was named,
 * and left out where all are meant. */
static void add_wishes(const ctl_t *ctl, refresh_t *refresh, const apr_array_header_t *rows)
{
    int i;

    refresh->wishes = apr_pcalloc(ctl->pool, ((apr_size_t)rows->nelts + 1) * sizeof(wish_t));
    refresh->command.items = apr_array_make(ctl->pool, rows->nelts, sizeof(oc_command_item_t));
    refresh->command.is_for_all = ctl_has(ctl, ALL);
    for (i = 0; i < rows->nelts; i++) {
        const ctl_row_t *row = APR_ARRAY_IDX(rows, i, const ctl_row_t *);
        const char *problem = problem_of(row);
        oc_command_item_t item = {{0}, NULL, 0};

        if (problem && ctl_has(ctl, ALL))
            continue;
        refresh->wishes[refresh->n++] = (wish_t){row, problem, 0};
        if (problem)
            continue;
        refresh->n_queries++;
        memcpy(item.id, row->view.id, OC_CERT_ID_LEN);
        if (!ctl_has(ctl, ALL))
            APR_ARRAY_PUSH(refresh->command.items, oc_command_item_t) = item;
    }
}

static void print_result(const ctl_t *ctl, const wish_t *wish, const oc_view_t *view)
{
    const char *label = ctl_row_label(wish->row, ctl->pool);

    if (wish->problem)
        ctl_say("%s: not done: %s", label, wish->problem);
    else if (!wish->is_done)
        printf("%s: not done\n", label);
    else if (oc_verdict_class(view->last) == OC_CLASS_TRUTH)
        printf("%s: %s, usable for %s\n", label, oc_verdict_name(view->last),
               oc_view_span(view->usable_until, apr_time_now(), ctl->pool));
    else
        printf("%s: %s. %s\n", label, oc_verdict_text(view->last), oc_verdict_advice(view->last));
}

static void put_result(oc_json_t *json, const ctl_t *ctl, const wish_t *wish, const oc_view_t *view)
{
    oc_json_object(json, NULL);
    ctl_row_json(json, wish->row, ctl->pool);
    oc_json_bool(json, "is_done", wish->is_done);
    oc_json_string(json, "problem", wish->problem);
    oc_json_string(json, "verdict", wish->is_done ? oc_verdict_name(view->last) : NULL);
    oc_json_time(json, "usable_until", view->has_record ? view->usable_until : 0);
    oc_json_end(json);
}

/* @return how many did not succeed */
static int print_results(const ctl_t *ctl, const ctl_stock_t *after, const refresh_t *refresh)
{
    oc_json_t json;
    int i, failures = 0;

    if (ctl_is_json(ctl)) {
        ctl_stock_json(&json, ctl, after);
        oc_json_array(&json, "results");
    }
    for (i = 0; i < refresh->n; i++) {
        const wish_t *wish = &refresh->wishes[i];
        oc_view_t view = wish->row->view;

        view.has_record = 0;
        oc_reader_fill(&after->reader, &view);
        failures += !wish->is_done || oc_verdict_class(view.last) != OC_CLASS_TRUTH;
        if (ctl_is_json(ctl))
            put_result(&json, ctl, wish, &view);
        else
            print_result(ctl, wish, &view);
    }
    if (ctl_is_json(ctl)) {
        oc_json_end(&json);
        oc_json_end(&json);
    }
    return failures;
}

static int run(ctl_t *ctl)
{
    refresh_t refresh = {.ctl = ctl};
    apr_array_header_t *rows;
    apr_interval_time_t timeout;
    ctl_stock_t stock, after;
    int status = ctl_duration(ctl, TIMEOUT, PATIENCE, &timeout), is_done;

    if (status != CTL_OK)
        return status;
    if (ctl_has(ctl, ALL) != (ctl->arguments->nelts == 0))
        return ctl_usage(ctl, ctl_has(ctl, ALL) ? "name hosts and serials, or --all, not both"
                                                : "name a host or a serial, or --all");
    status = ctl_stock_open(ctl, &stock, &rows, 1);
    if (status != CTL_OK)
        return status;
    add_wishes(ctl, &refresh, rows);
    if (refresh.n == 0) {
        (void)ctl_trouble(ctl, "nothing is refreshed: no certificate of this server has a responder that can be "
                               "queried");
        return CTL_NO;
    }
    if (refresh.n_queries == 0)
        return print_results(ctl, &stock, &refresh) ? CTL_NO : CTL_OK;
    status = ctl_command_run(ctl, &stock, &refresh.command, timeout, are_done, &refresh, &is_done);
    if (status == CTL_OK)
        status = ctl_stock_load(ctl, &after);
    if (status != CTL_OK)
        return status;
    return print_results(ctl, &after, &refresh) ? CTL_NO : CTL_OK;
}

static const ctl_option_t options[] = {
    {"all", ALL, NULL, "all certificates that have a responder that can be queried"},
    {"timeout", TIMEOUT, "DURATION", "how long to wait for the server (default: 30s)"},
    CTL_OPTIONS_END};

const ctl_command_t ctl_refresh = {.name = "refresh",
                                   .arguments = "HOST|SERIAL...|--all",
                                   .summary = "Have the running server query the responders now",
                                   .help = "Waits until the server has done so, and prints the results. The stored "
                                           "response stays until a newer one replaces it.\n",
                                   .options = options,
                                   .run = run};
