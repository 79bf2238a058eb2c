/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Writes JSON (RFC 8259) through a small buffer. Commas need no stack: one is due exactly where a value precedes.
 */
#include "view/json.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT 0xFFFD

void oc_json_begin(oc_json_t *json, oc_json_sink_fn *sink, void *context)
{
    json->sink = sink;
    json->context = context;
    json->arrays = 1; /* the bit above the outermost bracket */
    json->needs_comma = 0;
    json->needs_line = 0;
    json->len = 0;
}

static void flush(oc_json_t *json)
{
    json->sink(json->context, json->buffer, json->len);
    json->len = 0;
}

static void put(oc_json_t *json, const char *bytes, apr_size_t len)
{
    while (len > 0) {
        apr_size_t room = sizeof(json->buffer) - json->len, part = len < room ? len : room;

        memcpy(json->buffer + json->len, bytes, part);
        json->len += part;
        bytes += part;
        len -= part;
        if (json->len == sizeof(json->buffer))
            flush(json);
    }
}

static void put_text(oc_json_t *json, const char *text)
{
    put(json, text, strlen(text));
}

/* ---- brackets and commas ---- */

void oc_json_line(oc_json_t *json)
{
    json->needs_line = 1;
}

static void put_line(oc_json_t *json)
{
    if (json->needs_line)
        put(json, "\n", 1);
    json->needs_line = 0;
}

/* Print what precedes a value. */
static void begin_value(oc_json_t *json, const char *key)
{
    if (json->needs_comma)
        put(json, ",", 1);
    put_line(json);
    json->needs_comma = 1;
    if (!key)
        return;
    put(json, "\"", 1);
    put_text(json, key);
    put(json, "\":", 2);
}

static void put_value(oc_json_t *json, const char *key, const char *value)
{
    begin_value(json, key);
    put_text(json, value);
}

static void open_bracket(oc_json_t *json, const char *key, int is_array)
{
    put_value(json, key, is_array ? "[" : "{");
    json->arrays = json->arrays << 1 | (unsigned)is_array;
    json->needs_comma = 0;
}

void oc_json_object(oc_json_t *json, const char *key)
{
    open_bracket(json, key, 0);
}

void oc_json_array(oc_json_t *json, const char *key)
{
    open_bracket(json, key, 1);
}

void oc_json_end(oc_json_t *json)
{
    put_line(json);
    put(json, json->arrays & 1 ? "]" : "}", 1);
    json->arrays >>= 1;
    json->needs_comma = 1;
    if (json->arrays == 1) {
        put(json, "\n", 1);
        if (json->len > 0)
            flush(json);
    }
}

/* ---- values ---- */

void oc_json_null(oc_json_t *json, const char *key)
{
    put_value(json, key, "null");
}

void oc_json_bool(oc_json_t *json, const char *key, int is_true)
{
    put_value(json, key, is_true ? "true" : "false");
}

void oc_json_integer(oc_json_t *json, const char *key, apr_int64_t number)
{
    char text[24];

    apr_snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, number);
    put_value(json, key, text);
}

void oc_json_time(oc_json_t *json, const char *key, apr_time_t time)
{
    if (time)
        oc_json_integer(json, key, apr_time_sec(time));
    else
        oc_json_null(json, key);
}

void oc_json_seconds(oc_json_t *json, const char *key, apr_interval_time_t time)
{
    char text[40];

    apr_snprintf(text, sizeof(text), "%.6f", (double)time / APR_USEC_PER_SEC);
    put_value(json, key, text);
}

/* ---- strings ---- */

/* The code point at *p, which moves past it. Invalid UTF-8 (RFC 3629: overlong, surrogate, cut off, too large): U+FFFD,
 * and one byte on. */
static unsigned next_code_point(const unsigned char **p)
{
    static const struct {
        unsigned char mask, lead;
        unsigned min;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    const unsigned char *s = *p;
    unsigned point, form, i;

    (*p)++;
    for (form = 0; form < 4 && (s[0] & forms[form].mask) != forms[form].lead; form++)
        ;
    if (form == 4)
        return REPLACEMENT;
    point = s[0] & (unsigned char)~forms[form].mask;
    for (i = 1; i <= form; i++) {
        if ((s[i] & 0xC0) != 0x80) /* the end of the string is not one either */
            return REPLACEMENT;
        point = point << 6 | (s[i] & 0x3F);
    }
    if (point < forms[form].min || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return REPLACEMENT;
    *p = s + form + 1;
    return point;
}

static int is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && !strchr("\"\\<>&'", c);
}

static void put_unit(oc_json_t *json, unsigned unit)
{
    static const char digits[] = "0123456789abcdef";
    const char text[] = {
        '\\', 'u', digits[unit >> 12 & 15], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]};

    put(json, text, sizeof(text));
}

/* RFC 8259 section 7: a code point beyond 16 bits is a surrogate pair. */
static void put_escaped(oc_json_t *json, unsigned point)
{
    if (point > 0xFFFF) {
        put_unit(json, 0xD800 + ((point - 0x10000) >> 10));
        point = 0xDC00 + ((point - 0x10000) & 0x3FF);
    }
    put_unit(json, point);
}

void oc_json_string(oc_json_t *json, const char *key, const char *text)
{
    const unsigned char *p = (const unsigned char *)text, *plain;

    if (!text) {
        oc_json_null(json, key);
        return;
    }
    put_value(json, key, "\"");
    while (*p) {
        for (plain = p; is_plain(*p); p++)
            ;
        put(json, (const char *)plain, (apr_size_t)(p - plain));
        if (*p)
            put_escaped(json, next_code_point(&p));
    }
    put(json, "\"", 1);
}

void oc_json_to_stream(void *stream, const char *bytes, apr_size_t len)
{
    (void)fwrite(bytes, 1, len, stream);
}
