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
#include <string.h>

#define FAMILY_MAX 1024 /* a longer name and longer paths together: each certificate is parsed */
#define EMPTY_LEN 2     /* of a SEQUENCE with nothing in it */

/* Certificates that have an issuer, which was found, in common. */
typedef struct {
    oc_bytes_t key;     /* from family_of() */
    const char *issuer; /* its name */
} family_t;

typedef struct {
    apr_pool_t *pool;
    apr_hash_t *listed; /* the certificate's file and all paths of issuers -> oc_listed_t * */
    oc_issuer_files_t *files;
    apr_hash_t *families;   /* from family_of() -> family_t * */
    const family_t *family; /* the last of them; mostly that of the next certificate, too */
    oc_last_urls_t last;
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

/* All that decides whether mod_ssl and this module find a certificate's issuer, but its signature: where they look, the
 * issuer's name and key, the kind of signature. @return in @a buffer; at NULL: it does not fit */
static oc_bytes_t family_of(const oc_outline_t *outline, const oc_server_conf_t *conf, const apr_array_header_t *extra,
                            unsigned char *buffer, apr_size_t size)
{
    const oc_bytes_t parts[] = {
        {(const unsigned char *)extra->elts, (apr_size_t)extra->nelts * sizeof(X509 *)},
        {(const unsigned char *)conf->chain_file, conf->chain_file ? strlen(conf->chain_file) + 1 : 0},
        {(const unsigned char *)conf->ca_file, conf->ca_file ? strlen(conf->ca_file) + 1 : 0},
        {(const unsigned char *)conf->ca_path, conf->ca_path ? strlen(conf->ca_path) + 1 : 0},
        outline->issuer,
        outline->issuer_key_id,
        outline->algorithm,
    };
    apr_size_t used = 0;
    unsigned i;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (size - used < sizeof(parts[i].len) + parts[i].len)
            return (oc_bytes_t){NULL, 0};
        memcpy(buffer + used, &parts[i].len, sizeof(parts[i].len));
        used += sizeof(parts[i].len);
        if (parts[i].len > 0)
            memcpy(buffer + used, parts[i].at, parts[i].len);
        used += parts[i].len;
    }
    return (oc_bytes_t){buffer, used};
}

/* @return NULL: none of it was seen */
static const family_t *find_family(reader_t *reader, oc_bytes_t key)
{
    const family_t *last = reader->family;

    if (!key.at || (last && last->key.len == key.len && memcmp(last->key.at, key.at, key.len) == 0))
        return key.at ? last : NULL;
    return apr_hash_get(reader->families, key.at, (apr_ssize_t)key.len);
}

static const family_t *add_family(reader_t *reader, oc_bytes_t key, const char *issuer)
{
    family_t *family = apr_palloc(reader->pool, sizeof(*family));

    *family = (family_t){{apr_pmemdup(reader->pool, key.at, key.len), key.len}, issuer};
    apr_hash_set(reader->families, family->key.at, (apr_ssize_t)key.len, family);
    return family;
}

/* @return 0: it contains no certificate */
static int parse(reader_t *reader, oc_listed_t *listed, const oc_server_conf_t *conf, oc_bytes_t der,
                 const apr_array_header_t *extra)
{
    X509 *leaf = d2i_X509_AUX(NULL, &der.at, (long)der.len);
    oc_issuer_found_t found;

    if (!leaf)
        return 0;
    oc_issuer_files_find(reader->files, conf, leaf, listed->file, extra, &found);
    listed->has_issuer = found.issuer && found.is_plausible;
    listed->issuer_problem = found.problem;
    listed->unread = found.unread;
    listed->status = oc_cert_from_x509(&listed->cert, leaf, NULL, NULL, reader->pool, &listed->problem);
    listed->issuer = listed->cert ? oc_issuer_needed(leaf, reader->pool) : NULL;
    X509_free(leaf);
    return 1;
}

/* Text is made of it where it is needed; one without subject is named at once, while its DER is there. */
static void keep_subject(oc_listed_t *listed, const oc_outline_t *outline, apr_pool_t *pool)
{
    if (outline->subject.len == EMPTY_LEN)
        oc_cert_name(listed->cert, outline->subject, outline->der, pool);
    else
        listed->subject =
            (oc_bytes_t){apr_pmemdup(pool, outline->subject.at, outline->subject.len), outline->subject.len};
}

static void read_certificate(reader_t *reader, oc_listed_t *listed, const oc_server_conf_t *conf, oc_bytes_t der,
                             const apr_array_header_t *extra)
{
    oc_outline_t outline;
    unsigned char buffer[FAMILY_MAX];
    oc_bytes_t key = {NULL, 0};
    const family_t *family;

    if (oc_outline_read(&outline, der.at, der.len))
        key = family_of(&outline, conf, extra, buffer, sizeof(buffer));
    family = find_family(reader, key);
    if (family && oc_cert_from_outline(&listed->cert, &outline, &reader->last, reader->pool) == APR_SUCCESS) {
        listed->has_issuer = 1;
        listed->issuer = family->issuer;
        reader->family = family;
        keep_subject(listed, &outline, reader->pool);
        return;
    }
    if (!parse(reader, listed, conf, der, extra))
        listed->status = APR_EINVAL;
    else if (key.at && !family && listed->has_issuer && listed->issuer)
        reader->family = add_family(reader, key, listed->issuer);
}

static void read_listed(reader_t *reader, oc_listed_t *listed, const oc_server_conf_t *conf)
{
    const apr_array_header_t *extra;
    oc_bytes_t der;

    if (is_uri(listed->file)) {
        listed->status = APR_ENOTIMPL;
        return;
    }
    listed->problem = "it contains no certificate in PEM form";
    listed->status = oc_issuer_files_read(reader->files, listed->file, &der, &extra);
    if (listed->status == APR_SUCCESS)
        read_certificate(reader, listed, conf, der, extra);
}

const char *oc_inventory_name(const oc_listed_t *listed, apr_pool_t *pool)
{
    const oc_bytes_t nothing = {NULL, 0};

    if (!listed->cert->subject)
        oc_cert_name(listed->cert, listed->subject, nothing, pool);
    return apr_psprintf(pool, "certificate %s (serial %s)", listed->cert->subject, listed->cert->serial);
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
    reader_t reader = {.pool = pool,
                       .listed = apr_hash_make(pool),
                       .files = oc_issuer_files_create(pool),
                       .families = apr_hash_make(pool)};
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

/* How far is it known where the issuer is? */
static int knowledge(const oc_listed_t *listed)
{
    if (listed->has_issuer)
        return 2;
    return listed->unread != NULL;
}

/* mod_ssl primes a certificate in each host, and one that finds the issuer is enough for all of them. */
static void take_issuer(oc_listed_t *one, const oc_listed_t *listed)
{
    apr_array_header_t *servers = one->servers;

    if (knowledge(listed) <= knowledge(one))
        return;
    *one = *listed;
    one->servers = servers;
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
            take_issuer(one, listed);
            APR_ARRAY_PUSH(one->servers, server_rec *) = s;
        }
    }
    return stapled;
}
