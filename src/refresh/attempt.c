/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_outcome: see oc_outcome.h.
 */
#include "attempt.h"

#include <string.h>

void oc_outcome_begin(oc_outcome_t *outcome)
{
    memset(outcome, 0, sizeof(*outcome));
    outcome->detail = outcome->fetched.detail;
    outcome->elapsed = -1;
}

oc_verify_policy_t oc_outcome_policy(const oc_settings_t *settings, apr_time_t now)
{
    oc_verify_policy_t policy = {now, settings->skew, settings->max_age, settings->open_ended};

    return policy;
}

void oc_outcome_judge(oc_outcome_t *outcome, const oc_managed_t *managed, apr_pool_t *pool)
{
    oc_verify_policy_t policy = oc_outcome_policy(&managed->settings, apr_time_now());
    oc_verify_subject_t subject;

    outcome->verdict = OC_OUT_OF_RESOURCES;
    if (oc_cert_subject(managed->cert, &subject, pool) != APR_SUCCESS)
        return;
    oc_verify_response(outcome->fetched.der, outcome->fetched.der_len, &subject, &policy, &outcome->verified);
    outcome->verdict = outcome->verified.verdict;
    outcome->detail = outcome->verified.detail;
}

int oc_outcome_record(const oc_outcome_t *outcome, const oc_managed_t *managed, apr_time_t now, oc_record_t *record)
{
    oc_class_t class = oc_verdict_class(outcome->verdict);

    if (class != OC_CLASS_TRUTH && class != OC_CLASS_RESPONDER_ERROR)
        return 0;
    memset(record, 0, sizeof(*record));
    record->verdict = outcome->verdict;
    record->this_update = outcome->verified.this_update;
    record->next_update = outcome->verified.next_update;
    record->usable_until = outcome->verified.usable_until;
    record->fetched_at = outcome->asked_at ? outcome->asked_at : now;
    record->origin = outcome->origin;
    if (class == OC_CLASS_RESPONDER_ERROR
        && (record->usable_until == 0 || record->usable_until > now + managed->settings.error_keep))
        record->usable_until = now + managed->settings.error_keep;
    memcpy(record->binding, managed->cert->binding, sizeof(record->binding));
    record->der = outcome->fetched.der;
    record->der_len = outcome->fetched.der_len;
    return 1;
}
