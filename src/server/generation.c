/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_generation: see oc_generation.h. Runs as root in the parent (begin, retire) and in children (lock, unlock). The parent
 * trusts nothing in an arena that children have had: it copies by the reader's protocol into a fresh one.
 */
#include "server/generation.h"

#include "cache/file.h"
#include "server/module.h"
#include "server/mutex.h"

#include <ap_mpm.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <scoreboard.h>

APLOG_USE_MODULE(ocsp_cache);

#define ID_LEN 20     /* as most consumers have it, for figures */
#define LOCK_TRIES 10 /* for the lock of the file, in all a second */
#define LOCK_PAUSE (APR_USEC_PER_SEC / LOCK_TRIES)
#define PROCESS_KEY "mod_ocsp_cache:process:1"

/* What outlives configurations, and even the module's own unloading: hung on the process pool. */
typedef struct {
    apr_pool_t *pool;
    apr_hash_t *caches; /* consumer -> its latest oc_generation_t */
    apr_hash_t *locked; /* paths whose lock this process holds */
    int is_running;     /* a cache was begun once: from now on this is a server at work */
    int reading;        /* counts the configurations read */
} process_t;

struct oc_generation_t {
    apr_pool_t *pool;
    const char *consumer; /* in the process pool */
    const char *name;     /* for the log: consumer and path */
    oc_shm_t *shm;
    apr_global_mutex_t *mutex; /* of writers */
    oc_lead_t *lead;           /* NULL: nobody leads here */
    oc_file_t *file;
    const char *path;
    int reading;               /* the configuration that began it */
    apr_status_t file_status;  /* of the last writer that wrote: a change of it is worth a log line */
    apr_status_t write_status; /* of the writer at work: its first failure */
    int has_written;
    int has_recovered;         /* from a writer that died */
    oc_generation_t *previous; /* kept one generation longer, for the mutex that draining children still use */
};

static process_t *process(void)
{
    void *found = NULL;
    process_t *process;

    apr_pool_userdata_get(&found, PROCESS_KEY, ap_pglobal);
    if (found)
        return found;
    process = apr_pcalloc(ap_pglobal, sizeof(*process));
    process->pool = ap_pglobal;
    process->caches = apr_hash_make(ap_pglobal);
    process->locked = apr_hash_make(ap_pglobal);
    apr_pool_userdata_setn(process, PROCESS_KEY, NULL, ap_pglobal);
    return process;
}

void oc_generation_reset(void)
{
    process()->reading++;
}

int oc_generation_is_running(void)
{
    return process()->is_running;
}

oc_shm_t *oc_generation_shm(const oc_generation_t *generation)
{
    return generation->shm;
}

const char *oc_generation_path(const oc_generation_t *generation)
{
    return generation->file ? generation->path : NULL;
}

/* ---- the mutex ---- */

apr_status_t oc_generation_lock(oc_generation_t *generation, server_rec *s)
{
    apr_status_t rv = apr_global_mutex_lock(generation->mutex);

    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, "cannot lock the mutex " OC_MUTEX_TYPE ": nothing is stored");
        return rv;
    }
    generation->write_status = APR_SUCCESS;
    generation->has_written = 0;
    generation->has_recovered = oc_shm_begin(generation->shm);
    return APR_SUCCESS;
}

void oc_generation_unlock(oc_generation_t *generation, server_rec *s)
{
    apr_status_t before = generation->file_status, status = generation->has_written ? generation->write_status : before;

    int has_recovered = generation->has_recovered;

    generation->file_status = status;
    oc_shm_end(generation->shm);
    apr_global_mutex_unlock(generation->mutex); /* and only then the log, which may be slow */

    if (has_recovered)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "a process died while it wrote to the cache %s; every record is whole, its free space was "
                     "counted anew",
                     generation->name);

    if (status != APR_SUCCESS && before == APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, status, s,
                     "cannot write the cache file %s: stapling goes on from memory, but what is fetched from now "
                     "on is lost when the server stops. Is the disk full?",
                     generation->path);
    else if (status == APR_SUCCESS && before != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "the cache file %s can be written again", generation->path);
}

/* ---- the file ---- */

/* Called with the mutex held; the log has to wait for unlock. After a failure no head is marked dead any more: a record that
 * did not reach the file leaves the one there that it replaced. */
static void write_behind(void *context, uint32_t block, const void *bytes)
{
    oc_generation_t *generation = context;
    apr_status_t rv;

    if (!bytes && generation->write_status != APR_SUCCESS)
        return;
    rv = oc_file_write(generation->file, block, bytes);
    generation->has_written = 1;
    if (generation->write_status == APR_SUCCESS)
        generation->write_status = rv;
}

/* Take the file for this process, once. */
static apr_status_t lock_file(const oc_generation_spec_t *spec, server_rec *s)
{
    process_t *p = process();
    const char *problem = NULL;
    apr_status_t rv;
    int tries;

    if (apr_hash_get(p->locked, spec->path, APR_HASH_KEY_STRING))
        return APR_SUCCESS;
    for (tries = 0; (rv = oc_file_lock(spec->path, p->pool, &problem)) == APR_EBUSY && tries < LOCK_TRIES; tries++)
        apr_sleep(LOCK_PAUSE); /* ocsp-cachectl has it for a moment while it imports */
    if (rv == APR_SUCCESS) {
        apr_hash_set(p->locked, apr_pstrdup(p->pool, spec->path), APR_HASH_KEY_STRING, p);
        return rv;
    }
    if (rv == APR_EBUSY && !p->is_running)
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "SSLStaplingCache: %s", problem);
    else
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "SSLStaplingCache: %s. The cache is kept in memory only", problem);
    return rv;
}

/* ---- taking over ---- */

typedef struct {
    oc_shm_t *shm;
    uint32_t blocks_max; /* of a file: what is worth reading */
    uint32_t records;
    uint32_t refused;
    uint32_t blocks_refused;
} take_over_t;

/* Take one record over; the clock has no say (invariant 10), the higher order wins. */
static void take_record(void *context, const oc_entry_t *entry)
{
    take_over_t *t = context;
    oc_key_t key = {entry->kind, entry->id_len, entry->id};
    apr_status_t rv = oc_shm_put(t->shm, &key, entry->expiry, entry->order, entry->data, entry->data_len, 0);

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
    budget = 2 * stats.blocks; /* records share no blocks; what a writer changes meanwhile is read twice */
    entry.data = apr_palloc(pool, OC_BLOCK_DATA_MAX);
    entry.data_cap = OC_BLOCK_DATA_MAX;
    while (oc_shm_next(old, &cursor, &entry, &note, &budget) == APR_SUCCESS) {
        oc_key_t key = {entry.kind, entry.id_len, entry.id};

        take_record(t, &entry);
        if (note != 0)
            (void)oc_shm_set_note(t->shm, &key, note); /* lost when the bucket is full: the refresher learns it anew */
    }
}

static void take_from_file(take_over_t *t, const char *path, server_rec *s, apr_pool_t *pool)
{
    const char *problem = NULL;
    oc_file_load_t loaded;
    apr_status_t rv = oc_file_load(path, t->blocks_max, take_record, t, &loaded, pool, &problem);

    if (rv != APR_SUCCESS && rv != APR_ENOENT)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "SSLStaplingCache: %s", problem);
    else if (loaded.is_other_layout)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "SSLStaplingCache: %s was written by another version of this module; its responses are "
                     "fetched again",
                     path);
    else if (loaded.damaged > 0)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "SSLStaplingCache: %s: %u records are whole and kept, %u are damaged and will be fetched "
                     "again",
                     path, loaded.records, loaded.damaged);
}

static void report_take_over(const take_over_t *t, const oc_generation_t *generation, server_rec *s)
{
    oc_shm_stats_t stats;

    oc_shm_stats(generation->shm, &stats);
    if (t->refused > 0)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "the cache %s is too small: %u records were kept, %u had no room. A size of %" APR_SIZE_T_FMT
                     " would hold them",
                     generation->name, t->records, t->refused,
                     oc_shm_size_for(stats.blocks_used + t->blocks_refused + OC_BLOCK_CHAIN_MAX));
    else
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s,
                     "the cache %s holds %u records, %u of %u blocks; records of 2 kB: room for %u, of 4 kB: for "
                     "%u",
                     generation->name, stats.records, stats.blocks_used, stats.blocks,
                     oc_shm_capacity(stats.size, ID_LEN, 2048), oc_shm_capacity(stats.size, ID_LEN, 4096));
}

static void keep_in_memory(oc_generation_t *generation, const char *problem, server_rec *s)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "SSLStaplingCache: %s. The cache is kept in memory only", problem);
    oc_shm_on_change(generation->shm, NULL, NULL);
    if (generation->file)
        oc_file_abandon(generation->file); /* on a full disk it would take the room that is missing */
    generation->file = NULL;
}

/* Begin the fresh file before the arena is filled, so that filling it writes the file. */
static void begin_file(oc_generation_t *generation, server_rec *s, apr_pool_t *pool)
{
    oc_shm_stats_t stats;
    const char *problem = NULL;
    apr_status_t rv = oc_file_check(generation->path, pool, &problem);

    oc_shm_stats(generation->shm, &stats);
    if (rv == APR_SUCCESS)
        rv = oc_file_create(&generation->file, generation->path, stats.blocks, generation->pool, &problem);
    if (rv == APR_SUCCESS)
        oc_shm_on_change(generation->shm, write_behind, generation);
    else
        keep_in_memory(generation, problem, s);
}

static void commit_file(oc_generation_t *generation, server_rec *s, apr_pool_t *pool)
{
    const char *problem = NULL;
    char why[120];

    if (generation->write_status != APR_SUCCESS)
        problem = apr_psprintf(pool, "cannot write %s: %s", generation->path,
                               apr_strerror(generation->write_status, why, sizeof(why)));
    else if (oc_file_commit(generation->file, &problem) == APR_SUCCESS)
        return;
    keep_in_memory(generation, problem, s);
}

/* Everything a new arena should begin with (invariant 10). The parent is alone with it: no mutex yet. */
static void fill(oc_generation_t *generation, const oc_generation_t *old, int with_file, server_rec *s)
{
    take_over_t t = {generation->shm, 0, 0, 0, 0};
    oc_shm_stats_t stats;
    apr_pool_t *pool;

    oc_shm_stats(generation->shm, &stats);
    t.blocks_max = oc_file_blocks_max(stats.blocks);
    apr_pool_create(&pool, generation->pool);
    if (with_file)
        begin_file(generation, s, pool);
    oc_shm_begin(generation->shm);
    if (old)
        take_from_arena(&t, old->shm, pool);
    else if (generation->file)
        take_from_file(&t, generation->path, s, pool);
    oc_shm_end(generation->shm);
    if (generation->file)
        commit_file(generation, s, pool);
    report_take_over(&t, generation, s);
    apr_pool_destroy(pool);
}

/* ---- the life of a generation ---- */

/* The mutex has a name of its own: some mechanisms make a file of it, and the last generation's still exists. */
static apr_status_t create_mutexes(oc_generation_t *generation, const oc_generation_spec_t *spec, server_rec *s)
{
    apr_pool_t *pool = generation->pool;
    const char *name = apr_psprintf(pool, "%s-%d", spec->consumer, generation->reading);
    apr_status_t rv = oc_mutex_create(&generation->mutex, name, s, pool);

    if (rv != APR_SUCCESS || !spec->has_lead)
        return rv;
    rv = oc_lead_create(&generation->lead, pool);
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, s, "cannot create the lead of the cache %s", generation->name);
    return rv;
}

static apr_status_t create(oc_generation_t **out, const oc_generation_spec_t *spec, server_rec *s)
{
    oc_generation_t *generation;
    oc_shm_seed_t seed;
    apr_pool_t *pool;
    apr_status_t rv;

    apr_pool_create(&pool, process()->pool);
    apr_pool_tag(pool, "ocsp_cache_generation");
    generation = apr_pcalloc(pool, sizeof(*generation));
    generation->pool = pool;
    generation->path = spec->path ? apr_pstrdup(pool, spec->path) : NULL;
    generation->name = apr_psprintf(pool, "%s (%s)", spec->consumer, spec->path ? spec->path : "in memory");
    generation->reading = process()->reading;

    rv = apr_generate_random_bytes((unsigned char *)seed.word, sizeof(seed.word));
    if (rv == APR_SUCCESS)
        rv = oc_shm_create(&generation->shm, spec->size, spec->policy, seed, pool);
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, s, "cannot create the cache %s of %" APR_SIZE_T_FMT " bytes",
                     generation->name, spec->size);
    else
        rv = create_mutexes(generation, spec, s);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return rv;
    }
    *out = generation;
    return APR_SUCCESS;
}

apr_status_t oc_generation_begin(oc_generation_t **out, const oc_generation_spec_t *spec, server_rec *s)
{
    process_t *p = process();
    oc_generation_t *old = apr_hash_get(p->caches, spec->consumer, APR_HASH_KEY_STRING), *generation;
    apr_status_t rv = spec->path ? lock_file(spec, s) : APR_SUCCESS;
    int with_file = spec->path && rv == APR_SUCCESS;

    if (rv == APR_EBUSY && !p->is_running)
        return rv;
    rv = create(&generation, spec, s);
    if (rv != APR_SUCCESS)
        return rv;

    fill(generation, old, with_file, s);
    if (old && old->previous) {
        apr_pool_destroy(old->previous->pool);
        old->previous = NULL;
    }
    generation->previous = old;
    generation->consumer =
        old ? old->consumer : apr_pstrdup(p->pool, spec->consumer); /* the hash keeps its first key */
    apr_hash_set(p->caches, generation->consumer, APR_HASH_KEY_STRING, generation);
    if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) /* some consumers init in both passes */
        p->is_running = 1;
    *out = generation;
    return APR_SUCCESS;
}

void oc_generation_retire(void)
{
    process_t *p = process();
    apr_hash_index_t *hi;

    for (hi = apr_hash_first(NULL, p->caches); hi; hi = apr_hash_next(hi)) {
        oc_generation_t *generation = apr_hash_this_val(hi);

        if (generation->reading == p->reading)
            continue;
        apr_hash_set(p->caches, generation->consumer, APR_HASH_KEY_STRING, NULL);
        if (generation->previous)
            apr_pool_destroy(generation->previous->pool);
        apr_pool_destroy(generation->pool);
    }
}

void oc_generation_child_init(apr_pool_t *pchild, server_rec *s)
{
    process_t *p = process();
    apr_hash_index_t *hi;

    for (hi = apr_hash_first(pchild, p->caches); hi; hi = apr_hash_next(hi)) {
        oc_generation_t *generation = apr_hash_this_val(hi);

        oc_mutex_child_init(&generation->mutex, s, pchild);
    }
}

int oc_generation_is_current(void)
{
    int generation = 0;

    if (ap_mpm_query(AP_MPMQ_GENERATION, &generation) != APR_SUCCESS || !ap_scoreboard_image)
        return 1;
    return generation == ap_scoreboard_image->global->running_generation;
}

oc_lead_t *oc_generation_lead(const oc_generation_t *generation)
{
    return generation->lead;
}
