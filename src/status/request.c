/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One request to the status page: its arguments, and passes over the certificates.
 */
#include "request.h"

#include "server/settings.h"

const char *oc_status_request_begin(oc_status_request_t *request, request_rec *r)
{
    request->r = r;
    request->now = apr_time_now();
    request->expiry_warning = oc_settings_global()->expiry_warning;
    request->is_active = oc_snapshot_totals(&request->totals);
    return oc_query_parse(&request->query, r->args, r->pool);
}

/* ---- visiting ---- */

static int visit_one(const oc_status_request_t *request, unsigned ordinal, oc_status_visit_fn *visit, void *context,
                     apr_pool_t *pool)
{
    oc_attention_t attention;
    const char *reason;
    oc_view_t view;

    oc_snapshot_take(&view, ordinal, request->now, pool);
    attention = oc_view_attention(&view, request->now, request->expiry_warning, &reason, pool);
    return visit(context, &view, ordinal, attention, reason, pool);
}

void oc_status_visit(const oc_status_request_t *request, oc_status_visit_fn *visit, void *context)
{
    unsigned i, n = request->is_active ? oc_snapshot_count() : 0;
    apr_pool_t *pool;
    int goes_on = 1;

    apr_pool_create(&pool, request->r->pool);
    for (i = 0; i < n && goes_on && !request->r->connection->aborted; i++) {
        goes_on = visit_one(request, i, visit, context, pool);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
}

void oc_status_visit_ranked(const oc_status_request_t *request, const apr_array_header_t *ranks, unsigned first,
                            unsigned n, oc_status_visit_fn *visit, void *context)
{
    unsigned i, end = (unsigned)ranks->nelts;
    apr_pool_t *pool;
    int goes_on = 1;

    if (first < end && n < end - first)
        end = first + n;
    apr_pool_create(&pool, request->r->pool);
    for (i = first; i < end && goes_on && !request->r->connection->aborted; i++) {
        goes_on = visit_one(request, APR_ARRAY_IDX(ranks, (int)i, oc_rank_t).ordinal, visit, context, pool);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
}

/* ---- choosing ---- */

typedef struct {
    const oc_status_request_t *request;
    oc_status_census_t census;
    apr_array_header_t *ranks;
} selection_t;

/* A rank is used after its view has been freed: its text must be the configuration's. */
static const char *lasting(const oc_status_request_t *request, unsigned ordinal)
{
    const oc_managed_t *managed = oc_snapshot_certificate(ordinal);

    switch (request->query.sort) {
    case OC_SORT_HOST:
        return managed->host;
    case OC_SORT_SUBJECT:
        return managed->cert->subject;
    default:
        return "";
    }
}

static int choose(void *context, const oc_view_t *view, unsigned ordinal, oc_attention_t attention, const char *reason,
                  apr_pool_t *pool)
{
    selection_t *selection = context;
    const oc_status_request_t *request = selection->request;
    oc_rank_t rank;

    (void)reason;
    (void)pool;
    selection->census.all++;
    selection->census.groups[oc_query_group(view, request->now)]++;
    selection->census.attention[attention]++;
    if (!oc_query_matches(&request->query, view, request->now, attention))
        return 1;
    rank = oc_query_rank(&request->query, view, request->now, attention, ordinal);
    rank.text = lasting(request, ordinal);
    APR_ARRAY_PUSH(selection->ranks, oc_rank_t) = rank;
    return 1;
}

apr_array_header_t *oc_status_select(const oc_status_request_t *request, oc_status_census_t *census)
{
    int n = request->is_active ? (int)oc_snapshot_count() : 0;
    selection_t selection = {.request = request, .ranks = apr_array_make(request->r->pool, n, sizeof(oc_rank_t))};

    oc_status_visit(request, choose, &selection);
    oc_query_sort(&request->query, selection.ranks);
    if (census)
        *census = selection.census;
    return selection.ranks;
}
