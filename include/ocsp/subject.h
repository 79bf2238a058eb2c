/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The input of verification except the bytes of a response, and its result: the certificate, the rules, and the
 * verdict with its times. Every check of the room reads these.
 */
#ifndef OC_OCSP_SUBJECT_H
#define OC_OCSP_SUBJECT_H

#include "base/verdict.h"

#include <apr_time.h>
#include <openssl/x509.h>

/** The certificate whose status is verified. The caller owns the objects; they are only read. */
typedef struct {
    X509 *issuer;                 /* the certificate's issuer: the root of all trust here; never NULL */
    const X509_NAME *issuer_name; /* as the certificate itself writes it: what a CertID hashes */
    const ASN1_INTEGER *serial;   /* of the certificate */
    apr_time_t not_before;        /* of the certificate; a staple must not be older */
    apr_time_t not_after;         /* of the certificate; a staple must not outlive it */
} oc_verify_subject_t;

typedef struct {
    apr_time_t now;
    apr_interval_time_t skew;       /* >= 0; how far the responder's clock may be ahead (SSLStaplingResponseTimeSkew) */
    apr_interval_time_t max_age;    /* since thisUpdate (SSLStaplingResponseMaxAge); 0: any age */
    apr_interval_time_t open_ended; /* > 0; how long a response without nextUpdate is usable, from now */
    apr_interval_time_t error_keep; /* > 0; how long a responder's error may be stapled, from now */
} oc_verify_policy_t;

/** Filled for every verdict; times that were not reached are 0. */
typedef struct {
    oc_verdict_t verdict;
    apr_time_t produced_at;
    apr_time_t this_update;
    apr_time_t next_update; /* 0: the response has none */

    /* When to stop stapling it; later than now. The earliest of nextUpdate (without one: now + open_ended, and 15 days
     * after thisUpdate), thisUpdate + max_age, the delegated signer's and the certificate's own notAfter; for a
     * responder's error (OC_CLASS_RESPONDER_ERROR, with OC_UNKNOWN) also now + error_keep. 0 for other verdicts. */
    apr_time_t usable_until;

    /* When it may first be stapled; not later than now, unless the clock is set back. The latest of thisUpdate - skew
     * (of each SingleResponse that is for the certificate), producedAt - skew and the delegated signer's notBefore; 0
     * where the response has no times. */
    apr_time_t usable_from;

    /* What to store and to staple, instead of the bytes that were judged; verifying it again gives the same bytes. NULL
     * unless there is a usable_until. */
    const unsigned char *der;
    apr_size_t der_len;

    apr_time_t revoked_at; /* OC_REVOKED only */
    int revocation_reason; /* CRLReason; -1: none given */

    /* Which signer, which extension, which time: "" where the verdict is enough. Printable ASCII: what comes from the
     * response is escaped. */
    char detail[160];
} oc_verify_result_t;

#endif
