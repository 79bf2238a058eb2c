/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Converts a certificate and its issuer to plain bytes and strings, and these to a request or to the objects that
 * verification needs. Called while the configuration is read (parent) and by refresher threads. It must never keep an
 * OpenSSL object beyond a call, unless a pool owns it, and never read anything but its arguments.
 */
#include "ocsp/cert.h"

#include "aia.h"
#include "ocsp/issuer.h"
#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
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
};

oc_issuer_set_t *oc_issuer_set_create(apr_pool_t *pool)
{
    oc_issuer_set_t *issuers = apr_palloc(pool, sizeof(*issuers));

    issuers->pool = pool;
    issuers->by_hash = apr_hash_make(pool);
    return issuers;
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
    urls = oc_aia_locations(x509, NID_ad_ca_issuers, pool);
    ERR_pop_to_mark();
    for (found = *urls; *urls; urls++)
        if (strncasecmp(*urls, "http://", 7) == 0)
            return *urls;
    return found;
}

static int must_staple(const X509 *x509)
{
    TLS_FEATURE *features = X509_get_ext_d2i(x509, NID_tlsfeature, NULL, NULL);
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
    cert->urls = oc_aia_locations(x509, NID_ad_OCSP, pool);
    cert->must_staple = must_staple(x509);
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

apr_status_t oc_cert_parse(oc_cert_t **cert, const char *pem, oc_issuer_set_t *issuers, apr_pool_t *pool,
                           const char **reason)
{
    BIO *bio;
    X509 *x509 = NULL, *issuer = NULL;
    apr_status_t status = APR_EINVAL;

    *cert = NULL;
    ERR_set_mark();
    bio = BIO_new_mem_buf(pem, -1);
    if (bio)
        x509 = next_certificate(bio);
    if (x509)
        issuer = next_certificate(bio);
    ERR_pop_to_mark();

    if (issuer)
        status = oc_cert_from_x509(cert, x509, issuer, issuers, pool, reason);
    else
        *reason = !x509 ? "no certificate in PEM form" : "no issuer's certificate follows the certificate";
    X509_free(issuer);
    X509_free(x509);
    BIO_free(bio);
    return status;
}

static apr_status_t free_x509(void *x509)
{
    X509_free(x509);
    return APR_SUCCESS;
}

static apr_status_t free_name(void *name)
{
    X509_NAME_free(name);
    return APR_SUCCESS;
}

static apr_status_t free_integer(void *integer)
{
    ASN1_INTEGER_free(integer);
    return APR_SUCCESS;
}

apr_status_t oc_cert_subject(const oc_cert_t *cert, oc_verify_subject_t *subject, apr_pool_t *pool)
{
    const unsigned char *p;
    ASN1_INTEGER *serial;
    X509_NAME *name;

    memset(subject, 0, sizeof(*subject));
    if (!cert->issuer)
        return APR_EGENERAL;
    ERR_set_mark();
    p = cert->issuer->der;
    subject->issuer = d2i_X509(NULL, &p, (long)cert->issuer->der_len);
    if (subject->issuer)
        apr_pool_cleanup_register(pool, subject->issuer, free_x509, apr_pool_cleanup_null);
    p = cert->serial_der;
    subject->serial = serial = d2i_ASN1_INTEGER(NULL, &p, (long)cert->serial_der_len);
    if (serial)
        apr_pool_cleanup_register(pool, serial, free_integer, apr_pool_cleanup_null);
    subject->not_before = cert->not_before;
    p = cert->issuer_name;
    subject->issuer_name = name = d2i_X509_NAME(NULL, &p, (long)cert->issuer_name_len);
    if (name)
        apr_pool_cleanup_register(pool, name, free_name, apr_pool_cleanup_null);
    subject->not_after = cert->not_after;
    ERR_pop_to_mark();
    return subject->issuer && serial && name ? APR_SUCCESS : APR_EGENERAL;
}

static int request_der(unsigned char **der, oc_certid_hash_t hash, const oc_verify_subject_t *subject)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = OCSP_cert_id_new(hash == OC_CERTID_SHA256 ? EVP_sha256() : EVP_sha1(), subject->issuer_name,
                                       X509_get0_pubkey_bitstr(subject->issuer), subject->serial);
    int length = -1;

    /* From add0 on, the id belongs to the request. */
    if (request && id && OCSP_request_add0_id(request, id)) {
        id = NULL;
        length = i2d_OCSP_REQUEST(request, der);
    }
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    return length;
}

apr_status_t oc_cert_request(const oc_cert_t *cert, oc_certid_hash_t hash, const unsigned char **der,
                             apr_size_t *der_len, apr_pool_t *pool)
{
    oc_verify_subject_t subject;
    unsigned char *made = NULL;
    apr_pool_t *scratch;
    int length = -1;

    *der = NULL;
    *der_len = 0;
    if (apr_pool_create(&scratch, pool) != APR_SUCCESS)
        return APR_EGENERAL;
    ERR_set_mark();
    if (oc_cert_subject(cert, &subject, scratch) == APR_SUCCESS)
        length = request_der(&made, hash, &subject);
    ERR_pop_to_mark();
    apr_pool_destroy(scratch);
    if (length > 0) {
        *der = apr_pmemdup(pool, made, (apr_size_t)length);
        *der_len = (apr_size_t)length;
    }
    OPENSSL_free(made);
    return length > 0 ? APR_SUCCESS : APR_EGENERAL;
}
