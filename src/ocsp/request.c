/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Makes, of a certificate's plain bytes, a request and the objects that verification needs. Called by refresher
 * threads. It must never keep an OpenSSL object beyond a call, unless a pool owns it.
 */
#include "ocsp/cert.h"

#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <string.h>

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
        oc_x509_keep(subject->issuer, pool);
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

/* Of which a CertID has a hash. */
static int issuer_key(const oc_issuer_t *issuer, ASN1_BIT_STRING *key)
{
    oc_bytes_t bits = oc_outline_key(issuer->der, issuer->der_len);
    const unsigned char *p = issuer->der;
    X509 *x509;
    int ok;

    if (bits.at)
        return ASN1_STRING_set(key, bits.at, (int)bits.len);
    x509 = d2i_X509(NULL, &p, (long)issuer->der_len);
    ok = x509 && ASN1_STRING_copy(key, X509_get0_pubkey_bitstr(x509));
    X509_free(x509);
    return ok;
}

static OCSP_CERTID *certid(const oc_cert_t *cert, const EVP_MD *md)
{
    const unsigned char *p = cert->serial_der, *q = cert->issuer_name;
    ASN1_INTEGER *serial = d2i_ASN1_INTEGER(NULL, &p, (long)cert->serial_der_len);
    X509_NAME *name = d2i_X509_NAME(NULL, &q, (long)cert->issuer_name_len);
    ASN1_BIT_STRING *key = ASN1_BIT_STRING_new();
    OCSP_CERTID *id = NULL;

    if (serial && name && key && issuer_key(cert->issuer, key))
        id = OCSP_cert_id_new(md, name, key, serial);
    ASN1_BIT_STRING_free(key);
    X509_NAME_free(name);
    ASN1_INTEGER_free(serial);
    return id;
}

static int request_der(unsigned char **der, OCSP_CERTID *id)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
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
    unsigned char *made = NULL;
    int length;

    *der = NULL;
    *der_len = 0;
    if (!cert->issuer)
        return APR_EGENERAL;
    ERR_set_mark();
    length = request_der(&made, certid(cert, hash == OC_CERTID_SHA256 ? EVP_sha256() : EVP_sha1()));
    ERR_pop_to_mark();
    if (length > 0) {
        *der = apr_pmemdup(pool, made, (apr_size_t)length);
        *der_len = (apr_size_t)length;
    }
    OPENSSL_free(made);
    return length > 0 ? APR_SUCCESS : APR_EGENERAL;
}
