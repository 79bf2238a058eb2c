/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Certificates of stapling hosts that mod_ssl does not prime, because it does not find their issuer's certificate. They
 * are logged and added to the table of managed certificates, so that every report includes them.
 */
#ifndef OC_CONFIG_UNPRIMED_H
#define OC_CONFIG_UNPRIMED_H

#include <httpd.h>

/** post_config of the second pass, after mod_ssl's and before the table is settled. In the parent. Reads certificate
 * files only for hosts with more certificate files than primed certificates: none in a healthy configuration. */
void oc_unprimed_find(server_rec *main_server, apr_pool_t *pconf);

#endif
