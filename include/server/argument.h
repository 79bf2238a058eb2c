/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The argument after "ocsp_cache:" in SSLStaplingCache: the cache's file and its size.
 */
#ifndef OC_SERVER_ARGUMENT_H
#define OC_SERVER_ARGUMENT_H

#include <httpd.h>

typedef struct {
    const char *path; /* absolute; NULL: none was named */
    apr_size_t size;  /* in bytes; the default where none was named */
} oc_argument_t;

/**
 * Read "path", "path(size)" or "(size)"; spaces and parentheses may be part of the path, as with mod_socache_shmcb.
 * @param text NULL or "": all defaults. @param pool holds the path
 * @return NULL, or what is wrong with it, with the accepted form, from @a pool.
 */
const char *oc_argument_parse(oc_argument_t *argument, const char *text, apr_pool_t *pool);

/** The file for staples: the one named, else a default that tells the servers of one machine apart. Once the
 * configuration is read. */
const char *oc_argument_file(const oc_argument_t *argument, apr_pool_t *pool);

/** The message, without its full stop, about a file that cannot be used: stapling continues without it, and what the
 * administrator can do.
 * @param directive that names the file @param problem and @param reason from oc_file_check(), oc_file_lock(),
 * oc_file_prepare() or oc_file_commit() */
const char *oc_argument_memory_only(const char *directive, const char *problem, apr_status_t reason, const char *path,
                                    apr_pool_t *pool);

#endif
