/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A module that sets the callback which verifies client certificates, after every other module.
 */
#include <httpd.h>
#include <http_config.h>
#include <mod_ssl_openssl.h>

static int verify(X509_STORE_CTX *ctx, void *data)
{
    (void)data;
    return X509_verify_cert(ctx);
}

static int init_server(server_rec *s, apr_pool_t *p, int is_proxy, SSL_CTX *ctx)
{
    (void)s;
    (void)p;
    if (!is_proxy)
        SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    static const char *const after[] = {"mod_ocsp_client.c", NULL};

    (void)pool;
    APR_OPTIONAL_HOOK(ssl, init_server, init_server, after, NULL, APR_HOOK_REALLY_LAST);
}

AP_DECLARE_MODULE(takes_verify) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
                                   AP_MODULE_FLAG_NONE};
