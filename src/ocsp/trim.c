/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Removes from a response the certificates that clients do not need. The signed part, the algorithm and the signature
 * are copied byte by byte, so what OpenSSL parsed of the response received is valid for the result. Must never read
 * beyond the response, or change a signed byte.
 */
#include "trim.h"

#include <string.h>

#define NOTHING ((oc_bytes_t){NULL, 0})

oc_verdict_t oc_trim_locate(oc_check_t *check)
{
    oc_bytes_t rest = {check->der, check->der_len}, bytes, data, algorithm, signature;

    bytes = oc_bytes_take(&rest, 0x30);
    (void)oc_bytes_take(&bytes, V_ASN1_ENUMERATED);
    bytes = oc_bytes_take(&bytes, 0xa0);
    bytes = oc_bytes_take(&bytes, 0x30);
    (void)oc_bytes_take(&bytes, V_ASN1_OBJECT);
    check->basic_der = rest = oc_bytes_take(&bytes, V_ASN1_OCTET_STRING);
    bytes = oc_bytes_take(&rest, 0x30);
    if (!bytes.at || rest.len > 0)
        return oc_check_refuse(check, OC_NOT_DER, "there is other data next to its BasicOCSPResponse");

    rest = bytes;
    data = oc_bytes_take(&rest, 0x30);
    algorithm = oc_bytes_take(&rest, 0x30);
    signature = oc_bytes_take(&rest, V_ASN1_BIT_STRING);
    if (!data.at || !algorithm.at || !signature.at)
        return oc_check_refuse(check, OC_NOT_DER, "the parts of its BasicOCSPResponse cannot be separated");
    check->core = (oc_bytes_t){bytes.at, bytes.len - rest.len};
    check->signed_data = (oc_bytes_t){bytes.at, (apr_size_t)(data.at - bytes.at) + data.len};
    return PASSED;
}

/* An element with this identifier octet, which contains two parts. */
static oc_bytes_t wrap(const oc_check_t *check, int identifier, oc_bytes_t first, oc_bytes_t second)
{
    int constructed = identifier & V_ASN1_CONSTRUCTED, tag = identifier & V_ASN1_PRIMITIVE_TAG;
    int len = (int)(first.len + second.len), size = ASN1_object_size(constructed, len, tag);
    unsigned char *bytes = apr_palloc(check->pool, (apr_size_t)size), *p = bytes;

    ASN1_put_object(&p, constructed, len, tag, identifier & V_ASN1_PRIVATE);
    memcpy(p, first.at, first.len);
    if (second.len > 0)
        memcpy(p + first.len, second.at, second.len);
    return (oc_bytes_t){bytes, (apr_size_t)size};
}

static int is_trimmed(const oc_check_t *check)
{
    if (check->signer != check->subject->issuer)
        return sk_X509_num(OCSP_resp_get0_certs(check->basic)) == 1;
    return check->core.at + check->core.len == check->basic_der.at + check->basic_der.len;
}

/* The field `certs` with the signer's certificate alone. */
static oc_bytes_t certificates(const oc_check_t *check)
{
    unsigned char *der = NULL;
    int len = i2d_X509(check->signer, &der);
    oc_bytes_t field = NOTHING;

    if (len > 0) {
        field = wrap(check, 0x30, (oc_bytes_t){der, (apr_size_t)len}, NOTHING);
        field = wrap(check, 0xa0, field, NOTHING);
    }
    OPENSSL_free(der);
    return field;
}

oc_verdict_t oc_trim(oc_check_t *check)
{
    static const unsigned char successful[] = {V_ASN1_ENUMERATED, 1, OCSP_RESPONSE_STATUS_SUCCESSFUL};
    static const unsigned char id_pkix_ocsp_basic[] = {V_ASN1_OBJECT, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1};
    const oc_bytes_t status = {successful, sizeof(successful)}, type = {id_pkix_ocsp_basic, sizeof(id_pkix_ocsp_basic)};
    oc_bytes_t certs = NOTHING, bytes;

    if (is_trimmed(check))
        return PASSED;
    if (check->signer != check->subject->issuer && (certs = certificates(check)).len == 0)
        return oc_check_refuse(check, OC_OUT_OF_RESOURCES, "its signer's certificate cannot be encoded");
    check->basic_der = wrap(check, 0x30, check->core, certs);
    bytes = wrap(check, V_ASN1_OCTET_STRING, check->basic_der, NOTHING);
    bytes = wrap(check, 0x30, type, bytes);
    bytes = wrap(check, 0xa0, bytes, NOTHING);
    bytes = wrap(check, 0x30, status, bytes);
    check->der = bytes.at;
    check->der_len = bytes.len;
    return PASSED;
}
