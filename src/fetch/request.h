/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_request: what goes to the responder: path, headers and body of one OCSP request over HTTP (RFC 6960 appendix A.1).
 */
#ifndef OC_FETCH_REQUEST_H
#define OC_FETCH_REQUEST_H

#include "fetch/url.h"

#include <apr_pools.h>
#include <openssl/http.h>

typedef struct {
    const oc_url_t *responder;
    const oc_url_t *proxy;    /* NULL: straight to the responder */
    int keep_alive;           /* ask the peer not to close behind its answer */
    const unsigned char *der; /* the OCSPRequest */
    apr_size_t der_len;
    apr_pool_t *pool; /* for whatever is made here */
} oc_request_t;

/**
 * The path for GET, the request in its last segment.
 * @return NULL: POST is to be used. The whole would be longer than RFC 5019 section 5 allows, or the url has a query:
 *   {url}/{request} would put the request into the query, where no responder looks for it.
 */
const char *oc_request_get_path(const oc_request_t *request);

/**
 * Give @a client everything it is to send, and the largest answer it may take.
 * @param get_path from oc_request_get_path(); NULL: POST
 * @return 0: OpenSSL cannot, for want of memory.
 */
int oc_request_compose(const oc_request_t *request, const char *get_path, apr_size_t response_max,
                       OSSL_HTTP_REQ_CTX *client);

#endif
