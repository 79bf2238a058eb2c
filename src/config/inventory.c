/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_inventory: see oc_inventory.h. Reads the administrator's own files. The issuer is looked for where mod_ssl looks.
 */
#include "config/inventory.h"

#include "ocsp/x509.h"
#include "server/settings.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <http_config.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define NAME_SIZE 512

/* The certificates of a file; status: why there are none. */
typedef struct {
    apr_status_t status;
    apr_array_header_t *certificates; /* X509 * */
} bundle_t;

typedef struct {
    apr_pool_t *pool;
    apr_hash_t *by_der; /* issuers: DER -> X509 * */
    apr_hash_t *chains; /* path -> bundle_t * */
    apr_hash_t *stores; /* path of file and of folder -> X509_STORE * */
    apr_hash_t *listed; /* all paths that decide -> oc_listed_t * */
    oc_issuer_set_t *issuers;
} reader_t;

static apr_status_t free_certificate(void *data)
{
    X509_free(data);
    return APR_SUCCESS;
}

static apr_status_t free_store(void *data)
{
    X509_STORE_free(data);
    return APR_SUCCESS;
}

/* ---- files ---- */

/* An issuer: of each there is one object, and many files that hold it. */
static X509 *shared(reader_t *reader, const unsigned char *der, long len)
{
    X509 *x509 = apr_hash_get(reader->by_der, der, len);
    const unsigned char *p = der;

    if (x509)
        return x509;
    x509 = d2i_X509_AUX(NULL, &p, len);
    if (!x509)
        return NULL;
    apr_pool_cleanup_register(reader->pool, x509, free_certificate, apr_pool_cleanup_null);
    apr_hash_set(reader->by_der, apr_pmemdup(reader->pool, der, (apr_size_t)len), len, x509);
    return x509;
}

/* Read a PEM file: the first certificate to *leaf, which is the caller's, the others to @a issuers; leaf NULL: all are issuers. */
static apr_status_t read_file(reader_t *reader, const char *path, X509 **leaf, apr_array_header_t *issuers)
{
    FILE *stream = fopen(path, "re");
    apr_status_t rv = stream ? APR_EINVAL : errno;
    BIO *bio = stream ? BIO_new_fp(stream, BIO_CLOSE) : NULL;
    unsigned char *der = NULL;
    long len;

    while (bio && PEM_bytes_read_bio(&der, &len, NULL, PEM_STRING_X509_TRUSTED, bio, NULL, NULL)) {
        const unsigned char *p = der;
        X509 *x509 = leaf && !*leaf ? (*leaf = d2i_X509_AUX(NULL, &p, len)) : shared(reader, der, len);

        OPENSSL_free(der);
        der = NULL;
        if (!x509)
            break;
        rv = APR_SUCCESS;
        if (!leaf || x509 != *leaf)
            APR_ARRAY_PUSH(issuers, X509 *) = x509;
    }
    BIO_free(bio);
    return rv;
}

static const bundle_t *chain_of(reader_t *reader, const char *path)
{
    bundle_t *chain = apr_hash_get(reader->chains, path, APR_HASH_KEY_STRING);

    if (!chain) {
        chain = apr_palloc(reader->pool, sizeof(*chain));
        chain->certificates = apr_array_make(reader->pool, 2, sizeof(X509 *));
        chain->status = read_file(reader, path, NULL, chain->certificates);
        apr_hash_set(reader->chains, path, APR_HASH_KEY_STRING, chain);
    }
    return chain;
}

static X509_STORE *store_of(reader_t *reader, const char *file, const char *folder)
{
    const char *key = apr_pstrcat(reader->pool, file ? file : "", "\n", folder ? folder : "", NULL);
    X509_STORE *store = apr_hash_get(reader->stores, key, APR_HASH_KEY_STRING);

    if (!store && (store = X509_STORE_new()) != NULL) {
        apr_pool_cleanup_register(reader->pool, store, free_store, apr_pool_cleanup_null);
        if (file)
            (void)X509_STORE_load_file(store, file);
        if (folder)
            (void)X509_STORE_load_path(store, folder);
        apr_hash_set(reader->stores, key, APR_HASH_KEY_STRING, store);
    }
    return store;
}

/* ---- the issuer ---- */

static X509 *issuer_among(const apr_array_header_t *certificates, X509 *leaf)
{
    int i;

    for (i = 0; i < certificates->nelts; i++)
        if (X509_check_issued(APR_ARRAY_IDX(certificates, i, X509 *), leaf) == X509_V_OK)
            return APR_ARRAY_IDX(certificates, i, X509 *);
    return NULL;
}

/* @return one that is the caller's to free. */
static X509 *issuer_in_store(X509_STORE *store, X509 *leaf)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509 *issuer = NULL;

    if (store && context && X509_STORE_CTX_init(context, store, leaf, NULL)
        && X509_STORE_CTX_get1_issuer(&issuer, context, leaf) <= 0)
        issuer = NULL;
    X509_STORE_CTX_free(context);
    return issuer;
}

static const char *absolute(const char *file, apr_pool_t *pool)
{
    return file ? ap_server_root_relative(pool, file) : NULL;
}

static int is_unreadable(const char *path)
{
    FILE *stream = fopen(path, "re");

    if (stream)
        (void)fclose(stream);
    return !stream;
}

static X509 *find_issuer(reader_t *reader, oc_listed_t *listed, const oc_server_conf_t *conf, X509 *leaf,
                         const apr_array_header_t *beside)
{
    const char *chain_file = absolute(conf->chain_file, reader->pool), *ca_file = absolute(conf->ca_file, reader->pool);
    const bundle_t *chain = chain_file ? chain_of(reader, chain_file) : NULL;
    X509 *issuer = issuer_among(beside, leaf);

    if (!issuer && chain)
        issuer = issuer_among(chain->certificates, leaf);
    if (issuer) {
        X509_up_ref(issuer);
        return issuer;
    }
    if (conf->ca_file || conf->ca_path)
        issuer = issuer_in_store(store_of(reader, ca_file, absolute(conf->ca_path, reader->pool)), leaf);
    if (!issuer && chain && APR_STATUS_IS_EACCES(chain->status))
        listed->unread = chain_file;
    else if (!issuer && ca_file && is_unreadable(ca_file))
        listed->unread = ca_file;
    return issuer;
}

/* ---- one certificate ---- */

/* pkcs11:token=..., as mod_ssl takes it in place of a file. */
static int is_uri(const char *name)
{
    const char *p = name;

    while (apr_isalnum(*p) || *p == '+' || *p == '-' || *p == '.')
        p++;
    return p > name && *p == ':' && apr_isalpha(*name);
}

static const char *issuer_name(const X509 *leaf, apr_pool_t *pool)
{
    char name[NAME_SIZE];

    oc_x509_name(name, sizeof(name), X509_get_issuer_name(leaf));
    return apr_pstrdup(pool, name);
}

static void read_listed(reader_t *reader, oc_listed_t *listed, const oc_server_conf_t *conf)
{
    apr_array_header_t *beside = apr_array_make(reader->pool, 2, sizeof(X509 *));
    X509 *leaf = NULL, *issuer = NULL;
    oc_cert_t *cert = NULL;

    if (is_uri(listed->file)) {
        listed->status = APR_ENOTIMPL;
        return;
    }
    listed->problem = "it holds no certificate in PEM form";
    listed->status = read_file(reader, listed->file, &leaf, beside);
    if (listed->status == APR_SUCCESS) {
        issuer = find_issuer(reader, listed, conf, leaf, beside);
        listed->has_issuer = issuer != NULL;
        listed->status = oc_cert_from_x509(&cert, leaf, NULL, reader->issuers, reader->pool, &listed->problem);
        listed->cert = cert;
        listed->issuer = cert ? issuer_name(leaf, reader->pool) : NULL;
    }
    X509_free(issuer);
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
    reader_t reader = {pool,
                       apr_hash_make(pool),
                       apr_hash_make(pool),
                       apr_hash_make(pool),
                       apr_hash_make(pool),
                       oc_issuer_set_create(pool)};
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
