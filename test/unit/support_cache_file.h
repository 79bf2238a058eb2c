/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Shared by the tests of cache/file.h: a temporary folder, a cache file in it, and functions that examine them.
 */
#ifndef SUPPORT_CACHE_FILE_H
#define SUPPORT_CACHE_FILE_H

#include "support_cache.h"
#include "cache/file.h"

#define CACHE_FOLDER "/tmp/oc-test-XXXXXX"
#define CACHE_FILE_BLOCKS 64
#define CACHE_NOBODY 65534 /* a user without rights */

/** The folder, new for each test, and the cache file's path in it. */
extern char cache_folder[sizeof(CACHE_FOLDER)];
extern char cache_path[sizeof(CACHE_FOLDER) + 8];

/** Test fixtures, in place of cache_setup and cache_teardown. At the end only "cache", "cache.new", "cache.lock" and
 *  "other" may be left in the folder: these are removed. */
int cache_folder_setup(void **state);
int cache_folder_teardown(void **state);

/** The path of another name in the folder. */
char *cache_in_folder(const char *name);
void cache_write_text(const char *name, const char *text);
/** The first 65,535 bytes of that file, until the next call. */
char *cache_read_text(const char *name);

/** A fresh file of CACHE_FILE_BLOCKS blocks at cache_path, uncommitted; or committed. */
oc_file_t *cache_file_create(void);
void cache_file_make(void);

/** Load a file that holds no record. */
apr_status_t cache_file_load(const char **problem);

/** Everything that can be seen of the folder from outside, as text. */
char *cache_folder_picture(void);

/** Run a check in a child without the powers of root. @return its exit status. */
int cache_as_nobody(int (*check)(void));

#endif
