/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One request to the status page: its arguments, and passes over the certificates that select and print. All formats
 * use it.
 *
 * A server may have ten thousand certificates: a pass keeps a rank of each and no more; texts are made row by row, in a
 * pool that is cleared.
 */
#ifndef OC_STATUS_REQUEST_H
#define OC_STATUS_REQUEST_H

#include "snapshot.h"
#include "view/query.h"

#include <httpd.h>

typedef struct oc_status_request_t {
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

/** Parse the request's arguments. @return NULL; else a sentence that names the error */
const char *oc_status_request_begin(oc_status_request_t *request, request_rec *r);

/** Called for each certificate, in the order of the configuration; @a view and @a reason live until it returns.
 *  @return 1; 0: stop */
typedef int oc_status_visit_fn(void *context, const oc_view_t *view, unsigned ordinal, oc_attention_t attention,
                               const char *reason, apr_pool_t *pool);

/** Visit all certificates, whatever the query; stop when the client has gone. */
void oc_status_visit(const oc_status_request_t *request, oc_status_visit_fn *visit, void *context);

/** Visit the certificates of @a ranks (oc_rank_t) from index @a first on, at most @a n. */
void oc_status_visit_ranked(const oc_status_request_t *request, const apr_array_header_t *ranks, unsigned first,
                            unsigned n, oc_status_visit_fn *visit, void *context);

/** The certificates that match the query, as oc_rank_t in its order, from r->pool. @param census  may be NULL */
apr_array_header_t *oc_status_select(const oc_status_request_t *request, oc_status_census_t *census);

#endif
