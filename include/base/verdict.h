/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_verdict: what came of asking a responder, as one code with one row of text.
 *
 * Every unit of the core answers with one of these codes; the glue turns it into one log line, one status cell, one
 * JSON word. The codes travel through shared memory (oc_note.h), so a number, once released, keeps its meaning.
 */
#ifndef OC_BASE_VERDICT_H
#define OC_BASE_VERDICT_H

typedef enum {
    OC_PENDING = 0, /* never asked yet */

    /* The responder told the truth, and proved it. */
    OC_GOOD = 1,
    OC_REVOKED = 2,

    /* The responder answered, but not with the truth (RFC 6960 section 4.2.1). */
    OC_UNKNOWN = 10,
    OC_MALFORMED_REQUEST = 11,
    OC_INTERNAL_ERROR = 12,
    OC_TRY_LATER = 13,
    OC_SIG_REQUIRED = 14,
    OC_UNAUTHORIZED = 15,
    OC_UNDEFINED_STATUS = 16,

    /* No answer came at all. */
    OC_URL_UNUSABLE = 30,
    OC_NAME_LOOKUP_FAILED = 31,
    OC_CONNECT_FAILED = 32,
    OC_TIMED_OUT = 33,
    OC_CONNECTION_LOST = 34,
    OC_HTTP_STATUS = 35,
    OC_HTTP_REDIRECT = 36,
    OC_HTTP_MALFORMED = 37,
    OC_STOPPED = 38,
    OC_OUT_OF_RESOURCES = 39,
    OC_FILE_UNREADABLE = 40,
    OC_CACHE_FULL = 41,
    OC_FILE_NOT_RENEWED = 42,

    /* Something came that must not be stapled. */
    OC_CONTENT_TYPE = 50,
    OC_TOO_LARGE = 51,
    OC_NOT_DER = 52,
    OC_NOT_BASIC = 53,
    OC_NOT_OURS = 54,
    OC_SIGNER_MISSING = 55,
    OC_SIGNER_REFUSED = 56,
    OC_SIGNER_EXPIRED = 57,
    OC_SIGNATURE_BAD = 58,
    OC_SIGNATURE_WEAK = 59,
    OC_CRITICAL_EXTENSION = 60,
    OC_NOT_YET_VALID = 61,
    OC_EXPIRED = 62,
    OC_TIMES_INVALID = 63,
    OC_TOO_OLD = 64,
    OC_CERTIFICATE_EXPIRED = 65,
    OC_SUPERSEDED = 66,

    OC_VERDICT_LIMIT = 128 /* codes stay below: a note keeps them in seven bits */
} oc_verdict_t;

/** What a verdict means for the client; the rows of "what is stapled" in ARCHITECTURE.md. */
typedef enum {
    OC_CLASS_PENDING,
    OC_CLASS_TRUTH,           /* staple it */
    OC_CLASS_RESPONDER_ERROR, /* staple it only where SSLStaplingReturnResponderErrors is On */
    OC_CLASS_NO_ANSWER,       /* a tryLater, where SSLStaplingFakeTryLater is On as well */
    OC_CLASS_UNUSABLE         /* never staple it, whatever the settings */
} oc_class_t;

/** All four are total: an unknown code (hostile shared memory) reads as OC_CLASS_UNUSABLE, "unknown code". Static
 *  strings, any thread, any process. */
oc_class_t oc_verdict_class(oc_verdict_t verdict);

/** One word in kebab case, stable across releases: for JSON, Prometheus labels, tests. */
const char *oc_verdict_name(oc_verdict_t verdict);

/** What happened, as the end of a sentence: "the responder did not answer in time". */
const char *oc_verdict_text(oc_verdict_t verdict);

/** What the administrator can do about it, a whole sentence; "" where nothing is to be done. */
const char *oc_verdict_advice(oc_verdict_t verdict);

/** The verdict for an OCSPResponseStatus other than successful (RFC 6960 section 4.2.1). */
oc_verdict_t oc_verdict_of_response_status(int ocsp_response_status);

#endif
