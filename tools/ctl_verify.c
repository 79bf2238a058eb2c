/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl verify: is the cache's file intact, and does each record match its response? The responses are parsed
 * in a process without rights; nothing is changed.
 */
#include "ctl_judge.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const ctl_row_t *row;
    const char *problem; /* NULL: none */
    int is_expired;
} finding_t;

/* Judge the responses that can still be stapled; expired ones are only counted. */
static int find(ctl_t *ctl, const ctl_stock_t *stock, finding_t *findings, int *n)
{
    ctl_case_t *cases = apr_pcalloc(ctl->pool, ((apr_size_t)stock->rows->nelts + 1) * sizeof(*cases));
    int i, n_cases = 0, status;

    *n = 0;
    for (i = 0; i < stock->rows->nelts; i++) {
        const ctl_row_t *row = APR_ARRAY_IDX(stock->rows, i, const ctl_row_t *);

        if (!row->stored || !row->entry)
            continue;
        findings[*n].row = row;
        findings[(*n)++].is_expired = row->view.usable_until <= ctl->now;
        if (row->view.usable_until <= ctl->now)
            continue;
        cases[n_cases++] = ctl_case_of(row);
    }
    status = stock->manifest ? ctl_judge(ctl, stock, cases, n_cases) : CTL_OK;
    for (i = 0, n_cases = 0; status == CTL_OK && i < *n; i++)
        if (!findings[i].is_expired && cases[n_cases++].result.verdict != findings[i].row->stored->record.verdict)
            findings[i].problem = ctl_judge_text(&cases[n_cases - 1].result, ctl->pool);
    return status;
}

static void print_text(const ctl_t *ctl, const ctl_stock_t *stock, const finding_t *findings, int n, int bad,
                       int expired)
{
    int i;

    for (i = 0; i < n; i++)
        if (findings[i].problem)
            printf("%s: %s\n", ctl_row_label(findings[i].row, ctl->pool), findings[i].problem);
    printf("%s: %d records, %u damaged, %u of other kinds\n", ctl->path, stock->reader.records->nelts,
           stock->reader.damaged, stock->reader.others);
    if (stock->manifest)
        printf("%d responses verified, %d rejected, %d expired, %d for certificates that no host uses\n",
               n - bad - expired, bad, expired, stock->unused->nelts);
    else
        printf("The responses were not verified: %s\n", stock->manifest_problem);
}

static void print_json(const ctl_t *ctl, const ctl_stock_t *stock, const finding_t *findings, int n, int bad,
                       int expired)
{
    oc_json_t json;
    int i;

    ctl_stock_json(&json, ctl, stock);
    oc_json_integer(&json, "damaged", stock->reader.damaged);
    oc_json_integer(&json, "others", stock->reader.others);
    oc_json_integer(&json, "unused", stock->unused->nelts);
    oc_json_bool(&json, "is_verified", stock->manifest != NULL);
    oc_json_integer(&json, "verified", stock->manifest ? n - bad - expired : 0);
    oc_json_integer(&json, "expired", expired);
    oc_json_array(&json, "rejected");
    for (i = 0; i < n; i++) {
        if (!findings[i].problem)
            continue;
        oc_json_object(&json, NULL);
        ctl_row_json(&json, findings[i].row, ctl->pool);
        oc_json_string(&json, "problem", findings[i].problem);
        oc_json_end(&json);
    }
    oc_json_end(&json);
    oc_json_end(&json);
}

static int run(ctl_t *ctl)
{
    finding_t *findings;
    ctl_stock_t stock;
    int i, n = 0, bad = 0, expired = 0, status;

    if (ctl->arguments->nelts > 0)
        return ctl_usage(ctl, "verify checks the whole file: it takes no arguments");
    status = ctl_stock_load(ctl, &stock);
    if (status != CTL_OK)
        return status;
    findings = apr_pcalloc(ctl->pool, ((apr_size_t)stock.rows->nelts + 1) * sizeof(*findings));
    status = find(ctl, &stock, findings, &n);
    if (status != CTL_OK)
        return status;
    for (i = 0; i < n; i++) {
        bad += findings[i].problem != NULL;
        expired += findings[i].is_expired;
    }
    (ctl_is_json(ctl) ? print_json : print_text)(ctl, &stock, findings, n, bad, expired);
    return bad || stock.reader.damaged ? CTL_NO : CTL_OK;
}

static const ctl_option_t options[] = {CTL_OPTIONS_END};

const ctl_command_t ctl_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "Check the cache file, and verify each response in it",
    .help =
        "Each record must be intact, and each response that has not expired is verified as the server does, with the\n"
        "issuers' certificates from the manifest. The exit status is 1 if a record is damaged or a response is\n"
        "rejected.\n",
    .options = options,
    .run = run};
