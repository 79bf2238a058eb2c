/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Names of the parties behind a verified response. It finds the signer by the ResponderID (RFC 6960 section 4.2.2.2)
 * and checks nothing.
 */
#include "ocsp/signed_by.h"

#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

#define NAME_SIZE 512

static X509 *parse(const oc_issuer_t *issuer)
{
    const unsigned char *p = issuer->der;

    return d2i_X509(NULL, &p, (long)issuer->der_len);
}

static const char *name_of(const X509 *x509, apr_pool_t *pool)
{
    char name[NAME_SIZE];

    oc_x509_subject(name, sizeof(name), x509);
    return apr_pstrdup(pool, name);
}

const char *oc_signed_by_issuer(const oc_issuer_t *issuer, apr_pool_t *pool)
{
    const char *name = NULL;
    X509 *x509;

    ERR_set_mark();
    x509 = parse(issuer);
    if (x509)
        name = name_of(x509, pool);
    X509_free(x509);
    ERR_pop_to_mark();
    return name;
}

static const char *signer_of(OCSP_BASICRESP *basic, X509 *issuer, apr_pool_t *pool)
{
    STACK_OF(X509) *known = sk_X509_new_null();
    const char *name = NULL;
    X509 *signer = NULL;

    if (known && sk_X509_push(known, issuer) && OCSP_resp_get0_signer(basic, &signer, known) && signer)
        name = X509_cmp(signer, issuer) == 0 ? "the issuer" : name_of(signer, pool);
    sk_X509_free(known);
    return name;
}

const char *oc_signed_by(const unsigned char *der, apr_size_t der_len, const oc_issuer_t *issuer, apr_pool_t *pool)
{
    const unsigned char *p = der;
    OCSP_BASICRESP *basic = NULL;
    OCSP_RESPONSE *response;
    const char *name = NULL;
    X509 *x509;

    ERR_set_mark();
    x509 = parse(issuer);
    response = d2i_OCSP_RESPONSE(NULL, &p, (long)der_len);
    if (x509 && response)
        basic = OCSP_response_get1_basic(response);
    if (basic)
        name = signer_of(basic, x509, pool);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    X509_free(x509);
    ERR_pop_to_mark();
    return name;
}
