/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The status page for programs. The object of a certificate is the view's, the same that ocsp-cachectl and the dump
 * print.
 */
#include "json.h"

#include "client_numbers.h"

#include <http_core.h>
#include <http_protocol.h>

typedef struct {
    const oc_status_request_t *request;
    oc_json_t json;
} document_t;

static void send_piece(void *r, const char *bytes, apr_size_t len)
{
    ap_rwrite(bytes, (int)len, r);
}

static int put_certificate(void *context, const oc_view_t *view, unsigned ordinal, oc_attention_t attention,
                           const char *reason, apr_pool_t *pool)
{
    document_t *document = context;
    const oc_status_request_t *request = document->request;

    (void)ordinal;
    (void)attention;
    (void)reason;
    oc_json_line(&document->json);
    oc_view_json(&document->json, NULL, view, request->now, request->expiry_warning, pool);
    return 1;
}

static void put_census(oc_json_t *json, const oc_status_census_t *census)
{
    unsigned i;

    oc_json_integer(json, "certificates", census->all);
    oc_json_object(json, "states");
    for (i = 0; i < OC_GROUPS; i++)
        oc_json_integer(json, oc_query_group_name((oc_group_t)i), census->groups[i]);
    oc_json_end(json);
    oc_json_object(json, "attention");
    oc_json_integer(json, "warning", census->attention[OC_ATTENTION_WARNING]);
    oc_json_integer(json, "critical", census->attention[OC_ATTENTION_CRITICAL]);
    oc_json_end(json);
}

static void put_handshakes(oc_json_t *json, const oc_counters_totals_t *counters)
{
    oc_json_object(json, "handshakes");
    oc_json_integer(json, "stapled", (apr_int64_t)counters->handshakes[OC_COUNTERS_STAPLED]);
    oc_json_integer(json, "error", (apr_int64_t)counters->handshakes[OC_COUNTERS_ERROR]);
    oc_json_integer(json, "nothing", (apr_int64_t)counters->handshakes[OC_COUNTERS_NOTHING]);
    oc_json_end(json);
}

/* Only those that happened. */
static void put_exchanges(oc_json_t *json, const oc_counters_totals_t *counters)
{
    unsigned origin, verdict;

    oc_json_array(json, "exchanges");
    for (origin = 0; origin < OC_ORIGIN_LIMIT; origin++)
        for (verdict = 0; verdict < OC_VERDICT_LIMIT; verdict++) {
            if (counters->exchanges[origin][verdict] == 0)
                continue;
            oc_json_object(json, NULL);
            oc_json_string(json, "origin", oc_origin_name((oc_origin_t)origin));
            oc_json_string(json, "verdict", oc_verdict_name((oc_verdict_t)verdict));
            oc_json_integer(json, "count", (apr_int64_t)counters->exchanges[origin][verdict]);
            oc_json_end(json);
        }
    oc_json_end(json);
}

static void put_exchange_seconds(oc_json_t *json, const oc_counters_totals_t *counters)
{
    uint64_t answers = 0;
    unsigned i;

    for (i = 0; i < OC_COUNTERS_BUCKETS; i++)
        answers += counters->latency[i];
    oc_json_object(json, "exchange_seconds");
    oc_json_integer(json, "count", (apr_int64_t)answers);
    oc_json_seconds(json, "sum", (apr_interval_time_t)counters->latency_sum);
    oc_json_end(json);
}

static void put_cache(oc_json_t *json, const char *path, const oc_shm_stats_t *cache)
{
    oc_json_object(json, "cache");
    oc_json_string(json, "path", path);
    oc_json_integer(json, "size", (apr_int64_t)cache->size);
    oc_json_integer(json, "used", (apr_int64_t)cache->blocks_used * OC_BLOCK_SIZE);
    oc_json_integer(json, "records", cache->records);
    oc_json_end(json);
}

void oc_status_json(const oc_status_request_t *request)
{
    document_t document = {.request = request};
    oc_json_t *json = &document.json;
    oc_status_census_t census;
    apr_array_header_t *ranks = oc_status_select(request, &census);

    oc_view_json_begin(json, send_piece, request->r, request->now);
    oc_json_string(json, "server", ap_get_server_name(request->r));
    oc_json_line(json);
    oc_json_object(json, "totals");
    put_census(json, &census);
    put_handshakes(json, &request->totals.counters);
    put_exchanges(json, &request->totals.counters);
    put_exchange_seconds(json, &request->totals.counters);
    put_cache(json, request->totals.path, &request->totals.cache);
    oc_client_numbers_json(json, request);
    oc_json_end(json);
    oc_json_line(json);
    oc_json_array(json, "certificates");
    oc_status_visit_ranked(request, ranks, 0, (unsigned)ranks->nelts, put_certificate, &document);
    oc_json_line(json);
    oc_json_end(json);
    oc_json_end(json);
}
