/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The status page for programs. The object of a certificate is the view's, the same that ocsp-cachectl and the dump
 * print.
 */
#include "json.h"

#include "version.h"

#include <http_core.h>
#include <http_protocol.h>

typedef struct {
    const oc_status_request_t *request;
    const char *separator;
} list_t;

static int print_certificate(void *context, const oc_view_t *view, unsigned ordinal, oc_attention_t attention,
                             const char *reason, apr_pool_t *pool)
{
    list_t *list = context;
    const oc_status_request_t *request = list->request;

    (void)ordinal;
    (void)attention;
    (void)reason;
    ap_rputs(list->separator, request->r);
    ap_rputs(oc_view_json(view, request->now, request->expiry_warning, pool), request->r);
    list->separator = ",\n";
    return 1;
}

static void print_census(request_rec *r, const oc_status_census_t *census)
{
    unsigned i;

    ap_rprintf(r, "\"certificates\":%u,\"states\":{", census->all);
    for (i = 0; i < OC_GROUPS; i++)
        ap_rprintf(r, "%s\"%s\":%u", i ? "," : "", oc_query_group_name((oc_group_t)i), census->groups[i]);
    ap_rprintf(r, "},\"attention\":{\"warning\":%u,\"critical\":%u}", census->attention[OC_ATTENTION_WARNING],
               census->attention[OC_ATTENTION_CRITICAL]);
}

/* Only those that happened. */
static void print_exchanges(request_rec *r, const oc_counters_totals_t *counters)
{
    const char *separator = "";
    unsigned origin, verdict;

    ap_rputs(",\"exchanges\":[", r);
    for (origin = 0; origin < OC_ORIGIN_LIMIT; origin++)
        for (verdict = 0; verdict < OC_VERDICT_LIMIT; verdict++) {
            if (counters->exchanges[origin][verdict] == 0)
                continue;
            ap_rprintf(r, "%s{\"origin\":\"%s\",\"verdict\":\"%s\",\"count\":%" APR_UINT64_T_FMT "}", separator,
                       oc_origin_name((oc_origin_t)origin), oc_verdict_name((oc_verdict_t)verdict),
                       counters->exchanges[origin][verdict]);
            separator = ",";
        }
    ap_rputs("]", r);
}

static void print_totals(const oc_status_request_t *request, const oc_status_census_t *census)
{
    const oc_counters_totals_t *counters = &request->totals.counters;
    const oc_shm_stats_t *cache = &request->totals.cache;
    request_rec *r = request->r;
    uint64_t answers = 0;
    unsigned i;

    for (i = 0; i < OC_COUNTERS_BUCKETS; i++)
        answers += counters->latency[i];
    print_census(r, census);
    ap_rprintf(r,
               ",\"handshakes\":{\"stapled\":%" APR_UINT64_T_FMT ",\"error\":%" APR_UINT64_T_FMT
               ",\"nothing\":%" APR_UINT64_T_FMT "}",
               counters->handshakes[OC_COUNTERS_STAPLED], counters->handshakes[OC_COUNTERS_ERROR],
               counters->handshakes[OC_COUNTERS_NOTHING]);
    print_exchanges(r, counters);
    ap_rprintf(r,
               ",\"exchange_seconds\":{\"count\":%" APR_UINT64_T_FMT
               ",\"sum\":%.6f},\"cache\":{\"path\":%s,\"size\":%" APR_SIZE_T_FMT ",\"used\":%" APR_UINT64_T_FMT
               ",\"records\":%u}",
               answers, (double)counters->latency_sum / APR_USEC_PER_SEC,
               oc_view_json_string(request->totals.path, r->pool), cache->size,
               (apr_uint64_t)cache->blocks_used * OC_BLOCK_SIZE, cache->records);
}

void oc_status_json(const oc_status_request_t *request)
{
    request_rec *r = request->r;
    list_t list = {request, "\n"};
    oc_status_census_t census;
    apr_array_header_t *ranks = oc_status_select(request, &census);

    ap_rprintf(r,
               "{\"version\":%d,\"generated\":%" APR_INT64_T_FMT ",\"server\":%s,\"module\":\"" OC_VERSION
               "\",\n\"totals\":{",
               OC_VIEW_JSON_VERSION, apr_time_sec(request->now), oc_view_json_string(ap_get_server_name(r), r->pool));
    print_totals(request, &census);
    ap_rputs("},\n\"certificates\":[", r);
    oc_status_visit_ranked(request, ranks, 0, (unsigned)ranks->nelts, print_certificate, &list);
    ap_rputs("\n]}\n", r);
}
