/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The query of `ocsp-cachectl probe` and the verification of what came, with the module's own code. Called in the
 * process without rights. It must never accept an answer that the module would not.
 */
#include "ctl_probe.h"

#include "base/deadline.h"
#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

/* test/guards/cachectl.py compares this with src/server/settings.c. */
const probe_defaults_t probe_defaults = {
    .responder_timeout = APR_TIME_C(10) * APR_USEC_PER_SEC,
    .standard_timeout = APR_TIME_C(3600) * APR_USEC_PER_SEC,
    .error_timeout = APR_TIME_C(600) * APR_USEC_PER_SEC,
    .skew = APR_TIME_C(300) * APR_USEC_PER_SEC,
    .refresh_min = APR_TIME_C(300) * APR_USEC_PER_SEC,
    .refresh_max = APR_TIME_C(86400) * APR_USEC_PER_SEC,
    .retry_min = APR_TIME_C(5) * APR_USEC_PER_SEC,
};

/* Whose key made the signature that has been verified. */
static const char *signer_of(const oc_fetch_result_t *fetched, X509 *issuer, apr_pool_t *pool)
{
    const unsigned char *p = fetched->der;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)fetched->der_len);
    OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
    const char *name = "the issuer itself";
    X509 *signer = NULL;
    char text[512];

    if (basic && OCSP_resp_get0_signer(basic, &signer, NULL) && X509_cmp(signer, issuer) != 0) {
        oc_x509_subject(text, sizeof(text), signer);
        name = apr_pstrcat(pool, text, ", authorized by the issuer", NULL);
    }
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return name;
}

void probe_verify(probe_t *probe, const oc_verify_subject_t *subject)
{
    oc_verify_policy_t policy = {apr_time_now(), probe_defaults.skew, 0, probe_defaults.standard_timeout,
                                 probe_defaults.error_timeout};

    oc_verify_response(probe->fetched.der, probe->fetched.der_len, subject, &policy, &probe->verified, probe->pool);
    probe->verdict = probe->verified.verdict;
    probe->detail = probe->verified.detail;
    if (oc_verdict_class(probe->verdict) == OC_CLASS_TRUTH) /* it was verified to its end, and is signed */
        probe->signer = signer_of(&probe->fetched, subject->issuer, probe->pool);
}

/* When would the module query again? Between the times for the smallest and the largest random number; which of them is
 * the earlier one depends on what limits it. */
static void foresee(probe_t *probe)
{
    const oc_schedule_bounds_t bounds = {probe_defaults.refresh_min, probe_defaults.refresh_max,
                                         probe_defaults.retry_min, probe_defaults.error_timeout};
    const oc_verify_result_t *verified = &probe->verified;
    apr_interval_time_t max_age = probe->fetched.max_age;
    apr_time_t now = apr_time_now(), one, other;

    if (oc_verdict_class(probe->verdict) != OC_CLASS_TRUTH) {
        probe->earliest = oc_schedule_failure(now, 0, 1, probe->fetched.retry_after, &bounds, 0);
        probe->latest = oc_schedule_failure(now, 0, 1, probe->fetched.retry_after, &bounds, UINT32_MAX);
        return;
    }
    one = oc_schedule_success(now, verified->this_update, verified->usable_until, &bounds, 0);
    other = oc_schedule_success(now, verified->this_update, verified->usable_until, &bounds, UINT32_MAX);
    probe->earliest = oc_schedule_hint(one < other ? one : other, now, verified->this_update, verified->usable_until,
                                       max_age, &bounds, 0);
    probe->latest = oc_schedule_hint(one < other ? other : one, now, verified->this_update, verified->usable_until,
                                     max_age, &bounds, UINT32_MAX);
}

static void query(probe_t *probe)
{
    const oc_trace_t trace = {probe_take_step, probe};
    oc_deadline_t deadline;
    oc_fetch_request_t request = {.url = probe->url, .proxy = probe->proxy, .deadline = &deadline, .trace = &trace};
    oc_verify_subject_t subject;

    probe->verdict = OC_OUT_OF_RESOURCES;
    if (oc_cert_subject(probe->cert, &subject, probe->pool) != APR_SUCCESS
        || oc_cert_request(probe->cert, probe->hash, &request.der, &request.der_len, probe->pool) != APR_SUCCESS)
        return;
    probe->begun = oc_deadline_now();
    oc_deadline_start(&deadline, probe->timeout, NULL);
    probe->verdict = oc_fetch(&request, &probe->fetched, probe->pool);
    probe->detail = probe->fetched.detail;
    if (probe->verdict == OC_PENDING)
        probe_verify(probe, &subject);
}

void probe_query(probe_t *probe)
{
    if (!probe->url) {
        probe->name = "no-responder";
        return;
    }
    if (!probe->issuer) {
        probe->name = "issuer-missing";
        return;
    }
    if (probe->cert->not_after <= apr_time_now())
        probe->verdict = OC_CERTIFICATE_EXPIRED;
    else
        query(probe);
    probe->name = oc_verdict_name(probe->verdict);
    if (probe->verdict != OC_CERTIFICATE_EXPIRED)
        foresee(probe);
}
