/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * GET without a nonce first, so that caches on the way can answer; POST where the answer to GET is not valid.
 */
#include "client_query.h"

#include "base/deadline.h"

#include <apr_strings.h>

static int is_truth(const oc_attempt_t *attempt)
{
    return oc_verdict_class(attempt->verdict) == OC_CLASS_TRUTH;
}

static void exchange(const oc_client_query_t *query, oc_fetch_request_t *request, oc_attempt_t *attempt,
                     apr_pool_t *pool)
{
    apr_interval_time_t before = attempt->elapsed > 0 ? attempt->elapsed : 0;

    attempt->detail = attempt->fetched.detail;
    attempt->verdict = oc_fetch(request, &attempt->fetched, pool);
    attempt->elapsed = before + attempt->fetched.elapsed;
    if (attempt->verdict == OC_PENDING)
        oc_attempt_judge(attempt, query->cert, query->settings, pool);
}

static void query_url(const oc_client_query_t *query, oc_fetch_request_t *request, oc_attempt_t *attempt,
                      apr_pool_t *pool)
{
    oc_class_t class;

    request->by_post = 0;
    exchange(query, request, attempt, pool);
    class = oc_verdict_class(attempt->verdict);
    if (!attempt->fetched.by_post && (class == OC_CLASS_RESPONDER_ERROR || class == OC_CLASS_UNUSABLE)) {
        request->by_post = 1;
        exchange(query, request, attempt, pool);
    }
}

void oc_client_query(const oc_client_query_t *query, oc_attempt_t *attempt, apr_pool_t *pool)
{
    oc_fetch_request_t request = {.proxy = query->proxy, .keepalive = query->keepalive};
    const char *const *url = query->urls;
    apr_time_t end = oc_deadline_now() + query->settings->timeout;
    oc_deadline_t deadline;
    int n_left = 0;

    oc_attempt_begin(attempt);
    attempt->verdict = OC_URL_UNUSABLE;
    attempt->source = "no responder";
    if (!*url)
        return;
    if (oc_cert_request(query->cert, oc_settings_global()->certid_hash, &request.der, &request.der_len, pool)
        != APR_SUCCESS) {
        attempt->verdict = OC_OUT_OF_RESOURCES;
        return;
    }
    while (url[n_left])
        n_left++;
    for (; *url && attempt->verdict != OC_STOPPED && !is_truth(attempt); url++, n_left--) {
        oc_deadline_start(&deadline, (end - oc_deadline_now()) / n_left, query->stop);
        request.url = *url;
        request.deadline = &deadline;
        attempt->source = apr_pstrcat(pool, "responder ", *url, NULL);
        query_url(query, &request, attempt, pool);
    }
}
