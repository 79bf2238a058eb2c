/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl check: a plug-in for Nagios, Icinga and similar systems: one short line, performance data after a bar,
 * more lines below, and an exit status (the Monitoring Plugins Development Guidelines). As on the status page and in
 * the metrics, oc_view_attention() decides what needs attention; the command must never report OK where they report
 * critical.
 */
#include "ctl_judge.h"

#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARN = 'w', CRIT = 'c' };

#define LINE_MAX_LEN 200 /* of the first line, without performance data: what pagers and SMS show */
#define LINES_MAX 20     /* below it */

typedef enum { OK = 0, WARNING = 1, CRITICAL = 2 } state_t;

static const char *const names[] = {"OK", "WARNING", "CRITICAL"};
static const char *const colours[] = {CTL_GREEN, CTL_YELLOW, CTL_RED};

typedef struct {
    const ctl_row_t *row;
    state_t state;
    const char *text;
} finding_t;

typedef struct {
    apr_interval_time_t warn, crit; /* -1: not given */
    apr_array_header_t *problems;   /* finding_t, the worst first */
    state_t state;
    int n, stapled, silent; /* all; those with a valid response; those without a responder */
    const ctl_row_t *first; /* whose response ends first; NULL: none is held */
} check_t;

/* ---- what is wrong ---- */

/* Is a response held that is good or revoked, and has not ended? */
static int is_covered(const oc_view_t *view, apr_time_t now)
{
    return oc_view_is_stapled(view, now) && oc_verdict_class(view->verdict) == OC_CLASS_TRUTH;
}

static finding_t ending(const ctl_t *ctl, const ctl_row_t *row, state_t state, const char *reason)
{
    const char *left = oc_view_span(row->view.usable_until, ctl->now, ctl->pool);

    if (!*reason && row->view.failures > 0)
        reason = oc_verdict_text(row->view.last);
    return (finding_t){row, state,
                       apr_pstrcat(ctl->pool, "the response expires in ", left, *reason ? ". " : "", reason, NULL)};
}

/* The rule of the status page and of the metrics; --warn and --crit take the place of OCSPCacheExpiryWarning. */
static finding_t judge(const ctl_t *ctl, const ctl_stock_t *stock, const check_t *check, const ctl_row_t *row)
{
    const oc_view_t *view = &row->view;
    finding_t finding = {row, OK, ""};
    apr_interval_time_t left = view->usable_until - ctl->now;
    apr_interval_time_t expiry_warning = check->warn >= 0 ? 0 : stock->expiry_warning;
    oc_attention_t attention = oc_view_attention(view, ctl->now, expiry_warning, &finding.text, ctl->pool);

    if (attention == OC_ATTENTION_CRITICAL)
        finding.state = CRITICAL;
    else if (is_covered(view, ctl->now) && left < check->crit)
        finding = ending(ctl, row, CRITICAL, finding.text);
    else if (is_covered(view, ctl->now) && left < check->warn)
        finding = ending(ctl, row, WARNING, finding.text);
    else if (attention == OC_ATTENTION_WARNING)
        finding.state = WARNING;
    return finding;
}

static void add(const ctl_t *ctl, const ctl_stock_t *stock, check_t *check, const ctl_row_t *row)
{
    finding_t finding = judge(ctl, stock, check, row);

    check->n++;
    check->silent += !row->view.is_refreshed && !row->view.lacks_issuer && !row->view.has_record;
    if (is_covered(&row->view, ctl->now)) {
        check->stapled++;
        if (!check->first || row->view.usable_until < check->first->view.usable_until)
            check->first = row;
    }
    if (finding.state == OK)
        return;
    if (finding.state > check->state)
        check->state = finding.state;
    APR_ARRAY_PUSH(check->problems, finding_t) = finding;
}

static int worst_first(const void *a, const void *b)
{
    const finding_t *x = a, *y = b;

    return x->state != y->state
               ? (int)y->state - (int)x->state
               : strcmp(x->row->view.host ? x->row->view.host : "", y->row->view.host ? y->row->view.host : "");
}

/* ---- printing ---- */

/* A bar would end the text. */
static const char *plain(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, oc_view_printable(text, pool)), *p;

    for (p = copy; *p; p++)
        if (*p == '|')
            *p = '/';
    return copy;
}

/* The text of the first line after the count. */
static const char *gist(const ctl_t *ctl, const check_t *check)
{
    const finding_t *worst = (const finding_t *)check->problems->elts;

    if (check->problems->nelts > 0)
        return apr_pstrcat(ctl->pool, plain(ctl_row_label(worst->row, ctl->pool), ctl->pool), ": ",
                           plain(worst->text, ctl->pool), NULL);
    if (!check->first)
        return "no response is stored";
    return apr_pstrcat(ctl->pool, "the first response expires in ",
                       oc_view_span(check->first->view.usable_until, ctl->now, ctl->pool), NULL);
}

static void print_first_line(const ctl_t *ctl, const ctl_stock_t *stock, const check_t *check)
{
    const char *begin =
        apr_psprintf(ctl->pool, " - %d of %d certificates have a valid response%s; ", check->stapled, check->n,
                     check->silent ? apr_psprintf(ctl->pool, ", %d without a responder", check->silent) : "");
    const char *end = apr_pstrcat(
        ctl->pool,
        check->problems->nelts > 1 ? apr_psprintf(ctl->pool, "; and %d more", check->problems->nelts - 1) : "",
        stock->server ? "" : "; the server is not running", NULL);
    const char *middle = gist(ctl, check);
    apr_size_t taken = strlen("OCSP CRITICAL") + strlen(begin) + strlen(end);

    if (strlen(middle) + taken > LINE_MAX_LEN)
        middle = apr_psprintf(ctl->pool, "%.*s...", (int)(LINE_MAX_LEN - taken - 3), middle);
    printf("OCSP %s%s%s%s", ctl_coloured(ctl, colours[check->state], names[check->state]), begin, middle, end);
}

/* 'label'=value[UOM];[warn];[crit];[min];[max] */
static const char *threshold(const ctl_t *ctl, apr_interval_time_t limit)
{
    return limit >= 0 ? apr_psprintf(ctl->pool, "%" APR_INT64_T_FMT ":", apr_time_sec(limit)) : "";
}

static void print_performance(const ctl_t *ctl, const check_t *check)
{
    printf(" | certificates=%d;;;0 stapled=%d;;;0;%d problems=%d;;;0;%d", check->n, check->stapled, check->n,
           check->problems->nelts, check->n);
    if (check->first)
        printf(" min_left=%" APR_INT64_T_FMT "s;%s;%s;0", apr_time_sec(check->first->view.usable_until - ctl->now),
               threshold(ctl, check->warn), threshold(ctl, check->crit));
    printf("\n");
}

static void print_text(const ctl_t *ctl, const ctl_stock_t *stock, const check_t *check)
{
    const finding_t *problems = (const finding_t *)check->problems->elts;
    int i;

    print_first_line(ctl, stock, check);
    print_performance(ctl, check);
    for (i = 0; i < check->problems->nelts && i < LINES_MAX; i++)
        printf("%s: %s: %s\n", ctl_coloured(ctl, colours[problems[i].state], names[problems[i].state]),
               plain(ctl_row_label(problems[i].row, ctl->pool), ctl->pool), plain(problems[i].text, ctl->pool));
    if (check->problems->nelts > LINES_MAX)
        printf("and %d more: `" CTL_PROGRAM " list --problems` shows all\n", check->problems->nelts - LINES_MAX);
}

/* Whole seconds; -1: null. */
static void put_seconds(oc_json_t *json, const char *key, apr_interval_time_t time)
{
    if (time >= 0)
        oc_json_integer(json, key, apr_time_sec(time));
    else
        oc_json_null(json, key);
}

static void print_json(const ctl_t *ctl, const ctl_stock_t *stock, const check_t *check)
{
    oc_json_t json;
    int i;

    ctl_stock_json(&json, ctl, stock);
    oc_json_string(&json, "state", names[check->state]);
    put_seconds(&json, "warn", check->warn);
    put_seconds(&json, "crit", check->crit);
    oc_json_integer(&json, "count", check->n);
    oc_json_integer(&json, "stapled", check->stapled);
    oc_json_integer(&json, "without_responder", check->silent);
    put_seconds(&json, "min_left", check->first ? check->first->view.usable_until - ctl->now : -1);
    oc_json_array(&json, "problems");
    for (i = 0; i < check->problems->nelts; i++) {
        const finding_t *one = &APR_ARRAY_IDX(check->problems, i, finding_t);

        oc_json_object(&json, NULL);
        ctl_row_json(&json, one->row, ctl->pool);
        oc_json_string(&json, "state", names[one->state]);
        oc_json_string(&json, "text", one->text);
        oc_json_end(&json);
    }
    oc_json_end(&json);
    oc_json_end(&json);
}

/* ---- the command ---- */

static int take_options(const ctl_t *ctl, check_t *check)
{
    int status = ctl_duration(ctl, WARN, -1, &check->warn);

    if (status == CTL_OK)
        status = ctl_duration(ctl, CRIT, -1, &check->crit);
    if (status == CTL_OK && check->warn >= 0 && check->crit > check->warn)
        status = ctl_usage(ctl, "--crit must not be longer than --warn: both limit the time that is left");
    return status;
}

static int run(ctl_t *ctl)
{
    check_t check = {0};
    apr_array_header_t *rows;
    ctl_stock_t stock;
    int i, status = take_options(ctl, &check);

    if (status == CTL_OK)
        status = ctl_stock_open(ctl, &stock, &rows, 1);
    if (status == CTL_OK)
        status = ctl_judge_rows(ctl, &stock, rows);
    if (status != CTL_OK)
        return status;
    if (rows->nelts == 0)
        return ctl_trouble(ctl, "the server has no certificates to staple for");
    check.problems = apr_array_make(ctl->pool, 4, sizeof(finding_t));
    for (i = 0; i < rows->nelts; i++)
        add(ctl, &stock, &check, APR_ARRAY_IDX(rows, i, const ctl_row_t *));
    qsort(check.problems->elts, (size_t)check.problems->nelts, sizeof(finding_t), worst_first);
    (ctl_is_json(ctl) ? print_json : print_text)(ctl, &stock, &check);
    return (int)check.state;
}

static const ctl_option_t options[] = {
    {"warn", WARN, "DURATION", "warn when a response expires within this time (default: OCSPCacheExpiryWarning)"},
    {"crit", CRIT, "DURATION", "critical when a response expires within this time (default: no such limit)"},
    CTL_OPTIONS_END};

const ctl_command_t ctl_check = {
    .name = "check",
    .arguments = "[HOST|SERIAL...]",
    .summary = "Check the certificates as a monitoring plug-in",
    .help =
        "Critical: a certificate is revoked or expired, or a Must-Staple certificate has no valid response. Warning:\n"
        "a certificate with a responder has no valid response, or its response is not refreshed in time. Without\n"
        "--warn, OCSPCacheExpiryWarning decides, as on the status page: at most the last quarter of a response's\n"
        "validity. --warn and --crit limit the time that is left. The exit status is 0 (OK), 1 (warning), 2\n"
        "(critical) or 3 (unknown: there are no certificates, or the cache cannot be read).\n",
    .options = options,
    .is_plugin = 1,
    .run = run};
