/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One exchange with a responder: look up, connect, query, read, within one deadline and one size cap.
 *
 * Runs in worker threads of unprivileged children. Whatever the responder does, the call returns at its deadline or one
 * poll later; only a blocking name lookup can take longer (see oc_fetch). It judges HTTP, never OCSP: that is
 * ocsp/verify.h.
 */
#ifndef OC_FETCH_FETCH_H
#define OC_FETCH_FETCH_H

#include "base/deadline.h"
#include "base/verdict.h"
#include "fetch/keepalive.h"
#include "fetch/trace.h"

#include <apr_pools.h>
#include <apr_time.h>

#define OC_RESPONSE_MAX \
    32768 /* largest response stored or stapled: one with a post-quantum signer and its certificate fits */

typedef struct {
    const char *url;          /* http://host[:port]/path[?query] of the responder */
    const char *proxy;        /* http://host[:port] to go through; NULL: none. $http_proxy is never used */
    const unsigned char *der; /* the OCSPRequest */
    apr_size_t der_len;
    const oc_deadline_t *deadline; /* for all of it: name, connect, every address, answer. Its stop flag ends the call
                                      within about 50 ms (OC_STOPPED). Several calls may share one deadline */
    oc_keepalive_t *keepalive;     /* where connections wait between exchanges; NULL: a new one, closed afterwards */
    int by_post;                   /* POST alone: GET is known, or was just found, to fail with this responder */
    const oc_trace_t *trace;       /* observer; NULL: none. A connection from `keepalive` is not reported to it */
} oc_fetch_request_t;

typedef struct {
    const unsigned char *der; /* what the responder sent, from the pool; NULL unless OC_PENDING is returned */
    apr_size_t der_len;
    int http_status;                 /* 0: no status line was received */
    apr_interval_time_t retry_after; /* as the responder requested, in seconds form only; 0: not requested */
    apr_interval_time_t max_age;     /* Cache-Control; 0: none */
    apr_interval_time_t elapsed;     /* how long this call took */
    int by_post;                     /* the last request was a POST */
    int get_failed;                  /* POST obtained an answer after GET did not */
    char detail[200]; /* which address, errno or header; "" where the verdict explains it; printable ASCII */
} oc_fetch_result_t;

/**
 * Query once: by GET when the encoded request is short enough to be cacheable (RFC 5019 section 5: 255 bytes in all)
 * and the URL has no query, by POST otherwise. Where GET obtained an HTTP error, a redirect (not followed) or something
 * that is not an OCSP response, once more by POST, all within request->deadline; but not after 429 and 503, which ask
 * for a pause.
 * Where an answer to GET is not a valid response for the certificate (result->by_post is 0, verification fails), one
 * POST may obtain one: call again with by_post set and the same deadline, for the time that is left of it.
 * @return OC_PENDING: there is an answer, to be verified. Anything else: why there is none, of OC_CLASS_NO_ANSWER or
 *   (OC_CONTENT_TYPE, OC_TOO_LARGE, OC_NOT_DER) OC_CLASS_UNUSABLE. Verdict, detail and http_status belong to the last
 *   attempt.
 * The responder may close a connection from request->keepalive at that very moment. If it is lost before the first byte
 * of an answer, the request is repeated over a new one, and the outcome of that counts.
 * getaddrinfo(3) cannot be interrupted: a thread that returns from it checks the stop flag before it touches APR, and
 * then never returns (the process is exiting). Does not raise SIGPIPE.
 */
oc_verdict_t oc_fetch(const oc_fetch_request_t *request, oc_fetch_result_t *result, apr_pool_t *pool);

/** @return NULL: oc_fetch() can use @a url; else a phrase that says why not ("it names no host", ...). Static. */
const char *oc_fetch_url_problem(const char *url, apr_pool_t *pool);

/** "host:port" in lower case: the name of the responder that @a url leads to, which is the unit of isolation. From
 *  @a pool; NULL when the URL is unusable. */
const char *oc_fetch_responder(const char *url, apr_pool_t *pool);

/** "host:port" of a proxy's URL, without its credentials, from @a pool. NULL: it is unusable, *problem says why. */
const char *oc_fetch_proxy(const char *url, apr_pool_t *pool, const char **problem);

#endif
