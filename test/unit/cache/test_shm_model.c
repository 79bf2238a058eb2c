/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Long runs and limits of the cache: random operations compared with a plain array, full arenas under both policies,
 * and the sizes that the documentation states.
 */
#include "support_cache.h"
#include "support_test.h"

#include "cache/arena.h"

#include <string.h>

#define NOW apr_time_from_sec(1000)
#define LATER apr_time_from_sec(2000)

/* ---- a model ---- */

#define MODEL_KEYS 150

typedef struct {
    uint64_t version; /* 0: no record */
    apr_time_t expiry;
    apr_size_t len;
    uint64_t note;
} model_t;

static model_t model[MODEL_KEYS];

static uint32_t blocks_of(const model_t *entry)
{
    return entry->version ? oc_block_count(20, entry->len) : 0;
}

static uint32_t model_used(void)
{
    uint32_t i, used = 0;

    for (i = 0; i < MODEL_KEYS; i++)
        used += blocks_of(&model[i]);
    return used;
}

static apr_status_t model_put(uint32_t n_blocks, uint32_t number, uint64_t version, apr_size_t len, apr_time_t expiry,
                              apr_time_t now)
{
    uint32_t i, n = oc_block_count(20, len);

    if (model[number].version > version && model[number].expiry > now)
        return APR_EEXIST;
    if (n_blocks - model_used() < n)
        for (i = 0; i < MODEL_KEYS; i++)
            if (model[i].expiry <= now)
                model[i].version = 0;
    if (n_blocks - model_used() < n)
        return APR_ENOSPC;
    model[number].version = version;
    model[number].len = len;
    model[number].expiry = expiry;
    return APR_SUCCESS;
}

static void compare_with_model(const oc_shm_t *shm)
{
    uint64_t versions[MODEL_KEYS];
    uint32_t i, records = 0, notes = 0;
    oc_shm_stats_t stats;

    assert_int_equal(cache_scan(shm, versions, MODEL_KEYS), model_used());
    for (i = 0; i < MODEL_KEYS; i++) {
        assert_int_equal(versions[i], model[i].version);
        assert_int_equal(cache_version(shm, i), model[i].version);
        assert_int_equal(cache_note(shm, i), model[i].note);
        records += model[i].version != 0;
        notes += model[i].version == 0 && model[i].note != 0;
    }
    oc_shm_stats(shm, &stats);
    assert_int_equal(stats.blocks_used, model_used());
    assert_int_equal(stats.records, records);
    assert_int_equal(stats.notes, notes);
}

static apr_size_t random_len(void)
{
    uint32_t kind = cache_below(&cache_seed, 50);

    if (kind == 0)
        return CACHE_PAYLOAD_MIN + cache_below(&cache_seed, OC_BLOCK_DATA_MAX - CACHE_PAYLOAD_MIN);
    return CACHE_PAYLOAD_MIN + cache_below(&cache_seed, kind < 20 ? 400 : 4000);
}

TEST(random_operations_match_a_model)
{
    oc_shm_t *shm = cache_arena(196608, OC_SHM_KEEP_VALID);
    uint32_t round, number, statuses[3] = {0, 0, 0};
    apr_time_t now = NOW, expiry;
    uint64_t version;
    cache_key_t key;
    apr_size_t len;
    apr_status_t rv;

    memset(model, 0, sizeof(model));
    for (round = 1; round <= 40000; round++) {
        number = cache_below(&cache_seed, MODEL_KEYS);
        oc_shm_begin(shm);
        switch (cache_below(&cache_seed, 8)) {
        case 0:
            rv = oc_shm_remove(shm, cache_key(&key, number));
            assert_int_equal(rv, model[number].version ? APR_SUCCESS : APR_NOTFOUND);
            memset(&model[number], 0, sizeof(model[number]));
            break;
        case 1:
            model[number].note = cache_below(&cache_seed, 1000) + 1;
            assert_int_equal(oc_shm_set_note(shm, cache_key(&key, number), model[number].note), APR_SUCCESS);
            break;
        case 2:
            now += cache_below(&cache_seed, 100);
            break;
        default:
            len = random_len();
            version = round / 2 + cache_below(&cache_seed, round) + 1;
            expiry = now + 1 + cache_below(&cache_seed, 50000);
            rv = cache_put_locked(shm, number, version, len, expiry, now);
            assert_int_equal(rv, model_put(shm->n_blocks, number, version, len, expiry, now));
            statuses[rv == APR_SUCCESS ? 0 : rv == APR_EEXIST ? 1 : 2]++;
        }
        oc_shm_end(shm);
        if (round % 97 == 0)
            compare_with_model(shm);
    }
    assert_true(statuses[0] > 1000 && statuses[1] > 1000 && statuses[2] > 1000); /* all ways were taken */
}

/* ---- full ---- */

static uint32_t fill(oc_shm_t *shm, apr_size_t len, uint32_t limit, apr_time_t expiry)
{
    uint32_t i;

    for (i = 0; i < limit; i++)
        if (cache_put(shm, i, i + 1, len, expiry, NOW) != APR_SUCCESS)
            break;
    return i;
}

/* As many records as oc_shm_capacity() says, and each of them can still be replaced. */
TEST(capacity_is_exact)
{
    static const apr_size_t SIZES[] = {OC_SHM_SIZE_MIN, 65536, 128000, 1000000, 4194304};
    static const apr_size_t LENGTHS[] = {24, 440, 441, 2088, 3088, 6000};
    unsigned s, l;
    uint32_t i, capacity;

    for (s = 0; s < 5; s++) {
        for (l = 0; l < 6; l++) {
            oc_shm_t *shm = cache_arena(SIZES[s], OC_SHM_KEEP_VALID);

            capacity = oc_shm_capacity(SIZES[s], 20, LENGTHS[l]);
            assert_int_equal(fill(shm, LENGTHS[l], capacity, LATER), capacity);
            for (i = 0; i < capacity; i++)
                assert_int_equal(cache_put(shm, i, i + 2, LENGTHS[l], LATER, NOW), APR_SUCCESS);
            for (i = 0; i < capacity; i++)
                assert_int_equal(cache_version(shm, i), i + 2);
            assert_true(fill(shm, LENGTHS[l], 2 * capacity + 4, LATER) <= 2 * capacity + 3); /* nor many more */
        }
    }
    assert_int_equal(oc_shm_capacity(OC_SHM_SIZE_MIN - 1, 20, 100), 0);
    assert_int_equal(oc_shm_capacity(OC_SHM_SIZE_MIN, 20, OC_BLOCK_DATA_MAX), 0);
    assert_int_equal(oc_shm_capacity(65536, 20, OC_BLOCK_DATA_MAX + 1), 0);
}

TEST(sizes_of_the_manual)
{
    uint32_t blocks;

    assert_true(oc_shm_capacity(OC_SHM_SIZE_MIN, 20, 2088) >= 7);
    assert_true(oc_shm_capacity(65536, 20, 2088) >= 15);
    assert_true(oc_shm_capacity(128000, 20, 2088) >= 30);
    assert_true(oc_shm_capacity(4194304, 20, 3088) >= 1000);
    for (blocks = 100; blocks < 100000; blocks = blocks * 3 + 1) { /* the size that would do does */
        apr_size_t size = oc_shm_size_for(blocks);

        assert_true(oc_shm_capacity(size, 20, 24) == blocks - 1);
        assert_true(oc_shm_capacity(size - 1, 20, 24) < blocks - 1);
    }
}

TEST(invariant_8_valid_records_are_never_dropped)
{
    oc_shm_t *shm = cache_arena(128000, OC_SHM_KEEP_VALID);
    uint32_t n = fill(shm, 3088, 1000, LATER), i;
    oc_shm_stats_t before, after;

    assert_in_range(n, 25, 60);
    oc_shm_stats(shm, &before);
    for (i = 0; i < 300; i++) /* newer, older, large and larger than the arena: no room */
        assert_int_equal(cache_put(shm, 1000 + i, i % 2 ? 1 : 100000, i % 3 ? 3088 : 65536, LATER + 10, LATER - 1),
                         APR_ENOSPC);
    assert_int_equal(cache_put(shm, 3000, 1, 3088, LATER + 10, 0), APR_ENOSPC); /* 0: every record counts as valid */
    oc_shm_stats(shm, &after);
    assert_memory_equal(&before, &after, sizeof(before));
    for (i = 0; i < n; i++)
        assert_int_equal(cache_version(shm, i), i + 1);
    assert_int_equal(cache_put(shm, 1000, 1, 3088, LATER + 10, LATER), APR_SUCCESS); /* they have expired by then */
    assert_int_equal(cache_version(shm, 1000), 1);
}

TEST(invariant_8_expired_records_go_first)
{
    int policy;
    uint32_t n, i, left;

    for (policy = OC_SHM_KEEP_VALID; policy <= OC_SHM_DROP_OLDEST; policy++) {
        oc_shm_t *shm = cache_arena(128000, (oc_shm_policy_t)policy);
        cache_key_t key;

        oc_shm_begin(shm);
        oc_shm_set_note(shm, cache_key(&key, 1), 77);
        for (n = 0; n < 26; n++) /* the even ones expire first, and are the newer ones at that */
            assert_int_equal(cache_put_locked(shm, n, n % 2 ? n + 1 : 1000 + n, 3088, n % 2 ? LATER + 1 : LATER, NOW),
                             0);
        oc_shm_end(shm);
        assert_int_equal(cache_put(shm, 100, 100, 16000, LATER + 1, LATER), APR_SUCCESS);
        for (left = 0, i = 0; i < n; i++) {
            if (i % 2)
                assert_int_equal(cache_version(shm, i), i + 1);
            else
                left += cache_version(shm, i) != 0;
        }
        assert_int_equal(left, 0);
        assert_int_equal(cache_note(shm, 1), 77);
    }
}

/* Slots of swept records are free again: an endless sequence of new keys always finds room. */
TEST(invariant_8_slots_of_swept_records_are_free)
{
    int policy;
    uint32_t i;
    oc_shm_stats_t stats;

    for (policy = OC_SHM_KEEP_VALID; policy <= OC_SHM_DROP_OLDEST; policy++) {
        oc_shm_t *shm = cache_arena(65536, (oc_shm_policy_t)policy);
        cache_key_t key;

        for (i = 0; i < 5000; i++) {
            apr_time_t now = NOW + i;

            assert_int_equal(cache_put(shm, i, i + 1, 400, now + 20, now), APR_SUCCESS);
            assert_int_equal(cache_version(shm, i), i + 1);
        }
        oc_shm_stats(shm, &stats);
        assert_int_equal(stats.notes, 0); /* none was set */
        oc_shm_begin(shm);
        for (i = 10000; i < 10050; i++)
            assert_int_equal(oc_shm_set_note(shm, cache_key(&key, i), 1), APR_SUCCESS);
        oc_shm_end(shm);
    }
}

/* Many notes without record make room for records; for notes they do not. */
TEST(full_of_notes)
{
    oc_shm_t *shm = cache_arena(65536, OC_SHM_KEEP_VALID);
    uint32_t i, refused = 0, records = 0;
    oc_shm_stats_t stats;
    cache_key_t key;

    oc_shm_begin(shm);
    for (i = 0; i < 2000; i++)
        refused += oc_shm_set_note(shm, cache_key(&key, i), i + 1) == APR_ENOSPC;
    oc_shm_end(shm);
    oc_shm_stats(shm, &stats);
    assert_int_equal(refused, 2000 - stats.notes);
    assert_true(stats.notes > stats.slots * 9 / 10);
    for (i = 5000; i < 5000 + stats.blocks; i++)
        records += cache_put(shm, i, i, 24, LATER, NOW) == APR_SUCCESS;
    assert_int_equal(records, stats.blocks);
}

TEST(invariant_8_oldest_are_dropped)
{
    oc_shm_t *shm = cache_arena(262144, OC_SHM_DROP_OLDEST);
    static uint64_t versions[5000];
    uint64_t oldest_kept, newest_dropped;
    uint32_t i, put, n_kept;

    for (put = 0; put < 5000; put++) {
        /* orders rise slowly, with some disorder */
        uint64_t order = 1000000 + put * 16 + cache_below(&cache_seed, 64) * 16;

        assert_int_equal(cache_put(shm, put, order, 900, LATER, NOW), APR_SUCCESS);
        assert_int_equal(cache_version(shm, put), order); /* the newcomer is never the one that goes */
    }
    cache_scan(shm, versions, 5000);
    for (i = 0, n_kept = 0, oldest_kept = UINT64_MAX; i < 5000; i++) {
        if (versions[i]) {
            n_kept++;
            oldest_kept = versions[i] < oldest_kept ? versions[i] : oldest_kept;
        }
    }
    /* A sweep drops a sixteenth: the cache stays nearly full, and all that is kept is newer than what went. */
    assert_true(n_kept > oc_shm_capacity(262144, 20, 900) * 8 / 10);
    newest_dropped = 1000000 + (5000 - n_kept) * 16;
    assert_true(oldest_kept + 64 * 16 >= newest_dropped);
}

/* Orders at the ends of their range, all alike, or one far off: there is room nevertheless. */
TEST(invariant_8_any_orders)
{
    static const uint64_t FROM[] = {0, 1, UINT64_MAX, UINT64_MAX - 3, UINT64_MAX / 2};
    unsigned f, step;
    uint32_t i;

    for (f = 0; f < 5; f++) {
        for (step = 0; step < 2; step++) {
            oc_shm_t *shm = cache_arena(65536, OC_SHM_DROP_OLDEST);
            unsigned char data[900] = {0};
            cache_key_t key;

            oc_shm_begin(shm);
            for (i = 0; i < 500; i++) {
                uint64_t order = FROM[f] + (i % 7 == 0 ? 0 : step * i);

                assert_int_equal(
                    oc_shm_put(shm, cache_key(&key, i), &CACHE_ENTRY(LATER, order, data, sizeof(data)), NOW),
                    APR_SUCCESS);
            }
            oc_shm_end(shm);
        }
    }
}

/* A record that would not even fit into the empty arena does not empty it. */
TEST(invariant_8_too_large_a_record_drops_nothing)
{
    oc_shm_t *shm = cache_arena(OC_SHM_SIZE_MIN, OC_SHM_DROP_OLDEST);
    uint32_t n = 8, i;

    assert_int_equal(fill(shm, 2000, n, LATER), n);
    assert_int_equal(cache_put(shm, 100, 100, OC_BLOCK_DATA_MAX, LATER, NOW), APR_ENOSPC);
    for (i = 0; i < n; i++)
        assert_int_equal(cache_version(shm, i), i + 1);
}

TEST(hundred_thousand_records)
{
    const uint32_t n = 100000;
    oc_shm_t *shm = cache_arena(oc_shm_size_for(n * oc_block_count(20, 440) + 1), OC_SHM_KEEP_VALID);
    static uint64_t versions[100000];
    oc_shm_stats_t stats;
    uint32_t i;

    assert_int_equal(fill(shm, 440, n, LATER), n);
    for (i = 0; i < n; i += 7)
        assert_int_equal(cache_put(shm, i, n + i + 1, 440, LATER, NOW), APR_SUCCESS);
    assert_int_equal(cache_scan(shm, versions, n), n);
    for (i = 0; i < n; i++) {
        assert_int_equal(versions[i], i % 7 ? i + 1 : n + i + 1);
        assert_int_equal(cache_version(shm, i), versions[i]);
    }
    oc_shm_stats(shm, &stats);
    assert_int_equal(stats.records, n);
    assert_int_equal(stats.blocks_used, n);
    assert_int_equal(cache_put(shm, n + 1, 1, 440, LATER, NOW), APR_SUCCESS);
    assert_int_equal(cache_put(shm, n + 2, 1, 440, LATER, NOW), APR_ENOSPC);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
