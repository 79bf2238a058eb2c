/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Decodes chunks for http.c, from bytes that may be hostile and may be cut anywhere. It must never compute with a size
 * before comparing it with the maximum.
 *
 *   AT_SIZE -> [AT_EXTENSION] -> [AT_SIZE_LF] -> AT_DATA -> AT_CR -> AT_LF -> AT_SIZE ...; a size of 0 ends it
 */
#include "chunked.h"

#include "base/hex.h"

#include <string.h>

enum { AT_SIZE, AT_EXTENSION, AT_SIZE_LF, AT_DATA, AT_CR, AT_LF };

static void chunked_reject(oc_chunked_t *chunked, oc_verdict_t verdict, const char *problem)
{
    chunked->verdict = verdict;
    chunked->problem = problem;
}

/* Trailers follow the last chunk. A reader may ignore them (RFC 9112 section 7.1.2); the connection is then not used
 * again. */
static void chunked_begin_data(oc_chunked_t *chunked)
{
    chunked->ended = chunked->left == 0;
    chunked->place = AT_DATA;
}

static void chunked_take_size(oc_chunked_t *chunked, char c)
{
    int digit = oc_hex_digit(c);

    if (digit >= 0) {
        chunked->digits = 1;
        chunked->left = chunked->left * 16 + (apr_size_t)digit;
        if (chunked->left > chunked->max - chunked->size) /* also prevents an overflow of the product */
            chunked_reject(chunked, OC_TOO_LARGE, "a chunk with which the answer exceeds the largest size accepted");
        return;
    }
    if (!chunked->digits || (c != ';' && c != ' ' && c != '\t' && c != '\r' && c != '\n')) {
        chunked_reject(chunked, OC_HTTP_MALFORMED, "a chunk size that is not a hexadecimal number");
        return;
    }
    if (c == '\n') {
        chunked_begin_data(chunked);
        return;
    }
    chunked->place = c == '\r' ? AT_SIZE_LF : AT_EXTENSION;
}

/* One byte of the framing, not of the data. A bare LF passes for CR LF, as in heads. */
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
        chunked_reject(chunked, OC_HTTP_MALFORMED, "a chunk that does not end where its size says");
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

    while (in < n && !chunked->ended && chunked->verdict == OC_PENDING) {
        apr_size_t run;

        if (chunked->place != AT_DATA) {
            if (++chunked->framing / 8 > chunked->max) /* a chunk of one byte has five; more is in endless extensions */
                chunked_reject(chunked, OC_TOO_LARGE, "chunks that consist almost entirely of framing");
            else
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
    /* The blank line is not waited for: where it did not arrive with the last chunk, the connection is closed. */
    chunked->clean = chunked->ended && n - in == 2 && memcmp(data + in, "\r\n", 2) == 0;
    return out;
}
