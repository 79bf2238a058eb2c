/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What `apachectl -t` reports before any responder is queried: about certificates (configtest.c), about directives
 * without effect (configtest_directives.c), and about the cache's file (configtest_cache.c).
 *
 * Errors in the configuration are warnings. What is expected, like a certificate without a responder, is logged at
 * info.
 */
#ifndef OC_CONFIG_CONFIGTEST_H
#define OC_CONFIG_CONFIGTEST_H

#include <apr_tables.h>
#include <httpd.h>

/** test_config: check the certificates of the vhosts, the directives and the cache's file, and log what prevents
 * stapling. Changes nothing. @param certificates from oc_inventory_read() */
void oc_configtest_run(server_rec *main_server, const apr_array_header_t *certificates, apr_pool_t *pool);

/** post_config: a vhost with stapling off was primed with this certificate. Warn if clients will reject it without a
 * staple. */
void oc_configtest_unstapled(server_rec *s, const char *pem, apr_pool_t *pool);

#endif
