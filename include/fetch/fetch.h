/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_fetch: one exchange with a responder: resolve, connect, ask, read, within one deadline and one size cap.
 *
 * Runs in worker threads of unprivileged children. Whatever the responder does, the call returns by its deadline, give
 * or take one poll; only a blocking name look-up can be longer (see oc_fetch). It judges HTTP, never OCSP: that is
 * oc_verify.
 */
#ifndef OC_FETCH_FETCH_H
#define OC_FETCH_FETCH_H

#include "base/deadline.h"
#include "base/verdict.h"
#include "fetch/keepalive.h"
#include "fetch/trace.h"

#include <apr_pools.h>
#include <apr_time.h>

#define OC_RESPONSE_MAX 32768 /* largest response kept or stapled: a post-quantum signer with its certificate fits */

typedef struct {
    const char *url;          /* http://host[:port]/path[?query] of the responder */
    const char *proxy;        /* http://host[:port] to go through; NULL: straight. $http_proxy is never looked at */
    const unsigned char *der; /* the OCSPRequest */
    apr_size_t der_len;
    const oc_deadline_t *deadline; /* for all of it: name, connect, every address, answer. Its stop flag ends the call
                                      within about 50 ms (OC_STOPPED). Several calls may share one deadline */
    oc_keepalive_t *keepalive;     /* where connections wait between exchanges; NULL: a new one, closed afterwards */
    int by_post;                   /* POST alone: GET is known, or was just found, to fail with this responder */
    const oc_trace_t *trace;       /* observer; NULL: none. A connection from `keepalive` is not reported to it */
} oc_fetch_request_t;

typedef struct {
    const unsigned char *der; /* what the responder sent, from the pool; NULL unless OC_PENDING was returned */
    apr_size_t der_len;
    int http_status;                 /* 0: no status line was read */
    apr_interval_time_t retry_after; /* as the responder wished, in seconds form only; 0: no wish */
    apr_interval_time_t max_age;     /* Cache-Control; 0: none */
    apr_interval_time_t elapsed;     /* how long this call took */
    int by_post;                     /* the last request was a POST */
    int get_failed;                  /* POST obtained an answer after GET did not */
    char detail[200]; /* which address, which errno, which header: "" where the verdict says it all; printable ASCII */
} oc_fetch_result_t;

/**
 * Ask once: by GET when the encoded request is short enough to be cacheable (RFC 5019 section 5: 255 bytes in all) and
 * the url has no query, by POST otherwise. Where GET brought an HTTP error, a redirect (not followed) or something that
 * is no OCSP response, by POST once more, all within request->deadline; but not after 429 and 503, which ask for a
 * pause.
 * A GET whose answer is HTTP's but not a valid response for the certificate (result->by_post is 0, verification fails)
 * is worth one POST: call again with by_post set and the same deadline, and what is left of its time is used.
 * @return OC_PENDING: an answer is there, to be verified. Anything else: the reason why none is, of OC_CLASS_NO_ANSWER
 *   or (OC_CONTENT_TYPE, OC_TOO_LARGE, OC_NOT_DER) OC_CLASS_UNUSABLE. Verdict, detail and http_status are the last
 *   attempt's.
 * A connection out of request->keepalive may be closed by the responder at the very moment: when it goes before the first
 * byte of an answer, the same is asked over a new one, and that one's outcome counts.
 * The process must ignore SIGPIPE, as httpd and its children do: a responder may close while it is written to.
 * The thread's OpenSSL error queue is left as found. getaddrinfo(3) cannot be interrupted: a thread that returns
 * from it looks at @a stop before it touches OpenSSL or APR, and then never returns (the process is exiting).
 */
oc_verdict_t oc_fetch(const oc_fetch_request_t *request, oc_fetch_result_t *result, apr_pool_t *pool);

/** Can oc_fetch use @a url? NULL: yes; else a phrase that says why not ("it names no host", ...). Static. */
const char *oc_fetch_url_problem(const char *url, apr_pool_t *pool);

/** "host:port" in lower case, which names the responder that @a url leads to: the unit of isolation. From @a pool;
 *  NULL when the url is unusable. */
const char *oc_fetch_responder(const char *url, apr_pool_t *pool);

/** "host:port" of a proxy's URL, without its credentials, from @a pool; NULL when the URL is unusable, *problem then says why. */
const char *oc_fetch_proxy(const char *url, apr_pool_t *pool, const char **problem);

#endif
