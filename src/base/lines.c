/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads and writes the lines of manifest and command; OpenSSL reads and writes PEM. Every byte read may be hostile: it
 * must never read behind the end of the text.
 */
#include "base/lines.h"

#include "base/hex.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define VERSION "1" /* of manifest and command */
#define PEM_BEGIN "-----BEGIN "
#define HEX_PIECE 128 /* bytes that are written at once */

void oc_lines_begin(oc_lines_t *lines, const char *text, apr_size_t len)
{
    lines->at = text;
    lines->end = text + len;
    lines->number = 0;
}

/* ---- reading ---- */

/* The value without its escapes; NULL: one is invalid, or means a zero byte. */
static const char *unescape(const char *text, apr_size_t len, apr_pool_t *pool)
{
    char *value = apr_palloc(pool, len + 1), *to = value;
    const char *end = text + len;

    while (text < end) {
        int high, low;

        if (*text != '\\') {
            *to++ = *text++;
            continue;
        }
        if (end - text < 4 || text[1] != 'x')
            return NULL;
        high = oc_hex_digit(text[2]);
        low = oc_hex_digit(text[3]);
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return NULL;
        *to++ = (char)(high << 4 | low);
        text += 4;
    }
    *to = '\0';
    return value;
}

static int read_line(oc_line_t *line, const char *text, apr_size_t len, apr_pool_t *pool)
{
    const char *blank = memchr(text, ' ', len);
    apr_size_t key_len = blank ? (apr_size_t)(blank - text) : len, i;

    for (i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return -1;
    line->key = apr_pstrmemdup(pool, text, key_len);
    line->value = blank ? unescape(blank + 1, len - key_len - 1, pool) : "";
    return key_len > 0 && line->value ? 1 : -1;
}

/* The end of the block that begins at lines->at; NULL: it has none. */
static const char *block_end(const oc_lines_t *lines)
{
    static const char mark[] = "-----END ";
    const char *at = lines->at, *found = NULL;

    while (at < lines->end && !found) { /* line by line: the text is not terminated */
        const char *stop = memchr(at, '\n', (size_t)(lines->end - at));

        stop = stop ? stop + 1 : lines->end;
        if (stop - at > (ptrdiff_t)sizeof(mark) && memcmp(at, mark, sizeof(mark) - 1) == 0)
            found = stop;
        at = stop;
    }
    return found;
}

static int read_block(oc_lines_t *lines, oc_line_t *line, apr_pool_t *pool)
{
    const char *end = block_end(lines);
    char *label = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    BIO *bio;
    int ok = 0;

    if (!end || end - lines->at > INT_MAX) {
        lines->at = lines->end; /* for a caller that continues after an error */
        return -1;
    }
    ERR_set_mark();
    bio = BIO_new_mem_buf(lines->at, (int)(end - lines->at));
    ok = bio && PEM_read_bio(bio, &label, &header, &data, &len) && !*header;
    if (ok) {
        line->key = apr_pstrdup(pool, label);
        line->der = apr_pmemdup(pool, data, (apr_size_t)len);
        line->der_len = (apr_size_t)len;
    }
    ERR_pop_to_mark();
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(bio);
    for (; lines->at < end; lines->at++)
        lines->number += *lines->at == '\n';
    return ok ? 1 : -1;
}

int oc_lines_next(oc_lines_t *lines, oc_line_t *line, apr_pool_t *pool)
{
    memset(line, 0, sizeof(*line));
    while (lines->at < lines->end) {
        apr_size_t left = (apr_size_t)(lines->end - lines->at), len;
        const char *text = lines->at, *stop = memchr(text, '\n', left);

        if (left > strlen(PEM_BEGIN) && memcmp(text, PEM_BEGIN, strlen(PEM_BEGIN)) == 0)
            return read_block(lines, line, pool);
        len = stop ? (apr_size_t)(stop - text) : left;
        lines->at = stop ? stop + 1 : lines->end;
        lines->number++;
        if (len > 0 && *text != '#')
            return read_line(line, text, len, pool);
    }
    return 0;
}

int oc_lines_is(const oc_line_t *line, const char *key)
{
    return line->value && strcmp(line->key, key) == 0;
}

int oc_lines_open(oc_lines_t *lines, const char *text, apr_size_t len, const char *kind, apr_pool_t *pool)
{
    oc_line_t line;

    oc_lines_begin(lines, text, len);
    return oc_lines_next(lines, &line, pool) == 1 && oc_lines_is(&line, kind) && strcmp(line.value, VERSION) == 0;
}

int oc_lines_next_pem(oc_lines_t *lines, const char *label, const unsigned char **der, apr_size_t *der_len,
                      apr_pool_t *pool)
{
    oc_line_t line;

    if (oc_lines_next(lines, &line, pool) != 1 || line.value || strcmp(line.key, label) != 0)
        return 0;
    *der = line.der;
    *der_len = line.der_len;
    return 1;
}

int oc_lines_number(const char *value, apr_int64_t max, apr_int64_t *number)
{
    char *end;

    errno = 0;
    *number = apr_strtoi64(value, &end, 10);
    return apr_isdigit(*value) && *end == '\0' && errno == 0 && *number <= max;
}

/* ---- writing ---- */

BIO *oc_lines_create(const char *kind)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio && !oc_lines_put(bio, kind, VERSION)) {
        BIO_free(bio);
        bio = NULL;
    }
    return bio;
}

const char *oc_lines_finish(BIO *bio, int ok, apr_size_t *len, apr_pool_t *pool)
{
    const char *text = NULL;
    char *data;

    if (bio && ok) {
        *len = (apr_size_t)BIO_get_mem_data(bio, &data);
        text = apr_pstrmemdup(pool, data, *len);
    }
    BIO_free(bio);
    return text;
}

int oc_lines_put(BIO *bio, const char *key, const char *value)
{
    int ok = BIO_puts(bio, key) > 0 && (!*value || BIO_puts(bio, " ") > 0);

    while (ok && *value) {
        apr_size_t plain = 0;

        while (value[plain] >= ' ' && value[plain] <= '~' && value[plain] != '\\')
            plain++;
        if (plain > 0) {
            ok = BIO_write(bio, value, (int)plain) == (int)plain;
            value += plain;
        }
        else {
            ok = BIO_printf(bio, "\\x%02x", (unsigned char)*value++) > 0;
        }
    }
    return ok && BIO_puts(bio, "\n") > 0;
}

int oc_lines_put_number(BIO *bio, const char *key, apr_int64_t value)
{
    return BIO_printf(bio, "%s %lld\n", key, (long long)value) > 0;
}

int oc_lines_put_hex(BIO *bio, const char *key, const unsigned char *bytes, apr_size_t len)
{
    int ok = BIO_printf(bio, "%s ", key) > 0;
    char digits[2 * HEX_PIECE + 1];

    while (ok && len > 0) {
        apr_size_t part = len < HEX_PIECE ? len : HEX_PIECE;

        ok = BIO_puts(bio, oc_hex_put(digits, bytes, part)) > 0;
        bytes += part;
        len -= part;
    }
    return ok && BIO_puts(bio, "\n") > 0;
}

int oc_lines_put_pem(BIO *bio, const char *label, const unsigned char *der, apr_size_t der_len)
{
    return der_len <= INT_MAX && PEM_write_bio(bio, label, "", der, (long)der_len) > 0;
}
