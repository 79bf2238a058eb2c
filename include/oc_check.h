/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_check: what `apachectl -t` says about the certificates themselves, before any responder is asked.
 */
#ifndef OC_CHECK_H
#define OC_CHECK_H

#include <httpd.h>

/** test_config: read the certificate files that the vhosts name and warn of what will keep them from being stapled. Files that
 *  cannot be read are mod_ssl's to complain about. */
void oc_check_certificates(apr_pool_t *pconf, server_rec *main_server);

/** post_config: a vhost with stapling off was primed with this certificate: warn if clients will refuse it so. */
void oc_check_unstapled(server_rec *s, const char *pem, apr_pool_t *pool);

#endif
