/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Removes from a response the certificates that clients do not need. The signed part, the algorithm and the signature
 * are copied byte by byte; the result is judged like any other response. Must never read beyond the response, or change
 * a signed byte.
 */
#include "trim.h"

#include "signer.h"

#include <apr_strings.h>
#include <string.h>

oc_verdict_t oc_trim_locate(oc_check_t *check)
{
    oc_bytes_t rest = {check->der, check->der_len}, response = oc_check_take(&rest, 0x30), bytes;

    (void)oc_check_take(&response, V_ASN1_ENUMERATED);
    bytes = oc_check_take(&response, 0xa0);
    bytes = oc_check_take(&bytes, 0x30);
    (void)oc_check_take(&bytes, V_ASN1_OBJECT);
    bytes = oc_check_take(&bytes, V_ASN1_OCTET_STRING);
    rest = bytes;
    if (bytes.len == 0 || !oc_check_take(&rest, 0x30).at || rest.len != 0)
        return oc_check_refuse(check, OC_NOT_DER, "there is other data next to its BasicOCSPResponse");
    check->basic_der = bytes.at;
    check->basic_len = bytes.len;
    return PASSED;
}

/* SEQUENCE { what is signed, algorithm, signature, [0] { the signer's certificate } } */
static unsigned char *rebuild(const oc_check_t *check, oc_bytes_t before, oc_bytes_t certificate, long *len)
{
    int list = ASN1_object_size(1, (int)certificate.len, V_ASN1_SEQUENCE);
    int field = certificate.len ? ASN1_object_size(1, list, 0) : 0;
    int content = (int)before.len + field;
    unsigned char *bytes, *p;

    *len = ASN1_object_size(1, content, V_ASN1_SEQUENCE);
    bytes = p = apr_palloc(check->pool, (apr_size_t)*len);
    ASN1_put_object(&p, 1, content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(p, before.at, before.len);
    p += before.len;
    if (certificate.len) {
        ASN1_put_object(&p, 1, list, 0, V_ASN1_CONTEXT_SPECIFIC);
        ASN1_put_object(&p, 1, (int)certificate.len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
        memcpy(p, certificate.at, certificate.len);
    }
    return bytes;
}

/* Continue with these bytes of a BasicOCSPResponse in place of the one received. */
static oc_verdict_t replace(oc_check_t *check, const unsigned char *bytes, long len)
{
    const unsigned char *p = bytes;
    OCSP_BASICRESP *basic = d2i_OCSP_BASICRESP(NULL, &p, len);
    OCSP_RESPONSE *response = basic ? OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic) : NULL;
    unsigned char *der = NULL;
    int der_len = response ? i2d_OCSP_RESPONSE(response, &der) : 0;

    OCSP_BASICRESP_free(check->basic);
    OCSP_RESPONSE_free(check->response);
    check->basic = basic;
    check->response = response;
    check->signer = NULL;
    if (der_len <= 0)
        return oc_check_refuse(check, OC_OUT_OF_RESOURCES, "it cannot be re-encoded without its certificates");
    check->der = apr_pmemdup(check->pool, der, (apr_size_t)der_len);
    check->der_len = (apr_size_t)der_len;
    OPENSSL_free(der);
    return oc_trim_locate(check);
}

oc_verdict_t oc_trim(oc_check_t *check)
{
    oc_bytes_t whole = {check->basic_der, check->basic_len}, rest = oc_check_take(&whole, 0x30), before = rest,
               certificate;
    int needs_none = check->signer == check->subject->issuer;
    unsigned char *signer = NULL, *bytes;
    long len;
    int signer_len;
    oc_verdict_t verdict;

    /* NOLINTNEXTLINE(misc-redundant-expression): each call takes the next element */
    if (!oc_check_take(&rest, 0x30).at || !oc_check_take(&rest, 0x30).at || !oc_check_take(&rest, V_ASN1_BIT_STRING).at)
        return oc_check_refuse(check, OC_NOT_DER, "the parts of its BasicOCSPResponse cannot be separated");
    before.len = (apr_size_t)(rest.at - before.at);
    if (needs_none ? rest.len == 0 : sk_X509_num(OCSP_resp_get0_certs(check->basic)) == 1)
        return PASSED;

    signer_len = needs_none ? 0 : i2d_X509(check->signer, &signer);
    if (signer_len < 0)
        return oc_check_refuse(check, OC_OUT_OF_RESOURCES, "its signer's certificate cannot be encoded");
    certificate = (oc_bytes_t){signer, (apr_size_t)signer_len};
    bytes = rebuild(check, before, certificate, &len);
    OPENSSL_free(signer);
    verdict = replace(check, bytes, len);
    return verdict == PASSED ? oc_signer_find(check) : verdict;
}
