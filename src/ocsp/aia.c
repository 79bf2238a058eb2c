/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads the URLs of a certificate's responders. CAs write these by hand: with a line end after them, a space or an
 * umlaut in the path, or after a directory name. The bytes of a URL are preserved, as mod_ssl preserves them, but in a
 * form that a request and a log line can contain. Must never decide which scheme can be used: the fetch does.
 */
#include "aia.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <openssl/bio.h>
#include <openssl/x509v3.h>
#include <string.h>

/* Printable characters that no URL contains (RFC 3986 section 2), and that some client would misread. */
#define UNWISE "\"<>\\^`{|}"

static char *escape(char *p, const char *lead, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";

    while (*lead)
        *p++ = *lead++;
    *p++ = digits[byte >> 4];
    *p++ = digits[byte & 15];
    return p;
}

/* @return NULL: nothing is left of it */
static const char *clean(const unsigned char *text, apr_size_t length, apr_pool_t *pool)
{
    char *cleaned, *p;

    for (; length > 0 && apr_isspace(*text); text++)
        length--;
    while (length > 0 && apr_isspace(text[length - 1]))
        length--;
    p = cleaned = apr_palloc(pool, 4 * length + 1);
    for (; length > 0; text++, length--) {
        if (apr_iscntrl(*text) && *text < 0x80)
            p = escape(p, "\\x", *text);
        else if (*text <= ' ' || *text > '~' || strchr(UNWISE, *text))
            p = escape(p, "%", *text);
        else
            *p++ = (char)*text;
    }
    *p = '\0';
    return *cleaned ? cleaned : NULL;
}

static int print_name(BIO *bio, const GENERAL_NAME *name)
{
    if (name->type != GEN_DIRNAME)
        return GENERAL_NAME_print(bio, (GENERAL_NAME *)name);
    return BIO_puts(bio, "DirName:") > 0 && X509_NAME_print_ex(bio, name->d.dirn, 0, XN_FLAG_RFC2253) >= 0;
}

/* A location that is not a URL, so that a message can name it. */
static const char *printed(const GENERAL_NAME *name, apr_pool_t *pool)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *text = NULL;
    long length = 0;
    char *data;

    if (bio && print_name(bio, name))
        length = BIO_get_mem_data(bio, &data);
    if (length > 0)
        text = clean((const unsigned char *)data, (apr_size_t)length, pool);
    BIO_free(bio);
    return text;
}

static const char *location(const GENERAL_NAME *name, apr_pool_t *pool)
{
    const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;

    if (name->type != GEN_URI)
        return printed(name, pool);
    return clean(ASN1_STRING_get0_data(uri), (apr_size_t)ASN1_STRING_length(uri), pool);
}

static int contains(const apr_array_header_t *all, const char *text)
{
    int i;

    for (i = 0; i < all->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(all, i, const char *), text) == 0)
            return 1;
    return 0;
}

const char *const *oc_aia_locations(AUTHORITY_INFO_ACCESS *access, int method, apr_pool_t *pool)
{
    apr_array_header_t *all = apr_array_make(pool, 2, sizeof(const char *));
    int i;

    for (i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
        const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(access, i);
        const char *text = OBJ_obj2nid(one->method) == method ? location(one->location, pool) : NULL;

        if (text && !contains(all, text))
            APR_ARRAY_PUSH(all, const char *) = text;
    }
    AUTHORITY_INFO_ACCESS_free(access);
    APR_ARRAY_PUSH(all, const char *) = NULL;
    return (const char *const *)(const void *)all->elts;
}
