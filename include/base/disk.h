/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_disk: how files of our own are opened, begun, read and written, beside one another in a folder that others may write to: no
 * symlink is followed, nothing foreign is touched, and what goes wrong is a sentence for the administrator.
 *
 * For oc_file, oc_ledger, oc_manifest and oc_command, which know what is in them.
 */
#ifndef OC_BASE_DISK_H
#define OC_BASE_DISK_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <sys/types.h>

/** "cannot <what> <path>: <why>" in *problem, from @a pool. @return @a rv */
apr_status_t oc_disk_fail(apr_status_t rv, const char *what, const char *path, apr_pool_t *pool, const char **problem);

/** "<path> <why>; it is left alone ..." in *problem. @return APR_EGENERAL */
apr_status_t oc_disk_refuse(const char *path, const char *why, apr_pool_t *pool, const char **problem);

/** The folder that @a path lies in. */
const char *oc_disk_folder(const char *path, apr_pool_t *pool);

/**
 * Open an existing file for reading if it is a regular one, of our own, and not reached through a symlink: who could plant another
 * one could make root read or replace what it should not. The descriptor is the caller's; exec closes it.
 * @return APR_SUCCESS; APR_ENOENT; APR_EGENERAL: not such a file; else the errno. All but APR_ENOENT with *problem.
 */
apr_status_t oc_disk_open_own(const char *path, int *fd, off_t *size, apr_pool_t *pool, const char **problem);

/** Begin a new file, mode 0600, at @a path, which nobody else names: what lies there was left by a crash and is removed. The
 *  descriptor, for reading and writing, is the caller's; exec closes it. */
apr_status_t oc_disk_create(const char *path, int *fd, apr_pool_t *pool, const char **problem);

/**
 * Read a whole file of our own, which is @a max bytes long or less.
 * @param text out: from @a pool, with a zero byte behind it
 * @return as oc_disk_open_own(); APR_EGENERAL: it is too large
 */
apr_status_t oc_disk_load(const char *path, apr_size_t max, const char **text, apr_size_t *len, apr_pool_t *pool,
                          const char **problem);

/**
 * Make a file of our own hold @a text, by writing `path.new` and renaming it: who reads sees the old text or the new one. What
 * says the same already is left alone; what is no file of our own is not replaced.
 * @return APR_SUCCESS; else why not, with *problem: what was there stays.
 */
apr_status_t oc_disk_save(const char *path, mode_t mode, const char *text, apr_size_t len, apr_pool_t *pool,
                          const char **problem);

/** Read @a len bytes, fewer only at the end of the file. @return how many; -1: errno says why not. */
ssize_t oc_disk_read_at(int fd, void *buffer, size_t len, off_t offset);

/** Write all of it. Any process, any thread. */
apr_status_t oc_disk_write_at(int fd, const void *buffer, size_t len, off_t offset);

#endif
