/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Shared by the tests of the cache: repeatable random numbers, numbered keys, and payloads that contain what a test
 * checks: their key, their version, and whether they are whole.
 */
#ifndef SUPPORT_CACHE_H
#define SUPPORT_CACHE_H

#include "cache/shm.h"

/* What cmocka.h needs to have been included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CACHE_PAYLOAD_MIN 24 /* bytes that describe a payload: version, key, length */
#define CACHE_EXPIRY apr_time_from_sec(2000000000)

/** A record for oc_shm_put(). */
#define CACHE_ENTRY(when, rank, bytes, len) \
    ((oc_entry_t){.expiry = (when), .order = (rank), .data = (bytes), .data_len = (len)})

/** A pool of the group of tests, and the random numbers' state, reset for each test. */
extern apr_pool_t *cache_pool;
extern uint64_t cache_seed;

/** Group and test fixtures. */
int cache_group_setup(void **state);
int cache_group_teardown(void **state);
int cache_setup(void **state);
int cache_teardown(void **state);

/** splitmix64; each caller may keep its own state. */
uint64_t cache_random(uint64_t *state);

/** A number below @a n. */
uint32_t cache_below(uint64_t *state, uint32_t n);

/** The key of a number; lives as long as @a key. */
typedef struct {
    unsigned char id[20];
    oc_key_t key;
} cache_key_t;
const oc_key_t *cache_key(cache_key_t *key, uint64_t number);

/** Fill @a data with the payload of @a len bytes (>= CACHE_PAYLOAD_MIN) of a key's version. */
void cache_fill(unsigned char *data, apr_size_t len, uint64_t number, uint64_t version);

/** Is this a whole payload of the key? @return its version; fails the test if it is not; cache_is_whole() does not. */
uint64_t cache_check(const unsigned char *data, apr_size_t len, uint64_t number);
int cache_is_whole(const unsigned char *data, apr_size_t len, uint64_t number, uint64_t *version);

/** An arena in cache_pool. */
oc_shm_t *cache_arena(apr_size_t size, oc_shm_policy_t policy);

/** Store the payload of @a len bytes of a key's version; order = version. Begins and ends the writing itself. */
apr_status_t cache_put(oc_shm_t *shm, uint64_t number, uint64_t version, apr_size_t len, apr_time_t expiry,
                       apr_time_t now);

/** The same between oc_shm_begin() and oc_shm_end() of the caller. */
apr_status_t cache_put_locked(oc_shm_t *shm, uint64_t number, uint64_t version, apr_size_t len, apr_time_t expiry,
                              apr_time_t now);

/** The version stored under a key, 0: none. A payload that is not whole, or of the wrong length, fails the test. */
uint64_t cache_version(const oc_shm_t *shm, uint64_t number);

/** The key's note, record or not. */
uint64_t cache_note(const oc_shm_t *shm, uint64_t number);

/** Everything in the arena, by oc_shm_next(). The records must be whole, stored under the numbers below @a n, none
 *  twice. Their versions go to @a versions (0: none). @return how many blocks they take. */
uint32_t cache_scan(const oc_shm_t *shm, uint64_t *versions, uint32_t n);

#endif
