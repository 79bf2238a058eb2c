/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl list: all certificates, in a table.
 */
#include "ctl_stock.h"

#include <apr_env.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Of the terminal; 0: as wide as the table wants to be. */
static unsigned width_of_output(apr_pool_t *pool)
{
    struct winsize size;
    char *columns;

    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        return size.ws_col;
    return apr_env_get(&columns, "COLUMNS", pool) == APR_SUCCESS ? (unsigned)strtoul(columns, NULL, 10) : 0;
}

static void print(void *context, const char *line)
{
    (void)fputs(line, context);
}

static void print_table(const ctl_t *ctl, const ctl_stock_t *stock, const apr_array_header_t *rows)
{
    apr_array_header_t *views = apr_array_make(ctl->pool, rows->nelts, sizeof(oc_view_t));
    int i;

    for (i = 0; i < rows->nelts; i++)
        APR_ARRAY_PUSH(views, oc_view_t) = APR_ARRAY_IDX(rows, i, const ctl_row_t *)->view;
    oc_view_table(views, ctl->now, width_of_output(ctl->pool), print, stdout, ctl->pool);
    if (stock->unused->nelts)
        printf("Responses held for certificates that no host uses (any more): %d\n", stock->unused->nelts);
    if (!stock->server)
        printf("The server does not run: nothing is renewed.\n");
    if (!stock->manifest)
        ctl_say("%s", stock->roster_problem);
}

static int run(ctl_t *ctl)
{
    apr_array_header_t *rows;
    ctl_stock_t stock;
    int status = ctl_stock_load(ctl, &stock);

    if (status == CTL_OK)
        status = ctl_stock_select(ctl, &stock, &rows);
    if (status != CTL_OK)
        return status;
    if (!ctl_is_json(ctl)) {
        print_table(ctl, &stock, rows);
        return CTL_OK;
    }
    ctl_stock_json(ctl, &stock);
    ctl_stock_json_rows(ctl, &stock, "certificates", rows);
    ctl_stock_json_rows(ctl, &stock, "unused", stock.unused);
    printf("}\n");
    return CTL_OK;
}

static const ctl_option_t options[] = {CTL_OPTIONS_END};

const ctl_command_t ctl_list = {.name = "list",
                                .arguments = "[HOST|SERIAL...]",
                                .summary = "Show the certificates and what is held for each",
                                .help = "What is shown is what the server's children wrote; `verify` proves it.\n",
                                .options = options,
                                .run = run};
