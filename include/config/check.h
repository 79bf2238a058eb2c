/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_check: what `apachectl -t` says before any responder is asked: about the certificates (oc_check.c), about directives that have no
 * effect (oc_check_directives.c), about what the cache's file holds (oc_check_cache.c).
 *
 * Errors of the configuration are warnings; what is so by its nature, like a certificate without a responder, is at info.
 */
#ifndef OC_CONFIG_CHECK_H
#define OC_CONFIG_CHECK_H

#include "config/findings.h"
#include "config/mod_md.h"

#include <apr_tables.h>
#include <httpd.h>

/** test_config: look at the certificates that the vhosts name and at what the cache's file holds, and say what will keep hosts from being
 *  stapled for. Looks only. @param certificates as of oc_inventory_read() */
void oc_check_configuration(server_rec *main_server, const apr_array_header_t *certificates, apr_pool_t *pool);

/** post_config: a vhost with stapling off was primed with this certificate: warn if clients will refuse it so. */
void oc_check_unstapled(server_rec *s, const char *pem, apr_pool_t *pool);

/* The parts of oc_check_configuration(). */

/** SSLStapling... directives that change nothing, and hosts that mod_md staples for. @param servers as of oc_settings_servers() */
void oc_check_directives(oc_findings_t *findings, const oc_mod_md_t *md, const apr_array_header_t *servers,
                         apr_pool_t *pool);

/** Responses that run out, and a cache that is too small. @param stapled as of oc_inventory_stapled() */
void oc_check_cache(oc_findings_t *findings, const apr_array_header_t *stapled, server_rec *main_server,
                    apr_pool_t *pool);

#endif
