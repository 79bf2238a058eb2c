/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Writes and parses the manifest's text. It omits the certificates themselves: oc_cert_t has what is needed of them,
 * and a server with ten thousand of them does not keep their bytes.
 */
#include "state/manifest.h"

#include "base/disk.h"
#include "base/hex.h"
#include "base/lines.h"

#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

#define KIND "ocsp-cache-manifest"
#define SIZE_MAX_BYTES (256 << 20) /* a hundred times ten thousand certificates */
#define SERIAL_DER_MAX 128
#define ISSUER_NAME_MAX 16384
#define TIME_MAX APR_INT64_MAX
#define LABEL "CERTIFICATE"

const char *oc_manifest_path(const char *cache_path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, cache_path, ".manifest", NULL);
}

/* ---- writing ---- */

static int put_issuers(BIO *bio, const oc_manifest_t *manifest, apr_pool_t *pool)
{
    apr_hash_t *seen = apr_hash_make(pool);
    int i, ok = 1;

    for (i = 0; ok && i < manifest->entries->nelts; i++) {
        const oc_issuer_t *issuer = APR_ARRAY_IDX(manifest->entries, i, oc_manifest_entry_t).cert->issuer;

        if (apr_hash_get(seen, issuer->hash, OC_CERT_HASH_LEN))
            continue;
        apr_hash_set(seen, issuer->hash, OC_CERT_HASH_LEN, issuer);
        ok = oc_lines_put_hex(bio, "issuer", issuer->hash, OC_CERT_HASH_LEN)
             && oc_lines_put_pem(bio, LABEL, issuer->der, issuer->der_len);
    }
    return ok;
}

static int put_issued_by(BIO *bio, const oc_cert_t *cert)
{
    return oc_lines_put_hex(bio, "issued-by", cert->issuer->hash, OC_CERT_HASH_LEN)
           && oc_lines_put_hex(bio, "binding", cert->binding, OC_CERT_HASH_LEN);
}

static int put_entry(BIO *bio, const oc_manifest_entry_t *entry)
{
    const oc_cert_t *cert = entry->cert;
    int i, ok = oc_lines_put_hex(bio, "certificate", cert->id, OC_CERT_ID_LEN);

    for (i = 0; ok && i < entry->hosts->nelts; i++)
        ok = oc_lines_put(bio, "host", APR_ARRAY_IDX(entry->hosts, i, const char *));
    ok = ok && oc_lines_put(bio, "subject", cert->subject) && oc_lines_put(bio, "serial", cert->serial)
         && oc_lines_put_hex(bio, "serial-der", cert->serial_der, cert->serial_der_len)
         && oc_lines_put_hex(bio, "issuer-name", cert->issuer_name, cert->issuer_name_len)
         && (cert->issuer ? put_issued_by(bio, cert) : oc_lines_put(bio, "wanted-issuer", entry->wanted_issuer))
         && oc_lines_put_number(bio, "not-before", cert->not_before)
         && oc_lines_put_number(bio, "not-after", cert->not_after)
         && oc_lines_put_number(bio, "must-staple", cert->must_staple != 0)
         && oc_lines_put_number(bio, "refreshed", entry->is_refreshed != 0)
         && oc_lines_put_number(bio, "skew", entry->skew) && oc_lines_put_number(bio, "max-age", entry->max_age)
         && oc_lines_put_number(bio, "open-ended", entry->open_ended)
         && oc_lines_put_number(bio, "error-keep", entry->error_keep);
    for (i = 0; ok && entry->urls[i]; i++)
        ok = oc_lines_put(bio, "url", entry->urls[i]);
    return ok && oc_lines_put(bio, "end", "");
}

const char *oc_manifest_text(const oc_manifest_t *manifest, apr_size_t *len, apr_pool_t *pool)
{
    BIO *bio = oc_lines_create(KIND);
    int i, ok = bio
                && oc_lines_put(bio,
                                "# The certificates of the server, for ocsp-cachectl. The server writes this file.", "")
                && oc_lines_put_number(bio, "cache-blocks", manifest->blocks)
                && oc_lines_put_number(bio, "expiry-warning", manifest->expiry_warning)
                && oc_lines_put_number(bio, "certificates", manifest->entries->nelts + manifest->unprimed->nelts)
                && put_issuers(bio, manifest, pool);

    for (i = 0; ok && i < manifest->entries->nelts; i++)
        ok = put_entry(bio, &APR_ARRAY_IDX(manifest->entries, i, oc_manifest_entry_t));
    for (i = 0; ok && i < manifest->unprimed->nelts; i++)
        ok = put_entry(bio, &APR_ARRAY_IDX(manifest->unprimed, i, oc_manifest_entry_t));
    return oc_lines_finish(bio, ok, len, pool);
}

/* ---- reading ---- */

typedef struct {
    oc_lines_t lines;
    oc_manifest_t *manifest;
    apr_hash_t *issuers;
    apr_int64_t certificates;
    oc_cert_t *cert; /* the current one; NULL: between two */
    oc_manifest_entry_t entry;
    apr_array_header_t *hosts, *urls;
    int has_binding;
    apr_pool_t *pool;
} parser_t;

static int take_der(parser_t *p, const char *value, apr_size_t max, const unsigned char **bytes, apr_size_t *n)
{
    apr_size_t len = strlen(value) / 2;
    unsigned char *der = apr_palloc(p->pool, len + 1);

    if (len == 0 || len > max || !oc_hex_read(value, der, len))
        return 0;
    *bytes = der;
    *n = len;
    return 1;
}

static int take_issuer(parser_t *p, const char *value)
{
    unsigned char hash[OC_CERT_HASH_LEN];

    p->cert->issuer = oc_hex_read(value, hash, sizeof(hash)) ? apr_hash_get(p->issuers, hash, sizeof(hash)) : NULL;
    return p->cert->issuer != NULL;
}

static int take_flag(const char *value, int *flag)
{
    apr_int64_t number;
    int ok = oc_lines_number(value, 1, &number);

    *flag = (int)number;
    return ok;
}

static void begin_entry(parser_t *p)
{
    static const char *const none[] = {NULL};

    p->cert = apr_pcalloc(p->pool, sizeof(*p->cert));
    p->hosts = apr_array_make(p->pool, 1, sizeof(const char *));
    p->urls = apr_array_make(p->pool, 2, sizeof(const char *));
    memset(&p->entry, 0, sizeof(p->entry));
    p->cert->urls = none;
    p->entry.cert = p->cert;
    p->entry.hosts = p->hosts;
    p->entry.open_ended = -1;
    p->has_binding = 0;
}

static int end_entry(parser_t *p)
{
    const oc_cert_t *cert = p->cert;
    int is_unprimed = p->entry.wanted_issuer != NULL;
    int ok = p->hosts->nelts > 0 && cert->subject && cert->serial && cert->serial_der && cert->issuer_name
             && cert->not_after > 0 && p->entry.open_ended > 0 && p->entry.error_keep > 0
             && (is_unprimed ? !cert->issuer : cert->issuer && p->has_binding);

    APR_ARRAY_PUSH(p->urls, const char *) = NULL;
    p->entry.urls = (const char *const *)(const void *)p->urls->elts;
    if (ok)
        APR_ARRAY_PUSH(is_unprimed ? p->manifest->unprimed : p->manifest->entries, oc_manifest_entry_t) = p->entry;
    p->cert = NULL;
    return ok;
}

/* A line between "certificate" and "end". */
static int take_fact(parser_t *p, const oc_line_t *line)
{
    const char *value = line->value;
    oc_cert_t *cert = p->cert;

    if (oc_lines_is(line, "end"))
        return end_entry(p);
    if (oc_lines_is(line, "host"))
        APR_ARRAY_PUSH(p->hosts, const char *) = value;
    else if (oc_lines_is(line, "subject"))
        cert->subject = value;
    else if (oc_lines_is(line, "serial"))
        cert->serial = value;
    else if (oc_lines_is(line, "url"))
        APR_ARRAY_PUSH(p->urls, const char *) = value;
    else if (oc_lines_is(line, "serial-der"))
        return take_der(p, value, SERIAL_DER_MAX, &cert->serial_der, &cert->serial_der_len);
    else if (oc_lines_is(line, "wanted-issuer"))
        p->entry.wanted_issuer = value;
    else if (oc_lines_is(line, "issuer-name"))
        return take_der(p, value, ISSUER_NAME_MAX, &cert->issuer_name, &cert->issuer_name_len);
    else if (oc_lines_is(line, "issued-by"))
        return take_issuer(p, value);
    else if (oc_lines_is(line, "binding"))
        return p->has_binding = oc_hex_read(value, cert->binding, sizeof(cert->binding));
    else if (oc_lines_is(line, "not-before"))
        return oc_lines_number(value, TIME_MAX, &cert->not_before);
    else if (oc_lines_is(line, "not-after"))
        return oc_lines_number(value, TIME_MAX, &cert->not_after);
    else if (oc_lines_is(line, "must-staple"))
        return take_flag(value, &cert->must_staple);
    else if (oc_lines_is(line, "refreshed"))
        return take_flag(value, &p->entry.is_refreshed);
    else if (oc_lines_is(line, "skew"))
        return oc_lines_number(value, TIME_MAX, &p->entry.skew);
    else if (oc_lines_is(line, "max-age"))
        return oc_lines_number(value, TIME_MAX, &p->entry.max_age);
    else if (oc_lines_is(line, "open-ended"))
        return oc_lines_number(value, TIME_MAX, &p->entry.open_ended);
    else if (oc_lines_is(line, "error-keep"))
        return oc_lines_number(value, TIME_MAX, &p->entry.error_keep);
    return line->value != NULL;
}

static int add_issuer(parser_t *p, const char *value)
{
    oc_issuer_t *issuer = apr_pcalloc(p->pool, sizeof(*issuer));

    if (!oc_hex_read(value, issuer->hash, OC_CERT_HASH_LEN)
        || !oc_lines_next_pem(&p->lines, LABEL, &issuer->der, &issuer->der_len, p->pool))
        return 0;
    apr_hash_set(p->issuers, issuer->hash, OC_CERT_HASH_LEN, issuer);
    return 1;
}

/* A line before the first certificate, or "certificate". */
static int take_head(parser_t *p, const oc_line_t *line)
{
    apr_int64_t number;

    if (oc_lines_is(line, "issuer"))
        return add_issuer(p, line->value);
    if (oc_lines_is(line, "certificate")) {
        begin_entry(p);
        return oc_hex_read(line->value, p->cert->id, OC_CERT_ID_LEN);
    }
    if (oc_lines_is(line, "certificates"))
        return oc_lines_number(line->value, APR_INT32_MAX, &p->certificates);
    if (oc_lines_is(line, "expiry-warning"))
        return oc_lines_number(line->value, TIME_MAX, &p->manifest->expiry_warning);
    if (oc_lines_is(line, "cache-blocks")) {
        if (!oc_lines_number(line->value, APR_INT32_MAX, &number))
            return 0;
        p->manifest->blocks = (uint32_t)number;
    }
    return line->value != NULL;
}

static apr_status_t malformed(const parser_t *p, const char **problem)
{
    *problem =
        apr_psprintf(p->pool, "line %u cannot be parsed; the server writes a new one when it starts", p->lines.number);
    return APR_EGENERAL;
}

apr_status_t oc_manifest_parse(oc_manifest_t **manifest, const char *text, apr_size_t len, apr_pool_t *pool,
                               const char **problem)
{
    parser_t p = {.pool = pool, .certificates = -1};
    oc_line_t line;
    int got;

    if (!oc_lines_open(&p.lines, text, len, KIND, pool)) {
        *problem = "it was not written by this version of the module; the server writes a new one when it starts";
        return APR_EGENERAL;
    }
    p.manifest = apr_pcalloc(pool, sizeof(*p.manifest));
    p.manifest->entries = apr_array_make(pool, 16, sizeof(oc_manifest_entry_t));
    p.manifest->unprimed = apr_array_make(pool, 0, sizeof(oc_manifest_entry_t));
    p.issuers = apr_hash_make(pool);
    while ((got = oc_lines_next(&p.lines, &line, pool)) == 1)
        if (!(p.cert ? take_fact(&p, &line) : take_head(&p, &line)))
            return malformed(&p, problem);
    if (got < 0 || p.cert || p.certificates != p.manifest->entries->nelts + p.manifest->unprimed->nelts)
        return malformed(&p, problem);
    *manifest = p.manifest;
    return APR_SUCCESS;
}

/* ---- the file ---- */

apr_status_t oc_manifest_save(const oc_manifest_t *manifest, const char *path, apr_pool_t *pool, const char **problem)
{
    apr_size_t len = 0;
    const char *text = oc_manifest_text(manifest, &len, pool);

    return oc_disk_save(path, 0600, text, len, pool, problem);
}

apr_status_t oc_manifest_load(oc_manifest_t **manifest, const char *path, apr_pool_t *pool, const char **problem)
{
    const char *text, *why;
    apr_size_t len;
    apr_status_t rv = oc_disk_load(path, SIZE_MAX_BYTES, &text, &len, pool, problem);

    if (rv != APR_SUCCESS)
        return rv;
    rv = oc_manifest_parse(manifest, text, len, pool, &why);
    if (rv != APR_SUCCESS)
        *problem = apr_psprintf(pool, "%s: %s", path, why);
    return rv;
}
