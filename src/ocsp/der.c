/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Decides whether the bytes of a response or certificate are DER. OpenSSL's parser accepts BER; encoding again what it
 * parsed costs more, and shows nothing of names and certificates, which it keeps as received. Called by the checks of
 * verification, for bytes that OpenSSL has parsed. Must never read beyond them, or recurse.
 */
#include "der.h"

#include <openssl/asn1.h>
#include <stdint.h>

/* The nesting of a real response or certificate ends at about 12. */
#define MAX_DEPTH 32

/* How GnuTLS reads an OID: libtasn1 makes text of it, in integers of 64 bits, and fails where an arc does not fit
 * (asn1_get_object_id_der() in lib/decoding.c). A certificate in a response is encoded again out of that text, in which
 * an arc of 64 bits is negative (_asn1_ltostr() in lib/parser_aux.c), and the OID of an extension has a buffer of 127
 * bytes (_gnutls_get_extension() in GnuTLS's lib/x509/extensions.c). Where that fails, GnuTLS finds the certificate's
 * signature wrong. */
static const struct {
    int arc_bits, text;
} oid_limits[] = {[OC_DER_RESPONSE] = {64, INT32_MAX}, [OC_DER_CERTIFICATE] = {63, 126}};

static int digits_of(uint64_t number)
{
    int digits = 1;

    while (number /= 10)
        digits++;
    return digits;
}

/* OpenSSL's parser has checked that no arc begins with 0x80. The first one stands for two: 40 x + y, x <= 2. */
static int is_readable_oid(const unsigned char *oid, long length, oc_der_kind_t kind)
{
    int text = 2; /* "x." */
    uint64_t arc = 0;

    for (long i = 0; i < length; i++) {
        if (arc >> (oid_limits[kind].arc_bits - 7))
            return 0;
        arc = arc << 7 | (oid[i] & 0x7f);
        if (oid[i] & 0x80)
            continue;
        text += text == 2 ? digits_of(arc < 80 ? arc % 40 : arc - 80) : 1 + digits_of(arc);
        arc = 0;
    }
    return length > 0 && (oid[length - 1] & 0x80) == 0 && text <= oid_limits[kind].text;
}

/* X.690 section 8.3.2: the first nine bits are not all equal. */
static int is_minimal(const unsigned char *number, long length)
{
    if (length > 1 && (number[0] == 0x00 || number[0] == 0xff))
        return (number[0] ^ number[1]) & 0x80;
    return length > 0;
}

/* X.690 section 11.2.1: the unused bits are zero. The first octet counts them. */
static int has_no_spare_bits(const unsigned char *bits, long length)
{
    if (length < 2)
        return length == 1 && bits[0] == 0;
    return bits[0] < 8 && (bits[length - 1] & ((1 << bits[0]) - 1)) == 0;
}

/* What of the universal types has one encoding in DER and several in BER. */
static int is_der_content(int tag, const unsigned char *content, long length, oc_der_kind_t kind)
{
    switch (tag) {
    /* The only BOOLEAN outside of an extension's value is Extension.critical, whose default, FALSE, DER omits (X.690
     * section 11.5), and whose TRUE is FF (11.1). Chrome rejects an explicit FALSE, the others accept it. */
    case V_ASN1_BOOLEAN:
        return length == 1 && *content == 0xff;
    case V_ASN1_INTEGER:
    case V_ASN1_ENUMERATED:
        return is_minimal(content, length);
    case V_ASN1_BIT_STRING:
        return has_no_spare_bits(content, length);
    case V_ASN1_NULL:
        return length == 0;
    case V_ASN1_OBJECT:
        return is_readable_oid(content, length, kind);
    default:
        return 1;
    }
}

/* Is the element at *p, which ends by @a end at the latest, well-formed? *p moves to its content. */
static int is_der_element(const unsigned char **p, const unsigned char *end, long *content, int *constructed,
                          oc_der_kind_t kind)
{
    const unsigned char *start = *p;
    int tag, class;
    int flags = ASN1_get_object(p, content, &tag, &class, end - start);
    int structure = class == V_ASN1_UNIVERSAL && (tag == V_ASN1_SEQUENCE || tag == V_ASN1_SET);

    if ((flags & 0x81) != 0) /* 0x80: broken or beyond the end; 0x01: indefinite length */
        return 0;
    *constructed = (flags & V_ASN1_CONSTRUCTED) != 0;
    if (ASN1_object_size(*constructed, (int)*content, tag) != (*p - start) + *content)
        return 0;
    if (class != V_ASN1_UNIVERSAL)
        return 1;
    return *constructed == structure && is_der_content(tag, *p, *content, kind);
}

int oc_der_is_canonical(const unsigned char *der, long length, oc_der_kind_t kind)
{
    const unsigned char *ends[MAX_DEPTH] = {der + length}; /* of the elements that are open */
    const unsigned char *p = der;
    int depth = 0;

    for (;;) {
        long content;
        int constructed;

        while (p == ends[depth]) {
            if (depth-- == 0)
                return 1;
        }
        if (!is_der_element(&p, ends[depth], &content, &constructed, kind))
            return 0;
        if (!constructed)
            p += content;
        else if (++depth < MAX_DEPTH)
            ends[depth] = p + content;
        else
            return 0;
    }
}
