/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads the cache's file and the ledger into hashes by certificate.
 */
#include "state/reader.h"

#include <apr_strings.h>
#include <string.h>

typedef struct {
    oc_reader_t *kept;
    int with_der;
    apr_pool_t *pool;
} look_t;

static void take_record(void *context, const oc_entry_t *entry)
{
    look_t *look = context;
    oc_reader_t *kept = look->kept;
    oc_reader_record_t *one;
    oc_record_t record;

    kept->blocks += oc_block_count(entry->id_len, entry->data_len);
    if (entry->kind != OC_KIND_STAPLE || entry->id_len != OC_CERT_ID_LEN
        || oc_record_decode(&record, entry->data, entry->data_len) != APR_SUCCESS) {
        kept->others++;
        return;
    }
    one = apr_hash_get(kept->by_id, entry->id, OC_CERT_ID_LEN);
    if (one && one->order > entry->order) /* the file may hold both a replaced record and its successor */
        return;
    if (!one) {
        one = apr_pcalloc(look->pool, sizeof(*one));
        memcpy(one->id, entry->id, OC_CERT_ID_LEN);
        apr_hash_set(kept->by_id, one->id, OC_CERT_ID_LEN, one);
        APR_ARRAY_PUSH(kept->records, oc_reader_record_t *) = one;
    }
    one->record = record;
    one->record.der = look->with_der ? apr_pmemdup(look->pool, record.der, record.der_len) : NULL;
    one->order = entry->order;
}

static void load(oc_reader_t *kept, const char *path, uint32_t blocks_max, int with_der, apr_pool_t *pool)
{
    look_t look = {kept, with_der, pool};
    oc_file_load_t loaded = {0, 0, 0};

    memset(kept, 0, sizeof(*kept));
    kept->path = path;
    kept->by_id = apr_hash_make(pool);
    kept->records = apr_array_make(pool, 16, sizeof(oc_reader_record_t *));
    kept->status = oc_file_load(path, blocks_max, take_record, &look, &loaded, pool, &kept->problem);
    kept->damaged = loaded.damaged;
    if (kept->status == APR_SUCCESS && loaded.is_other_layout) {
        kept->status = APR_EINVAL;
        kept->problem = apr_pstrcat(
            pool, path, " was written by another version of this module, or on another kind of machine", NULL);
    }
    kept->ledger_status = oc_ledger_load(&kept->ledger, oc_ledger_path(path, pool), pool, &kept->ledger_problem);
    if (kept->ledger_status != APR_SUCCESS)
        kept->ledger = apr_hash_make(pool);
}

void oc_reader_load(oc_reader_t *kept, const char *path, uint32_t blocks_max, apr_pool_t *pool)
{
    load(kept, path, blocks_max, 0, pool);
}

void oc_reader_load_whole(oc_reader_t *kept, const char *path, uint32_t blocks_max, apr_pool_t *pool)
{
    load(kept, path, blocks_max, 1, pool);
}

void oc_reader_fill(const oc_reader_t *kept, oc_view_t *view)
{
    const oc_reader_record_t *one = apr_hash_get(kept->by_id, view->id, OC_CERT_ID_LEN);
    const oc_ledger_entry_t *entry = apr_hash_get(kept->ledger, view->id, OC_CERT_ID_LEN);

    if (one)
        oc_view_take_record(view, &one->record);
    if (entry) {
        view->last = entry->note.verdict;
        view->failures = entry->note.failures;
        view->last_attempt = entry->last_attempt;
        view->next_request = entry->note.due;
    }
}
