/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Makes, of a certificate's plain bytes, a request and the objects that verification needs. Called by refresher
 * threads. It must never keep an OpenSSL object beyond a call, unless a pool owns it.
 */
#include "ocsp/cert.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <string.h>

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
