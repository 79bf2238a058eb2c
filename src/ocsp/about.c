/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads the CertIDs of an unverified response. The issuer's name in them is not compared: its encoding varies, and the
 * key tells CAs apart.
 */
#include "ocsp/about.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

static OCSP_BASICRESP *parse(const unsigned char *der, apr_size_t der_len)
{
    const unsigned char *p = der;
    OCSP_RESPONSE *response = der_len <= LONG_MAX ? d2i_OCSP_RESPONSE(NULL, &p, (long)der_len) : NULL;
    OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;

    OCSP_RESPONSE_free(response);
    return basic;
}

/* OpenSSL's accessor takes it without const, and changes nothing. */
static OCSP_CERTID *id_of(OCSP_BASICRESP *basic, int i)
{
    return (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(OCSP_resp_get0(basic, i));
}

static int names(OCSP_CERTID *id, const oc_verify_subject_t *subject)
{
    ASN1_OCTET_STRING *key = NULL;
    ASN1_INTEGER *serial = NULL;
    ASN1_OBJECT *hash = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    const EVP_MD *md;
    unsigned len = 0;

    if (!OCSP_id_get0_info(NULL, &hash, &key, &serial, id) || ASN1_INTEGER_cmp(serial, subject->serial) != 0)
        return 0;
    md = EVP_get_digestbyobj(hash);
    if (!md || !X509_pubkey_digest(subject->issuer, md, digest, &len))
        return 1;
    return ASN1_STRING_length(key) == (int)len && memcmp(ASN1_STRING_get0_data(key), digest, len) == 0;
}

oc_about_t oc_about(const unsigned char *der, apr_size_t der_len, const oc_verify_subject_t *subject)
{
    oc_about_t about = OC_ABOUT_NOTHING;
    OCSP_BASICRESP *basic;
    int i, n;

    ERR_set_mark();
    basic = parse(der, der_len);
    n = basic ? OCSP_resp_count(basic) : 0;
    for (i = 0; i < n && about != OC_ABOUT_THIS; i++)
        about = names(id_of(basic, i), subject) ? OC_ABOUT_THIS : OC_ABOUT_ANOTHER;
    OCSP_BASICRESP_free(basic);
    ERR_pop_to_mark();
    return about;
}

int oc_about_serial(const unsigned char *der, apr_size_t der_len, const unsigned char **serial, apr_size_t *serial_len,
                    apr_pool_t *pool)
{
    ASN1_INTEGER *number = NULL;
    unsigned char *encoded = NULL;
    OCSP_BASICRESP *basic;
    int len = 0;

    ERR_set_mark();
    basic = parse(der, der_len);
    if (basic && OCSP_resp_count(basic) > 0 && OCSP_id_get0_info(NULL, NULL, NULL, &number, id_of(basic, 0)))
        len = i2d_ASN1_INTEGER(number, &encoded);
    if (len > 0) {
        *serial = apr_pmemdup(pool, encoded, (apr_size_t)len);
        *serial_len = (apr_size_t)len;
    }
    OPENSSL_free(encoded);
    OCSP_BASICRESP_free(basic);
    ERR_pop_to_mark();
    return len > 0;
}
