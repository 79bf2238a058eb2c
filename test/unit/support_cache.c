/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Random numbers, keys, payloads and arenas for the tests of the cache.
 */
#include "support_cache.h"

#include <apr_general.h>
#include <stdlib.h>
#include <string.h>

apr_pool_t *cache_pool;
uint64_t cache_seed;

static apr_pool_t *group_pool;

int cache_group_setup(void **state)
{
    (void)state;
    if (apr_initialize() != APR_SUCCESS)
        return -1;
    return apr_pool_create(&group_pool, NULL) == APR_SUCCESS ? 0 : -1;
}

int cache_group_teardown(void **state)
{
    (void)state;
    apr_pool_destroy(group_pool);
    apr_terminate();
    return 0;
}

int cache_setup(void **state)
{
    (void)state;
    cache_seed = 20260101;
    return apr_pool_create(&cache_pool, group_pool) == APR_SUCCESS ? 0 : -1;
}

int cache_teardown(void **state)
{
    (void)state;
    apr_pool_destroy(cache_pool);
    return 0;
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t cache_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(*state);
}

uint32_t cache_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((cache_random(state) >> 32) * n >> 32);
}

const oc_key_t *cache_key(cache_key_t *key, uint64_t number)
{
    uint64_t scattered = mix(number + 1);

    memset(key->id, 0, sizeof(key->id));
    memcpy(key->id, &scattered, 8);
    memcpy(key->id + 8, &number, 8);
    key->key.kind = 'R';
    key->key.id_len = sizeof(key->id);
    key->key.id = key->id;
    return &key->key;
}

static uint64_t payload_word(uint64_t number, uint64_t version, apr_size_t len, apr_size_t i)
{
    if (i == 0)
        return version;
    if (i == 1)
        return number;
    if (i == 2)
        return len;
    return mix(number * 1000003 + version * 8191 + i);
}

void cache_fill(unsigned char *data, apr_size_t len, uint64_t number, uint64_t version)
{
    apr_size_t i;

    for (i = 0; i * 8 < len; i++) {
        uint64_t word = payload_word(number, version, len, i);

        memcpy(data + i * 8, &word, len - i * 8 < 8 ? len - i * 8 : 8);
    }
}

int cache_is_whole(const unsigned char *data, apr_size_t len, uint64_t number, uint64_t *version)
{
    apr_size_t i;

    if (len < CACHE_PAYLOAD_MIN)
        return 0;
    memcpy(version, data, 8);
    for (i = 0; i * 8 < len; i++) {
        uint64_t word = payload_word(number, *version, len, i);

        if (memcmp(data + i * 8, &word, len - i * 8 < 8 ? len - i * 8 : 8) != 0)
            return 0;
    }
    return 1;
}

uint64_t cache_check(const unsigned char *data, apr_size_t len, uint64_t number)
{
    uint64_t version = 0;

    assert_true(cache_is_whole(data, len, number, &version));
    return version;
}

oc_shm_t *cache_arena(apr_size_t size, oc_shm_policy_t policy)
{
    oc_shm_seed_t seed = {{UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)}};
    oc_shm_t *shm = NULL;

    assert_int_equal(oc_shm_create(&shm, size, policy, seed, cache_pool), APR_SUCCESS);
    return shm;
}

apr_status_t cache_put_locked(oc_shm_t *shm, uint64_t number, uint64_t version, apr_size_t len, apr_time_t expiry,
                              apr_time_t now)
{
    static unsigned char data[OC_BLOCK_DATA_MAX];
    cache_key_t key;

    cache_fill(data, len, number, version);
    return oc_shm_put(shm, cache_key(&key, number), &CACHE_ENTRY(expiry, version, data, len), now);
}

apr_status_t cache_put(oc_shm_t *shm, uint64_t number, uint64_t version, apr_size_t len, apr_time_t expiry,
                       apr_time_t now)
{
    apr_status_t rv;

    assert_int_equal(oc_shm_begin(shm), 0);
    rv = cache_put_locked(shm, number, version, len, expiry, now);
    oc_shm_end(shm);
    return rv;
}

uint64_t cache_version(const oc_shm_t *shm, uint64_t number)
{
    static unsigned char data[OC_BLOCK_DATA_MAX];
    apr_size_t len = sizeof(data);
    oc_shm_meta_t meta;
    cache_key_t key;
    uint64_t version;
    apr_status_t rv = oc_shm_get(shm, cache_key(&key, number), data, &len, &meta);

    if (rv == APR_NOTFOUND)
        return 0;
    assert_int_equal(rv, APR_SUCCESS);
    version = cache_check(data, len, number);
    assert_int_equal(meta.order, version);
    return version;
}

uint64_t cache_note(const oc_shm_t *shm, uint64_t number)
{
    unsigned char data[1];
    apr_size_t len = 0;
    oc_shm_meta_t meta;
    cache_key_t key;

    (void)oc_shm_get(shm, cache_key(&key, number), data, &len, &meta);
    return meta.note;
}

uint32_t cache_scan(const oc_shm_t *shm, uint64_t *versions, uint32_t n)
{
    static unsigned char data[OC_BLOCK_DATA_MAX];
    oc_entry_t entry = {.data = data, .data_cap = sizeof(data)};
    uint32_t cursor = 0, blocks = 0;
    apr_status_t rv;

    memset(versions, 0, n * sizeof(*versions));
    while ((rv = oc_shm_next(shm, &cursor, &entry, NULL, NULL)) == APR_SUCCESS) {
        cache_key_t key;
        uint64_t number;

        memcpy(&number, entry.id + 8, 8);
        assert_true(number < n);
        cache_key(&key, number);
        assert_int_equal(entry.kind, key.key.kind);
        assert_int_equal(entry.id_len, key.key.id_len);
        assert_memory_equal(entry.id, key.id, sizeof(key.id));
        assert_int_equal(versions[number], 0);
        versions[number] = cache_check(data, entry.data_len, number);
        assert_int_equal(versions[number], entry.order);
        blocks += oc_block_count(entry.id_len, entry.data_len);
    }
    assert_int_equal(rv, APR_EOF);
    return blocks;
}
