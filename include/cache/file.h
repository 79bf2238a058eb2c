/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_file: the cache's file: load it, begin a fresh one, write changed blocks behind the cache's back.
 *
 * The file is an image of an arena's blocks, each at its index, without any index of records: what is in it is found by
 * looking at every block (invariant 9). It is never mapped. Whatever it holds is untrusted. It knows nothing of OCSP.
 */
#ifndef OC_CACHE_FILE_H
#define OC_CACHE_FILE_H

#include "cache/block.h"

#include <apr_pools.h>

typedef struct oc_file_t oc_file_t;

/**
 * Could @a path be the cache's file? Looks only: creates, changes and locks nothing, so that `apachectl -t` may ask.
 * @param problem out: a sentence for the administrator, from @a pool, when not APR_SUCCESS
 * @return APR_SUCCESS: it is ours, or it is absent and its folder takes new files. Otherwise why not: APR_EGENERAL: a
 *   foreign file, a symlink, another owner's; else the errno of the folder.
 */
apr_status_t oc_file_check(const char *path, apr_pool_t *pool, const char **problem);

/** Does the folder of @a path exist? */
int oc_file_has_folder(const char *path, apr_pool_t *pool);

/** Does @a path lie on a file system that a reboot empties (tmpfs)? 0 where that cannot be told. */
int oc_file_is_volatile(const char *path, apr_pool_t *pool);

typedef struct {
    apr_uint32_t records; /* whole ones, each passed to the visitor */
    apr_uint32_t damaged; /* beginnings of records that are not whole */
    int is_other_layout;  /* of another version of the module, or of another kind of machine: nothing was read */
} oc_file_load_t;

/** One record of the file, in the order in which they were written. entry->id and data are valid during the call. */
typedef void oc_file_record_fn(void *context, const oc_entry_t *entry);

/** How much of a file to read for an arena of @a n_blocks: it may have been larger before, but a child that
 *  stretches the file must not have root allocate whatever it likes. */
uint32_t oc_file_blocks_max(uint32_t n_blocks);

/**
 * Read the file, @a blocks_max blocks of it at most, and pass every whole record to @a visit. Works on a private copy
 * (temporary memory of the file's size).
 * @return APR_SUCCESS: read, perhaps nothing of use in it. APR_ENOENT: no file. APR_EGENERAL, with *problem: not ours,
 *   it must not be overwritten. Other: why it cannot be read, with *problem.
 */
apr_status_t oc_file_load(const char *path, uint32_t blocks_max, oc_file_record_fn *visit, void *context,
                          oc_file_load_t *result, apr_pool_t *pool, const char **problem);

/**
 * Begin a fresh file for @a n_blocks blocks beside @a path; oc_file_commit() puts it in its place. Mode 0600. Closed,
 * and if never committed removed, with @a pool. The descriptor is inherited through fork and closed by exec.
 */
apr_status_t oc_file_create(oc_file_t **file, const char *path, uint32_t n_blocks, apr_pool_t *pool,
                            const char **problem);

/** The same without writing a byte yet: oc_file_commit() writes the head. */
apr_status_t oc_file_prepare(oc_file_t **file, const char *path, uint32_t n_blocks, apr_pool_t *pool,
                             const char **problem);

/** Close the file at once, and remove it if it was not committed: where writing it has failed. @a file is gone. */
void oc_file_abandon(oc_file_t *file);

/** Another process, which has the file by fork, commits it: here it is only written to and closed. */
void oc_file_leave(oc_file_t *file);

/** Write block @a block (OC_BLOCK_SIZE bytes), or, with NULL, mark that no record begins there any more. One
 *  pwrite(2): any process, but one at a time (the cache's mutex). The first failure of a row is returned, as are all
 *  others: log on change. */
apr_status_t oc_file_write(oc_file_t *file, uint32_t block, const void *bytes);

/** Make the fresh file the cache's file: flush, rename, flush the folder. After a failure the old file still stands. */
apr_status_t oc_file_commit(oc_file_t *file, const char **problem);

/**
 * Keep other servers off @a path, by a POSIX lock on `path.lock` held until @a pool is cleared. POSIX locks belong to
 * the process and are not inherited, so draining children of this server do not hold it (invariant 11). Take it once
 * per process and path: closing any descriptor of the lock file would drop it.
 * @return APR_SUCCESS; APR_EBUSY: another live process has it, *problem names it; else why it cannot be had, with
 *   *problem.
 */
apr_status_t oc_file_lock(const char *path, apr_pool_t *pool, const char **problem);

/** Who holds that lock: the process of a running server. Looks only. @return 0: nobody, as far as can be seen from
 *  here. Not to be asked by a process that may hold it. */
pid_t oc_file_lock_holder(const char *path, apr_pool_t *pool);

#endif
