/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_attempt: how one attempt to get a response for a certificate ended, wherever it was looked for: at a responder, in a file, in
 * the store of the fleet. All are judged by the same rules.
 */
#ifndef OC_REFRESH_ATTEMPT_H
#define OC_REFRESH_ATTEMPT_H

#include "fetch/fetch.h"
#include "ocsp/record.h"
#include "ocsp/verify.h"
#include "server/managed.h"

typedef struct {
    oc_verdict_t verdict;
    const char *source; /* who gave the answer: "responder URL", "file PATH", "shared store NAME" */
    oc_origin_t origin;
    const char *detail;          /* "" or what exactly */
    apr_interval_time_t elapsed; /* of the exchange with the responder; -1: there was none */
    oc_fetch_result_t fetched;
    oc_verify_result_t verified;
    apr_time_t asked_at; /* when the responder gave it to another server; 0: it is just come */
    apr_time_t due;      /* when to ask next; 0: not decided yet */
} oc_attempt_t;

void oc_attempt_begin(oc_attempt_t *attempt);

/** The rules of verification that hold for a certificate, now. */
oc_verify_policy_t oc_attempt_policy(const oc_settings_t *settings, apr_time_t now);

/** Judge attempt->fetched.der: sets verdict, verified and detail. */
void oc_attempt_judge(oc_attempt_t *attempt, const oc_managed_t *managed, apr_pool_t *pool);

/** The record to keep of it; its DER stays where it is. @return 0: it leaves none */
int oc_attempt_record(const oc_attempt_t *attempt, const oc_managed_t *managed, apr_time_t now, oc_record_t *record);

#endif
