/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The result of one attempt to obtain a response for a certificate, from any source: a responder, a file, or the shared
 * store. All responses are verified by the same rules.
 */
#ifndef OC_REFRESH_ATTEMPT_H
#define OC_REFRESH_ATTEMPT_H

#include "fetch/fetch.h"
#include "ocsp/record.h"
#include "ocsp/verify.h"
#include "server/managed.h"

typedef struct {
    oc_verdict_t verdict;
    const char *source; /* where the answer comes from: "responder URL", "file PATH", "shared store NAME" */
    oc_origin_t origin;
    const char *detail;          /* "" or more about the verdict */
    apr_interval_time_t elapsed; /* of the exchange with the responder; -1: there was none */
    oc_fetch_result_t fetched;
    oc_verify_result_t verified;
    apr_time_t obtained_at; /* when another server obtained it from the responder; 0: it has just been obtained */
    apr_time_t due;         /* of the next query; 0: not decided yet */
} oc_attempt_t;

void oc_attempt_begin(oc_attempt_t *attempt);

/** The rules of verification that apply to a certificate at @a now. */
oc_verify_policy_t oc_attempt_policy(const oc_settings_t *settings, apr_time_t now);

/** Verify attempt->fetched.der: sets verdict, verified and detail. */
void oc_attempt_judge(oc_attempt_t *attempt, const oc_cert_t *cert, const oc_settings_t *settings, apr_pool_t *pool);

/** The record to store; its DER is not copied. @return 0: the attempt leaves no record */
int oc_attempt_record(const oc_attempt_t *attempt, const oc_managed_t *managed, apr_time_t now, oc_record_t *record);

#endif
