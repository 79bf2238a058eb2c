/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads the cache's file, the manifest and the ledger into rows, one for each certificate, and prints them as JSON.
 */
#include "ctl_stock.h"

#include "base/hex.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#define BLOCKS_UNKNOWN (1U << 18) /* without a manifest: the file of a cache of 128 MiB is read, no more */
#define READINGS 3                /* a running server replaces records while they are read */

/* Reads again, a few times, while a record is torn. */
static void load_reader(const ctl_t *ctl, ctl_stock_t *stock)
{
    uint32_t blocks = oc_file_blocks_max(stock->manifest ? stock->manifest->blocks : BLOCKS_UNKNOWN);
    int i;

    oc_reader_load_whole(&stock->reader, ctl->path, blocks, ctl->pool);
    for (i = 1; i < READINGS && stock->server && stock->reader.status == APR_SUCCESS && stock->reader.damaged; i++)
        oc_reader_load_whole(&stock->reader, ctl->path, blocks, ctl->pool);
}

static ctl_row_t *make_row(const ctl_t *ctl, const ctl_stock_t *stock, const unsigned char *id)
{
    ctl_row_t *row = apr_pcalloc(ctl->pool, sizeof(*row));

    memcpy(row->view.id, id, OC_CERT_ID_LEN);
    row->stored = apr_hash_get(stock->reader.by_id, id, OC_CERT_ID_LEN);
    return row;
}

static void add_known(const ctl_t *ctl, ctl_stock_t *stock, const oc_manifest_entry_t *entry)
{
    const oc_cert_t *cert = entry->cert;
    ctl_row_t *row = make_row(ctl, stock, cert->id);

    oc_view_take_cert(&row->view, cert);
    row->view.hosts = entry->hosts;
    row->view.host = APR_ARRAY_IDX(entry->hosts, 0, const char *);
    row->view.url = entry->urls[0];
    row->view.urls = entry->urls;
    if (!cert->issuer) { /* unprimed: nothing is stapled for it, even if the file has a response */
        row->view.lacks_issuer = entry->is_refreshed;
        row->view.issuer = entry->wanted_issuer;
        row->stored = NULL;
        APR_ARRAY_PUSH(stock->rows, ctl_row_t *) = row;
        return;
    }
    row->entry = entry;
    row->view.is_refreshed = entry->is_refreshed;
    /* A response belongs to one certificate and one issuer: with another binding it is not stapled. */
    if (row->stored && memcmp(row->stored->record.binding, cert->binding, sizeof(cert->binding)) != 0)
        row->stored = NULL;
    oc_reader_fill(&stock->reader, &row->view);
    if (!row->stored)
        row->view.has_record = 0;
    APR_ARRAY_PUSH(stock->rows, ctl_row_t *) = row;
}

/* Responses for certificates that no host uses; without a manifest: all of them. */
static void add_unknown(const ctl_t *ctl, ctl_stock_t *stock)
{
    apr_hash_t *known = apr_hash_make(ctl->pool);
    int i;

    for (i = 0; i < stock->rows->nelts; i++) {
        const ctl_row_t *row = APR_ARRAY_IDX(stock->rows, i, const ctl_row_t *);

        apr_hash_set(known, row->view.id, OC_CERT_ID_LEN, row);
    }
    for (i = 0; i < stock->reader.records->nelts; i++) {
        const oc_reader_record_t *stored = APR_ARRAY_IDX(stock->reader.records, i, const oc_reader_record_t *);
        ctl_row_t *row;

        if (apr_hash_get(known, stored->id, OC_CERT_ID_LEN))
            continue;
        row = make_row(ctl, stock, stored->id);
        row->view.is_refreshed = 1; /* it was, at least once */
        oc_reader_fill(&stock->reader, &row->view);
        APR_ARRAY_PUSH(stock->manifest ? stock->unused : stock->rows, ctl_row_t *) = row;
    }
}

static void load_manifest(const ctl_t *ctl, ctl_stock_t *stock)
{
    const char *path = oc_manifest_path(ctl->path, ctl->pool);
    oc_manifest_t *manifest = NULL;
    apr_status_t rv = oc_manifest_load(&manifest, path, ctl->pool, &stock->manifest_problem);

    if (rv == APR_ENOENT)
        stock->manifest_problem = apr_psprintf(ctl->pool,
                                               "%s, the list of the server's certificates, does not exist: the server "
                                               "writes it when it starts, or logs why it cannot",
                                               path);
    stock->manifest = rv == APR_SUCCESS ? manifest : NULL;
}

/* An empty file is a cache only if there is a manifest: a server that has stored nothing yet. */
static int check_readable(const ctl_t *ctl, const ctl_stock_t *stock)
{
    apr_status_t rv = stock->reader.status;
    apr_finfo_t info;

    if (rv == APR_ENOENT && !stock->manifest)
        return ctl_trouble(ctl, "there is no file %s%s", ctl->path, ctl_become_owner(ctl->path, ctl->pool));
    if (rv != APR_SUCCESS && rv != APR_ENOENT)
        return ctl_trouble(ctl, "%s%s", stock->reader.problem, ctl_become_owner(ctl->path, ctl->pool));
    if (rv == APR_SUCCESS && !stock->manifest && apr_stat(&info, ctl->path, APR_FINFO_SIZE, ctl->pool) == APR_SUCCESS
        && info.size == 0)
        return ctl_trouble(ctl, "%s is empty: it is not an OCSP cache file", ctl->path);
    return CTL_OK;
}

int ctl_stock_load(ctl_t *ctl, ctl_stock_t *stock)
{
    int i, status = ctl_cache_find(ctl);

    memset(stock, 0, sizeof(*stock));
    if (status != CTL_OK)
        return status;
    stock->server = oc_file_lock_holder(ctl->path, ctl->pool);
    load_manifest(ctl, stock);
    load_reader(ctl, stock);
    status = check_readable(ctl, stock);
    if (status != CTL_OK)
        return status;
    stock->rows = apr_array_make(ctl->pool, 16, sizeof(ctl_row_t *));
    stock->unused = apr_array_make(ctl->pool, 4, sizeof(ctl_row_t *));
    if (stock->manifest) {
        stock->expiry_warning = stock->manifest->expiry_warning;
        for (i = 0; i < stock->manifest->entries->nelts; i++)
            add_known(ctl, stock, &APR_ARRAY_IDX(stock->manifest->entries, i, oc_manifest_entry_t));
        for (i = 0; i < stock->manifest->unprimed->nelts; i++)
            add_known(ctl, stock, &APR_ARRAY_IDX(stock->manifest->unprimed, i, oc_manifest_entry_t));
    }
    add_unknown(ctl, stock);
    return CTL_OK;
}

const char *ctl_row_label(const ctl_row_t *row, apr_pool_t *pool)
{
    if (row->view.host)
        return apr_psprintf(pool, "%s (serial %s)", row->view.host, row->view.serial);
    return apr_pstrcat(pool, "certificate ", oc_hex_print(row->view.id, sizeof(row->view.id), pool), NULL);
}

/* ---- JSON ---- */

void ctl_row_json(oc_json_t *json, const ctl_row_t *row, apr_pool_t *pool)
{
    oc_json_string(json, "host", row ? row->view.host : NULL);
    oc_json_string(json, "sha1", row ? oc_hex_print(row->view.id, sizeof(row->view.id), pool) : NULL);
    oc_json_string(json, "serial", row ? row->view.serial : NULL);
}

void ctl_stock_json(oc_json_t *json, const ctl_t *ctl, const ctl_stock_t *stock)
{
    oc_view_json_begin(json, oc_json_to_stream, stdout, ctl->now);
    oc_json_string(json, "command", ctl->command->name);
    oc_json_object(json, "cache");
    oc_json_string(json, "path", ctl->path);
    oc_json_integer(json, "records", stock->reader.records->nelts);
    oc_json_end(json);
    if (stock->server)
        oc_json_integer(json, "server_pid", stock->server);
    else
        oc_json_null(json, "server_pid");
}

void ctl_stock_json_rows(oc_json_t *json, const char *key, const ctl_t *ctl, const ctl_stock_t *stock,
                         const apr_array_header_t *rows)
{
    int i;

    oc_json_array(json, key);
    for (i = 0; i < rows->nelts; i++)
        oc_view_json(json, NULL, &APR_ARRAY_IDX(rows, i, const ctl_row_t *)->view, ctl->now, stock->expiry_warning,
                     ctl->pool);
    oc_json_end(json);
}
