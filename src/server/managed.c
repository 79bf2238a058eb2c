/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of the certificates that this configuration staples for, which mod_ssl's priming fills.
 */
#include "server/managed.h"

#include "fetch/fetch.h"
#include "server/issuer_files.h"
#include "server/module.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_log.h>
#include <openssl/err.h>

APLOG_USE_MODULE(ocsp_cache);

static struct {
    apr_pool_t *pool;
    apr_array_header_t *all; /* oc_managed_t * */
    apr_hash_t *by_id;
    apr_hash_t *by_server;        /* server_rec * -> apr_array_header_t * of oc_managed_t *, as they were primed */
    apr_array_header_t *unprimed; /* oc_managed_t * */
    apr_hash_t *rejected;         /* id -> itself: primed, and unusable */
    oc_issuer_set_t *issuers;
} table;

void oc_managed_reset(apr_pool_t *pconf)
{
    table.pool = pconf;
    table.all = apr_array_make(pconf, 16, sizeof(oc_managed_t *));
    table.by_id = apr_hash_make(pconf);
    table.by_server = apr_hash_make(pconf);
    table.rejected = apr_hash_make(pconf);
    table.unprimed = apr_array_make(pconf, 0, sizeof(oc_managed_t *));
    table.issuers = oc_issuer_set_create(pconf);
}

const apr_array_header_t *oc_managed_all(void)
{
    return table.all;
}

int oc_managed_is_refreshed(const oc_managed_t *managed)
{
    return managed->targets.is_refreshed;
}

const apr_array_header_t *oc_managed_unprimed(void)
{
    return table.unprimed;
}

int oc_managed_was_rejected(const unsigned char *id)
{
    return apr_hash_get(table.rejected, id, OC_CERT_ID_LEN) != NULL;
}

/* NULL: there are none. */
static apr_array_header_t *certificates_of(const server_rec *s)
{
    return apr_hash_get(table.by_server, &s, sizeof(s));
}

unsigned oc_managed_count_of(const server_rec *s)
{
    const apr_array_header_t *certificates = certificates_of(s);

    return certificates ? (unsigned)certificates->nelts : 0;
}

static void add_to_server(server_rec *s, oc_managed_t *managed)
{
    apr_array_header_t *certificates = certificates_of(s);

    if (!certificates) {
        certificates = apr_array_make(table.pool, 1, sizeof(oc_managed_t *));
        apr_hash_set(table.by_server, apr_pmemdup(table.pool, &s, sizeof(s)), sizeof(s), certificates);
    }
    APR_ARRAY_PUSH(certificates, oc_managed_t *) = managed;
}

const char *oc_managed_host(const server_rec *s, apr_pool_t *pool)
{
    unsigned port = s->port;

    if (port == 0) /* ServerName without a port: the address in <VirtualHost> has one */
        port = s->addrs && s->addrs->host_port ? s->addrs->host_port : DEFAULT_HTTPS_PORT;
    return apr_psprintf(pool, "%s:%u", s->server_hostname ? s->server_hostname : "?", port);
}

static void add_host(apr_array_header_t *hosts, apr_hash_t *seen, const char *host)
{
    if (apr_hash_get(seen, host, APR_HASH_KEY_STRING))
        return;
    apr_hash_set(seen, host, APR_HASH_KEY_STRING, host);
    APR_ARRAY_PUSH(hosts, const char *) = host;
}

/* Several vhosts may have the same name; thousands of them may use the same certificate. */
apr_array_header_t *oc_managed_hosts(const oc_managed_t *managed, apr_pool_t *pool)
{
    apr_array_header_t *hosts = apr_array_make(pool, managed->servers->nelts, sizeof(const char *));
    apr_hash_t *seen = apr_hash_make(pool);
    int i;

    for (i = 0; i < managed->servers->nelts; i++)
        add_host(hosts, seen, oc_managed_host(APR_ARRAY_IDX(managed->servers, i, server_rec *), pool));
    return hosts;
}

/* ---- while certificates are primed ---- */

/* mod_ssl passes the first certificate with the issuer's name. The right one may follow it, or be in another file of
 * the host. */
static oc_cert_t *with_right_issuer(const server_rec *s, const char *pem, const char **reason)
{
    const oc_server_conf_t *conf = oc_settings_server(s);
    X509 *leaf = oc_cert_first(pem);
    oc_issuer_files_t *files;
    oc_issuer_found_t found = {0};
    oc_cert_t *cert = NULL;
    const char *problem;
    apr_pool_t *pool;
    oc_bytes_t der;
    int i;

    if (!leaf)
        return NULL;
    apr_pool_create(&pool, table.pool);
    files = oc_issuer_files_create(pool);
    ERR_set_mark();
    for (i = 0; !found.issuer && i < conf->certificate_files->nelts; i++) {
        const char *file = ap_server_root_relative(pool, APR_ARRAY_IDX(conf->certificate_files, i, const char *));
        const apr_array_header_t *extra = NULL;

        if (file && oc_issuer_files_read(files, file, &der, &extra) == APR_SUCCESS)
            oc_issuer_files_find(files, conf, leaf, file, extra, &found);
    }
    if (found.issuer)
        (void)oc_cert_from_x509(&cert, leaf, found.issuer, table.issuers, table.pool, &problem);
    else if (found.problem)
        *reason = apr_pstrcat(table.pool, *reason, "; ", found.problem, NULL);
    ERR_pop_to_mark();
    X509_free(leaf);
    apr_pool_destroy(pool);
    return cert;
}

static oc_managed_t *create(server_rec *s, const char *id, apr_size_t id_len, const char *pem)
{
    const char *reason = NULL;
    oc_managed_t *managed;
    oc_cert_t *cert;

    if (oc_cert_parse(&cert, pem, table.issuers, table.pool, &reason) != APR_SUCCESS
        && !(cert = with_right_issuer(s, pem, &reason))) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "%s: nothing is stapled for a certificate: %s",
                     oc_managed_host(s, table.pool), reason);
        return NULL;
    }
    if (id_len != OC_CERT_ID_LEN || memcmp(id, cert->id, id_len) != 0) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "%s: nothing is stapled for %s: mod_ssl identifies certificates in a way this module does not "
                     "know",
                     oc_managed_host(s, table.pool), cert->subject);
        return NULL;
    }
    managed = apr_pcalloc(table.pool, sizeof(*managed));
    managed->cert = cert;
    managed->servers = apr_array_make(table.pool, 1, sizeof(server_rec *));
    APR_ARRAY_PUSH(table.all, oc_managed_t *) = managed;
    apr_hash_set(table.by_id, cert->id, OC_CERT_ID_LEN, managed);
    return managed;
}

void oc_managed_add(server_rec *s, const char *id, apr_size_t id_len, const char *pem)
{
    oc_managed_t *managed = apr_hash_get(table.by_id, id, (apr_ssize_t)id_len);

    if (!managed)
        managed = create(s, id, id_len, pem);
    if (!managed) {
        apr_hash_set(table.rejected, apr_pmemdup(table.pool, id, id_len), (apr_ssize_t)id_len, "");
        return;
    }
    add_to_server(s, managed);
}

/* ---- certificates that are not primed ---- */

static int has(const server_rec *s, const oc_managed_t *managed)
{
    const apr_array_header_t *certificates = certificates_of(s);
    int i;

    for (i = 0; certificates && i < certificates->nelts; i++)
        if (APR_ARRAY_IDX(certificates, i, const oc_managed_t *) == managed)
            return 1;
    return 0;
}

int oc_managed_add_supplied(const unsigned char *id, const apr_array_header_t *servers)
{
    oc_managed_t *managed = apr_hash_get(table.by_id, id, OC_CERT_ID_LEN);
    int i;

    for (i = 0; managed && i < servers->nelts; i++) {
        server_rec *s = APR_ARRAY_IDX(servers, i, server_rec *);

        if (!has(s, managed))
            add_to_server(s, managed);
    }
    return managed != NULL;
}

static const char *const *copy_urls(const char *const *urls, apr_pool_t *pool)
{
    apr_array_header_t *copy = apr_array_make(pool, 2, sizeof(const char *));

    for (; *urls; urls++)
        APR_ARRAY_PUSH(copy, const char *) = apr_pstrdup(pool, *urls);
    APR_ARRAY_PUSH(copy, const char *) = NULL;
    return (const char *const *)(const void *)copy->elts;
}

static const oc_cert_t *copy_cert(const oc_cert_t *cert, apr_pool_t *pool)
{
    oc_cert_t *copy = apr_pmemdup(pool, cert, sizeof(*cert));

    copy->issuer = NULL;
    copy->issuer_name = apr_pmemdup(pool, cert->issuer_name, cert->issuer_name_len);
    copy->serial_der = apr_pmemdup(pool, cert->serial_der, cert->serial_der_len);
    copy->serial = apr_pstrdup(pool, cert->serial);
    copy->subject = apr_pstrdup(pool, cert->subject);
    copy->urls = copy_urls(cert->urls, pool);
    return copy;
}

void oc_managed_add_unprimed(const oc_cert_t *cert, const apr_array_header_t *servers, const char *wanted)
{
    oc_managed_t *managed = apr_pcalloc(table.pool, sizeof(*managed));

    managed->cert = copy_cert(cert, table.pool);
    managed->servers = apr_array_copy(table.pool, servers);
    managed->wanted_issuer = wanted ? apr_pstrdup(table.pool, wanted) : NULL;
    APR_ARRAY_PUSH(table.unprimed, oc_managed_t *) = managed;
}

/* ---- when the table is complete ---- */

/* mod_ssl primes the main server first, then the vhosts in reverse order of the configuration. The certificates of one
 * vhost stay as they were primed, which is the order in which OpenSSL keeps them. */
static void sort(server_rec *main_server)
{
    const apr_array_header_t *servers = oc_settings_servers(main_server, table.pool);
    int i, j;

    apr_array_clear(table.all);
    for (i = 0; i < servers->nelts; i++) {
        server_rec *s = APR_ARRAY_IDX(servers, i, server_rec *);
        const apr_array_header_t *certificates = certificates_of(s);

        for (j = 0; certificates && j < certificates->nelts; j++) {
            oc_managed_t *managed = APR_ARRAY_IDX(certificates, j, oc_managed_t *);

            if (managed->servers->nelts == 0)
                APR_ARRAY_PUSH(table.all, oc_managed_t *) = managed;
            APR_ARRAY_PUSH(managed->servers, server_rec *) = s;
        }
    }
}

/* Nothing can be queried, but a folder may contain a response. */
static void report_no_responder(const oc_managed_t *managed)
{
    const oc_targets_t *targets = &managed->targets;
    const oc_cert_t *cert = managed->cert;
    const char *folder = oc_settings_global()->response_folder;
    int level = targets->is_expected && (folder || !cert->must_staple) ? APLOG_INFO : APLOG_WARNING;

    if (folder)
        ap_log_error(APLOG_MARK, level, 0, managed->server,
                     "%s: %s. A response is stapled only when %s/%s.der holds one", managed->label, targets->problem,
                     folder, cert->serial);
    else
        ap_log_error(APLOG_MARK, level, 0, managed->server, "%s: nothing is stapled%s: %s. %s", managed->label,
                     cert->must_staple ? ", although it is a Must-Staple certificate, which clients then reject" : "",
                     targets->problem, targets->advice);
}

static void choose_responders(oc_managed_t *managed)
{
    const char *problem = NULL;

    oc_settings_targets(managed->server, managed->cert, &managed->targets, table.pool);
    managed->url = managed->targets.url;
    managed->responder = "";
    managed->proxy = oc_settings_server(managed->server)->proxy_url;
    if (!managed->url) {
        report_no_responder(managed);
        return;
    }
    if (managed->targets.skipped)
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, managed->server, "%s: not queried: %s", managed->label,
                     managed->targets.skipped);
    managed->responder = oc_fetch_responder(managed->url, table.pool);
    if (managed->proxy)
        managed->proxy_host = oc_fetch_proxy(managed->proxy, table.pool, &problem);
}

static int same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int same_urls(const char *const *a, const char *const *b)
{
    for (; *a && *b; a++, b++)
        if (strcmp(*a, *b) != 0)
            return 0;
    return !*a && !*b;
}

/* SSLStaplingForceURL may name just what the certificate names. */
static int same_responders(const oc_managed_t *managed, const server_rec *s)
{
    oc_targets_t targets;

    if (same(oc_settings_server(managed->server)->force_url, oc_settings_server(s)->force_url))
        return 1;
    oc_settings_targets(s, managed->cert, &targets, table.pool);
    return same_urls(managed->targets.urls, targets.urls);
}

/* Which directive makes queries from @a s differ? What is not written, and what is written as its default, is the same.
 */
static const char *difference(const oc_managed_t *managed, const server_rec *s)
{
    const oc_settings_t *ours = &managed->settings;
    oc_settings_t theirs;

    oc_settings_resolve(s, &theirs);
    if (!same_responders(managed, s))
        return "SSLStaplingForceURL";
    if (!same(managed->proxy, oc_settings_server(s)->proxy_url))
        return "SSLOCSPProxyURL";
    if (ours->timeout != theirs.timeout)
        return "SSLStaplingResponderTimeout";
    if (ours->open_ended != theirs.open_ended || ours->bounds.max != theirs.bounds.max)
        return "SSLStaplingStandardCacheTimeout";
    if (ours->error_keep != theirs.error_keep) /* of two hosts with the same timeout */
        return "SSLStaplingErrorCacheTimeout";
    if (ours->skew != theirs.skew)
        return "SSLStaplingResponseTimeSkew";
    return ours->max_age != theirs.max_age ? "SSLStaplingResponseMaxAge" : NULL;
}

/* A certificate is requested once, even if several vhosts serve it: the settings of the first one apply. */
static void report_disagreement(const oc_managed_t *managed)
{
    int i;

    for (i = 1; i < managed->servers->nelts; i++) {
        server_rec *s = APR_ARRAY_IDX(managed->servers, i, server_rec *);
        const char *what = difference(managed, s);

        if (what) {
            ap_log_error(
                APLOG_MARK, APLOG_NOTICE, 0, managed->server,
                "%s: %s serves it too, with another %s. A certificate is requested once, with the settings of the "
                "virtual host that comes first in the configuration, %s",
                managed->label, oc_managed_host(s, table.pool), what, managed->host);
            return;
        }
    }
}

static void name(oc_managed_t *managed)
{
    managed->host = oc_managed_host(managed->server, table.pool);
    managed->label = apr_psprintf(table.pool, "%s: certificate %s (serial %s)", managed->host, managed->cert->subject,
                                  managed->cert->serial);
    oc_settings_resolve(managed->server, &managed->settings);
}

static int can_staple(const apr_array_header_t *all)
{
    int i;

    for (i = 0; i < all->nelts; i++) {
        const oc_managed_t *managed = APR_ARRAY_IDX(all, i, const oc_managed_t *);

        if (!managed->targets.is_expected || managed->targets.is_refreshed || managed->cert->must_staple)
            return 1;
    }
    return 0;
}

static void report_nothing_to_staple(void)
{
    if (table.all->nelts > 0 && !can_staple(table.all) && !can_staple(table.unprimed))
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, APR_ARRAY_IDX(table.all, 0, const oc_managed_t *)->server,
                     OC_NOTHING_TO_STAPLE);
}

void oc_managed_settle(server_rec *main_server)
{
    int i;

    oc_issuer_set_forget(table.issuers);
    for (i = 0; i < table.unprimed->nelts; i++) {
        oc_managed_t *managed = APR_ARRAY_IDX(table.unprimed, i, oc_managed_t *);

        managed->server = APR_ARRAY_IDX(managed->servers, 0, server_rec *);
        name(managed);
        oc_settings_targets(managed->server, managed->cert, &managed->targets, table.pool);
        managed->url = managed->targets.url;
        managed->responder = "";
    }
    sort(main_server);
    for (i = 0; i < table.all->nelts; i++) {
        oc_managed_t *managed = APR_ARRAY_IDX(table.all, i, oc_managed_t *);

        managed->server = APR_ARRAY_IDX(managed->servers, 0, server_rec *);
        name(managed);
        choose_responders(managed);
        report_disagreement(managed);
    }
    report_nothing_to_staple();
}
