/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Opens, creates, reads and writes the module's own files, in a folder that others may write to: no symbolic link is
 * followed, no foreign file is touched, and every failure is described in a sentence for the administrator.
 *
 * For the cache's file, ledger, manifest and command, which know the contents.
 */
#ifndef OC_BASE_DISK_H
#define OC_BASE_DISK_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/** "cannot <what> <path>: <why>" in *problem, from @a pool. @return @a rv */
apr_status_t oc_disk_fail(apr_status_t rv, const char *what, const char *path, apr_pool_t *pool, const char **problem);

/** "<path> <why>" in *problem: the file is not ours. @return APR_EGENERAL */
apr_status_t oc_disk_refuse(const char *path, const char *why, apr_pool_t *pool, const char **problem);

/** For callers that would replace the file: add to a refusal (@a rv is APR_EGENERAL) that it is not changed.
 *  @return @a rv */
apr_status_t oc_disk_keep(apr_status_t rv, apr_pool_t *pool, const char **problem);

/** The folder that @a path lies in. */
const char *oc_disk_folder(const char *path, apr_pool_t *pool);

/**
 * Open an existing file for reading if it is a regular file, owned by this process's user, and not a symbolic link: a
 * planted one could make root read or replace another file. The caller closes the descriptor; exec does, too.
 * @return APR_SUCCESS; APR_ENOENT; APR_EGENERAL: not such a file; else the errno. All but APR_ENOENT with *problem.
 */
apr_status_t oc_disk_open_own(const char *path, int *fd, off_t *size, apr_pool_t *pool, const char **problem);

/** Create a file, mode 0600, at @a path, which nothing else uses: what is there was left by a crash and is removed. The
 *  caller closes the descriptor, for reading and writing; exec does, too. */
apr_status_t oc_disk_create(const char *path, int *fd, apr_pool_t *pool, const char **problem);

/**
 * Read a whole file of our own, of at most @a max bytes.
 * @param text out: from @a pool, NUL-terminated
 * @return as oc_disk_open_own(); APR_EGENERAL: it is too large
 */
apr_status_t oc_disk_load(const char *path, apr_size_t max, const char **text, apr_size_t *len, apr_pool_t *pool,
                          const char **problem);

/**
 * Write @a text (NULL: there was no memory for it) to a file of our own, by writing `path.new` and renaming it: readers
 * see the old text or the new one. A file with the same text is not written; a foreign file is not replaced.
 * @return APR_SUCCESS; else why not, with *problem: the old file stays.
 */
apr_status_t oc_disk_save(const char *path, mode_t mode, const char *text, apr_size_t len, apr_pool_t *pool,
                          const char **problem);

/** Which state of a file or folder was seen last. Zero it before the first look. */
typedef struct {
    int64_t seconds, nanoseconds;
    uint64_t inode, size;
} oc_disk_stamp_t;

/** Remember the state @a st. @return 1: it differs from the one remembered; 0: it is the same */
int oc_disk_restamp(oc_disk_stamp_t *stamp, const struct stat *st);

/** Read @a len bytes, fewer only at the end of the file. @return how many; -1: errno says why not. */
ssize_t oc_disk_read_at(int fd, void *buffer, size_t len, off_t offset);

/** Write all of it. Any process, any thread. */
apr_status_t oc_disk_write_at(int fd, const void *buffer, size_t len, off_t offset);

#endif
