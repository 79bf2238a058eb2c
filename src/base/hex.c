/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Hexadecimal digits. Not apr_escape's functions: they print lower case, while certificates are known by upper-case
 * digits (openssl x509 -serial, -fingerprint), and they accept colons, which none of our formats has.
 */
#include "base/hex.h"

#include <string.h>

char *oc_hex_put(char *text, const unsigned char *bytes, apr_size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    apr_size_t i;

    for (i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * len] = '\0';
    return text;
}

const char *oc_hex_print(const unsigned char *bytes, apr_size_t len, apr_pool_t *pool)
{
    return oc_hex_put(apr_palloc(pool, 2 * len + 1), bytes, len);
}

int oc_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int oc_hex_read(const char *text, unsigned char *bytes, apr_size_t len)
{
    apr_size_t i;

    if (strlen(text) != 2 * len)
        return 0;
    for (i = 0; i < 2 * len; i++)
        if (oc_hex_digit(text[i]) < 0)
            return 0;
    for (i = 0; i < len; i++)
        bytes[i] = (unsigned char)(oc_hex_digit(text[2 * i]) * 16 + oc_hex_digit(text[2 * i + 1]));
    return 1;
}
