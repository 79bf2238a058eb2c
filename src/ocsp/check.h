/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the checks of one response share: the response, the certificate that it must be for, and the results so far. A
 * check returns PASSED, else the verdict; the detail gives the exact cause.
 */
#ifndef OC_OCSP_CHECK_H
#define OC_OCSP_CHECK_H

#include "ocsp/bytes.h"
#include "ocsp/subject.h"

#include <apr_pools.h>
#include <openssl/ocsp.h>

#define PASSED OC_PENDING

typedef struct {
    const unsigned char *der; /* the response: as it was received, then as it will be stapled */
    apr_size_t der_len;
    const oc_verify_subject_t *subject;
    const oc_verify_policy_t *policy;
    oc_verify_result_t *result;
    apr_pool_t *pool;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;   /* as it was received, with every certificate; only the signer's is looked at */
    oc_bytes_t basic_der;    /* the BasicOCSPResponse in der */
    oc_bytes_t core;         /* its ResponseData, algorithm and signature: stapled as they were received */
    oc_bytes_t signed_data;  /* its ResponseData, which the signature covers */
    X509 *signer;            /* belongs to `basic`, or is the issuer */
    apr_time_t usable_until; /* so far; only ever lowered */
    apr_time_t usable_from;  /* so far; only ever raised */
} oc_check_t;

/** Write the detail. @return @a verdict */
__attribute__((format(printf, 3, 4))) oc_verdict_t oc_check_refuse(const oc_check_t *check, oc_verdict_t verdict,
                                                                   const char *format, ...);

/** The detail is "WHICH is TIME". */
oc_verdict_t oc_check_refuse_time(const oc_check_t *check, oc_verdict_t verdict, const char *which, apr_time_t time);

/** The detail names the extension. */
oc_verdict_t oc_check_refuse_extension(const oc_check_t *check, const X509_EXTENSION *extension);

void oc_check_lower(oc_check_t *check, apr_time_t bound);

/** It is not usable before @a bound. @return whether that has passed */
int oc_check_raise(oc_check_t *check, apr_time_t bound);

/** A time that a responder wrote must not be in the future, by more than the skew. @return whether that is so. The one
 *  place that grants the skew: usable_from repeats the judgement in every handshake. */
int oc_check_is_past(oc_check_t *check, apr_time_t time);

/** time + interval, interval >= 0, without overflow: intervals come from a configuration file. */
apr_time_t oc_check_later(apr_time_t time, apr_interval_time_t interval);

#endif
