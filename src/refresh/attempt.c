/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_attempt: see oc_attempt.h.
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
    oc_verify_policy_t policy = {now, settings->skew, settings->max_age, settings->open_ended};

    return policy;
}

void oc_attempt_judge(oc_attempt_t *attempt, const oc_managed_t *managed, apr_pool_t *pool)
{
    oc_verify_policy_t policy = oc_attempt_policy(&managed->settings, apr_time_now());
    oc_verify_subject_t subject;

    attempt->verdict = OC_OUT_OF_RESOURCES;
    if (oc_cert_subject(managed->cert, &subject, pool) != APR_SUCCESS)
        return;
    oc_verify_response(attempt->fetched.der, attempt->fetched.der_len, &subject, &policy, &attempt->verified);
    attempt->verdict = attempt->verified.verdict;
    attempt->detail = attempt->verified.detail;
}

int oc_attempt_record(const oc_attempt_t *attempt, const oc_managed_t *managed, apr_time_t now, oc_record_t *record)
{
    oc_class_t class = oc_verdict_class(attempt->verdict);

    if (class != OC_CLASS_TRUTH && class != OC_CLASS_RESPONDER_ERROR)
        return 0;
    memset(record, 0, sizeof(*record));
    record->verdict = attempt->verdict;
    record->this_update = attempt->verified.this_update;
    record->next_update = attempt->verified.next_update;
    record->usable_until = attempt->verified.usable_until;
    record->fetched_at = attempt->asked_at ? attempt->asked_at : now;
    record->origin = attempt->origin;
    if (class == OC_CLASS_RESPONDER_ERROR
        && (record->usable_until == 0 || record->usable_until > now + managed->settings.error_keep))
        record->usable_until = now + managed->settings.error_keep;
    memcpy(record->binding, managed->cert->binding, sizeof(record->binding));
    record->der = attempt->fetched.der;
    record->der_len = attempt->fetched.der_len;
    return 1;
}
