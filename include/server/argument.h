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

/** check_config: could that file be used? @return OK, or HTTP_INTERNAL_SERVER_ERROR after an error line. Warns of one
 * that a reboot loses. Looks only. */
int oc_argument_check(const oc_argument_t *argument, server_rec *s, apr_pool_t *ptemp);

#endif
