/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The arguments of the status page's URL: parsed, printed into links, and applied to certificates as filter and order.
 * The status room calls it. Pure; the arguments come from anyone who can reach the page, so every value is checked.
 */
#ifndef OC_VIEW_QUERY_H
#define OC_VIEW_QUERY_H

#include "view/view.h"

typedef enum {
    OC_FORMAT_HTML,
    OC_FORMAT_JSON,
    OC_FORMAT_PROMETHEUS,
    OC_FORMAT_DER, /* the response of one certificate, for a file */
    OC_FORMATS
} oc_format_t;

/** What the page reports after a POST was answered with a redirect to it. */
typedef enum {
    OC_NOTICE_NONE,
    OC_NOTICE_ONE,       /* a refresh of the certificate was requested */
    OC_NOTICE_ALL,       /* of all certificates */
    OC_NOTICE_EARLY,     /* rejected, because one was requested a moment ago */
    OC_NOTICE_EARLY_ALL, /* the same for all */
    OC_NOTICES
} oc_notice_t;

/** The states of oc_view_state(), with the errors of responders as one. */
typedef enum {
    OC_GROUP_GOOD,
    OC_GROUP_REVOKED,
    OC_GROUP_ERROR, /* the cache holds an error of the responder */
    OC_GROUP_NONE,
    OC_GROUP_NO_ISSUER,
    OC_GROUP_NO_RESPONDER,
    OC_GROUPS,
    OC_GROUP_ANY = OC_GROUPS
} oc_group_t;

oc_group_t oc_query_group(const oc_view_t *view, apr_time_t now);

/** "good", "revoked", "error", "none", ...; OC_GROUP_ANY: "". Static. */
const char *oc_query_group_name(oc_group_t group);

typedef enum {
    OC_SORT_CONFIGURATION, /* the order of the configuration */
    OC_SORT_HOST,
    OC_SORT_SUBJECT,
    OC_SORT_STATE,
    OC_SORT_LEFT, /* how long the staple lasts; certificates without one come first */
    OC_SORT_NEXT,
    OC_SORT_FAILURES,
    OC_SORT_ATTENTION, /* the worst first */
    OC_SORTS
} oc_sort_t;

/** "host", "subject", ...; OC_SORT_CONFIGURATION: "". Static. */
const char *oc_query_sort_name(oc_sort_t sort);

#define OC_QUERY_TEXT_MAX 256

typedef struct {
    oc_format_t format;
    const char *text; /* part of host, subject, serial, fingerprint or responder, in upper or lower case; "": all */
    oc_group_t group;
    int wants_attention; /* only what needs attention */
    oc_sort_t sort;
    int is_descending;
    unsigned page; /* from 1 */
    int has_id;    /* one certificate */
    unsigned char id[OC_CERT_ID_LEN];
    oc_notice_t notice;
} oc_query_t;

/**
 * Parse the part of a URL after "?" (NULL: none). @param query  strings from @a pool; complete in any case
 * @return NULL; else a sentence that names the error, from @a pool, printable ASCII
 */
const char *oc_query_parse(oc_query_t *query, const char *arguments, apr_pool_t *pool);

/** "?" and the arguments that oc_query_parse() reads as @a query, without defaults and without the notice: a relative
 * reference. It needs escaping for HTML like any text. */
const char *oc_query_print(const oc_query_t *query, apr_pool_t *pool);

/** Does it leave any certificate out? */
int oc_query_is_filter(const oc_query_t *query);

int oc_query_matches(const oc_query_t *query, const oc_view_t *view, apr_time_t now, oc_attention_t attention);

/** The key by which a certificate is sorted. */
typedef struct {
    const char *text; /* the view's */
    apr_int64_t number;
    unsigned ordinal;
} oc_rank_t;

oc_rank_t oc_query_rank(const oc_query_t *query, const oc_view_t *view, apr_time_t now, oc_attention_t attention,
                        unsigned ordinal);

/** Sort @a ranks (oc_rank_t) in the order of @a query; equal ones keep the order of the configuration. */
void oc_query_sort(const oc_query_t *query, apr_array_header_t *ranks);

#endif
