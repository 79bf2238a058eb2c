/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_query: what a reader of the status page wants to see: the arguments of its URL, read, written again into links, and applied to
 * certificates. Pure. The arguments come from anybody who can reach the page.
 */
#ifndef OC_VIEW_QUERY_H
#define OC_VIEW_QUERY_H

#include "view/view.h"

typedef enum { OC_FORMAT_HTML, OC_FORMAT_JSON, OC_FORMAT_PROMETHEUS } oc_format_t;

/** The states of oc_view_state(), those of responders' errors taken together. */
typedef enum {
    OC_GROUP_GOOD,
    OC_GROUP_REVOKED,
    OC_GROUP_ERROR, /* a responder's error is what is held */
    OC_GROUP_NONE,
    OC_GROUP_NO_RESPONDER,
    OC_GROUPS,
    OC_GROUP_ANY = OC_GROUPS
} oc_group_t;

oc_group_t oc_query_group(const oc_view_t *view, apr_time_t now);

/** "good", "revoked", "error", "none", "no-responder"; OC_GROUP_ANY: "". Static. */
const char *oc_query_group_name(oc_group_t group);

typedef enum {
    OC_SORT_CONFIGURATION, /* the order of the configuration */
    OC_SORT_HOST,
    OC_SORT_SUBJECT,
    OC_SORT_STATE,
    OC_SORT_LEFT, /* of what is stapled; nothing comes first */
    OC_SORT_NEXT,
    OC_SORT_FAILURES,
    OC_SORT_ATTENTION, /* the worst first */
    OC_SORTS
} oc_sort_t;

/** "host", "subject", ...; OC_SORT_CONFIGURATION: "". Static. */
const char *oc_query_sort_name(oc_sort_t sort);

typedef struct {
    oc_format_t format;
    const char *text; /* host, subject, serial, fingerprint or responder contain it, in upper or lower case; "": all */
    oc_group_t group;
    int wants_attention; /* only what wants somebody to act */
    oc_sort_t sort;
    int is_descending;
    unsigned page; /* from 1 */
    int has_id;    /* one certificate */
    unsigned char id[OC_CERT_ID_LEN];
    const char *told; /* what a POST was answered with: "one", "all", or "" */
} oc_query_t;

/**
 * Read the part of a URL behind "?" (NULL: none). @param query  strings from @a pool; complete in any case
 * @return NULL; else a sentence about what is wrong, from @a pool, printable ASCII
 */
const char *oc_query_parse(oc_query_t *query, const char *arguments, apr_pool_t *pool);

/** 40 hexadecimal digits into @a id. @return 1; 0: @a text is none, and @a id is untouched */
int oc_query_parse_id(unsigned char *id, const char *text);

/** The other way round, upper case, from @a pool. */
const char *oc_query_print_id(const unsigned char *id, apr_pool_t *pool);

/** The arguments that oc_query_parse() reads as @a query, with "?" before them; what is usual is left out, and so is `told`. A relative reference
 *  that needs escaping for HTML like any text. */
const char *oc_query_print(const oc_query_t *query, apr_pool_t *pool);

/** Is anything left out by it? */
int oc_query_is_filter(const oc_query_t *query);

int oc_query_matches(const oc_query_t *query, const oc_view_t *view, apr_time_t now, oc_attention_t attention);

/** By what a certificate is sorted. */
typedef struct {
    const char *text; /* the view's */
    apr_int64_t number;
    unsigned ordinal;
} oc_rank_t;

oc_rank_t oc_query_rank(const oc_query_t *query, const oc_view_t *view, apr_time_t now, oc_attention_t attention,
                        unsigned ordinal);

/** Sort @a ranks (oc_rank_t) as @a query has it; where two are alike, the order of the configuration. */
void oc_query_sort(const oc_query_t *query, apr_array_header_t *ranks);

#endif
