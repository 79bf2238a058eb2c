/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Verifies the response that an attempt obtained, and makes the record of it. Called in the workers' threads. It does
 * not log or publish.
 */
#include "attempt.h"

#include <string.h>

void oc_attempt_begin(oc_attempt_t *attempt)
{
    memset(attempt, 0, sizeof(*attempt));
    attempt->detail = attempt->fetched.detail;
    attempt->elapsed = -1;
}

oc_verify_policy_t oc_attempt_policy(const oc_settings_t *settings, apr_time_t now)
{
    oc_verify_policy_t policy = {now, settings->skew, settings->max_age, settings->open_ended, settings->error_keep};

    return policy;
}

void oc_attempt_judge(oc_attempt_t *attempt, const oc_cert_t *cert, const oc_settings_t *settings, apr_pool_t *pool)
{
    oc_verify_policy_t policy = oc_attempt_policy(settings, apr_time_now());
    oc_verify_subject_t subject;

    attempt->verdict = OC_OUT_OF_RESOURCES;
    if (oc_cert_subject(cert, &subject, pool) != APR_SUCCESS)
        return;
    oc_verify_response(attempt->fetched.der, attempt->fetched.der_len, &subject, &policy, &attempt->verified, pool);
    attempt->verdict = attempt->verified.verdict;
    attempt->detail = attempt->verified.detail;
}

int oc_attempt_record(const oc_attempt_t *attempt, const oc_managed_t *managed, apr_time_t now, oc_record_t *record)
{
    /* A verdict without a verified response leaves no record. */
    if (attempt->verdict != attempt->verified.verdict)
        return 0;
    return oc_record_make(record, &attempt->verified, managed->cert, attempt->origin,
                          attempt->obtained_at ? attempt->obtained_at : now);
}
