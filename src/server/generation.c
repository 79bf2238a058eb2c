/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The life of a cache's arena, mutex and file. Runs as root in the parent (begin, settle) and in children (lock,
 * unlock). At a reload clients wait for the parent: it only copies memory, and leaves writing to disk to server/later.
 * Only a cold start may fail.
 */
#include "server/generation.h"

#include "take_over.h"
#include "cache/file.h"
#include "server/argument.h"
#include "server/later.h"
#include "server/module.h"
#include "server/mutex.h"

#include <ap_mpm.h>
#include <apr_hash.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <stdatomic.h>
#include <unistd.h>

APLOG_USE_MODULE(ocsp_cache);

#define LOCK_TRIES 10 /* for the lock of the file: one second in all */
#define LOCK_PAUSE (APR_USEC_PER_SEC / LOCK_TRIES)
#define PROCESS_KEY "mod_ocsp_cache:process:1"

/* What outlives configurations, and even the unloading of the module: attached to the process pool. */
typedef struct {
    apr_pool_t *pool;
    apr_hash_t *caches; /* consumer -> its latest oc_generation_t */
    apr_hash_t *locked; /* paths whose lock this process holds */
    int is_running;     /* a cache has been begun: the server is running */
    int reading;        /* counts the configurations read */
} process_t;

/* In shared memory: what one process finds out for all. */
typedef struct {
    atomic_int is_file_lost;     /* the file could not be made */
    atomic_int is_file_behind;   /* a write failed: records that a later one does not replace are not in the file */
    atomic_int is_size_reported; /* that the cache is too small */
} shared_t;

struct oc_generation_t {
    apr_pool_t *pool;
    const char *consumer; /* in the process pool */
    const char *name;     /* for the log: consumer and path */
    oc_shm_t *shm;
    apr_global_mutex_t *mutex; /* of writers */
    oc_lead_t *lead;           /* NULL: this cache has no leader */
    oc_file_t *file;
    shared_t *shared;
    const char *path;
    const char *directive; /* that names it */
    int reading;           /* the configuration that began it */
    pid_t creator;
    apr_status_t file_status;  /* of the last writer that wrote: a change is logged */
    apr_status_t write_status; /* of the current writer: its first failure */
    int has_written;
    int is_brief;              /* the current writer leaves the file to later ones */
    int has_recovered;         /* after a writer died */
    oc_generation_t *previous; /* lives one generation longer, for the mutex that draining children still use */
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

const oc_shm_t *oc_generation_previous_shm(const oc_generation_t *generation)
{
    return generation->previous ? generation->previous->shm : NULL;
}

const char *oc_generation_path(const oc_generation_t *generation)
{
    return generation->file && !atomic_load(&generation->shared->is_file_lost) ? generation->path : NULL;
}

int oc_generation_reports_size(oc_generation_t *generation)
{
    return atomic_exchange(&generation->shared->is_size_reported, 1) == 0;
}

/* ---- the mutex ---- */

static apr_status_t begin(oc_generation_t *generation, apr_status_t locked, int is_brief, server_rec *s)
{
    if (locked != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, locked, s, "cannot lock the mutex " OC_MUTEX_TYPE ": nothing is stored");
        return locked;
    }
    generation->is_brief = is_brief;
    generation->write_status = APR_SUCCESS;
    generation->has_written = 0;
    generation->has_recovered = oc_shm_begin(generation->shm);
    return APR_SUCCESS;
}

apr_status_t oc_generation_lock(oc_generation_t *generation, server_rec *s)
{
    return begin(generation, apr_global_mutex_lock(generation->mutex), 0, s);
}

/* APR has a trylock for every mechanism that oc_mutex_create() admits. */
apr_status_t oc_generation_lock_briefly(oc_generation_t *generation, server_rec *s)
{
    apr_status_t rv = apr_global_mutex_trylock(generation->mutex);

    return APR_STATUS_IS_EBUSY(rv) ? rv : begin(generation, rv, 1, s);
}

/* The disk was full, for example. Blocks that were free in the arena meanwhile may hold the only version of a record in
 * the file: so when writing works again, all of it is written. Mutex held. */
static apr_status_t catch_up(oc_generation_t *generation)
{
    if (generation->write_status == APR_SUCCESS && atomic_load(&generation->shared->is_file_behind))
        oc_shm_rewrite(generation->shm);
    atomic_store(&generation->shared->is_file_behind, generation->write_status != APR_SUCCESS);
    return generation->write_status;
}

void oc_generation_unlock(oc_generation_t *generation, server_rec *s)
{
    apr_status_t before = generation->file_status, status = generation->has_written ? catch_up(generation) : before;
    int has_recovered = generation->has_recovered, is_brief = generation->is_brief;

    generation->file_status = status;
    if (!has_recovered || !is_brief) /* else the memory is repaired, but not the file: the next writer does both */
        oc_shm_end(generation->shm);
    apr_global_mutex_unlock(generation->mutex); /* before logging, which may be slow */

    if (has_recovered && !is_brief)
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE, 0, s,
            "a process died while it wrote to the cache %s: every record is intact, and the free space has been "
            "counted again",
            generation->name);

    if (status != APR_SUCCESS && before == APR_SUCCESS)
        ap_log_error(
            APLOG_MARK, APLOG_ERR, status, s,
            "cannot write the cache file %s (%s): the cache continues in memory, but what is stored from now on "
            "is lost when the server stops. Is the disk full?",
            generation->path, generation->directive);
    else if (status == APR_SUCCESS && before != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "the cache file %s can be written again", generation->path);
}

/* ---- the file ---- */

/* Mutex held: logging has to wait for unlock. After a failure no head is marked dead: a record that did not reach the
 * file leaves the one that it replaced there. */
static void write_behind(void *context, uint32_t block, const void *bytes)
{
    oc_generation_t *generation = context;
    apr_status_t rv;

    if (generation->is_brief || atomic_load(&generation->shared->is_file_lost)
        || (!bytes && generation->write_status != APR_SUCCESS))
        return;
    rv = oc_file_write(generation->file, block, bytes);
    generation->has_written = 1;
    if (generation->write_status == APR_SUCCESS)
        generation->write_status = rv;
}

static void report_no_file(const char *directive, const char *path, apr_status_t rv, const char *problem, server_rec *s,
                           apr_pool_t *pool)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "%s", oc_argument_memory_only(directive, problem, rv, path, pool));
}

/* Once for this process. */
static apr_status_t lock_file(const char *path, const char **problem)
{
    process_t *p = process();
    apr_status_t rv;
    int tries;

    if (apr_hash_get(p->locked, path, APR_HASH_KEY_STRING))
        return APR_SUCCESS;
    for (tries = 0; (rv = oc_file_lock(path, p->pool, problem)) == APR_EBUSY && tries < LOCK_TRIES; tries++)
        apr_sleep(LOCK_PAUSE); /* ocsp-cachectl holds it for a moment while it imports */
    if (rv == APR_SUCCESS)
        apr_hash_set(p->locked, apr_pstrdup(p->pool, path), APR_HASH_KEY_STRING, p);
    return rv;
}

/* Take the file for this process. @return APR_EBUSY: another running server has it */
static apr_status_t claim_file(const oc_generation_spec_t *spec, server_rec *s)
{
    const char *path = spec->path;
    const char *problem = NULL;
    apr_pool_t *pool;
    apr_status_t rv;

    apr_pool_create(&pool, process()->pool);
    rv = oc_file_check(path, pool, &problem);
    if (rv == APR_SUCCESS)
        rv = lock_file(path, &problem);
    if (rv == APR_EBUSY && !process()->is_running)
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "%s: %s", spec->directive, problem);
    else if (rv != APR_SUCCESS)
        report_no_file(spec->directive, path, rv, problem, s, pool);
    apr_pool_destroy(pool);
    return rv;
}

/* Nothing is written to it yet: at a reload clients wait for the parent. */
static void prepare_file(oc_generation_t *generation, server_rec *s, apr_pool_t *pool)
{
    oc_shm_stats_t stats;
    const char *problem = NULL;
    apr_status_t rv;

    oc_shm_stats(generation->shm, &stats);
    rv = oc_file_prepare(&generation->file, generation->path, stats.blocks, generation->pool, &problem);
    if (rv != APR_SUCCESS)
        report_no_file(generation->directive, generation->path, rv, problem, s, pool);
}

/* Children may write already: all blocks of the arena are written under the mutex. */
static void write_file(void *data, server_rec *s)
{
    oc_generation_t *generation = data;
    const char *problem = NULL;
    apr_status_t rv;
    char why[120];

    if (getpid() != generation->creator)
        oc_mutex_child_init(&generation->mutex, s, generation->pool);
    rv = apr_global_mutex_lock(generation->mutex);
    if (rv == APR_SUCCESS) {
        generation->write_status = APR_SUCCESS;
        oc_shm_rewrite(generation->shm);
        rv = generation->write_status;
        apr_global_mutex_unlock(generation->mutex);
    }
    if (rv == APR_SUCCESS)
        rv = oc_file_commit(generation->file, &problem);
    if (rv == APR_SUCCESS)
        return;
    atomic_store(&generation->shared->is_file_lost, 1);
    if (!problem)
        problem =
            apr_psprintf(generation->pool, "cannot write %s: %s", generation->path, apr_strerror(rv, why, sizeof(why)));
    oc_file_abandon(generation->file); /* on a full disk it would take up needed space */
    generation->file = NULL;
    report_no_file(generation->directive, generation->path, rv, problem, s, generation->pool);
}

static void leave_file(void *data)
{
    oc_file_leave(((oc_generation_t *)data)->file);
}

static const oc_later_t WRITE_FILE = {write_file, leave_file};

/* No mutex: only the parent has the arena yet.
 * @param claimed what claim_file() returned: a file that cannot be written is still read, unless it is not ours */
static void fill(oc_generation_t *generation, const oc_generation_t *old, apr_status_t claimed, server_rec *s)
{
    oc_take_over_source_t from = {
        .shm = old ? old->shm : NULL, .is_sized_later = generation->path != NULL, .directive = generation->directive};
    apr_pool_t *pool;

    apr_pool_create(&pool, generation->pool);
    if (generation->path && claimed == APR_SUCCESS)
        prepare_file(generation, s, pool);
    if (claimed != APR_EBUSY && claimed != APR_EGENERAL)
        from.path = generation->path;
    from.is_reported = !generation->file;
    oc_take_over(generation->shm, &from, generation->name, s, pool);
    if (generation->file)
        oc_later_add(&WRITE_FILE, generation);
    apr_pool_destroy(pool);
}

/* ---- the life of a generation ---- */

/* The mutex's name differs in each generation: some mechanisms create a file of that name, and the last one's still
 * exists. */
apr_status_t oc_generation_make_mutex(oc_generation_t *generation, apr_global_mutex_t **mutex, const char *instance,
                                      server_rec *s)
{
    const char *name = apr_psprintf(generation->pool, "%s-%d", instance, generation->reading);

    return oc_mutex_create(mutex, name, s, generation->pool);
}

static apr_status_t create_mutexes(oc_generation_t *generation, const oc_generation_spec_t *spec, server_rec *s)
{
    apr_status_t rv = oc_generation_make_mutex(generation, &generation->mutex, spec->consumer, s);

    if (rv != APR_SUCCESS || !spec->has_lead)
        return rv;
    rv = oc_lead_create(&generation->lead, generation->pool);
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, s,
                     "cannot create the lock that decides which child refreshes, for the cache %s", generation->name);
    return rv;
}

static apr_status_t create_shared(shared_t **shared, apr_pool_t *pool)
{
    apr_shm_t *shm;
    apr_status_t rv = apr_shm_create(&shm, sizeof(**shared), NULL, pool);

    if (rv == APR_SUCCESS) {
        *shared = apr_shm_baseaddr_get(shm);
        atomic_init(&(*shared)->is_file_lost, 0);
        atomic_init(&(*shared)->is_file_behind, 0);
        atomic_init(&(*shared)->is_size_reported, 0);
    }
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
    generation->directive = spec->directive; /* a string of the program */
    generation->name = apr_psprintf(pool, "%s (%s)", spec->consumer, spec->path ? spec->path : "in memory");
    generation->reading = process()->reading;
    generation->creator = getpid();

    rv = apr_generate_random_bytes((unsigned char *)seed.word, sizeof(seed.word));
    if (rv == APR_SUCCESS)
        rv = oc_shm_create(&generation->shm, spec->size, spec->policy, seed, pool);
    if (rv == APR_SUCCESS)
        rv = create_shared(&generation->shared, pool);
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
    apr_status_t rv, claimed = spec->path ? claim_file(spec, s) : APR_SUCCESS;

    if (claimed == APR_EBUSY && !p->is_running)
        return claimed;
    rv = create(&generation, spec, s);
    if (rv != APR_SUCCESS)
        return rv;

    /* One that the last configuration did not begin is only kept for draining children; its file may be newer. */
    fill(generation, old && old->reading >= p->reading - 1 ? old : NULL, claimed, s);
    if (old && old->previous) {
        apr_pool_destroy(old->previous->pool);
        old->previous = NULL;
    }
    generation->previous = old;
    generation->consumer =
        old ? old->consumer : apr_pstrdup(p->pool, spec->consumer); /* the hash keeps the key that was set first */
    apr_hash_set(p->caches, generation->consumer, APR_HASH_KEY_STRING, generation);
    if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) /* some consumers init in both passes */
        p->is_running = 1;
    *out = generation;
    return APR_SUCCESS;
}

void oc_generation_settle(void)
{
    process_t *p = process();
    apr_hash_index_t *hi;

    for (hi = apr_hash_first(NULL, p->caches); hi; hi = apr_hash_next(hi)) {
        oc_generation_t *generation = apr_hash_this_val(hi);

        if (generation->reading == p->reading) {
            if (generation->file) /* from here on; what the arena holds already is written by write_file() */
                oc_shm_on_change(generation->shm, write_behind, generation);
            continue;
        }
        if (generation->reading == p->reading - 1) /* children that drain still use its mutex */
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

oc_lead_t *oc_generation_lead(const oc_generation_t *generation)
{
    return generation->lead;
}
