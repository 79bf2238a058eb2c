/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Converts a certificate and its issuer to plain bytes and strings. Called while the configuration is read (parent) and
 * by refresher threads. It must never keep an OpenSSL object beyond a call, unless a pool owns it, and never read
 * anything but its arguments.
 */
#include "ocsp/cert.h"

#include "aia.h"
#include "ocsp/issuer.h"
#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

/* RFC 7633 names TLS extensions by number: status_request (RFC 6066), status_request_v2 (RFC 6961). */
#define TLSEXT_STATUS_REQUEST 5
#define TLSEXT_STATUS_REQUEST_V2 17

#define SUBJECT_MAX 512 /* of a name as text; a longer one is cut off */
#define SERIAL_MAX 128  /* of a serial as text; RFC 5280 allows 40 digits */

struct oc_issuer_set_t {
    apr_pool_t *pool;
    apr_hash_t *by_hash;
    apr_pool_t *scratch; /* of `parsed`; NULL: nothing is in it */
    apr_hash_t *parsed;  /* DER -> X509 * */
};

oc_issuer_set_t *oc_issuer_set_create(apr_pool_t *pool)
{
    oc_issuer_set_t *issuers = apr_palloc(pool, sizeof(*issuers));

    issuers->pool = pool;
    issuers->by_hash = apr_hash_make(pool);
    issuers->scratch = NULL;
    return issuers;
}

void oc_issuer_set_forget(oc_issuer_set_t *issuers)
{
    if (issuers->scratch)
        apr_pool_destroy(issuers->scratch);
    issuers->scratch = NULL;
}

/* OpenSSL's object of an issuer, which many certificates have. @return NULL: it cannot be parsed */
static X509 *parsed_issuer(oc_issuer_set_t *issuers, oc_bytes_t der)
{
    const unsigned char *p = der.at;
    X509 *x509;

    if (!issuers->scratch) {
        if (apr_pool_create(&issuers->scratch, issuers->pool) != APR_SUCCESS)
            return NULL;
        issuers->parsed = apr_hash_make(issuers->scratch);
    }
    x509 = apr_hash_get(issuers->parsed, der.at, (apr_ssize_t)der.len);
    if (x509 || !(x509 = d2i_X509(NULL, &p, (long)der.len)))
        return x509;
    oc_x509_keep(x509, issuers->scratch);
    apr_hash_set(issuers->parsed, apr_pmemdup(issuers->scratch, der.at, der.len), (apr_ssize_t)der.len, x509);
    return x509;
}

/* OpenSSL's DER, moved into the pool; NULL when OpenSSL failed. */
static const unsigned char *move_der(unsigned char *der, int der_len, apr_size_t *length, apr_pool_t *pool)
{
    const unsigned char *copy = NULL;

    if (der_len > 0) {
        copy = apr_pmemdup(pool, der, (apr_size_t)der_len);
        *length = (apr_size_t)der_len;
    }
    OPENSSL_free(der);
    return copy;
}

static const unsigned char *der_of(X509 *x509, apr_size_t *length, apr_pool_t *pool)
{
    unsigned char *der = NULL;
    int der_len = i2d_X509(x509, &der);

    return move_der(der, der_len, length, pool);
}

static const oc_issuer_t *intern(oc_issuer_set_t *issuers, X509 *x509)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    oc_issuer_t *issuer;

    if (!X509_digest(x509, EVP_sha256(), hash, NULL))
        return NULL;
    issuer = apr_hash_get(issuers->by_hash, hash, OC_CERT_HASH_LEN);
    if (!issuer) {
        issuer = apr_pcalloc(issuers->pool, sizeof(*issuer));
        memcpy(issuer->hash, hash, OC_CERT_HASH_LEN);
        issuer->der = der_of(x509, &issuer->der_len, issuers->pool);
        if (!issuer->der)
            return NULL;
        apr_hash_set(issuers->by_hash, issuer->hash, OC_CERT_HASH_LEN, issuer);
    }
    return issuer;
}

/* SHA-256 over the certificate's DER, then the issuer's. DER contains its own length, so no two pairs give the same
 * bytes. */
static int bind_pair(oc_cert_t *cert, const unsigned char *der, apr_size_t der_len)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) && EVP_DigestUpdate(md, der, der_len)
             && (!cert->issuer || EVP_DigestUpdate(md, cert->issuer->der, cert->issuer->der_len))
             && EVP_DigestFinal_ex(md, cert->binding, NULL);

    EVP_MD_CTX_free(md);
    return ok;
}

static const unsigned char *serial_der(const ASN1_INTEGER *serial, apr_size_t *length, apr_pool_t *pool)
{
    unsigned char *der = NULL;
    int der_len = i2d_ASN1_INTEGER(serial, &der);

    return move_der(der, der_len, length, pool);
}

const char *oc_cert_issuer_url(const X509 *x509, apr_pool_t *pool)
{
    const char *const *urls, *found;

    ERR_set_mark();
    urls = oc_aia_locations(X509_get_ext_d2i(x509, NID_info_access, NULL, NULL), NID_ad_ca_issuers, pool);
    ERR_pop_to_mark();
    for (found = *urls; *urls; urls++)
        if (strncasecmp(*urls, "http://", 7) == 0)
            return *urls;
    return found;
}

/* Frees @a features; NULL: there is no such extension. */
static int must_staple(TLS_FEATURE *features)
{
    int found = 0;

    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        long number = ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i));
        found |= number == TLSEXT_STATUS_REQUEST || number == TLSEXT_STATUS_REQUEST_V2;
    }
    TLS_FEATURE_free(features);
    return found;
}

/* "" or why @a issuer is not the issuer. */
static const char *issuer_problem(X509 *x509, X509 *issuer, const char *subject, apr_pool_t *pool)
{
    const char *problem = oc_issuer_problem(x509, issuer);
    char name[SUBJECT_MAX];

    if (!problem)
        return "";
    oc_x509_subject(name, sizeof(name), issuer);
    return apr_psprintf(pool, "%s did not issue %s (%s)", name, subject, problem);
}

static const unsigned char *name_der(const X509_NAME *name, apr_size_t *length, apr_pool_t *pool)
{
    const unsigned char *der;

    return X509_NAME_get0_der(name, &der, length) ? apr_pmemdup(pool, der, *length) : NULL;
}

static const char *fill(oc_cert_t *cert, X509 *x509, X509 *issuer, oc_issuer_set_t *issuers, apr_pool_t *pool)
{
    static const char failed[] = "OpenSSL cannot process the certificate";
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    const unsigned char *der;
    apr_size_t der_len = 0;
    char subject[SUBJECT_MAX], serial_text[SERIAL_MAX];
    const char *problem;

    oc_x509_subject(subject, sizeof(subject), x509);
    if (issuer) {
        problem = issuer_problem(x509, issuer, subject, pool);
        if (problem[0] != '\0')
            return problem;
        if (!(cert->issuer = intern(issuers, issuer)))
            return failed;
    }
    if (!oc_x509_time(&cert->not_before, X509_get0_notBefore(x509))
        || !oc_x509_time(&cert->not_after, X509_get0_notAfter(x509)))
        return apr_psprintf(pool, "the validity of %s is unreadable", subject);

    der = der_of(x509, &der_len, pool);
    cert->serial_der = serial_der(serial, &cert->serial_der_len, pool);
    cert->issuer_name = name_der(X509_get_issuer_name(x509), &cert->issuer_name_len, pool);
    if (!der || !cert->serial_der || !cert->issuer_name || !bind_pair(cert, der, der_len)
        || !X509_digest(x509, EVP_sha1(), cert->id, NULL))
        return failed;

    oc_x509_serial(serial_text, sizeof(serial_text), serial);
    cert->serial = apr_pstrdup(pool, serial_text);
    cert->subject = apr_pstrdup(pool, subject);
    cert->urls = oc_aia_locations(X509_get_ext_d2i(x509, NID_info_access, NULL, NULL), NID_ad_OCSP, pool);
    cert->must_staple = must_staple(X509_get_ext_d2i(x509, NID_tlsfeature, NULL, NULL));
    cert->is_self_signed = (X509_get_extension_flags(x509) & EXFLAG_SS) != 0;
    return "";
}

apr_status_t oc_cert_from_x509(oc_cert_t **cert, X509 *x509, X509 *issuer, oc_issuer_set_t *issuers, apr_pool_t *pool,
                               const char **reason)
{
    oc_cert_t *filled = apr_pcalloc(pool, sizeof(*filled));
    const char *problem;

    ERR_set_mark();
    problem = fill(filled, x509, issuer, issuers, pool);
    ERR_pop_to_mark();
    *cert = problem[0] == '\0' ? filled : NULL;
    if (*cert)
        return APR_SUCCESS;
    *reason = problem;
    return APR_EINVAL;
}

/* ---- out of an outline ---- */

static void *extension(oc_bytes_t bytes)
{
    const unsigned char *p = bytes.at;
    X509_EXTENSION *one = p ? d2i_X509_EXTENSION(NULL, &p, (long)bytes.len) : NULL;
    void *value = one ? X509V3_EXT_d2i(one) : NULL;

    X509_EXTENSION_free(one);
    return value;
}

static int outlined_time(apr_time_t *time, oc_bytes_t bytes)
{
    const unsigned char *p = bytes.at;
    ASN1_TIME *asn1 = d2i_ASN1_TIME(NULL, &p, (long)bytes.len);
    int ok = oc_x509_time(time, asn1);

    ASN1_TIME_free(asn1);
    return ok;
}

static int outlined_serial(oc_cert_t *cert, oc_bytes_t bytes, apr_pool_t *pool)
{
    const unsigned char *p = bytes.at;
    ASN1_INTEGER *serial = d2i_ASN1_INTEGER(NULL, &p, (long)bytes.len);
    char text[SERIAL_MAX];

    if (!serial)
        return 0;
    cert->serial_der = serial_der(serial, &cert->serial_der_len, pool);
    oc_x509_serial(text, sizeof(text), serial);
    cert->serial = apr_pstrdup(pool, text);
    ASN1_INTEGER_free(serial);
    return cert->serial_der != NULL;
}

static const char *const *outlined_urls(oc_bytes_t aia, oc_last_urls_t *last, apr_pool_t *pool)
{
    const char *const *urls;

    if (last && last->urls && last->aia.len == aia.len && memcmp(last->aia.at, aia.at, aia.len) == 0)
        return last->urls;
    urls = oc_aia_locations(extension(aia), NID_ad_OCSP, pool);
    if (last && aia.at)
        *last = (oc_last_urls_t){{apr_pmemdup(pool, aia.at, aia.len), aia.len}, urls};
    return urls;
}

static int fill_outlined(oc_cert_t *cert, const oc_outline_t *outline, oc_last_urls_t *last, apr_pool_t *pool)
{
    if (!outlined_serial(cert, outline->serial, pool) || !outlined_time(&cert->not_before, outline->not_before)
        || !outlined_time(&cert->not_after, outline->not_after)
        || !EVP_Digest(outline->der.at, outline->der.len, cert->id, NULL, EVP_sha1(), NULL))
        return 0;
    cert->issuer_name = apr_pmemdup(pool, outline->issuer.at, outline->issuer.len);
    cert->issuer_name_len = outline->issuer.len;
    cert->urls = outlined_urls(outline->aia, last, pool);
    cert->must_staple = must_staple(extension(outline->tls_feature));
    return 1;
}

apr_status_t oc_cert_from_outline(oc_cert_t **cert, const oc_outline_t *outline, oc_last_urls_t *last, apr_pool_t *pool)
{
    oc_cert_t *filled = apr_pcalloc(pool, sizeof(*filled));
    int ok;

    ERR_set_mark();
    ok = fill_outlined(filled, outline, last, pool);
    ERR_pop_to_mark();
    *cert = ok ? filled : NULL;
    return ok ? APR_SUCCESS : APR_EINVAL;
}

void oc_cert_name(oc_cert_t *cert, oc_bytes_t subject, oc_bytes_t der, apr_pool_t *pool)
{
    X509_NAME *name;
    X509 *x509 = NULL;
    char text[SUBJECT_MAX] = "";

    ERR_set_mark();
    name = d2i_X509_NAME(NULL, &subject.at, (long)subject.len);
    if (name)
        oc_x509_name(text, sizeof(text), name);
    if (!*text && der.at && (x509 = d2i_X509(NULL, &der.at, (long)der.len)) != NULL)
        oc_x509_subject(text, sizeof(text), x509);
    cert->subject = apr_pstrdup(pool, *text ? text : "(no name)");
    X509_free(x509);
    X509_NAME_free(name);
    ERR_pop_to_mark();
}

/* ---- out of PEM ---- */

/* An encrypted certificate is none. Given a passphrase, OpenSSL does not prompt for one while the server starts. */
static X509 *next_certificate(BIO *bio)
{
    static char no_passphrase[] = "";

    return PEM_read_bio_X509(bio, NULL, NULL, no_passphrase);
}

X509 *oc_cert_first(const char *pem)
{
    BIO *bio;
    X509 *x509 = NULL;

    ERR_set_mark();
    bio = BIO_new_mem_buf(pem, -1);
    if (bio)
        x509 = next_certificate(bio);
    BIO_free(bio);
    ERR_pop_to_mark();
    return x509;
}

/* The DER of the next certificate; it is the caller's to free. */
static oc_bytes_t next_der(BIO *bio)
{
    static char no_passphrase[] = "";
    unsigned char *der = NULL;
    long len = 0;

    if (!PEM_bytes_read_bio(&der, &len, NULL, PEM_STRING_X509, bio, NULL, no_passphrase))
        return (oc_bytes_t){NULL, 0};
    return (oc_bytes_t){der, (apr_size_t)len};
}

/* The common case, in which only the signature takes time: the certificate is like nearly all, and names the issuer's
 * key. @return NULL: to be parsed */
static oc_cert_t *parse_common(oc_bytes_t leaf, oc_bytes_t issuer_der, oc_issuer_set_t *issuers, apr_pool_t *pool)
{
    X509 *issuer = parsed_issuer(issuers, issuer_der);
    oc_outline_t outline;
    oc_cert_t *cert;

    if (!issuer || !oc_outline_read(&outline, leaf.at, leaf.len) || !oc_outline_names(&outline, issuer)
        || !oc_outline_is_signed_by(&outline, issuer)
        || oc_cert_from_outline(&cert, &outline, NULL, pool) != APR_SUCCESS)
        return NULL;
    cert->issuer = intern(issuers, issuer);
    if (!cert->issuer || !bind_pair(cert, leaf.at, leaf.len))
        return NULL;
    oc_cert_name(cert, outline.subject, outline.der, pool);
    return cert;
}

static const char *parse_any(oc_cert_t **cert, oc_bytes_t leaf, oc_bytes_t issuer_der, oc_issuer_set_t *issuers,
                             apr_pool_t *pool)
{
    const unsigned char *p = leaf.at, *q = issuer_der.at;
    X509 *x509 = p ? d2i_X509(NULL, &p, (long)leaf.len) : NULL;
    X509 *issuer = q ? d2i_X509(NULL, &q, (long)issuer_der.len) : NULL;
    const char *reason = "";

    if (!x509)
        reason = "no certificate in PEM form";
    else if (!issuer)
        reason = "no issuer's certificate follows the certificate";
    else
        (void)oc_cert_from_x509(cert, x509, issuer, issuers, pool, &reason);
    X509_free(issuer);
    X509_free(x509);
    return reason;
}

apr_status_t oc_cert_parse(oc_cert_t **cert, const char *pem, oc_issuer_set_t *issuers, apr_pool_t *pool,
                           const char **reason)
{
    oc_bytes_t leaf = {NULL, 0}, issuer = {NULL, 0};
    BIO *bio;

    *cert = NULL;
    ERR_set_mark();
    bio = BIO_new_mem_buf(pem, -1);
    if (bio)
        leaf = next_der(bio);
    if (leaf.at)
        issuer = next_der(bio);
    if (issuer.at)
        *cert = parse_common(leaf, issuer, issuers, pool);
    if (!*cert)
        *reason = parse_any(cert, leaf, issuer, issuers, pool);
    ERR_pop_to_mark();
    OPENSSL_free((void *)issuer.at);
    OPENSSL_free((void *)leaf.at);
    BIO_free(bio);
    return *cert ? APR_SUCCESS : APR_EINVAL;
}
