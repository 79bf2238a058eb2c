/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The status page for Prometheus. The samples of one metric must be adjacent, so one pass over the certificates
 * collects numbers for all metrics; then each metric is printed.
 */
#include "prometheus.h"

#include "client_numbers.h"

#include "version.h"
#include "base/hex.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <math.h>
#include <stdio.h>

#define PREFIX "ocsp_cache_"
#define NUMBER_SIZE 32
#define SECONDS(time) ((double)(time) / APR_USEC_PER_SEC)

/* The numbers of one certificate. */
enum {
    ATTENTION,
    MUST_STAPLE,
    NOT_AFTER,
    REMAINING,
    EXPIRY,
    THIS_UPDATE,
    SIZE,
    AGE,
    SUCCESS,
    ATTEMPT,
    NEXT,
    FAILURES,
    NUMBERS
};

static const struct {
    const char *name, *help;
} metrics[NUMBERS] = {
    [ATTENTION] = {"certificate_attention", "0: none, 1: warning, 2: critical: clients reject the certificate."},
    [MUST_STAPLE] = {"certificate_must_staple", "1: clients reject the certificate without a staple."},
    [NOT_AFTER] = {"certificate_not_after_timestamp_seconds", "When the certificate expires."},
    [REMAINING] = {"response_remaining_seconds", "How long the good response can still be stapled; 0: there is none."},
    [EXPIRY] = {"response_expiry_timestamp_seconds", "When the response in the cache can no longer be stapled."},
    [THIS_UPDATE] = {"response_this_update_timestamp_seconds", "thisUpdate of the response in the cache."},
    [SIZE] = {"response_size_bytes", "Size of the response in the cache."},
    [AGE] = {"last_success_age_seconds", "Time since the response in the cache was obtained."},
    [SUCCESS] = {"last_success_timestamp_seconds", "When the response in the cache was obtained."},
    [ATTEMPT] = {"last_attempt_timestamp_seconds", "When the last attempt ended."},
    [NEXT] = {"next_request_timestamp_seconds", "When the next attempt is due."},
    [FAILURES] = {"consecutive_failures", "Failed attempts in a row; 0: the last one succeeded."},
};

typedef struct {
    const char *labels; /* host="...",serial="..." */
    const char *state;
    double numbers[NUMBERS]; /* NAN: there is none */
} sample_t;

typedef struct {
    const oc_status_request_t *request;
    apr_array_header_t *samples;
    apr_hash_t *seen; /* labels */
    oc_status_census_t census;
} collection_t;

/* ---- collecting ---- */

/* A label's value: backslash and quote are escaped; what is not printable ASCII appears as oc_view_printable() writes
 * it. */
static const char *label_value(const char *text, apr_pool_t *pool)
{
    const char *in = oc_view_printable(text, pool);
    char *value = apr_palloc(pool, 2 * strlen(in) + 1), *out = value;

    for (; *in; in++) {
        if (*in == '\\' || *in == '"')
            *out++ = '\\';
        *out++ = *in;
    }
    *out = '\0';
    return value;
}

/* Host and serial, the usual names. Where two CAs gave one host the same serial, the fingerprint distinguishes the
 * later one: Prometheus rejects a scrape with two equal samples. */
static const char *labels_of(collection_t *collection, const oc_view_t *view, apr_pool_t *pool)
{
    apr_pool_t *lasting = collection->request->r->pool;
    const char *labels = apr_psprintf(lasting, "host=\"%s\",serial=\"%s\"", label_value(view->host, pool),
                                      label_value(view->serial, pool));

    if (apr_hash_get(collection->seen, labels, APR_HASH_KEY_STRING))
        return apr_pstrcat(lasting, labels, ",sha1=\"", oc_hex_print(view->id, sizeof(view->id), pool), "\"", NULL);
    apr_hash_set(collection->seen, labels, APR_HASH_KEY_STRING, labels);
    return labels;
}

static double when(apr_time_t time)
{
    return time ? SECONDS(time) : NAN;
}

/* In seconds; 0 where the clock was set back after the event. */
static double age(apr_time_t since, apr_time_t now)
{
    return since < now ? SECONDS(now - since) : 0;
}

static void take_numbers(double *numbers, const oc_view_t *view, oc_group_t group, apr_time_t now)
{
    numbers[MUST_STAPLE] = view->must_staple != 0;
    numbers[NOT_AFTER] = when(view->not_after);
    /* 0, not absent, when nothing good is stapled: one alert rule covers what runs out and what has run out. */
    numbers[REMAINING] = group == OC_GROUP_NO_RESPONDER ? NAN
                         : group == OC_GROUP_GOOD       ? SECONDS(view->usable_until - now)
                                                        : 0;
    numbers[EXPIRY] = view->has_record ? when(view->usable_until) : NAN;
    numbers[THIS_UPDATE] = view->has_record ? when(view->this_update) : NAN;
    numbers[SIZE] = view->has_record ? (double)view->size : NAN;
    numbers[AGE] = view->has_record && view->fetched_at ? age(view->fetched_at, now) : NAN;
    numbers[SUCCESS] = view->has_record ? when(view->fetched_at) : NAN;
    numbers[ATTEMPT] = when(view->last_attempt);
    numbers[NEXT] = view->is_refreshed ? when(view->next_request) : NAN;
    numbers[FAILURES] = view->failures;
}

static int collect(void *context, const oc_view_t *view, unsigned ordinal, oc_attention_t attention, const char *reason,
                   apr_pool_t *pool)
{
    collection_t *collection = context;
    apr_time_t now = collection->request->now;
    sample_t *sample = apr_array_push(collection->samples);
    oc_group_t group = oc_query_group(view, now);

    (void)ordinal;
    (void)reason;
    collection->census.all++;
    collection->census.groups[group]++;
    collection->census.attention[attention]++;
    sample->labels = labels_of(collection, view, pool);
    sample->state = oc_query_group_name(group);
    take_numbers(sample->numbers, view, group, now);
    sample->numbers[ATTENTION] = attention;
    return 1;
}

/* ---- writing ---- */

/* By C's snprintf: APR's omits a zero before the point, and `le` is compared as text. */
static const char *print(char *buf, apr_size_t size, double value)
{
    snprintf(buf, size, "%.15g", value);
    return buf;
}

static void head(request_rec *r, const char *name, const char *type, const char *help)
{
    ap_rprintf(r, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void gauge(request_rec *r, const char *name, const char *help, double value)
{
    char buf[NUMBER_SIZE];

    head(r, name, "gauge", help);
    ap_rprintf(r, PREFIX "%s %s\n", name, print(buf, sizeof(buf), value));
}

static void print_handshakes(request_rec *r, const oc_counters_totals_t *counters)
{
    static const char *const outcomes[OC_COUNTERS_HANDSHAKES] = {"stapled", "error", "nothing"};
    unsigned i;

    head(r, "handshakes_total", "counter", "Handshakes that requested a certificate status, by what was sent.");
    for (i = 0; i < OC_COUNTERS_HANDSHAKES; i++)
        ap_rprintf(r, PREFIX "handshakes_total{outcome=\"%s\"} %" APR_UINT64_T_FMT "\n", outcomes[i],
                   counters->handshakes[i]);
}

/* A counter that appears with its first event hides that event from rate(): the usual verdicts are there from the
 * beginning. */
static int is_usual(oc_origin_t origin, oc_verdict_t verdict)
{
    switch (verdict) {
    case OC_GOOD:
    case OC_REVOKED:
    case OC_UNKNOWN:
    case OC_TRY_LATER:
    case OC_UNAUTHORIZED:
    case OC_NAME_LOOKUP_FAILED:
    case OC_CONNECT_FAILED:
    case OC_TIMED_OUT:
    case OC_CONNECTION_LOST:
    case OC_HTTP_STATUS:
    case OC_SIGNATURE_BAD:
    case OC_EXPIRED:
        return origin == OC_ORIGIN_RESPONDER;
    default:
        return 0;
    }
}

static void print_exchanges(request_rec *r, const oc_counters_totals_t *counters)
{
    unsigned origin, verdict;

    head(r, "exchanges_total", "counter", "Attempts to obtain a response, by source and verdict.");
    for (origin = 0; origin < OC_ORIGIN_LIMIT; origin++)
        for (verdict = 0; verdict < OC_VERDICT_LIMIT; verdict++)
            if (counters->exchanges[origin][verdict] || is_usual((oc_origin_t)origin, (oc_verdict_t)verdict))
                ap_rprintf(r, PREFIX "exchanges_total{origin=\"%s\",verdict=\"%s\"} %" APR_UINT64_T_FMT "\n",
                           oc_origin_name((oc_origin_t)origin), oc_verdict_name((oc_verdict_t)verdict),
                           counters->exchanges[origin][verdict]);
}

static void print_latency(request_rec *r, const oc_counters_totals_t *counters)
{
    char buf[NUMBER_SIZE];
    uint64_t count = 0;
    unsigned i;

    head(r, "exchange_duration_seconds", "histogram", "How long exchanges with responders took, whatever the verdict.");
    for (i = 0; i < OC_COUNTERS_BUCKETS - 1; i++) {
        count += counters->latency[i];
        ap_rprintf(r, PREFIX "exchange_duration_seconds_bucket{le=\"%s\"} %" APR_UINT64_T_FMT "\n",
                   print(buf, sizeof(buf), SECONDS(oc_counters_bounds[i])), count);
    }
    count += counters->latency[i];
    ap_rprintf(r,
               PREFIX "exchange_duration_seconds_bucket{le=\"+Inf\"} %" APR_UINT64_T_FMT "\n" PREFIX
                      "exchange_duration_seconds_sum %.6f\n" PREFIX "exchange_duration_seconds_count %" APR_UINT64_T_FMT
                      "\n",
               count, SECONDS(counters->latency_sum), count);
}

static void print_cache(request_rec *r, const oc_snapshot_totals_t *totals)
{
    gauge(r, "size_bytes", "Size of the cache.", (double)totals->cache.size);
    gauge(r, "used_bytes", "Used part of the cache.", (double)totals->cache.blocks_used * OC_BLOCK_SIZE);
    gauge(r, "records", "Responses in the cache.", totals->cache.records);
    gauge(r, "persistent", "1: the cache is stored in a file; 0: in memory only.", totals->path != NULL);
}

static void print_census(request_rec *r, const oc_status_census_t *census)
{
    unsigned i;

    head(r, "certificates", "gauge", "Certificates by state.");
    for (i = 0; i < OC_GROUPS; i++)
        ap_rprintf(r, PREFIX "certificates{state=\"%s\"} %u\n", oc_query_group_name((oc_group_t)i), census->groups[i]);
    head(r, "attention_certificates", "gauge", "Certificates that need attention, by level.");
    for (i = OC_ATTENTION_WARNING; i <= OC_ATTENTION_CRITICAL; i++)
        ap_rprintf(r, PREFIX "attention_certificates{level=\"%s\"} %u\n", oc_attention_name((oc_attention_t)i),
                   census->attention[i]);
}

/* ---- each certificate ---- */

static void print_certificates(request_rec *r, const apr_array_header_t *samples)
{
    char buf[NUMBER_SIZE];
    int m, i;

    head(r, "certificate_state", "gauge", "1 for the state of the certificate; other states have no sample.");
    for (i = 0; i < samples->nelts; i++)
        ap_rprintf(r, PREFIX "certificate_state{%s,state=\"%s\"} 1\n", APR_ARRAY_IDX(samples, i, sample_t).labels,
                   APR_ARRAY_IDX(samples, i, sample_t).state);
    for (m = 0; m < NUMBERS; m++) {
        head(r, metrics[m].name, "gauge", metrics[m].help);
        for (i = 0; i < samples->nelts && !r->connection->aborted; i++) {
            const sample_t *sample = &APR_ARRAY_IDX(samples, i, sample_t);

            if (!isnan(sample->numbers[m]))
                ap_rprintf(r, PREFIX "%s{%s} %s\n", metrics[m].name, sample->labels,
                           print(buf, sizeof(buf), sample->numbers[m]));
        }
    }
}

void oc_status_prometheus(const oc_status_request_t *request)
{
    request_rec *r = request->r;
    collection_t collection = {.request = request,
                               .samples = apr_array_make(r->pool, (int)oc_snapshot_count(), sizeof(sample_t)),
                               .seen = apr_hash_make(r->pool)};

    head(r, "build_info", "gauge", "1; the version of mod_ocsp_cache.");
    ap_rprintf(r, PREFIX "build_info{version=\"" OC_VERSION "\"} 1\n");
    gauge(r, "active", "1: this configuration staples from this cache.", request->is_active);
    print_handshakes(r, &request->totals.counters);
    print_exchanges(r, &request->totals.counters);
    print_latency(r, &request->totals.counters);
    print_cache(r, &request->totals);
    oc_status_visit(request, collect, &collection);
    print_census(r, &collection.census);
    print_certificates(r, collection.samples);
    oc_client_numbers_prometheus(request);
}
