/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads the administrator's own files, to find a certificate's issuer: for `apachectl -t`, and at the start where
 * mod_ssl passes a certificate that only has the issuer's name. Must never prompt for a passphrase, nor choose a
 * certificate that did not sign.
 */
#include "server/issuer_files.h"

#include "ocsp/issuer.h"
#include "ocsp/x509.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <http_config.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <unistd.h>

#define READ_SIZE 16384    /* more than most files have */
#define TEXT_MAX (1 << 24) /* what follows is not read */

/* A part of a file's text. */
typedef struct {
    const char *at;
    apr_size_t len;
} text_t;

/* The text behind a certificate, and the certificates in it. */
typedef struct {
    text_t text;
    apr_array_header_t *certificates; /* X509 * */
} tail_t;

/* The certificates of a file; status: why there are none. */
typedef struct {
    apr_status_t status;
    apr_array_header_t *certificates; /* X509 * */
} bundle_t;

struct oc_issuer_files_t {
    apr_pool_t *pool;
    apr_hash_t *by_der; /* DER -> X509 * */
    apr_hash_t *tails;  /* text -> tail_t * */
    const tail_t *last; /* of them; mostly the next one, too */
    apr_hash_t *chains; /* path -> bundle_t * */
    apr_hash_t *stores; /* path of file and of folder -> X509_STORE * */
    char *text;         /* of the file that is being read */
    apr_size_t room;
    unsigned char *der; /* of its first certificate */
    apr_size_t der_room;
};

oc_issuer_files_t *oc_issuer_files_create(apr_pool_t *pool)
{
    oc_issuer_files_t *files = apr_pcalloc(pool, sizeof(*files));

    files->pool = pool;
    files->by_der = apr_hash_make(pool);
    files->tails = apr_hash_make(pool);
    files->chains = apr_hash_make(pool);
    files->stores = apr_hash_make(pool);
    return files;
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
    oc_x509_keep(x509, files->pool);
    apr_hash_set(files->by_der, apr_pmemdup(files->pool, der, (apr_size_t)len), len, x509);
    return x509;
}

/* Of at least READ_SIZE, behind @a used bytes of files->text. */
static void make_room(oc_issuer_files_t *files, apr_size_t used)
{
    char *text;

    if (files->room - used >= READ_SIZE)
        return;
    files->room = 2 * files->room + READ_SIZE;
    text = apr_palloc(files->pool, files->room);
    if (used > 0)
        memcpy(text, files->text, used);
    files->text = text;
}

/* Read all of a file into files->text, which the next call overwrites. */
static apr_status_t read_text(oc_issuer_files_t *files, const char *path, text_t *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    apr_status_t rv = APR_SUCCESS;
    apr_size_t asked;
    ssize_t n;

    *text = (text_t){files->text, 0};
    if (fd < 0)
        return errno;
    do {
        make_room(files, text->len);
        asked = files->room - text->len;
        n = read(fd, files->text + text->len, asked);
        if (n < 0)
            rv = errno;
        else
            text->len += (apr_size_t)n;
    } while (n > 0 && (apr_size_t)n == asked && text->len < TEXT_MAX); /* a file ends where less is read */
    text->at = files->text;
    (void)close(fd);
    return rv;
}

/* The certificates of a PEM text. first not NULL: to it the DER of the first. @return how many are in it */
static int read_pem(oc_issuer_files_t *files, text_t text, oc_bytes_t *first, apr_array_header_t *issuers)
{
    static char no_passphrase[] = ""; /* given one, OpenSSL does not ask for it on the terminal */
    BIO *bio = text.len > 0 ? BIO_new_mem_buf(text.at, (int)text.len) : NULL;
    unsigned char *der = NULL;
    long len;
    int n = 0;

    while (bio && PEM_bytes_read_bio(&der, &len, NULL, PEM_STRING_X509_TRUSTED, bio, NULL, no_passphrase)) {
        int is_first = first && n == 0;
        X509 *x509 = is_first ? NULL : shared(files, der, len);

        if (is_first)
            *first = (oc_bytes_t){apr_pmemdup(files->pool, der, (apr_size_t)len), (apr_size_t)len};
        else if (x509)
            APR_ARRAY_PUSH(issuers, X509 *) = x509;
        OPENSSL_free(der);
        der = NULL;
        if (!is_first && !x509)
            break;
        n++;
    }
    BIO_free(bio);
    return n;
}

/* Lines of base64, as RFC 7468 section 3 generates them: all of 64 characters, but the last. @return 0: they are not */
static int decode(oc_issuer_files_t *files, text_t lines, oc_bytes_t *der)
{
    const char *p = lines.at, *end = p + lines.len, *padding = memchr(p, '=', lines.len), *line_end;
    apr_size_t pads = padding ? (apr_size_t)(end - 1 - padding) : 0;
    unsigned char *next;

    if (files->der_room < lines.len) {
        files->der_room = files->room;
        files->der = apr_palloc(files->pool, files->der_room);
    }
    next = files->der;
    for (; p < end; p = line_end + 1) {
        apr_size_t len = (line_end = memchr(p, '\n', (apr_size_t)(end - p))) ? (apr_size_t)(line_end - p) : 0;

        if (len == 0 || len > 64 || len % 4 != 0 || (len < 64 && line_end + 1 < end)
            || EVP_DecodeBlock(next, (const unsigned char *)p, (int)len) != (int)len / 4 * 3)
            return 0;
        next += len / 4 * 3;
    }
    if (next == files->der || pads > 2 || (pads == 2 && end[-2] != '='))
        return 0;
    *der = (oc_bytes_t){files->der, (apr_size_t)(next - files->der) - pads};
    return 1;
}

/* Cut the first certificate off @a text. @return 0: it is not the first block, or not written as it usually is */
static int cut_certificate(oc_issuer_files_t *files, text_t *text, oc_bytes_t *der)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n", end[] = "-----END CERTIFICATE-----\n";
    apr_size_t begin_len = sizeof(begin) - 1, end_len = sizeof(end) - 1;
    text_t lines;
    const char *stop;

    if (text->len < begin_len || memcmp(text->at, begin, begin_len) != 0)
        return 0;
    lines.at = text->at + begin_len;
    stop = memchr(lines.at, '-', text->len - begin_len);
    if (!stop || text->len - (apr_size_t)(stop - text->at) < end_len || memcmp(stop, end, end_len) != 0)
        return 0;
    lines.len = (apr_size_t)(stop - lines.at);
    if (!decode(files, lines, der))
        return 0;
    text->len -= (apr_size_t)(stop + end_len - text->at);
    text->at = stop + end_len;
    return 1;
}

static tail_t *read_tail(oc_issuer_files_t *files, text_t text)
{
    tail_t *tail = apr_palloc(files->pool, sizeof(*tail));

    tail->text = (text_t){apr_pmemdup(files->pool, text.at, text.len), text.len};
    tail->certificates = apr_array_make(files->pool, 2, sizeof(X509 *));
    (void)read_pem(files, text, NULL, tail->certificates);
    apr_hash_set(files->tails, tail->text.at, (apr_ssize_t)text.len, tail);
    return tail;
}

/* The certificates of a text that many files have behind their own certificate. */
static const apr_array_header_t *tail_of(oc_issuer_files_t *files, text_t text)
{
    const tail_t *tail = files->last;

    if (!tail || tail->text.len != text.len || memcmp(tail->text.at, text.at, text.len) != 0)
        tail = apr_hash_get(files->tails, text.at, (apr_ssize_t)text.len);
    files->last = tail ? tail : read_tail(files, text);
    return files->last->certificates;
}

apr_status_t oc_issuer_files_read(oc_issuer_files_t *files, const char *path, oc_bytes_t *leaf,
                                  const apr_array_header_t **extra)
{
    apr_array_header_t *others;
    text_t text;
    apr_status_t rv = read_text(files, path, &text);

    *leaf = (oc_bytes_t){NULL, 0};
    if (rv != APR_SUCCESS)
        return rv;
    if (cut_certificate(files, &text, leaf)) {
        *extra = tail_of(files, text);
        return APR_SUCCESS;
    }
    *extra = others = apr_array_make(files->pool, 2, sizeof(X509 *));
    return read_pem(files, text, leaf, others) > 0 ? APR_SUCCESS : APR_EINVAL;
}

static const bundle_t *chain_of(oc_issuer_files_t *files, const char *path)
{
    bundle_t *chain = apr_hash_get(files->chains, path, APR_HASH_KEY_STRING);
    text_t text;

    if (!chain) {
        chain = apr_palloc(files->pool, sizeof(*chain));
        chain->certificates = apr_array_make(files->pool, 2, sizeof(X509 *));
        chain->status = read_text(files, path, &text);
        if (chain->status == APR_SUCCESS && read_pem(files, text, NULL, chain->certificates) == 0)
            chain->status = APR_EINVAL;
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
