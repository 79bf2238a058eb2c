/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fills a new arena. Runs as root in the parent, and trusts neither an arena that children could write nor a file: it
 * copies by the reader's protocol and parses no ASN.1.
 */
#include "take_over.h"

#include "cache/file.h"
#include "server/module.h"

#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

#define ID_LEN 20 /* of most consumers' keys, for the estimate in the log */

typedef struct {
    oc_shm_t *shm;
    uint32_t blocks_max; /* how much of a file is read */
    uint32_t records;
    uint32_t refused;
    uint32_t blocks_refused;
} take_over_t;

/* Take over one record, without regard to the clock (invariant 10). The higher order wins. */
static void take_record(void *context, const oc_entry_t *entry)
{
    take_over_t *t = context;
    oc_key_t key = {entry->kind, entry->id_len, entry->id};
    apr_status_t rv = oc_shm_put(t->shm, &key, entry, 0);

    if (rv == APR_SUCCESS) {
        t->records++;
    }
    else if (rv == APR_ENOSPC) {
        t->refused++;
        t->blocks_refused += oc_block_count(entry->id_len, entry->data_len);
    }
}

static void take_from_arena(take_over_t *t, const oc_shm_t *old, apr_pool_t *pool)
{
    oc_shm_stats_t stats;
    oc_entry_t entry;
    uint32_t cursor = 0, budget;
    uint64_t note;

    oc_shm_stats(old, &stats);
    budget = 2 * stats.blocks; /* records share no blocks; a record that a writer changes meanwhile is read twice */
    entry.data = apr_palloc(pool, OC_BLOCK_DATA_MAX);
    entry.data_cap = OC_BLOCK_DATA_MAX;
    while (oc_shm_next(old, &cursor, &entry, &note, &budget) == APR_SUCCESS) {
        oc_key_t key = {entry.kind, entry.id_len, entry.id};

        take_record(t, &entry);
        if (note != 0)
            (void)oc_shm_set_note(t->shm, &key, note); /* lost when the bucket is full: the refresher restores it */
    }
}

static void take_from_file(take_over_t *t, const oc_take_over_source_t *from, server_rec *s, apr_pool_t *pool)
{
    oc_file_load_t loaded;
    apr_status_t rv = oc_file_load(from->path, t->blocks_max, take_record, t, &loaded, pool);

    if (rv == APR_ENOENT || (rv != APR_SUCCESS && from->is_reported))
        return;
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "%s: %s", from->directive, loaded.problem);
    else if (loaded.is_other_layout)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "%s: %s was written by another version of this module; its responses are fetched again",
                     from->directive, from->path);
    else if (loaded.damaged > 0)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "%s: %s: %u records are intact, %u are damaged and will be fetched again", from->directive,
                     from->path, loaded.records, loaded.damaged);
}

static void report(const take_over_t *t, const char *name, int is_sized_later, server_rec *s)
{
    oc_shm_stats_t stats;

    oc_shm_stats(t->shm, &stats);
    if (t->refused > 0 && is_sized_later)
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, "the cache %s: %u stored records fit, %u do not", name, t->records,
                     t->refused);
    else if (t->refused > 0)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "the cache %s is too small: %u records fit, %u do not. A size of %" APR_SIZE_T_FMT " holds all",
                     name, t->records, t->refused,
                     oc_shm_size_for(stats.blocks_used + t->blocks_refused + OC_BLOCK_CHAIN_MAX));
    else
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s,
                     "the cache %s holds %u records, %u of %u blocks; records of 2 kB: room for %u, of 4 kB: for "
                     "%u",
                     name, stats.records, stats.blocks_used, stats.blocks, oc_shm_capacity(stats.size, ID_LEN, 2048),
                     oc_shm_capacity(stats.size, ID_LEN, 4096));
}

void oc_take_over(oc_shm_t *shm, const oc_take_over_source_t *from, const char *name, server_rec *s, apr_pool_t *pool)
{
    take_over_t t = {.shm = shm};
    oc_shm_stats_t stats;

    oc_shm_stats(shm, &stats);
    t.blocks_max = oc_file_blocks_max(stats.blocks);
    oc_shm_begin(shm);
    if (from->shm)
        take_from_arena(&t, from->shm, pool);
    else if (from->path)
        take_from_file(&t, from, s, pool);
    oc_shm_end(shm);
    report(&t, name, from->is_sized_later, s);
}
