/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The parts of oc_configtest_run(), which have files of their own.
 */
#ifndef OC_CONFIG_CONFIGTEST_PARTS_H
#define OC_CONFIG_CONFIGTEST_PARTS_H

#include "findings.h"
#include "mod_md.h"

#include <apr_tables.h>

/** SSLStapling... directives without effect, and hosts that mod_md staples for. @param servers from
 * oc_settings_servers() */
void oc_configtest_directives(oc_findings_t *findings, const oc_mod_md_t *md, const apr_array_header_t *servers,
                              apr_pool_t *pool);

/** SSLUseStapling without any SSLStaplingCache. @param servers from oc_settings_servers() */
void oc_configtest_switch(oc_findings_t *findings, const apr_array_header_t *servers);

/** OCSPCacheResponder for a URL that no certificate names. @param stapled from oc_inventory_stapled() */
void oc_configtest_responders(const apr_array_header_t *stapled, server_rec *main_server, apr_pool_t *pool);

/** Files of the cache and of clients (OCSPCacheClientFile) that cannot be used, or not as intended. */
void oc_configtest_files(server_rec *main_server, apr_pool_t *pool);

/** ChrootDir, in which the children do not find what the directives name. */
void oc_configtest_chroot(server_rec *main_server, apr_pool_t *pool);

/** Must-Staple certificates whose responder this server serves: at its start, it waits for itself. @param servers from
 * oc_settings_servers() */
void oc_configtest_own_responder(oc_findings_t *findings, const apr_array_header_t *stapled,
                                 const apr_array_header_t *servers, apr_pool_t *pool);

/** Responses that run out, and a cache that is too small. @param stapled from oc_inventory_stapled() */
void oc_configtest_cache(oc_findings_t *findings, const apr_array_header_t *stapled, server_rec *main_server,
                         apr_pool_t *pool);

#endif
