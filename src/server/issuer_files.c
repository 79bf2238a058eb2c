/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads the administrator's own files, to find a certificate's issuer: for `apachectl -t`, and at the start where
 * mod_ssl passes a certificate that only has the issuer's name. Must never prompt for a passphrase, nor choose a
 * certificate that did not sign.
 */
#include "server/issuer_files.h"

#include "ocsp/issuer.h"

#include <apr_strings.h>
#include <errno.h>
#include <http_config.h>
#include <openssl/pem.h>
#include <stdio.h>

/* The certificates of a file; status: why there are none. */
typedef struct {
    apr_status_t status;
    apr_array_header_t *certificates; /* X509 * */
} bundle_t;

struct oc_issuer_files_t {
    apr_pool_t *pool;
    apr_hash_t *by_der; /* DER -> X509 * */
    apr_hash_t *chains; /* path -> bundle_t * */
    apr_hash_t *stores; /* path of file and of folder -> X509_STORE * */
};

oc_issuer_files_t *oc_issuer_files_create(apr_pool_t *pool)
{
    oc_issuer_files_t *files = apr_palloc(pool, sizeof(*files));

    files->pool = pool;
    files->by_der = apr_hash_make(pool);
    files->chains = apr_hash_make(pool);
    files->stores = apr_hash_make(pool);
    return files;
}

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
static X509 *shared(oc_issuer_files_t *files, const unsigned char *der, long len)
{
    X509 *x509 = apr_hash_get(files->by_der, der, len);
    const unsigned char *p = der;

    if (x509)
        return x509;
    x509 = d2i_X509_AUX(NULL, &p, len);
    if (!x509)
        return NULL;
    apr_pool_cleanup_register(files->pool, x509, free_certificate, apr_pool_cleanup_null);
    apr_hash_set(files->by_der, apr_pmemdup(files->pool, der, (apr_size_t)len), len, x509);
    return x509;
}

/* The first certificate to *leaf, the others to @a issuers; leaf NULL: all are issuers. */
static apr_status_t read_file(oc_issuer_files_t *files, const char *path, X509 **leaf, apr_array_header_t *issuers)
{
    static char no_passphrase[] = ""; /* given one, OpenSSL does not ask for it on the terminal */
    FILE *stream = fopen(path, "re");
    apr_status_t rv = stream ? APR_EINVAL : errno;
    BIO *bio = stream ? BIO_new_fp(stream, BIO_CLOSE) : NULL;
    unsigned char *der = NULL;
    long len;

    while (bio && PEM_bytes_read_bio(&der, &len, NULL, PEM_STRING_X509_TRUSTED, bio, NULL, no_passphrase)) {
        const unsigned char *p = der;
        X509 *x509 = leaf && !*leaf ? (*leaf = d2i_X509_AUX(NULL, &p, len)) : shared(files, der, len);

        OPENSSL_free(der);
        der = NULL;
        if (!x509)
            break;
        rv = APR_SUCCESS;
        if (!leaf || x509 != *leaf)
            APR_ARRAY_PUSH(issuers, X509 *) = x509;
    }
    if (stream && !bio)
        (void)fclose(stream);
    BIO_free(bio);
    return rv;
}

apr_status_t oc_issuer_files_read(oc_issuer_files_t *files, const char *path, X509 **leaf,
                                  const apr_array_header_t **extra)
{
    apr_array_header_t *others = apr_array_make(files->pool, 2, sizeof(X509 *));

    *leaf = NULL;
    *extra = others;
    return read_file(files, path, leaf, others);
}

static const bundle_t *chain_of(oc_issuer_files_t *files, const char *path)
{
    bundle_t *chain = apr_hash_get(files->chains, path, APR_HASH_KEY_STRING);

    if (!chain) {
        chain = apr_palloc(files->pool, sizeof(*chain));
        chain->certificates = apr_array_make(files->pool, 2, sizeof(X509 *));
        chain->status = read_file(files, path, NULL, chain->certificates);
        apr_hash_set(files->chains, path, APR_HASH_KEY_STRING, chain);
    }
    return chain;
}

static X509_STORE *store_of(oc_issuer_files_t *files, const char *file, const char *folder)
{
    const char *key = apr_pstrcat(files->pool, file ? file : "", "\n", folder ? folder : "", NULL);
    X509_STORE *store = apr_hash_get(files->stores, key, APR_HASH_KEY_STRING);

    if (!store && (store = X509_STORE_new()) != NULL) {
        apr_pool_cleanup_register(files->pool, store, free_store, apr_pool_cleanup_null);
        if (file)
            (void)X509_STORE_load_file(store, file);
        if (folder)
            (void)X509_STORE_load_path(store, folder);
        apr_hash_set(files->stores, key, APR_HASH_KEY_STRING, store);
    }
    return store;
}

/* ---- the issuer ---- */

/* All in the CA file and folder that bear the issuer's name. They belong to the store, which belongs to the pool. */
static const apr_array_header_t *namesakes(X509_STORE *store, X509 *leaf, apr_pool_t *pool)
{
    apr_array_header_t *all = apr_array_make(pool, 2, sizeof(X509 *));
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *stack = NULL;
    int i;

    if (store && context && X509_STORE_CTX_init(context, store, leaf, NULL))
        stack = X509_STORE_CTX_get1_certs(context, X509_get_issuer_name(leaf));
    for (i = 0; i < sk_X509_num(stack); i++)
        APR_ARRAY_PUSH(all, X509 *) = sk_X509_value(stack, i);
    sk_X509_pop_free(stack, X509_free);
    X509_STORE_CTX_free(context);
    return all;
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

/* Look at the certificates of one place. @return 1: the issuer is among them */
static int look(const apr_array_header_t *candidates, X509 *leaf, const char *place, apr_pool_t *pool,
                oc_issuer_found_t *found)
{
    found->is_plausible |= oc_issuer_is_plausible(candidates, leaf);
    found->issuer = oc_issuer_choose(candidates, leaf);
    if (!found->issuer && candidates->nelts > 0)
        found->problem =
            apr_pstrcat(pool, found->problem, "; ", place, " holds ", oc_issuer_names(candidates, leaf, pool), NULL);
    return found->issuer != NULL;
}

void oc_issuer_files_find(oc_issuer_files_t *files, const oc_server_conf_t *conf, X509 *leaf, const char *file,
                          const apr_array_header_t *extra, oc_issuer_found_t *found)
{
    apr_pool_t *pool = files->pool;
    const char *chain_file = absolute(conf->chain_file, pool), *ca_file = absolute(conf->ca_file, pool);
    const char *ca_path = absolute(conf->ca_path, pool);
    const bundle_t *chain = chain_file ? chain_of(files, chain_file) : NULL;
    X509 *issuer = NULL;

    memset(found, 0, sizeof(*found));
    found->problem = apr_pstrcat(pool, oc_issuer_needed(leaf, pool), " is needed", NULL);
    if (extra && look(extra, leaf, file, pool, found))
        issuer = found->issuer;
    if (!issuer && chain && look(chain->certificates, leaf, chain_file, pool, found))
        issuer = found->issuer;
    if (!issuer && (ca_file || ca_path)
        && look(namesakes(store_of(files, ca_file, ca_path), leaf, pool), leaf, ca_file ? ca_file : ca_path, pool,
                found))
        issuer = found->issuer;
    found->issuer = issuer;
    if (!issuer && chain && APR_STATUS_IS_EACCES(chain->status))
        found->unread = chain_file;
    else if (!issuer && ca_file && is_unreadable(ca_file))
        found->unread = ca_file;
}
