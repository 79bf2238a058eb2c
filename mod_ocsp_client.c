/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Revocation of client certificates for Apache httpd: in the handshake and at each request, by what mod_ocsp_cache
 * knows. This file is the table of contents: the hooks, in the order in which httpd and mod_ssl call them.
 * ARCHITECTURE.md has the design.
 */
#include "mtls/mtls.h"

#include <http_connection.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_ssl_openssl.h>

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    oc_mtls_reset(pconf);
    return OK;
}

static void register_hooks(apr_pool_t *pconf)
{
    static const char *const mod_ssl[] = {"mod_ssl.c", NULL};
    static const char *const mod_ocsp_cache[] = {"mod_ocsp_cache.c", NULL};
    static const char *const mod_http2[] = {"mod_http2.c", NULL};

    (void)pconf;
    oc_mtls_connection_register();
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(oc_mtls_check_config, NULL, mod_ocsp_cache, APR_HOOK_MIDDLE);
    ap_hook_test_config(oc_mtls_test_config, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ssl, init_server, oc_mtls_init_server, NULL, NULL, APR_HOOK_REALLY_LAST);
    APR_OPTIONAL_HOOK(ssl, pre_handshake, oc_mtls_pre_handshake, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_process_connection(oc_mtls_process_connection, mod_ssl, mod_http2, APR_HOOK_MIDDLE);
    ap_hook_post_read_request(oc_mtls_post_read_request, mod_ssl, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_access(oc_mtls_check_access, mod_ssl, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
}

AP_DECLARE_MODULE(ocsp_client) = {
    STANDARD20_MODULE_STUFF,
    NULL, /* per-directory configuration: none */
    NULL,
    oc_mtls_create_server,
    oc_mtls_merge_server,
    oc_mtls_directives,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
