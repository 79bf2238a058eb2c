/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What `apachectl -t` reports about the checks of client certificates: what makes them slow, and what makes them void.
 */
#include "mtls.h"

#include <http_core.h>
#include <http_log.h>

APLOG_USE_MODULE(ocsp_client);

static void check_host(const server_rec *s, apr_pool_t *pool)
{
    const oc_mtls_conf_t *conf = oc_mtls_conf(s);
    const char *name = oc_mtls_service()->host_name(s, pool);
    int is_tls = oc_mtls_service()->is_tls(s);

    if (conf->host.mode == OC_CLIENT_OFF) {
        if (conf->has_own_settings && s->is_virtual)
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "%s: OCSPCacheClient is off in this host, so its other OCSPCacheClient directives have no "
                         "effect. Set OCSPCacheClient soft or hard",
                         name);
        return;
    }
    if (!is_tls)
        return;
    if (conf->ocsp_enable && *conf->ocsp_enable)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "%s: SSLOCSPEnable is on too (%s): mod_ssl then queries the responder within each handshake, and "
                     "a responder that hangs blocks the server. Remove that line: OCSPCacheClient replaces it",
                     name, conf->ocsp_enable);
    if (conf->verify_client == OC_VERIFY_NO_CA)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "%s: SSLVerifyClient optional_no_ca accepts certificates of any CA: the status of such a client "
                     "is never known. Set SSLVerifyClient optional or require",
                     name);
    else if (conf->verify_client != OC_VERIFY_CA && !oc_mtls_verifies_in_directory())
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "%s: OCSPCacheClient has no effect: no client sends a certificate to this host. Set "
                     "SSLVerifyClient",
                     name);
}

void oc_mtls_test_config(apr_pool_t *pconf, server_rec *main_server)
{
    const server_rec *s;

    for (s = main_server; oc_mtls_service() && s; s = s->next)
        check_host(s, pconf);
    if (oc_mtls_written() && !oc_mtls_is_active())
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, main_server,
            "%s has no effect: OCSPCacheClient is off in every host. Set OCSPCacheClient soft or hard in a host",
            oc_mtls_written());
}
