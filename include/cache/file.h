/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Loads the cache's file, creates a fresh one, and writes each block that changes in the arena.
 *
 * The file is an image of an arena's blocks, each at its index, without an index of records: a load scans every block
 * (invariant 9). It is never mapped, and its content is untrusted. This unit does not parse OCSP.
 */
#ifndef OC_CACHE_FILE_H
#define OC_CACHE_FILE_H

#include "cache/block.h"

#include <apr_pools.h>

typedef struct oc_file_t oc_file_t;

/**
 * Could @a path be the cache's file? Creates, changes and locks nothing, so `apachectl -t` may call it.
 * @param problem out: a sentence for the administrator, from @a pool, when not APR_SUCCESS
 * @return APR_SUCCESS: it is a cache file, or it is absent and its folder is writable. APR_EGENERAL: it is another kind
 *   of file, a symlink, or another user's. Otherwise the errno of the folder.
 */
apr_status_t oc_file_check(const char *path, apr_pool_t *pool, const char **problem);

/** Does the folder of @a path exist? */
int oc_file_has_folder(const char *path, apr_pool_t *pool);

/** Does @a path lie on a file system that a reboot empties (tmpfs)? 0 where that is unknown. */
int oc_file_is_volatile(const char *path, apr_pool_t *pool);

typedef struct {
    apr_uint32_t records; /* whole records, each passed to the visitor */
    apr_uint32_t damaged; /* beginnings of records that are not whole */
    int is_other_layout;  /* written by another version or another kind of machine: nothing was read */
    const char *problem;  /* from the load's pool; NULL: none */
} oc_file_load_t;

/** One record of the file, in the order in which they were written. entry->id and data are valid during the call. */
typedef void oc_file_record_fn(void *context, const oc_entry_t *entry);

/** How much of a file to read for an arena of @a n_blocks: the previous cache may have been larger, but a child that
 *  extends the file must not make root allocate without limit. */
uint32_t oc_file_blocks_max(uint32_t n_blocks);

/**
 * Read the file, @a blocks_max blocks of it at most, and pass every whole record to @a visit. Works on a private copy
 * (temporary memory of the file's size).
 * @return APR_SUCCESS: read, possibly without a usable record. APR_ENOENT: no file. APR_EGENERAL, with a problem: not
 *   a cache file, it must not be overwritten. Other, with a problem: it cannot be read.
 */
apr_status_t oc_file_load(const char *path, uint32_t blocks_max, oc_file_record_fn *visit, void *context,
                          oc_file_load_t *result, apr_pool_t *pool);

/**
 * Begin a fresh file for @a n_blocks blocks in the folder of @a path; oc_file_commit() renames it to @a path. Mode
 * 0600. It is closed with @a pool, and removed if it was not committed. The descriptor is inherited through fork and
 * closed by exec.
 */
apr_status_t oc_file_create(oc_file_t **file, const char *path, uint32_t n_blocks, apr_pool_t *pool,
                            const char **problem);

/** The same without writing a byte yet: oc_file_commit() writes the head. */
apr_status_t oc_file_prepare(oc_file_t **file, const char *path, uint32_t n_blocks, apr_pool_t *pool,
                             const char **problem);

/** Close the file at once, and remove it if it was not committed. For a failed write. @a file is invalid afterwards. */
void oc_file_abandon(oc_file_t *file);

/** Another process, which inherited the file through fork, commits it; this one only writes and closes it. */
void oc_file_leave(oc_file_t *file);

/** Write block @a block (OC_BLOCK_SIZE bytes), or, with NULL, mark that no record begins there. One pwrite(2), from
 *  any process, one at a time (the cache's mutex). Every failure is returned; the caller logs only changes. */
apr_status_t oc_file_write(oc_file_t *file, uint32_t block, const void *bytes);

/** Make the fresh file the cache's file: flush, rename, flush the folder. A failure leaves the old file in place. */
apr_status_t oc_file_commit(oc_file_t *file, const char **problem);

/**
 * Exclude other servers from @a path, by a POSIX lock on `path.lock` held until @a pool is cleared. POSIX locks belong
 * to the process and are not inherited, so draining children of this server do not hold it (invariant 11). Take it once
 * per process and path: closing any descriptor of the lock file would drop it.
 * @return APR_SUCCESS; APR_EBUSY: another live process holds it, *problem names it; else why it cannot be obtained,
 *   with *problem.
 */
apr_status_t oc_file_lock(const char *path, apr_pool_t *pool, const char **problem);

/** The process that holds that lock, that is, of a running server. Changes nothing. @return 0: no process visible
 *  from here. A process that may hold the lock itself must not call it. */
pid_t oc_file_lock_holder(const char *path, apr_pool_t *pool);

#endif
