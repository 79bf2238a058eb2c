/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The parts of a responder's or a proxy's URL, checked so strictly that they can be put into a request and into a log
 * line.
 */
#ifndef OC_FETCH_URL_H
#define OC_FETCH_URL_H

#include <apr_network_io.h>
#include <apr_pools.h>

#define OC_URL_MAX 2048 /* longest URL taken; certificates name their responder in well below 200 bytes */

typedef struct {
    const char *host; /* lower case, an IPv6 address without its brackets */
    apr_port_t port;
    const char *authority; /* "host" or "host:port" as the Host header wants it: brackets kept, port 80 left out */
    const char *path;      /* begins with '/' */
    const char *query;     /* without '?'; NULL: none */
    const char *user;      /* percent-decoded; NULL: none. Never for responders */
    const char *password;  /* likewise */
} oc_url_t;

typedef enum { OC_URL_RESPONDER, OC_URL_PROXY } oc_url_use_t;

/**
 * Take @a text apart. A fragment is dropped.
 * @return NULL: done, all strings from @a pool. Else a static phrase that says what is wrong with it. Any thread.
 */
const char *oc_url_parse(oc_url_t *url, const char *text, oc_url_use_t use, apr_pool_t *pool);

/**
 * @a text as it may be logged and displayed. A user name and password are cut out of the authority; the host that is
 * left is the one that oc_url_parse() finds. A text that is not a usable URL and has an '@' elsewhere may hold a
 * password as well: "***" replaces what precedes the last '@'.
 * @return @a text itself, or a string from @a pool. NULL: NULL.
 */
const char *oc_url_public(const char *text, apr_pool_t *pool);

#endif
