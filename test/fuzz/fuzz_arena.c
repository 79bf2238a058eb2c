/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target for cache/shm.h: an arena in which a hostile process may have written anything, header and index
 * included. Every call returns, in bounds. The input is a list of what the hostile and the honest processes do; the
 * counters behind the blocks, and what follows the arena, are poisoned for AddressSanitizer.
 */
#include "fuzz.h"

#include "cache/arena.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define SIZE OC_SHM_SIZE_MIN
#define STEPS_MAX 200

static apr_pool_t *pool;
static oc_shm_t *shm;
static unsigned char buffer[OC_BLOCK_DATA_MAX];
static uint64_t changes;

/* The bytes of the input that are left. */
typedef struct {
    const uint8_t *at;
    size_t left;
} input_t;

static uint64_t take(input_t *in, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0 && in->left > 0) {
        value = value << 8 | *in->at++;
        in->left--;
    }
    return value;
}

/* As cache/file.c does: it reads a whole block. */
static void changed(void *context, uint32_t block, const void *bytes)
{
    (void)context;
    require(block < shm->n_blocks);
    if (bytes) {
        require(bytes == &shm->blocks[block]);
        changes += ((const unsigned char *)bytes)[OC_BLOCK_SIZE - 1];
    }
    changes++;
}

static void set_stage(void)
{
    oc_shm_seed_t seed = {{1, 2}};

    pool = fuzz_pool();
    require(oc_shm_create(&shm, SIZE, OC_SHM_KEEP_VALID, seed, pool) == APR_SUCCESS);
    oc_shm_on_change(shm, changed, NULL);
#ifdef WITH_ASAN
    __asan_poison_memory_region(shm->lanes, OC_SHM_LANES * OC_LANE_SIZE);
#endif
}

static const oc_key_t *key_of(uint64_t number)
{
    static unsigned char id[20];
    static oc_key_t key = {'R', sizeof(id), id};

    number %= 60;
    memcpy(id, &number, sizeof(number));
    return &key;
}

static void read_all(void)
{
    oc_entry_t entry = {.data = buffer, .data_cap = sizeof(buffer)};
    uint32_t cursor = 0, n = 0;
    uint64_t note;
    oc_shm_stats_t stats;

    while (oc_shm_next(shm, &cursor, &entry, &note, NULL) == APR_SUCCESS) {
        require(entry.id_len >= 1 && entry.id_len <= OC_BLOCK_ID_MAX && entry.data_len <= OC_BLOCK_DATA_MAX);
        n++;
    }
    require(n <= shm->n_buckets * OC_BUCKET_SLOTS);
    oc_shm_stats(shm, &stats);
    require(stats.records + stats.notes <= stats.slots);
}

/* One step of an honest or a hostile process. */
static void step(input_t *in)
{
    oc_word_t *words = (oc_word_t *)shm->header;
    const size_t n_words = (size_t)((unsigned char *)shm->lanes - (unsigned char *)shm->header) / sizeof(*words);
    uint64_t what = take(in, 1), which = take(in, 2), value;
    apr_size_t len = (apr_size_t)(which % (what & 1 ? 5000 : 300));
    oc_shm_meta_t meta;
    oc_entry_t entry;

    switch (what % 10) {
    case 0: /* a hostile word, anywhere */
        oc_word_store(&words[which % n_words], take(in, 8));
        break;
    case 1: /* a small one: more likely to mean something */
        value = take(in, 2);
        oc_word_store(&words[which % n_words], what & 16 ? value : value << 32 | (what >> 5));
        break;
    case 2: /* in the header or in the index */
        oc_word_store(&words[which % ((size_t)((oc_word_t *)shm->blocks - words))], take(in, what & 16 ? 1 : 6));
        break;
    case 3: /* a word of one place to another: real references, out of place */
        oc_word_store(&words[which % n_words], oc_word_load(&words[take(in, 2) % n_words]));
        break;
    case 4:
        len = what & 16 ? 0 : sizeof(buffer);
        (void)oc_shm_get(shm, key_of(which), buffer, &len, &meta);
        break;
    case 5:
        read_all();
        break;
    case 6:
        (void)oc_shm_begin(shm); /* perhaps never ended: the next one recovers */
        break;
    case 7:
        (void)oc_shm_remove(shm, key_of(which));
        (void)oc_shm_set_note(shm, key_of(which + 1), take(in, 1));
        oc_shm_end(shm);
        break;
    default:
        entry.expiry = (apr_time_t)take(in, 1) - 4;
        entry.order = take(in, what & 16 ? 8 : 1);
        entry.data = buffer;
        entry.data_len = len;
        (void)oc_shm_put(shm, key_of(which), &entry, (apr_time_t)take(in, 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t in = {data, size};
    unsigned steps;

    if (!pool)
        set_stage();
    memset((void *)shm->header, 0, (size_t)((unsigned char *)shm->lanes - (unsigned char *)shm->header));
    shm->policy = take(&in, 1) % 2 ? OC_SHM_DROP_OLDEST : OC_SHM_KEEP_VALID;
    if (size > 1 && data[1] == 0xff) { /* the whole arena from the input */
        size_t room = (size_t)((unsigned char *)shm->lanes - (unsigned char *)shm->header);

        memcpy((void *)shm->header, data, size < room ? size : room);
        in.at = data + size - size / 4;
        in.left = size / 4;
    }
    for (steps = 0; in.left > 0 && steps < STEPS_MAX; steps++)
        step(&in);
    (void)oc_shm_begin(shm);
    (void)oc_shm_begin(shm); /* recovery, of whatever is left */
    read_all();
    return 0;
}
