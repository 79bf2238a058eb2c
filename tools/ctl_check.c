/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl check: a plug-in for Nagios, Icinga and their like: one line, figures behind a bar, and an exit status
 * (the Monitoring Plugins Development Guidelines).
 */
#include "ctl_stock.h"

#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARN = 'w', CRIT = 'c' };

#define WARN_DEFAULT apr_time_from_sec(43200)
#define CRIT_DEFAULT apr_time_from_sec(7200)

typedef enum { OK = 0, WARNING = 1, CRITICAL = 2 } state_t;

static const char *const names[] = {"OK", "WARNING", "CRITICAL"};

typedef struct {
    const ctl_row_t *row;
    state_t state;
    const char *text;
} finding_t;

typedef struct {
    apr_interval_time_t warn, crit;
    apr_array_header_t *problems; /* finding_t, the worst first */
    state_t state;
    int n, stapled, silent; /* all; those with a valid response; those without a responder */
    const ctl_row_t *first; /* whose response runs out first; NULL: none is held */
} check_t;

/* A true response that has not run out? */
static int is_covered(const oc_view_t *view, apr_time_t now)
{
    return view->has_record && view->usable_until > now && oc_verdict_class(view->verdict) == OC_CLASS_TRUTH;
}

static finding_t judge(const ctl_t *ctl, const check_t *check, const ctl_row_t *row)
{
    const oc_view_t *view = &row->view;
    finding_t finding = {row, OK, ""};
    apr_interval_time_t left = view->usable_until - ctl->now;
    oc_attention_t attention = oc_view_attention(view, ctl->now, 0, &finding.text, ctl->pool);

    if (attention == OC_ATTENTION_CRITICAL)
        finding.state = CRITICAL;
    else if (!is_covered(view, ctl->now))
        finding.state = attention == OC_ATTENTION_WARNING ? WARNING : OK;
    else if (left < check->warn)
        finding =
            (finding_t){row, left < check->crit ? CRITICAL : WARNING,
                        apr_pstrcat(ctl->pool, "the response runs out in ",
                                    oc_view_span(view->usable_until, ctl->now, ctl->pool), ". ", finding.text, NULL)};
    return finding; /* attempts that fail while much is left are no alarm: that is what responses last for */
}

static void add(const ctl_t *ctl, check_t *check, const ctl_row_t *row)
{
    finding_t finding = judge(ctl, check, row);

    check->n++;
    check->silent += !row->view.is_refreshed && !row->view.has_record;
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

    return (int)y->state - (int)x->state;
}

/* A bar would end the text. */
static const char *plain(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, oc_view_printable(text, pool)), *p;

    for (p = copy; *p; p++)
        if (*p == '|')
            *p = '/';
    return copy;
}

static void print_text(const ctl_t *ctl, const ctl_stock_t *stock, const check_t *check)
{
    const finding_t *problems = (const finding_t *)check->problems->elts;
    const char *text;
    int i;

    if (check->problems->nelts == 0)
        text = check->first ? apr_pstrcat(ctl->pool, "the first response runs out in ",
                                          oc_view_span(check->first->view.usable_until, ctl->now, ctl->pool), NULL)
                            : "no response is held";
    else
        text = apr_psprintf(
            ctl->pool, "%s: %s%s", plain(ctl_row_label(problems[0].row, ctl->pool), ctl->pool),
            plain(problems[0].text, ctl->pool),
            check->problems->nelts > 1 ? apr_psprintf(ctl->pool, " And %d more", check->problems->nelts - 1) : "");
    printf("OCSP %s - %d of %d certificates have a valid response%s; %s%s", names[check->state], check->stapled,
           check->n, check->silent ? apr_psprintf(ctl->pool, ", %d name no responder", check->silent) : "", text,
           stock->server ? "" : "; the server does not run");
    printf(" | certificates=%d;;;0 stapled=%d;;;0;%d problems=%d;;;0", check->n, check->stapled, check->n,
           check->problems->nelts);
    if (check->first)
        printf(" min_left=%" APR_INT64_T_FMT "s;%" APR_INT64_T_FMT ":;%" APR_INT64_T_FMT ":;0",
               apr_time_sec(check->first->view.usable_until - ctl->now), apr_time_sec(check->warn),
               apr_time_sec(check->crit));
    printf("\n");
    for (i = 0; i < check->problems->nelts; i++)
        printf("%s: %s: %s\n", names[problems[i].state], plain(ctl_row_label(problems[i].row, ctl->pool), ctl->pool),
               plain(problems[i].text, ctl->pool));
}

static void print_json(const ctl_t *ctl, const ctl_stock_t *stock, const check_t *check)
{
    int i;

    ctl_stock_json(ctl, stock);
    printf(",\"state\":\"%s\",\"warn\":%" APR_INT64_T_FMT ",\"crit\":%" APR_INT64_T_FMT
           ",\"count\":%d,\"stapled\":%d,\"without_responder\":%d,\"min_left\":",
           names[check->state], apr_time_sec(check->warn), apr_time_sec(check->crit), check->n, check->stapled,
           check->silent);
    if (check->first)
        printf("%" APR_INT64_T_FMT, apr_time_sec(check->first->view.usable_until - ctl->now));
    else
        printf("null");
    printf(",\"problems\":[");
    for (i = 0; i < check->problems->nelts; i++) {
        const finding_t *one = &APR_ARRAY_IDX(check->problems, i, finding_t);

        printf("%s{\"host\":%s,\"serial\":%s,\"state\":\"%s\",\"text\":%s}", i ? "," : "",
               oc_view_json_string(one->row->view.host, ctl->pool),
               oc_view_json_string(one->row->view.serial, ctl->pool), names[one->state],
               oc_view_json_string(one->text, ctl->pool));
    }
    printf("]}\n");
}

static int run(ctl_t *ctl)
{
    check_t check = {0};
    apr_array_header_t *rows;
    ctl_stock_t stock;
    int i, status = ctl_duration(ctl, WARN, WARN_DEFAULT, &check.warn);

    if (status == CTL_OK)
        status = ctl_duration(ctl, CRIT, CRIT_DEFAULT, &check.crit);
    if (status == CTL_OK && check.crit > check.warn)
        status = ctl_usage(ctl, "--crit has to be less than --warn, or as much: it counts the time that is left");
    if (status == CTL_OK)
        status = ctl_stock_load(ctl, &stock);
    if (status == CTL_OK)
        status = ctl_stock_select(ctl, &stock, &rows);
    if (status != CTL_OK)
        return status;
    if (!stock.manifest)
        return ctl_trouble(ctl, "%s", stock.roster_problem);
    check.problems = apr_array_make(ctl->pool, 4, sizeof(finding_t));
    for (i = 0; i < rows->nelts; i++)
        add(ctl, &check, APR_ARRAY_IDX(rows, i, const ctl_row_t *));
    qsort(check.problems->elts, (size_t)check.problems->nelts, sizeof(finding_t), worst_first);
    (ctl_is_json(ctl) ? print_json : print_text)(ctl, &stock, &check);
    return (int)check.state;
}

static const ctl_option_t options[] = {
    {"warn", WARN, "DURATION", "warn when a response lasts less than this (default: 12h)"},
    {"crit", CRIT, "DURATION", "critical when it lasts less than this (default: 2h)"},
    CTL_OPTIONS_END};

const ctl_command_t ctl_check = {.name = "check",
                                 .arguments = "[HOST|SERIAL...]",
                                 .summary = "Say how things are, as a monitoring plug-in",
                                 .help = "Critical: a certificate is revoked or expired, a Must-Staple certificate has "
                                         "no valid response, or a response is\n"
                                         "about to run out (--crit). Warning: a certificate with a responder has no "
                                         "valid response, or one runs out before\n"
                                         "long (--warn). The exit status is 0, 1, 2, or 3 when it cannot be told.\n",
                                 .options = options,
                                 .is_plugin = 1,
                                 .run = run};
