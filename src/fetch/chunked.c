/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_chunked: see oc_chunked.h. Called by oc_http, with bytes that may be hostile and may be cut anywhere. It must
 * never compute with a size before it has been held against the maximum.
 *
 *   AT_SIZE -> [AT_EXTENSION] -> [AT_SIZE_LF] -> AT_DATA -> AT_CR -> AT_LF -> AT_SIZE ...; a size of 0 ends it
 */
#include "chunked.h"

#include <apr_lib.h>
#include <string.h>

enum { AT_SIZE, AT_EXTENSION, AT_SIZE_LF, AT_DATA, AT_CR, AT_LF };

static void chunked_refuse(oc_chunked_t *chunked, oc_verdict_t verdict, const char *problem)
{
    chunked->verdict = verdict;
    chunked->problem = problem;
}

/* What follows the last chunk are trailers, which a reader may ignore (RFC 9112 section 7.1.2). The connection is then
 * not used again. */
static void chunked_begin_data(oc_chunked_t *chunked)
{
    chunked->ended = chunked->left == 0;
    chunked->place = AT_DATA;
}

static void chunked_take_size(oc_chunked_t *chunked, char c)
{
    static const char hex[] = "0123456789abcdef";
    const char *digit = c != '\0' ? strchr(hex, apr_tolower(c)) : NULL;

    if (digit != NULL) {
        chunked->digits = 1;
        chunked->left = chunked->left * 16 + (apr_size_t)(digit - hex);
        if (chunked->left > chunked->max - chunked->size) /* also keeps the product from overflowing */
            chunked_refuse(chunked, OC_TOO_LARGE, "a chunk that takes the answer beyond its largest size");
        return;
    }
    if (!chunked->digits || (c != ';' && c != ' ' && c != '\t' && c != '\r' && c != '\n')) {
        chunked_refuse(chunked, OC_HTTP_MALFORMED, "a chunk size that is no hexadecimal number");
        return;
    }
    if (c == '\n') {
        chunked_begin_data(chunked);
        return;
    }
    chunked->place = c == '\r' ? AT_SIZE_LF : AT_EXTENSION;
}

/* One byte of the framing, that is, not of the data. A bare LF passes for CR LF, as everywhere in HTTP heads. */
static void chunked_take_framing(oc_chunked_t *chunked, char c)
{
    if (chunked->place == AT_SIZE) {
        chunked_take_size(chunked, c);
        return;
    }
    if (chunked->place == AT_EXTENSION && c != '\n')
        return;
    if (chunked->place == AT_CR && c == '\r') {
        chunked->place = AT_LF;
        return;
    }
    if (c != '\n') {
        chunked_refuse(chunked, OC_HTTP_MALFORMED, "a chunk that does not end where its size says");
        return;
    }
    if (chunked->place == AT_EXTENSION || chunked->place == AT_SIZE_LF) {
        chunked_begin_data(chunked);
        return;
    }
    chunked->place = AT_SIZE;
    chunked->digits = 0;
    chunked->left = 0;
}

void oc_chunked_start(oc_chunked_t *chunked, apr_size_t max)
{
    memset(chunked, 0, sizeof(*chunked));
    chunked->max = max;
    chunked->place = AT_SIZE;
}

apr_size_t oc_chunked_take(oc_chunked_t *chunked, char *data, apr_size_t n)
{
    apr_size_t in = 0;
    apr_size_t out = 0;

    chunked->wire += n;
    if (chunked->wire / 8 > chunked->max) /* a chunk of one byte takes six; the rest are extensions without end */
        chunked_refuse(chunked, OC_TOO_LARGE, "chunks that are nearly all framing");
    while (in < n && !chunked->ended && chunked->verdict == OC_PENDING) {
        apr_size_t run;

        if (chunked->place != AT_DATA) {
            chunked_take_framing(chunked, data[in++]);
            continue;
        }
        run = chunked->left < n - in ? chunked->left : n - in;
        memmove(data + out, data + in, run);
        in += run;
        out += run;
        chunked->left -= run;
        chunked->size += run;
        if (chunked->left == 0)
            chunked->place = AT_CR;
    }
    /* Nobody waits for the blank line: where it has not come along with the last chunk, the connection is given up. */
    chunked->clean = chunked->ended && n - in == 2 && memcmp(data + in, "\r\n", 2) == 0;
    return chunked->verdict == OC_PENDING ? out : 0;
}
