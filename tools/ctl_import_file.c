/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Import without a server. The file is created as the server does at each start: an arena loads the records of the old
 * file, then the new responses; each block goes to a fresh file, which replaces the old one in one step. If the tool is
 * killed before that, the old file stays.
 */
#include "ctl_import.h"

#include "cache/shm.h"

#include <apr_general.h>

#define SPARE_BLOCKS 256 /* for the new responses */

typedef struct {
    oc_shm_t *shm;
    oc_file_t *file;
    apr_status_t file_status; /* of writing */
    int is_full;              /* a record of the old file had no room: never to be committed */
} target_t;

static void write_behind(void *context, uint32_t block, const void *bytes)
{
    target_t *target = context;
    apr_status_t rv = oc_file_write(target->file, block, bytes);

    if (target->file_status == APR_SUCCESS)
        target->file_status = rv;
}

static void take_over(void *context, const oc_entry_t *entry)
{
    target_t *target = context;
    oc_key_t key = {entry->kind, entry->id_len, entry->id};

    if (oc_shm_put(target->shm, &key, entry, 0) == APR_ENOSPC)
        target->is_full = 1;
}

/* What the judging process verified, which may be fewer bytes than the file has. @return 0: nothing to store */
static int record_of(const ctl_t *ctl, const ctl_case_t *judged, oc_record_t *record)
{
    oc_verify_result_t result = judged->result;

    result.der = judged->der;
    result.der_len = judged->der_len;
    return oc_record_make(record, &result, judged->entry->cert, OC_ORIGIN_FILE, ctl->now);
}

static void put(const ctl_t *ctl, target_t *target, ctl_import_t *import)
{
    oc_key_t key = {OC_KIND_STAPLE, OC_CERT_ID_LEN, import->judged.entry->cert->id};
    oc_record_t record;
    oc_entry_t entry;
    apr_status_t rv;

    if (!record_of(ctl, &import->judged, &record)) {
        import->problem = "such a response is not stored";
        return;
    }
    entry.expiry = record.usable_until;
    entry.order = oc_record_order(&record);
    entry.data = apr_palloc(ctl->pool, OC_RECORD_HEAD_LEN + record.der_len);
    entry.data_len = oc_record_encode(&record, entry.data);
    rv = oc_shm_put(target->shm, &key, &entry, ctl->now);
    if (rv == APR_EEXIST)
        import->problem = "a newer response is stored";
    else if (rv != APR_SUCCESS)
        import->problem = "there is no room for it";
}

/* As many blocks as the server's cache has; more, where the file holds more. */
static apr_size_t size_for(const ctl_stock_t *stock, ctl_import_t **imports, int n)
{
    uint32_t blocks = stock->reader.blocks + SPARE_BLOCKS;
    int i;

    for (i = 0; i < n; i++)
        blocks += oc_block_count(OC_CERT_ID_LEN, OC_RECORD_HEAD_LEN + imports[i]->judged.der_len);
    if (blocks < stock->manifest->blocks)
        blocks = stock->manifest->blocks;
    return oc_shm_size_for(blocks);
}

/* The lock is held. */
static int write_fresh(const ctl_t *ctl, const ctl_stock_t *stock, ctl_import_t **imports, int n, apr_pool_t *pool)
{
    apr_size_t size = size_for(stock, imports, n);
    target_t target = {NULL, NULL, APR_SUCCESS, 0};
    const char *problem = "there is not enough memory";
    oc_file_load_t loaded;
    oc_shm_seed_t seed;
    apr_status_t rv = apr_generate_random_bytes((unsigned char *)seed.word, sizeof(seed.word));
    int i;

    if (rv == APR_SUCCESS)
        rv = oc_shm_create(&target.shm, size, OC_SHM_KEEP_VALID, seed, pool);
    if (rv == APR_SUCCESS)
        rv = oc_file_create(&target.file, ctl->path, oc_shm_blocks(size), pool, &problem);
    if (rv != APR_SUCCESS)
        return ctl_trouble(ctl, "%s", problem);
    oc_shm_on_change(target.shm, write_behind, &target);
    oc_shm_begin(target.shm);
    rv = oc_file_load(ctl->path, oc_file_blocks_max(oc_shm_blocks(size)), take_over, &target, &loaded, pool);
    for (i = 0; i < n && !target.is_full; i++)
        put(ctl, &target, imports[i]);
    oc_shm_end(target.shm);

    if (rv != APR_SUCCESS && rv != APR_ENOENT)
        return ctl_trouble(ctl, "%s", loaded.problem);
    if (target.is_full || target.file_status != APR_SUCCESS)
        return ctl_trouble(ctl, "%s: %s; the file is unchanged", ctl->path,
                           target.is_full ? "its contents do not fit into a new file"
                                          : "the new file cannot be written");
    rv = oc_file_commit(target.file, &problem);
    return rv == APR_SUCCESS ? CTL_OK : ctl_trouble(ctl, "%s", problem);
}

int ctl_import_into_file(const ctl_t *ctl, const ctl_stock_t *stock, ctl_import_t **imports, int n)
{
    const char *problem = NULL;
    apr_pool_t *pool;
    int status;

    if (stock->reader.status != APR_SUCCESS && stock->reader.status != APR_ENOENT)
        return ctl_trouble(ctl, "%s", stock->reader.problem);
    apr_pool_create(&pool, ctl->pool);
    if (oc_file_lock(ctl->path, pool, &problem) == APR_SUCCESS)
        status = write_fresh(ctl, stock, imports, n, pool);
    else
        status = ctl_trouble(ctl, "%s", problem);
    apr_pool_destroy(pool);
    return status;
}
