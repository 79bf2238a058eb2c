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

static apr_status_t free_x509(void *x509)
{
    X509_free(x509);
    return APR_SUCCESS;
}

void oc_x509_keep(X509 *x509, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, x509, free_x509, apr_pool_cleanup_null);
}

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
