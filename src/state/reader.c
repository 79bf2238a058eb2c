/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads the cache's file and the ledger into hashes by certificate.
 */
#include "state/reader.h"

#include <apr_strings.h>
#include <string.h>

typedef struct {
    oc_reader_t *reader;
    int with_der;
    apr_pool_t *pool;
} look_t;

static void take_record(void *context, const oc_entry_t *entry)
{
    look_t *look = context;
    oc_reader_t *reader = look->reader;
    oc_reader_record_t *one;
    oc_record_t record;

    reader->blocks += oc_block_count(entry->id_len, entry->data_len);
    if (entry->kind != OC_KIND_STAPLE || entry->id_len != OC_CERT_ID_LEN
        || oc_record_decode(&record, entry->data, entry->data_len) != APR_SUCCESS) {
        reader->others++;
        return;
    }
    one = apr_hash_get(reader->by_id, entry->id, OC_CERT_ID_LEN);
    if (one && one->order > entry->order) /* the file may hold both a replaced record and its successor */
        return;
    if (!one) {
        one = apr_pcalloc(look->pool, sizeof(*one));
        memcpy(one->id, entry->id, OC_CERT_ID_LEN);
        apr_hash_set(reader->by_id, one->id, OC_CERT_ID_LEN, one);
        APR_ARRAY_PUSH(reader->records, oc_reader_record_t *) = one;
    }
    one->record = record;
    one->record.der = look->with_der ? apr_pmemdup(look->pool, record.der, record.der_len) : NULL;
    one->order = entry->order;
}

static void load(oc_reader_t *reader, const char *path, uint32_t blocks_max, int with_der, apr_pool_t *pool)
{
    look_t look = {reader, with_der, pool};
    oc_file_load_t loaded;

    memset(reader, 0, sizeof(*reader));
    reader->path = path;
    reader->by_id = apr_hash_make(pool);
    reader->records = apr_array_make(pool, 16, sizeof(oc_reader_record_t *));
    reader->status = oc_file_load(path, blocks_max, take_record, &look, &loaded, pool);
    reader->problem = loaded.problem;
    reader->damaged = loaded.damaged;
    if (reader->status == APR_SUCCESS && loaded.is_other_layout) {
        reader->status = APR_EINVAL;
        reader->problem = apr_pstrcat(
            pool, path, " was written by another version of this module, or on another kind of machine", NULL);
    }
    reader->ledger_status = oc_ledger_load(&reader->ledger, oc_ledger_path(path, pool), pool, &reader->ledger_problem);
    if (reader->ledger_status != APR_SUCCESS)
        reader->ledger = apr_hash_make(pool);
}

void oc_reader_load(oc_reader_t *reader, const char *path, uint32_t blocks_max, apr_pool_t *pool)
{
    load(reader, path, blocks_max, 0, pool);
}

void oc_reader_load_whole(oc_reader_t *reader, const char *path, uint32_t blocks_max, apr_pool_t *pool)
{
    load(reader, path, blocks_max, 1, pool);
}

void oc_reader_fill(const oc_reader_t *reader, oc_view_t *view)
{
    const oc_reader_record_t *one = apr_hash_get(reader->by_id, view->id, OC_CERT_ID_LEN);
    const oc_ledger_entry_t *entry = apr_hash_get(reader->ledger, view->id, OC_CERT_ID_LEN);

    if (one)
        oc_view_take_record(view, &one->record);
    if (entry) {
        view->last = entry->note.verdict;
        view->failures = entry->note.failures;
        oc_view_take_attempt(view, entry->last_attempt);
        if (entry->note.verdict != OC_CERTIFICATE_EXPIRED) /* no responder is queried about it again */
            view->next_request = entry->note.due;
    }
}
