/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The bytes of one OCSP request over HTTP, as a responder or a proxy receives them (RFC 6960 appendix A.1).
 */
#ifndef OC_FETCH_REQUEST_H
#define OC_FETCH_REQUEST_H

#include "fetch/url.h"

#include <apr_pools.h>

typedef struct {
    const oc_url_t *responder;
    const oc_url_t *proxy;    /* NULL: directly to the responder */
    int keep_alive;           /* request a connection that stays open after the answer */
    const unsigned char *der; /* the OCSPRequest */
    apr_size_t der_len;
    apr_pool_t *pool; /* for everything made here */
} oc_request_t;

/**
 * The path of a GET, with the request in its last segment.
 * @return NULL: use POST. The URL would be longer than RFC 5019 section 5 allows, or it has a query: {url}/{request}
 *   would put the request into the query, where no responder looks for it.
 */
const char *oc_request_get_path(const oc_request_t *request);

/**
 * The whole request, head and body.
 * @param get_path from oc_request_get_path(); NULL: POST
 * @param len out: its length in bytes
 */
const char *oc_request_text(const oc_request_t *request, const char *get_path, apr_size_t *len);

#endif
