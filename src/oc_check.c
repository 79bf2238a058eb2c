/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_check: see oc_check.h. Reads the administrator's own files, as whoever runs the test.
 */
#include "oc_check.h"

#include "oc_cert.h"
#include "oc_config.h"
#include "oc_fetch.h"
#include "oc_managed.h"
#include "oc_module.h"
#include "oc_url.h"

#include <apr_strings.h>
#include <http_log.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

APLOG_USE_MODULE(ocsp_cache);

static apr_status_t free_certificate(void *data)
{
    X509_free(data);
    return APR_SUCCESS;
}

/* Append the certificates of a PEM file; what cannot be read adds nothing. */
static void read_certificates(apr_array_header_t *certificates, const char *file, apr_pool_t *pool)
{
    const char *path = file ? ap_server_root_relative(pool, file) : NULL;
    BIO *bio = path ? BIO_new_file(path, "r") : NULL;
    X509 *x509;

    while (bio && (x509 = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        apr_pool_cleanup_register(pool, x509, free_certificate, apr_pool_cleanup_null);
        APR_ARRAY_PUSH(certificates, X509 *) = x509;
    }
    BIO_free(bio);
}

/* The issuer of the first, from where mod_ssl looks for it. */
static X509 *find_issuer(const apr_array_header_t *certificates)
{
    X509 *leaf = APR_ARRAY_IDX(certificates, 0, X509 *);
    int i;

    for (i = 1; i < certificates->nelts; i++)
        if (X509_check_issued(APR_ARRAY_IDX(certificates, i, X509 *), leaf) == X509_V_OK)
            return APR_ARRAY_IDX(certificates, i, X509 *);
    return NULL;
}

static void report(const oc_cert_t *cert, server_rec *s, apr_pool_t *pool)
{
    const oc_server_conf_t *conf = oc_config_server(s);
    const char *label =
        apr_psprintf(pool, "%s: certificate %s (serial %s)", oc_managed_host(s, pool), cert->subject, cert->serial);
    const char *url = oc_config_url(s, cert->url);
    int level = cert->must_staple ? APLOG_WARNING : APLOG_INFO;
    const char *demand =
        cert->must_staple ? ". It is a Must-Staple certificate (RFC 7633): clients refuse it without a staple" : "";

    if (cert->not_after <= apr_time_now())
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "%s: it is expired: nothing can be stapled for it", label);
    else if (!conf->staples && cert->must_staple)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "%s: SSLUseStapling is off%s. Write `SSLUseStapling on` for this host", label, demand);
    else if (conf->staples && !url && !oc_config_global()->response_folder)
        ap_log_error(APLOG_MARK, level, 0, s,
                     "%s: nothing will be stapled: the certificate names no OCSP responder%s. Only "
                     "SSLStaplingForceURL could name one",
                     label, demand);
    else if (conf->staples && !cert->issuer && !conf->ca_path) /* a folder is left to mod_ssl */
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "%s: nothing will be stapled: the issuer's certificate is not there%s. Put it behind the "
                     "server's in SSLCertificateFile, or name it in SSLCertificateChainFile or "
                     "SSLCACertificateFile",
                     label, demand);
    else if (conf->staples && url && oc_fetch_url_problem(url, pool))
        ap_log_error(APLOG_MARK, conf->force_url ? APLOG_WARNING : level, 0, s,
                     "%s: nothing will be stapled: the responder %s cannot be asked: %s%s", label,
                     oc_url_public(url, pool), oc_fetch_url_problem(url, pool), demand);
}

static void check_file(const char *file, server_rec *s, oc_issuer_set_t *issuers, apr_pool_t *pool)
{
    const oc_server_conf_t *conf = oc_config_server(s);
    apr_array_header_t *certificates = apr_array_make(pool, 4, sizeof(X509 *));
    const char *reason = NULL;
    oc_cert_t *cert;

    read_certificates(certificates, file, pool);
    if (certificates->nelts == 0)
        return;
    read_certificates(certificates, conf->chain_file, pool);
    read_certificates(certificates, conf->ca_file, pool);
    if (oc_cert_from_x509(&cert, APR_ARRAY_IDX(certificates, 0, X509 *), find_issuer(certificates), issuers, pool,
                          &reason)
        == APR_SUCCESS)
        report(cert, s, pool);
}

void oc_check_certificates(apr_pool_t *pconf, server_rec *main_server)
{
    server_rec *s;
    apr_pool_t *pool;
    int i;

    if (!oc_config_is_active())
        return;
    ERR_set_mark();
    apr_pool_create(&pool, pconf);
    for (s = main_server; s; s = s->next) {
        const oc_server_conf_t *conf = oc_config_server(s);

        for (i = 0; conf->ssl_engine == 1 && i < conf->certificate_files->nelts; i++) {
            check_file(APR_ARRAY_IDX(conf->certificate_files, i, const char *), s, oc_issuer_set_create(pool), pool);
            apr_pool_clear(pool);
        }
    }
    apr_pool_destroy(pool);
    ERR_pop_to_mark();
}

void oc_check_unstapled(server_rec *s, const char *pem, apr_pool_t *pool)
{
    const char *reason = NULL;
    oc_cert_t *cert;

    if (oc_cert_parse(&cert, pem, oc_issuer_set_create(pool), pool, &reason) == APR_SUCCESS && cert->must_staple)
        report(cert, s, pool);
}
