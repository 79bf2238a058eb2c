/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A cache in shared memory: any number of lock-free readers, one writer at a time, consistent even if a writer is
 * killed at any instruction. It knows nothing of OCSP, of files or of httpd.
 *
 * One arena is created by the parent and inherited by the children through fork; each process holds an oc_shm_t, its
 * private handle. Geometry and seed live in the handle and are never read back from shared memory.
 *
 * The caller owns the mutual exclusion of writers: what is marked "writer" below runs between oc_shm_begin() and
 * oc_shm_end(), with the arena's mutex held. Everything else may run at any time, in any thread of any process.
 */
#ifndef OC_CACHE_SHM_H
#define OC_CACHE_SHM_H

#include "cache/block.h"

#include <apr_pools.h>

#define OC_SHM_SIZE_MIN 32768 /* the size of the stapling cache in httpd's sample configuration */
#define OC_SHM_LANES 64
#define OC_SHM_COUNTERS 16

typedef struct oc_shm_t oc_shm_t;

/** What to do when valid records fill the arena. */
typedef enum {
    OC_SHM_KEEP_VALID, /* refuse the new record (APR_ENOSPC): for stapling, which needs every valid record */
    OC_SHM_DROP_OLDEST /* drop the records of lowest order: for session caches and similar uses */
} oc_shm_policy_t;

/** A 16-byte random seed keeps an attacker who chooses keys from choosing their buckets. */
typedef struct {
    uint64_t word[2];
} oc_shm_seed_t;

/**
 * Create an arena of @a size bytes (>= OC_SHM_SIZE_MIN) in anonymous shared memory, empty. It is unmapped from this
 * process when @a pool is cleared; children keep their mappings.
 * @return APR_SUCCESS; APR_EINVAL: size out of range; else the error of the allocation.
 */
apr_status_t oc_shm_create(oc_shm_t **shm, apr_size_t size, oc_shm_policy_t policy, oc_shm_seed_t seed,
                           apr_pool_t *pool);

/* ---- readers ---- */

/** What is stored for a key apart from its data. */
typedef struct {
    apr_time_t expiry;
    uint64_t order;
    uint64_t note; /* see oc_shm_set_note(); 0: none */
} oc_shm_meta_t;

/**
 * Copy the data stored under @a key to @a data.
 * @param len in: the size of the buffer; out: the bytes copied, or, with APR_ENOSPC, needed
 * @param meta always filled; a key can have a note without a record
 * @return APR_SUCCESS; APR_NOTFOUND; APR_ENOSPC. Expired records are returned too: the caller checks the time. No lock,
 *   no system call, no allocation (invariant 1).
 */
apr_status_t oc_shm_get(const oc_shm_t *shm, const oc_key_t *key, unsigned char *data, apr_size_t *len,
                        oc_shm_meta_t *meta);

/**
 * Read the next record at or after @a *cursor (begin with 0), with its key; the cursor moves past it.
 * @param note out; may be NULL
 * @param budget in, out: how many blocks may still be read. Records that are not whole are charged as well: a hostile
 *   process can fill the arena with them. NULL: no limit
 * @return APR_SUCCESS; APR_EOF: no more, or *budget is 0; APR_ENOSPC: entry->data_cap is too small for entry->data_len:
 *   the cursor has not moved, call again with a larger buffer.
 * Records stored or removed meanwhile may or may not be seen; each record seen is whole.
 */
apr_status_t oc_shm_next(const oc_shm_t *shm, uint32_t *cursor, oc_entry_t *entry, uint64_t *note, uint32_t *budget);

/** Add one to a counter (< OC_SHM_COUNTERS). Lanes are cache lines: threads that use different lanes never disturb each
 *  other; any number is valid as a lane. One relaxed addition. */
void oc_shm_count(const oc_shm_t *shm, unsigned lane, unsigned counter);
uint64_t oc_shm_counter(const oc_shm_t *shm, unsigned counter);

typedef struct {
    apr_size_t size; /* bytes of the whole arena */
    uint32_t blocks; /* of OC_BLOCK_SIZE bytes */
    uint32_t blocks_used;
    uint32_t slots;
    uint32_t records;
    uint32_t notes; /* slots that hold a note and no record */
} oc_shm_stats_t;
void oc_shm_stats(const oc_shm_t *shm, oc_shm_stats_t *stats);

/** How many records of @a data_len bytes an arena of @a size bytes holds at once while one is being replaced. */
uint32_t oc_shm_capacity(apr_size_t size, apr_size_t id_len, apr_size_t data_len);

/** How many blocks an arena of @a size bytes has. */
uint32_t oc_shm_blocks(apr_size_t size);

/** The size of an arena with @a blocks blocks: for the message that names a sufficient size. */
apr_size_t oc_shm_size_for(uint32_t blocks);

/* ---- writers ---- */

/**
 * Called for every block that changed, after the change is published, in an order that makes a file of blocks safe
 * (invariant 9): first a new record's blocks, then the heads of the records it made obsolete.
 * @param block the block's index; @a bytes its OC_BLOCK_SIZE bytes, or NULL: the block no longer begins a record
 */
typedef void oc_shm_changed_fn(void *context, uint32_t block, const void *bytes);
void oc_shm_on_change(oc_shm_t *shm, oc_shm_changed_fn *changed, void *context);

/** Pass every block of every record to the change function: for a file that is created after the arena. Mutex held. */
void oc_shm_rewrite(oc_shm_t *shm);

/** Begin writing: the mutex was just acquired. @return 1: the last writer died while writing, so the free list was
 *  rebuilt from the records and every block was passed to the change function; else 0 (invariant 4). */
int oc_shm_begin(oc_shm_t *shm);

/** End writing: the mutex is about to be released. */
void oc_shm_end(oc_shm_t *shm);

/**
 * Store a record, in place of the one under the same key if there is one (writer).
 * @param entry  gives expiry, order, data and data_len; the rest of it is ignored
 * @param now  records that expire later are valid and stay; 0: every record counts as valid
 * @return APR_SUCCESS. APR_EEXIST: the key holds a valid record of a higher order: it stays (invariant 7).
 *   APR_ENOSPC: valid records fill the arena. APR_EINVAL: id or data too long.
 */
apr_status_t oc_shm_put(oc_shm_t *shm, const oc_key_t *key, const oc_entry_t *entry, apr_time_t now);

/** Set the key's note, one word of the caller's own; the record, if there is one, is unchanged (writer).
 *  @return APR_SUCCESS; APR_ENOSPC: the key is unknown and its buckets are full. */
apr_status_t oc_shm_set_note(oc_shm_t *shm, const oc_key_t *key, uint64_t note);

/** Remove the record and the note (writer). @return APR_SUCCESS; APR_NOTFOUND: there was no record. */
apr_status_t oc_shm_remove(oc_shm_t *shm, const oc_key_t *key);

#endif
