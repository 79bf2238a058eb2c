/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Turns certificate objects into numbers and safe text, for certificates and responses alike. Names and serials come
 * from responders and certificate files: they must never reach a log raw, where a line feed forges a line and an escape
 * sequence controls a terminal.
 */
#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <string.h>

/* The nesting of a real response or certificate ends at about 12. */
#define MAX_DEPTH 32

int oc_x509_time(apr_time_t *time, const ASN1_TIME *asn1)
{
    struct tm tm;
    apr_time_exp_t exploded;

    *time = 0;
    /* To OpenSSL a NULL time is the present. */
    if (!asn1 || !ASN1_TIME_to_tm(asn1, &tm))
        return 0;
    if (tm.tm_year < 70)
        return 1;
    memset(&exploded, 0, sizeof(exploded));
    exploded.tm_year = tm.tm_year;
    exploded.tm_mon = tm.tm_mon;
    exploded.tm_mday = tm.tm_mday;
    exploded.tm_hour = tm.tm_hour;
    exploded.tm_min = tm.tm_min;
    exploded.tm_sec = tm.tm_sec;
    /* Not timegm(3): its time_t has 32 bits on some systems, and certificates end in the year 9999. */
    return apr_time_exp_gmt_get(time, &exploded) == APR_SUCCESS;
}

int oc_x509_strict_time(apr_time_t *time, const ASN1_GENERALIZEDTIME *asn1)
{
    const unsigned char *text = ASN1_STRING_get0_data(asn1);

    *time = 0;
    /* OpenSSL parses 15 characters with Z at the end in no other form. */
    if (ASN1_STRING_length(asn1) != 15 || text[14] != 'Z' || memcmp(text, "1970", 4) < 0)
        return 0;
    return oc_x509_time(time, asn1);
}

/* What was printed into a memory BIO, cut off at the buffer's end. The caller has escaped it. */
static void take_text(char *buf, apr_size_t size, BIO *bio)
{
    int length = BIO_read(bio, buf, (int)size - 1);
    buf[length > 0 ? length : 0] = '\0';
    for (char *c = buf; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

void oc_x509_name(char *buf, apr_size_t size, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());

    buf[0] = '\0';
    if (bio && X509_NAME_entry_count(name) > 0 && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        take_text(buf, size, bio);
    BIO_free(bio);
}

static void first_dns_name(char *buf, apr_size_t size, const X509 *x509)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    BIO *bio = BIO_new(BIO_s_mem());

    for (int i = 0; bio && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            BIO_puts(bio, "DNS:");
            ASN1_STRING_print_ex(bio, name->d.dNSName, ASN1_STRFLGS_RFC2253);
            take_text(buf, size, bio);
            break;
        }
    }
    BIO_free(bio);
    GENERAL_NAMES_free(names);
}

void oc_x509_subject(char *buf, apr_size_t size, const X509 *x509)
{
    oc_x509_name(buf, size, X509_get_subject_name(x509));
    if (buf[0] == '\0')
        first_dns_name(buf, size, x509);
    if (buf[0] == '\0')
        apr_cpystrn(buf, "(no name)", size);
}

void oc_x509_serial(char *buf, apr_size_t size, const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;

    /* BN_bn2hex() writes zero with one digit, the command with two. */
    apr_cpystrn(buf, !hex ? "?" : BN_is_zero(number) ? "00" : hex, size);
    OPENSSL_free(hex);
    BN_free(number);
}

void oc_x509_time_text(char *buf, apr_size_t size, apr_time_t time)
{
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, time);
    apr_snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                 t.tm_min, t.tm_sec);
}

/* Can GnuTLS print this OID? It reads every one in a response or certificate, into a short buffer, and fails on an arc
 * that does not fit into its integers (2.25.UUID, for instance). OpenSSL's parser has checked that none is cut off. */
static int is_printable_oid(const unsigned char *oid, long length)
{
    int arc = 0; /* its bytes so far */

    if (length > 31)
        return 0;
    for (long i = 0; i < length; i++) {
        if (++arc > 9)
            return 0;
        if ((oid[i] & 0x80) == 0)
            arc = 0;
    }
    return length > 0 && arc == 0;
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
static int is_der_content(int tag, const unsigned char *content, long length)
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
        return is_printable_oid(content, length);
    default:
        return 1;
    }
}

/* Is the element at *p, which ends by @a end at the latest, well-formed? *p moves to its content. */
static int is_der_header(const unsigned char **p, const unsigned char *end, long *content, int *constructed)
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
    return *constructed == structure && is_der_content(tag, *p, *content);
}

int oc_x509_is_der(const unsigned char *der, long length)
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
        if (!is_der_header(&p, ends[depth], &content, &constructed))
            return 0;
        if (!constructed)
            p += content;
        else if (++depth < MAX_DEPTH)
            ends[depth] = p + content;
        else
            return 0;
    }
}
