/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The same values stored on each side of the benchmark, and the one call that puts or gets a value. Only for
 * mod_cache_bench.c.
 */
#ifndef BENCH_STORE_H
#define BENCH_STORE_H

#include <ap_socache.h>
#include <apr_global_mutex.h>
#include <apr_pools.h>
#include <httpd.h>

#include <stdint.h>

#define BENCH_ID_LEN 20 /* as mod_ssl's ids for stapling */
#define BENCH_VALUE_MAX 65536

enum { BENCH_OURS, BENCH_SHMCB, BENCH_FLOOR, BENCH_SIDES };
extern const char *const bench_side_names[BENCH_SIDES];

typedef struct {
    unsigned size, entries;
    ap_socache_instance_t *instance[BENCH_SIDES];
    unsigned char *floor; /* entries at multiples of stride */
    unsigned char *sink;  /* where the floor's writer writes: as much work as the others', where no reader looks */
    unsigned stride;
} bench_store_t;

/** Taken around each call of a provider that requires it (AP_SOCACHE_FLAG_NOTMPSAFE), as mod_ssl does. */
extern apr_global_mutex_t *bench_mutex;

/** Begin the sides of a store (parent, post_config) and fill them. @return NULL, or what went wrong. */
const char *bench_store_begin(bench_store_t *store, int number, server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp);

/** Shared memory that the children inherit, zeroed; NULL: there is none. */
void *bench_share(apr_size_t size, apr_pool_t *pool);

/** An id as random as a SHA-1. */
void bench_make_id(unsigned entry, unsigned char *id);

/** A value whose first four bytes are the number of its entry. */
void bench_make_value(unsigned entry, unsigned char *value, unsigned size);

apr_status_t bench_put(const bench_store_t *store, int side, unsigned entry, const unsigned char *id,
                       unsigned char *value, server_rec *s);

/** @a len in: the size of the buffer; out: of the value. */
apr_status_t bench_get(const bench_store_t *store, int side, unsigned entry, const unsigned char *id,
                       unsigned char *value, unsigned *len, server_rec *s);

uint64_t bench_random(uint64_t *state);

#endif
