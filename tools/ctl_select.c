/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Finds the certificates that the arguments of a command name: hosts, patterns, serials and fingerprints.
 */
#include "ctl_stock.h"

#include "base/hex.h"

#include <apr_fnmatch.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define NEAREST 5

/* "name:port", or the name alone; with * and ? as a pattern. */
static int is_host(const char *host, const char *word, apr_pool_t *pool)
{
    const char *port = strrchr(host, ':'), *name = port ? apr_pstrmemdup(pool, host, (apr_size_t)(port - host)) : host;

    return apr_fnmatch(word, host, APR_FNM_CASE_BLIND) == APR_SUCCESS
           || apr_fnmatch(word, name, APR_FNM_CASE_BLIND) == APR_SUCCESS || strcasecmp(host, word) == 0;
}

/* Hexadecimal digits alone, as various programs show them: "0A:1B", "0x0a1b", "-66". "": it is not such a number. */
static const char *digits_of(const char *word, apr_pool_t *pool)
{
    const char *sign = word[0] == '-' ? "-" : ""; /* a negative serial keeps it */
    char *digits = apr_pstrdup(pool, word), *to = digits;

    word += strlen(sign);
    if (word[0] == '0' && (word[1] | 0x20) == 'x')
        word += 2;
    for (; *word; word++) {
        if (*word == ':')
            continue;
        if (!apr_isxdigit(*word))
            return "";
        *to++ = (char)apr_toupper(*word);
    }
    *to = '\0';
    while (*digits == '0' && digits[1])
        digits++;
    return *digits ? apr_pstrcat(pool, sign, digits, NULL) : "";
}

static int is_number(const ctl_row_t *row, const char *digits, apr_pool_t *pool)
{
    const char *id = oc_hex_print(row->view.id, sizeof(row->view.id), pool);

    return *digits
           && ((row->view.serial && strcmp(digits_of(row->view.serial, pool), digits) == 0)
               || strcmp(digits_of(id, pool), digits) == 0);
}

static int is_meant(const ctl_row_t *row, const char *word, const char *digits, apr_pool_t *pool)
{
    int i;

    for (i = 0; row->view.hosts && i < row->view.hosts->nelts; i++)
        if (is_host(APR_ARRAY_IDX(row->view.hosts, i, const char *), word, pool))
            return 1;
    return is_number(row, digits, pool);
}

/* ---- mistyped hosts ---- */

typedef struct {
    const char *name;
    unsigned distance;
} near_t;

static int by_distance(const void *a, const void *b)
{
    const near_t *x = a, *y = b;

    return x->distance != y->distance ? (x->distance < y->distance ? -1 : 1) : strcmp(x->name, y->name);
}

static int print_nearest(const ctl_t *ctl, const ctl_stock_t *stock, const char *word)
{
    apr_array_header_t *all = apr_array_make(ctl->pool, 16, sizeof(near_t)), *names;
    int i, j;

    for (i = 0; i < stock->rows->nelts; i++) {
        const ctl_row_t *row = APR_ARRAY_IDX(stock->rows, i, const ctl_row_t *);

        for (j = 0; row->view.hosts && j < row->view.hosts->nelts; j++) {
            const char *host = APR_ARRAY_IDX(row->view.hosts, j, const char *), *port = strrchr(host, ':');
            near_t one = {
                port && !strchr(word, ':') ? apr_pstrmemdup(ctl->pool, host, (apr_size_t)(port - host)) : host, 0};

            one.distance = ctl_distance(word, one.name);
            APR_ARRAY_PUSH(all, near_t) = one;
        }
    }
    if (all->nelts == 0)
        return ctl_trouble(ctl, "no certificate is known for '%s'%s%s", word, stock->manifest ? "" : ": ",
                           stock->manifest ? "" : stock->manifest_problem);
    qsort(all->elts, (size_t)all->nelts, sizeof(near_t), by_distance);
    names = apr_array_make(ctl->pool, NEAREST, sizeof(const char *));
    for (i = 0; i < all->nelts && names->nelts < NEAREST; i++) {
        const char *name = APR_ARRAY_IDX(all, i, near_t).name;

        if (names->nelts == 0 || strcmp(name, APR_ARRAY_IDX(names, names->nelts - 1, const char *)) != 0)
            APR_ARRAY_PUSH(names, const char *) = name;
    }
    return ctl_trouble(ctl, "the server has no certificate for '%s'. %s: %s%s", word,
                       all->nelts > NEAREST ? "The nearest of its hosts" : "Its hosts",
                       apr_array_pstrcat(ctl->pool, names, ' '),
                       all->nelts > NEAREST ? "; `" CTL_PROGRAM " list` shows all" : "");
}

static int has_row(const apr_array_header_t *rows, const ctl_row_t *row)
{
    int i;

    for (i = 0; i < rows->nelts; i++)
        if (APR_ARRAY_IDX(rows, i, const ctl_row_t *) == row)
            return 1;
    return 0;
}

int ctl_stock_select(const ctl_t *ctl, const ctl_stock_t *stock, apr_array_header_t **out)
{
    apr_array_header_t *rows = apr_array_make(ctl->pool, 4, sizeof(ctl_row_t *));
    int i, j;

    *out = ctl->arguments->nelts > 0 ? rows : stock->rows;
    for (i = 0; i < ctl->arguments->nelts; i++) {
        const char *word = APR_ARRAY_IDX(ctl->arguments, i, const char *), *digits = digits_of(word, ctl->pool);
        int found = 0;

        for (j = 0; j < stock->rows->nelts; j++) {
            ctl_row_t *row = APR_ARRAY_IDX(stock->rows, j, ctl_row_t *);

            if (!is_meant(row, word, digits, ctl->pool))
                continue;
            found = 1;
            if (!has_row(rows, row))
                APR_ARRAY_PUSH(rows, ctl_row_t *) = row;
        }
        if (!found)
            return print_nearest(ctl, stock, word);
    }
    return CTL_OK;
}

int ctl_stock_open(ctl_t *ctl, ctl_stock_t *stock, apr_array_header_t **rows, int needs_manifest)
{
    int status = ctl_stock_load(ctl, stock);

    if (status == CTL_OK)
        status = ctl_stock_select(ctl, stock, rows);
    if (status == CTL_OK && needs_manifest && !stock->manifest)
        status = ctl_trouble(ctl, "%s", stock->manifest_problem);
    return status;
}
