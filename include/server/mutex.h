/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Mutexes of the type `ocsp-cache`, by the mechanism of the Mutex directive, if that releases the mutex of a killed
 * holder.
 */
#ifndef OC_SERVER_MUTEX_H
#define OC_SERVER_MUTEX_H

#include <apr_global_mutex.h>
#include <httpd.h>

#define OC_MUTEX_TYPE "ocsp-cache"

/** pre_config: make the type known to the Mutex directive. */
apr_status_t oc_mutex_register(apr_pool_t *pconf);

/** In the parent. @param instance distinguishes mutexes of the type. The mutex lives as long as @a pool. httpd logs a
 * failure. */
apr_status_t oc_mutex_create(apr_global_mutex_t **mutex, const char *instance, server_rec *s, apr_pool_t *pool);

/** child_init: make the mutex usable in this child. Logs a failure. */
void oc_mutex_child_init(apr_global_mutex_t **mutex, server_rec *s, apr_pool_t *pchild);

#endif
