/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Stores and reads the benchmark's values, one set of functions for each side.
 */
#include "bench_store.h"

#include <ap_provider.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <apr_time.h>

#include <string.h>

const char *const bench_side_names[BENCH_SIDES] = {"ours", "shmcb", "floor"};
static const char *const provider_names[BENCH_SIDES] = {"ocsp_cache", "shmcb", NULL};

apr_global_mutex_t *bench_mutex;
static const ap_socache_provider_t *providers[BENCH_SIDES];

uint64_t bench_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void bench_make_id(unsigned entry, unsigned char *id)
{
    uint64_t state = 0x9e3779b97f4a7c15u * (entry + 1), words[3];
    int i;

    for (i = 0; i < 3; i++) {
        bench_random(&state);
        words[i] = bench_random(&state);
    }
    memcpy(id, words, BENCH_ID_LEN);
}

void bench_make_value(unsigned entry, unsigned char *value, unsigned size)
{
    uint64_t state = 0x2545f4914f6cdd1du * (entry + 1);
    unsigned i;

    for (i = 0; i < size; i++)
        value[i] = (unsigned char)(bench_random(&state) >> 40);
    memcpy(value, &entry, sizeof(entry));
}

/* ---- one call ---- */

static void lock_for(int side)
{
    if (providers[side]->flags & AP_SOCACHE_FLAG_NOTMPSAFE)
        apr_global_mutex_lock(bench_mutex);
}

static void unlock_for(int side)
{
    if (providers[side]->flags & AP_SOCACHE_FLAG_NOTMPSAFE)
        apr_global_mutex_unlock(bench_mutex);
}

apr_status_t bench_put(const bench_store_t *store, int side, unsigned entry, const unsigned char *id,
                       unsigned char *value, server_rec *s)
{
    apr_status_t rv;

    if (side == BENCH_FLOOR) {
        memcpy(store->sink + (apr_size_t)entry * store->stride, value, store->size);
        return APR_SUCCESS;
    }
    lock_for(side);
    rv = providers[side]->store(store->instance[side], s, id, BENCH_ID_LEN, apr_time_now() + apr_time_from_sec(86400),
                                value, store->size, NULL);
    unlock_for(side);
    return rv;
}

apr_status_t bench_get(const bench_store_t *store, int side, unsigned entry, const unsigned char *id,
                       unsigned char *value, unsigned *len, server_rec *s)
{
    apr_status_t rv;

    if (side == BENCH_FLOOR) {
        memcpy(value, store->floor + (apr_size_t)entry * store->stride, store->size);
        *len = store->size;
        return APR_SUCCESS;
    }
    lock_for(side);
    rv = providers[side]->retrieve(store->instance[side], s, id, BENCH_ID_LEN, value, len, NULL);
    unlock_for(side);
    return rv;
}

/* ---- the parent prepares ---- */

void *bench_share(apr_size_t size, apr_pool_t *pool)
{
    apr_shm_t *shm;

    return apr_shm_create(&shm, size, NULL, pool) == APR_SUCCESS ? apr_shm_baseaddr_get(shm) : NULL;
}

/* Ours half again as large as it has to be, as an administrator would make it. shmcb gets four times as much, for its
 * parts fill unevenly, and what a writer replaces still takes space: with less it would lose entries. */
static apr_size_t size_for(const bench_store_t *store, int side)
{
    apr_size_t n = store->entries;

    return side == BENCH_OURS ? n * (store->size + 1200) * 3 / 2 + 65536 : n * (store->size + 1024) * 4 + 1048576;
}

static const char *begin_side(bench_store_t *store, int side, int number, server_rec *s, apr_pool_t *pconf,
                              apr_pool_t *ptemp)
{
    struct ap_socache_hints hints = {20, 1500, 300000000}; /* mod_ssl's own for stapling */
    const char *name = provider_names[side], *cname, *arg, *error;

    providers[side] = ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name, AP_SOCACHE_PROVIDER_VERSION);
    if (!providers[side])
        return apr_pstrcat(ptemp, "no socache provider ", name, NULL);
    cname = apr_psprintf(pconf, "bench-%d", number);
    arg = apr_psprintf(ptemp, side == BENCH_OURS ? "(%" APR_SIZE_T_FMT ")" : "bench(%" APR_SIZE_T_FMT ")",
                       size_for(store, side));
    error = providers[side]->create(&store->instance[side], arg, ptemp, pconf);
    if (!error && providers[side]->init(store->instance[side], cname, &hints, s, pconf) != APR_SUCCESS)
        error = "init failed";
    return error ? apr_pstrcat(ptemp, name, ": ", error, NULL) : NULL;
}

static const char *fill(bench_store_t *store, server_rec *s, apr_pool_t *ptemp)
{
    unsigned char *value = apr_palloc(ptemp, BENCH_VALUE_MAX), *seen = apr_palloc(ptemp, BENCH_VALUE_MAX),
                  id[BENCH_ID_LEN];
    unsigned entry, len;
    int side;

    for (entry = 0; entry < store->entries; entry++) {
        bench_make_id(entry, id);
        bench_make_value(entry, value, store->size);
        memcpy(store->floor + (apr_size_t)entry * store->stride, value, store->size);
        for (side = 0; side < BENCH_FLOOR; side++)
            if (bench_put(store, side, entry, id, value, s) != APR_SUCCESS)
                return apr_psprintf(ptemp, "%s cannot store entry %u", bench_side_names[side], entry);
    }
    for (entry = 0; entry < store->entries; entry++) {
        bench_make_id(entry, id);
        bench_make_value(entry, value, store->size);
        for (side = 0; side < BENCH_SIDES; side++) {
            len = BENCH_VALUE_MAX;
            if (bench_get(store, side, entry, id, seen, &len, s) != APR_SUCCESS || len != store->size
                || memcmp(value, seen, len) != 0)
                return apr_psprintf(ptemp, "%s has lost entry %u", bench_side_names[side], entry);
        }
    }
    return NULL;
}

const char *bench_store_begin(bench_store_t *store, int number, server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    const char *error = begin_side(store, BENCH_OURS, number, s, pconf, ptemp);

    if (!error)
        error = begin_side(store, BENCH_SHMCB, number, s, pconf, ptemp);
    if (error)
        return error;
    store->stride = (store->size + 63u) & ~63u;
    store->floor = bench_share((apr_size_t)store->entries * store->stride, pconf);
    store->sink = bench_share((apr_size_t)store->entries * store->stride, pconf);
    return store->floor && store->sink ? fill(store, s, ptemp) : "no shared memory for the floor";
}
