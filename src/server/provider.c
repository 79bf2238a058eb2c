/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The functions that mod_ssl and other consumers call through the socache interface. Instances live in the process
 * pool, because mod_ssl keeps its pointer to one after the configuration that named it is gone. A stale instance
 * answers and does no harm.
 */
#include "server/provider.h"

#include "server/argument.h"
#include "server/generation.h"
#include "server/module.h"

#include <ap_provider.h>
#include <ap_socache.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <mod_status.h>
#include <time.h>
#include <unistd.h>

APLOG_USE_MODULE(ocsp_cache);

#define STAPLING_CONSUMER "mod_ssl-staple" /* mod_ssl's name for its stapling cache in init */

struct ap_socache_instance_t {
    oc_argument_t argument;
    int is_destroyed;
    int has_warned;
    oc_generation_t *generation; /* NULL before init, and for a destroyed instance */
};

static uint64_t process_id;            /* see lane() */
static ap_socache_instance_t *staples; /* this configuration's instance for stapling; NULL: none yet */

/* ---- create ---- */

static const char *provider_create(ap_socache_instance_t **out, const char *arg, apr_pool_t *tmp, apr_pool_t *p)
{
    ap_socache_instance_t *instance = apr_pcalloc(ap_pglobal, sizeof(*instance));
    const char *error = oc_argument_parse(&instance->argument, arg, ap_pglobal);

    (void)tmp;
    (void)p;
    *out = error ? NULL : instance;
    return error;
}

/* ---- init and destroy ---- */

static apr_status_t provider_init(ap_socache_instance_t *instance, const char *cname,
                                  const struct ap_socache_hints *hints, server_rec *s, apr_pool_t *pool)
{
    int is_staples = strcmp(cname, STAPLING_CONSUMER) == 0;
    oc_generation_spec_t spec = {cname,
                                 NULL,
                                 instance->argument.size,
                                 is_staples ? OC_SHM_KEEP_VALID : OC_SHM_DROP_OLDEST,
                                 is_staples,
                                 "SSLStaplingCache"};
    apr_status_t rv;

    (void)hints;
    if (instance->is_destroyed) {
        if (!instance->has_warned)
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "%s still uses the ocsp_cache of an earlier configuration, which is gone: nothing is cached. "
                         "If SSLUseStapling is still on, name a cache in SSLStaplingCache, or the server does not "
                         "start again. Then restart it",
                         cname);
        instance->has_warned = 1;
        return APR_SUCCESS;
    }
    if (is_staples) /* only these are written to disk, never session secrets or passwords (invariant 9) */
        spec.path = oc_argument_file(&instance->argument, pool);
    rv = oc_generation_begin(&instance->generation, &spec, s);
    if (rv == APR_SUCCESS && is_staples)
        staples = instance;
    return rv;
}

static void provider_destroy(ap_socache_instance_t *instance, server_rec *s)
{
    (void)s;
    if (!instance)
        return;
    instance->is_destroyed = 1;
    instance->generation = NULL; /* the generation itself lives until the next one has taken over its records */
    if (staples == instance)
        staples = NULL;
}

/* ---- the cache of other consumers ---- */

static int make_key(oc_key_t *key, const unsigned char *id, unsigned int idlen)
{
    if (idlen == 0 || idlen > OC_BLOCK_ID_MAX)
        return 0;
    key->kind = OC_KIND_SOCACHE;
    key->id_len = (apr_uint16_t)idlen;
    key->id = id;
    return 1;
}

/* A counter lane for this thread; threads share lanes where there are too few. Not by getpid(), which is a system call
 * and would give all threads of a process one lane, whose cache line would move between processors at each read. */
static unsigned lane(void)
{
    uint64_t self = (uint64_t)(uintptr_t)apr_os_thread_current() + process_id;

    return (unsigned)((self * UINT64_C(0x9e3779b97f4a7c15)) >> 58);
}

/* Has this time passed? The coarse clock, at a fifth of the cost, decides unless the time is near. */
static int is_over(apr_time_t expiry)
{
#ifdef CLOCK_REALTIME_COARSE
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 && expiry > apr_time_from_sec((apr_time_t)now.tv_sec + 2))
        return 0;
#endif
    return expiry <= apr_time_now();
}

static apr_status_t provider_store(ap_socache_instance_t *instance, server_rec *s, const unsigned char *id,
                                   unsigned int idlen, apr_time_t expiry, unsigned char *data, unsigned int datalen,
                                   apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    apr_status_t rv;
    oc_entry_t entry;
    oc_shm_t *shm;
    oc_key_t key;

    (void)pool;
    if (!instance->generation)
        return APR_EGENERAL;
    if (!make_key(&key, id, idlen) || datalen > OC_BLOCK_DATA_MAX)
        return APR_EINVAL;
    rv = oc_generation_lock(instance->generation, s);
    if (rv != APR_SUCCESS)
        return rv;
    shm = oc_generation_shm(instance->generation);
    entry.expiry = expiry;
    entry.order = (uint64_t)now;
    entry.data = data;
    entry.data_len = datalen;
    rv = oc_shm_put(shm, &key, &entry, now);
    if (rv == APR_EEXIST) { /* the clock was set back; in this interface the last store wins */
        (void)oc_shm_remove(shm, &key);
        rv = oc_shm_put(shm, &key, &entry, now);
    }
    if (rv == APR_SUCCESS)
        oc_shm_count(shm, lane(), OC_COUNT_STORE);
    oc_generation_unlock(instance->generation, s);
    return rv;
}

static apr_status_t provider_retrieve(ap_socache_instance_t *instance, server_rec *s, const unsigned char *id,
                                      unsigned int idlen, unsigned char *data, unsigned int *datalen, apr_pool_t *pool)
{
    apr_size_t len = *datalen;
    oc_shm_meta_t meta;
    const oc_shm_t *shm;
    apr_status_t rv;
    oc_key_t key;

    (void)s;
    (void)pool;
    if (!instance->generation || !make_key(&key, id, idlen))
        return APR_NOTFOUND;
    shm = oc_generation_shm(instance->generation);
    rv = oc_shm_get(shm, &key, data, &len, &meta);
    if (rv == APR_SUCCESS && is_over(meta.expiry))
        rv = APR_NOTFOUND;
    oc_shm_count(shm, lane(), rv == APR_SUCCESS ? OC_COUNT_HIT : OC_COUNT_MISS);
    if (rv == APR_SUCCESS)
        *datalen = (unsigned int)len;
    return rv;
}

static apr_status_t provider_remove(ap_socache_instance_t *instance, server_rec *s, const unsigned char *id,
                                    unsigned int idlen, apr_pool_t *pool)
{
    apr_status_t rv;
    oc_key_t key;

    (void)pool;
    if (!instance->generation || !make_key(&key, id, idlen))
        return APR_NOTFOUND;
    rv = oc_generation_lock(instance->generation, s);
    if (rv != APR_SUCCESS)
        return rv;
    rv = oc_shm_remove(oc_generation_shm(instance->generation), &key);
    oc_generation_unlock(instance->generation, s);
    return rv;
}

static apr_status_t provider_iterate(ap_socache_instance_t *instance, server_rec *s, void *userctx,
                                     ap_socache_iterator_t *iterator, apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    apr_status_t rv = APR_SUCCESS;
    const oc_shm_t *shm;
    oc_entry_t *entry;
    uint32_t cursor = 0;

    if (!instance->generation)
        return APR_SUCCESS;
    shm = oc_generation_shm(instance->generation);
    entry = apr_palloc(pool, sizeof(*entry));
    entry->data = apr_palloc(pool, OC_BLOCK_DATA_MAX + 1);
    entry->data_cap = OC_BLOCK_DATA_MAX;
    while (rv == APR_SUCCESS && oc_shm_next(shm, &cursor, entry, NULL, NULL) == APR_SUCCESS) {
        char *id;

        if (entry->kind != OC_KIND_SOCACHE || entry->expiry <= now)
            continue;
        id = apr_pstrmemdup(pool, (const char *)entry->id,
                            entry->id_len); /* NUL-terminated, and the data too, as the interface requires */
        entry->data[entry->data_len] = '\0';
        rv = iterator(instance, s, userctx, (const unsigned char *)id, entry->id_len, entry->data,
                      (unsigned int)entry->data_len, pool);
    }
    return rv;
}

static void provider_status(ap_socache_instance_t *instance, request_rec *r, int flags)
{
    oc_shm_stats_t stats;
    const oc_shm_t *shm;
    const char *format;

    if (!instance->generation)
        return;
    shm = oc_generation_shm(instance->generation);
    oc_shm_stats(shm, &stats);
    format = flags & AP_STATUS_SHORT
                 ? "CacheType: OCSP_CACHE\nCacheSize: %" APR_SIZE_T_FMT
                   "\nCacheEntries: %u\nCacheBlocks: %u\nCacheBlocksUsed: %u\nCacheStoreCount: %" APR_UINT64_T_FMT
                   "\nCacheRetrieveHitCount: %" APR_UINT64_T_FMT "\nCacheRetrieveMissCount: %" APR_UINT64_T_FMT "\n"
                 : "cache type: <b>ocsp_cache</b>, shared memory: <b>%" APR_SIZE_T_FMT
                   "</b> bytes, current entries: <b>%u</b><br>blocks: <b>%u</b>, used: <b>%u</b><br>total "
                   "entries stored: <b>%" APR_UINT64_T_FMT "</b>, retrieves: <b>%" APR_UINT64_T_FMT
                   "</b> hit, <b>%" APR_UINT64_T_FMT "</b> miss<br>\n";
    ap_rprintf(r, format, stats.size, stats.records, stats.blocks, stats.blocks_used,
               oc_shm_counter(shm, OC_COUNT_STORE), oc_shm_counter(shm, OC_COUNT_HIT),
               oc_shm_counter(shm, OC_COUNT_MISS));
}

/* No AP_SOCACHE_FLAG_NOTMPSAFE: these functions need no mutex around them. But see want_mutex(). */
static ap_socache_provider_t provider = {OC_PROVIDER_NAME,  0,
                                         provider_create,   provider_init,
                                         provider_destroy,  provider_store,
                                         provider_retrieve, provider_remove,
                                         provider_status,   provider_iterate};

/* ---- the life of a configuration ---- */

oc_generation_t *oc_provider_stapling(void)
{
    return staples ? staples->generation : NULL;
}

void oc_provider_register(apr_pool_t *pconf)
{
    ap_register_provider(pconf, AP_SOCACHE_PROVIDER_GROUP, OC_PROVIDER_NAME, AP_SOCACHE_PROVIDER_VERSION, &provider);
}

/* mod_ssl creates the mutex for a stapling cache only in the first configuration that staples, and only if that cache
 * needs it. A later reload to shmcb, which needs it, crashes every child at its first handshake (seen with 2.4.71). So
 * the flag is set while mod_ssl sets itself up, and cleared before the first child could take the mutex. */
static void want_mutex(int is_wanted)
{
    provider.flags = is_wanted ? AP_SOCACHE_FLAG_NOTMPSAFE : 0;
}

void oc_provider_reset(void)
{
    want_mutex(1);
    staples = NULL;
    oc_generation_reset();
}

void oc_provider_settle(void)
{
    want_mutex(0);
    oc_generation_settle();
}

void oc_provider_child_init(apr_pool_t *pchild, server_rec *s)
{
    process_id = (uint64_t)getpid() << 20;
    oc_generation_child_init(pchild, s);
}
