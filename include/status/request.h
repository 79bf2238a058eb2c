/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status_request: one request to the status page: what is wanted, and a pass over all certificates that finds what to show.
 *
 * Ten thousand certificates are a usual number: of each no more is kept than a rank; texts are made, row by row, in a pool that is cleared.
 */
#ifndef OC_STATUS_REQUEST_H
#define OC_STATUS_REQUEST_H

#include "status/snapshot.h"
#include "view/query.h"

#include <httpd.h>

typedef struct {
    request_rec *r;
    apr_time_t now;
    apr_interval_time_t expiry_warning;
    oc_query_t query;
    int is_active; /* is anything stapled by this configuration? */
    oc_snapshot_totals_t totals;
} oc_status_request_t;

/** How many certificates there are of each kind, whatever the query. */
typedef struct {
    unsigned all;
    unsigned groups[OC_GROUPS];
    unsigned attention[OC_ATTENTION_CRITICAL + 1];
} oc_status_census_t;

/** Read the request's arguments. @return NULL; else a sentence about what is wrong with them */
const char *oc_status_request_begin(oc_status_request_t *request, request_rec *r);

/** Called for each certificate, in the order of the configuration; @a view and @a reason live until it returns.
 *  @return 1; 0: no more of them */
typedef int oc_status_visit_fn(void *context, const oc_view_t *view, unsigned ordinal, oc_attention_t attention,
                               const char *reason, apr_pool_t *pool);

/** Visit all certificates, whatever the query; ends early when the client is gone. */
void oc_status_visit(const oc_status_request_t *request, oc_status_visit_fn *visit, void *context);

/** Visit those that @a ranks (oc_rank_t) names, from @a first, at most @a n of them. */
void oc_status_visit_ranked(const oc_status_request_t *request, const apr_array_header_t *ranks, unsigned first,
                            unsigned n, oc_status_visit_fn *visit, void *context);

/** Those that the query wants, as oc_rank_t in the order that it wants, from r->pool. @param census  may be NULL */
apr_array_header_t *oc_status_select(const oc_status_request_t *request, oc_status_census_t *census);

#endif
