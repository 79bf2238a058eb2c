/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Finds the fields of a certificate without OpenSSL's objects. Called in the parent, for certificates that the
 * administrator configured. Must never read beyond the bytes that it is given, and must leave everything uncommon to
 * OpenSSL: what it finds is what OpenSSL would.
 */
#include "ocsp/outline.h"

#include <openssl/asn1t.h>
#include <openssl/x509v3.h>
#include <string.h>

#define VERSION "\x02\x01\x02" /* v3 */

#define SEQUENCE 0x30
#define EXPLICIT_0 0xa0
#define EXPLICIT_3 0xa3
#define IMPLICIT_0 0x80

static int equals(oc_bytes_t a, const void *b, apr_size_t len)
{
    return a.len == len && memcmp(a.at, b, len) == 0;
}

/* The next element of @a rest, with identifier and length. @return 0: it is another one, or none */
static int take(oc_bytes_t *rest, int identifier, oc_bytes_t *element)
{
    element->at = rest->at;
    if (!oc_bytes_take(rest, identifier).at)
        return 0;
    element->len = (apr_size_t)(rest->at - element->at);
    return 1;
}

static int take_time(oc_bytes_t *rest, oc_bytes_t *time)
{
    return take(rest, V_ASN1_UTCTIME, time) || take(rest, V_ASN1_GENERALIZEDTIME, time);
}

/* AuthorityKeyIdentifier: nothing but a keyIdentifier. */
static int take_key_id(oc_bytes_t value, oc_bytes_t *key_id)
{
    oc_bytes_t names = oc_bytes_take(&value, SEQUENCE);

    *key_id = oc_bytes_take(&names, IMPLICIT_0);
    return key_id->at && names.len == 0 && value.len == 0;
}

/* @return 0: it is malformed, or the second of its kind */
static int take_extension(oc_outline_t *outline, oc_bytes_t *rest)
{
    static const unsigned char aia[] = {0x2b, 6, 1, 5, 5, 7, 1, 1}, tls_feature[] = {0x2b, 6, 1, 5, 5, 7, 1, 24};
    static const unsigned char key_id[] = {0x55, 0x1d, 0x23};
    oc_bytes_t whole, *place = NULL, content, oid, value;

    if (!take(rest, SEQUENCE, &whole))
        return 0;
    content = whole;
    content = oc_bytes_take(&content, SEQUENCE);
    oid = oc_bytes_take(&content, V_ASN1_OBJECT);
    (void)oc_bytes_take(&content, V_ASN1_BOOLEAN);
    value = oc_bytes_take(&content, V_ASN1_OCTET_STRING);
    if (!oid.at || !value.at || content.len > 0)
        return 0;
    if (equals(oid, key_id, sizeof(key_id)))
        return !outline->issuer_key_id.at && take_key_id(value, &outline->issuer_key_id);
    if (equals(oid, aia, sizeof(aia)))
        place = &outline->aia;
    else if (equals(oid, tls_feature, sizeof(tls_feature)))
        place = &outline->tls_feature;
    if (place && place->at)
        return 0;
    if (place)
        *place = whole;
    return 1;
}

static int take_extensions(oc_outline_t *outline, oc_bytes_t *rest)
{
    oc_bytes_t field = oc_bytes_take(rest, EXPLICIT_3), list = oc_bytes_take(&field, SEQUENCE);

    while (list.len > 0)
        if (!take_extension(outline, &list))
            return 0;
    return outline->issuer_key_id.at && field.len == 0 && rest->len == 0;
}

static int take_fields(oc_outline_t *outline, oc_bytes_t rest)
{
    oc_bytes_t validity, key;

    return equals(oc_bytes_take(&rest, EXPLICIT_0), VERSION, sizeof(VERSION) - 1)
           && take(&rest, V_ASN1_INTEGER, &outline->serial) && take(&rest, SEQUENCE, &outline->algorithm)
           && take(&rest, SEQUENCE, &outline->issuer) && (validity = oc_bytes_take(&rest, SEQUENCE)).at
           && take_time(&validity, &outline->not_before) && take_time(&validity, &outline->not_after)
           && validity.len == 0 && take(&rest, SEQUENCE, &outline->subject) && take(&rest, SEQUENCE, &key)
           && take_extensions(outline, &rest);
}

int oc_outline_read(oc_outline_t *outline, const unsigned char *der, apr_size_t len)
{
    oc_bytes_t whole = {der, len}, rest, tbs, algorithm;

    memset(outline, 0, sizeof(*outline));
    outline->der = whole;
    rest = oc_bytes_take(&whole, SEQUENCE);
    if (!rest.at || whole.len > 0 || !take(&rest, SEQUENCE, &outline->tbs))
        return 0;
    tbs = outline->tbs;
    if (!take_fields(outline, oc_bytes_take(&tbs, SEQUENCE)) || !take(&rest, SEQUENCE, &algorithm)
        || !equals(algorithm, outline->algorithm.at, outline->algorithm.len)
        || equals(outline->subject, outline->issuer.at, outline->issuer.len))
        return 0;
    outline->signature = oc_bytes_take(&rest, V_ASN1_BIT_STRING);
    if (rest.len > 0 || outline->signature.len == 0 || *outline->signature.at != 0)
        return 0;
    outline->signature.at++;
    outline->signature.len--;
    return 1;
}

oc_bytes_t oc_outline_key(const unsigned char *der, apr_size_t len)
{
    oc_bytes_t whole = {der, len}, certificate = oc_bytes_take(&whole, SEQUENCE);
    oc_bytes_t tbs = oc_bytes_take(&certificate, SEQUENCE), info, key;
    int i;

    (void)oc_bytes_take(&tbs, EXPLICIT_0); /* the version */
    (void)oc_bytes_take(&tbs, V_ASN1_INTEGER);
    for (i = 0; i < 4; i++) /* algorithm, issuer, validity, subject */
        (void)oc_bytes_take(&tbs, SEQUENCE);
    info = oc_bytes_take(&tbs, SEQUENCE);
    (void)oc_bytes_take(&info, SEQUENCE);
    key = oc_bytes_take(&info, V_ASN1_BIT_STRING);
    if (key.len == 0 || *key.at != 0)
        return (oc_bytes_t){NULL, 0};
    return (oc_bytes_t){key.at + 1, key.len - 1};
}

int oc_outline_names(const oc_outline_t *outline, X509 *issuer)
{
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(issuer);
    const unsigned char *name;
    apr_size_t name_len;

    return key_id && X509_NAME_get0_der(X509_get_subject_name(issuer), &name, &name_len)
           && equals(outline->issuer, name, name_len)
           && equals(outline->issuer_key_id, ASN1_STRING_get0_data(key_id), (apr_size_t)ASN1_STRING_length(key_id))
           && !(X509_get_extension_flags(issuer) & EXFLAG_INVALID) && (X509_get_key_usage(issuer) & KU_KEY_CERT_SIGN);
}

int oc_outline_is_signed_by(const oc_outline_t *outline, X509 *issuer)
{
    const unsigned char *p = outline->algorithm.at;
    X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &p, (long)outline->algorithm.len);
    ASN1_STRING *data = ASN1_STRING_type_new(V_ASN1_SEQUENCE), *signature = ASN1_STRING_type_new(V_ASN1_BIT_STRING);
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    /* As an ASN1_SEQUENCE, OpenSSL hands the bytes on unparsed. */
    int is_right = key && algorithm && data && signature
                   && ASN1_STRING_set(data, outline->tbs.at, (int)outline->tbs.len)
                   && ASN1_STRING_set(signature, outline->signature.at, (int)outline->signature.len)
                   && ASN1_item_verify(ASN1_ITEM_rptr(ASN1_SEQUENCE), algorithm, signature, data, key) == 1;

    ASN1_STRING_free(signature);
    ASN1_STRING_free(data);
    X509_ALGOR_free(algorithm);
    return is_right;
}
