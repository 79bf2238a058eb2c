/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What `apachectl -t` reports before any responder is queried: about certificates (check.c), about directives without
 * effect (check_directives.c), and about the cache's file (check_cache.c).
 *
 * Errors in the configuration are warnings. What is expected, like a certificate without a responder, is logged at
 * info.
 */
#ifndef OC_CONFIG_CHECK_H
#define OC_CONFIG_CHECK_H

#include "config/findings.h"
#include "config/mod_md.h"

#include <apr_tables.h>
#include <httpd.h>

/** test_config: check the certificates of the vhosts, the directives and the cache's file, and log what prevents
 * stapling. Changes nothing. @param certificates from oc_inventory_read() */
void oc_check_configuration(server_rec *main_server, const apr_array_header_t *certificates, apr_pool_t *pool);

/** post_config: a vhost with stapling off was primed with this certificate. Warn if clients will reject it without a
 * staple. */
void oc_check_unstapled(server_rec *s, const char *pem, apr_pool_t *pool);

/* The parts of oc_check_configuration(). */

/** SSLStapling... directives without effect, and hosts that mod_md staples for. @param servers from
 * oc_settings_servers() */
void oc_check_directives(oc_findings_t *findings, const oc_mod_md_t *md, const apr_array_header_t *servers,
                         apr_pool_t *pool);

/** SSLUseStapling without any SSLStaplingCache. @param servers from oc_settings_servers() */
void oc_check_switch(oc_findings_t *findings, const apr_array_header_t *servers);

/** OCSPCacheResponder for a URL that no certificate names. @param stapled from oc_inventory_stapled() */
void oc_check_responders(const apr_array_header_t *stapled, server_rec *main_server, apr_pool_t *pool);

/** A file for the cache that cannot be used, or not as intended. */
void oc_check_file(server_rec *main_server, apr_pool_t *pool);

/** Responses that run out, and a cache that is too small. @param stapled from oc_inventory_stapled() */
void oc_check_cache(oc_findings_t *findings, const apr_array_header_t *stapled, server_rec *main_server,
                    apr_pool_t *pool);

#endif
