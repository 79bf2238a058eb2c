/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target: fetch/http.c over what a responder may send. The first byte seeds the cuts; the rest is the response.
 * The result does not depend on the cuts; the body is within its cap; an answer is a whole DER object.
 */
#include "fuzz.h"

#include "fetch/http.h"

#define BODY_MAX 300 /* small, so that a short input exceeds it */

static void check(const oc_http_t *http)
{
    require(http->body_len <= BODY_MAX);
    require(http->head.size <= OC_HEAD_MAX && strlen(http->head.text) <= http->head.size);
    require((http->verdict == OC_PENDING) == (http->detail == NULL));
    require(http->verdict != OC_PENDING || !http->complete || http->whole);
    require(!http->whole || (http->body[0] == 0x30 && http->body_len >= 2));
    require(!http->reusable || http->complete);
    require(http->verdict == OC_PENDING || strlen(http->detail) < sizeof(http->head.detail));
}

/* Each piece is a copy of its own size: AddressSanitizer watches its end. @param step 0: in one piece */
static const oc_http_t *read_in_pieces(const uint8_t *data, size_t size, unsigned step, apr_pool_t *pool)
{
    oc_http_t *http = oc_http_create(BODY_MAX, pool);
    size_t n;

    for (; size > 0; data += n, size -= n) {
        char *piece;

        step = step * 1103515245 + (step > 0 ? 12345 : 0);
        n = step > 0 ? 1 + (step >> 16) % 40 : size;
        n = n < size ? n : size;
        piece = malloc(n);
        memcpy(piece, data, n);
        oc_http_take(http, piece, n);
        free(piece);
        check(http);
    }
    return http;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const oc_http_t *whole, *cut;

    if (size == 0)
        return 0;
    whole = read_in_pieces(data + 1, size - 1, 0, pool);
    cut = read_in_pieces(data + 1, size - 1, data[0] + 1U, pool);
    require(whole->verdict == cut->verdict);
    require(whole->verdict == OC_PENDING || strcmp(whole->detail, cut->detail) == 0);
    if (whole->verdict == OC_PENDING) {
        require(whole->complete == cut->complete && whole->whole == cut->whole);
        require(whole->body_len == cut->body_len);
        require(whole->body_len == 0 || memcmp(whole->body, cut->body, whole->body_len) == 0);
    }
    apr_pool_clear(pool);
    return 0;
}
