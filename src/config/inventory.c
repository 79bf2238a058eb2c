/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The certificates that the configuration names, read from the administrator's own files. The issuer is searched for in
 * the same places as mod_ssl searches.
 */
#include "config/inventory.h"

#include "ocsp/issuer.h"
#include "server/issuer_files.h"
#include "server/settings.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>
#include <openssl/err.h>

typedef struct {
    apr_pool_t *pool;
    apr_hash_t *listed; /* the certificate's file and all paths of issuers -> oc_listed_t * */
    oc_issuer_files_t *files;
} reader_t;

static const char *absolute(const char *file, apr_pool_t *pool)
{
    return file ? ap_server_root_relative(pool, file) : NULL;
}

/* ---- one certificate ---- */

/* pkcs11:token=..., which mod_ssl accepts in place of a file. */
static int is_uri(const char *name)
{
    const char *p = name;

    while (apr_isalnum(*p) || *p == '+' || *p == '-' || *p == '.')
        p++;
    return p > name && *p == ':' && apr_isalpha(*name);
}

static void read_listed(reader_t *reader, oc_listed_t *listed, const oc_server_conf_t *conf)
{
    const apr_array_header_t *extra;
    oc_issuer_found_t found;
    oc_cert_t *cert = NULL;
    X509 *leaf = NULL;

    if (is_uri(listed->file)) {
        listed->status = APR_ENOTIMPL;
        return;
    }
    listed->problem = "it contains no certificate in PEM form";
    listed->status = oc_issuer_files_read(reader->files, listed->file, &leaf, &extra);
    if (listed->status == APR_SUCCESS) {
        oc_issuer_files_find(reader->files, conf, leaf, listed->file, extra, &found);
        listed->has_issuer = found.issuer && found.is_plausible;
        listed->issuer_problem = found.problem;
        listed->unread = found.unread;
        listed->status = oc_cert_from_x509(&cert, leaf, NULL, NULL, reader->pool, &listed->problem);
        listed->cert = cert;
        listed->issuer = cert ? oc_issuer_needed(leaf, reader->pool) : NULL;
    }
    X509_free(leaf);
}

static void add(reader_t *reader, apr_array_header_t *all, server_rec *s, const char *name)
{
    const oc_server_conf_t *conf = oc_settings_server(s);
    const char *file = is_uri(name) ? name : absolute(name, reader->pool);
    const char *key =
        apr_pstrcat(reader->pool, file ? file : name, "\n", conf->chain_file ? conf->chain_file : "", "\n",
                    conf->ca_file ? conf->ca_file : "", "\n", conf->ca_path ? conf->ca_path : "", NULL);
    oc_listed_t *listed = apr_hash_get(reader->listed, key, APR_HASH_KEY_STRING);

    if (!listed) {
        listed = apr_pcalloc(reader->pool, sizeof(*listed));
        listed->file = file ? file : name;
        listed->servers = apr_array_make(reader->pool, 1, sizeof(server_rec *));
        read_listed(reader, listed, conf);
        apr_hash_set(reader->listed, key, APR_HASH_KEY_STRING, listed);
        APR_ARRAY_PUSH(all, oc_listed_t *) = listed;
    }
    if (listed->servers->nelts == 0 || APR_ARRAY_IDX(listed->servers, listed->servers->nelts - 1, server_rec *) != s)
        APR_ARRAY_PUSH(listed->servers, server_rec *) = s;
}

apr_array_header_t *oc_inventory_read(server_rec *main_server, apr_pool_t *pool)
{
    return oc_inventory_of(oc_settings_servers(main_server, pool), pool);
}

apr_array_header_t *oc_inventory_of(const apr_array_header_t *servers, apr_pool_t *pool)
{
    apr_array_header_t *all = apr_array_make(pool, 16, sizeof(oc_listed_t *));
    reader_t reader = {pool, apr_hash_make(pool), oc_issuer_files_create(pool)};
    int i, j;

    ERR_set_mark();
    for (i = 0; oc_settings_is_active() && i < servers->nelts; i++) {
        server_rec *s = APR_ARRAY_IDX(servers, i, server_rec *);
        const apr_array_header_t *files = oc_settings_server(s)->certificate_files;

        for (j = 0; oc_settings_is_tls(s) && j < files->nelts; j++)
            add(&reader, all, s, APR_ARRAY_IDX(files, j, const char *));
    }
    ERR_pop_to_mark();
    return all;
}

apr_array_header_t *oc_inventory_stapled(const apr_array_header_t *all, oc_inventory_staples_fn *staples,
                                         const void *context, apr_pool_t *pool)
{
    apr_array_header_t *stapled = apr_array_make(pool, all->nelts, sizeof(oc_listed_t *));
    apr_hash_t *by_id = apr_hash_make(pool);
    int i, j;

    for (i = 0; i < all->nelts; i++) {
        const oc_listed_t *listed = APR_ARRAY_IDX(all, i, const oc_listed_t *);
        oc_listed_t *one = listed->cert ? apr_hash_get(by_id, listed->cert->id, OC_CERT_ID_LEN) : NULL;

        for (j = 0; listed->cert && j < listed->servers->nelts; j++) {
            server_rec *s = APR_ARRAY_IDX(listed->servers, j, server_rec *);

            if (!staples(context, s))
                continue;
            if (!one) {
                one = apr_pmemdup(pool, listed, sizeof(*listed));
                one->servers = apr_array_make(pool, 1, sizeof(server_rec *));
                apr_hash_set(by_id, one->cert->id, OC_CERT_ID_LEN, one);
                APR_ARRAY_PUSH(stapled, oc_listed_t *) = one;
            }
            APR_ARRAY_PUSH(one->servers, server_rec *) = s;
        }
    }
    return stapled;
}
