/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * How an attempt to get a response ended: one code, with one row of texts.
 *
 * Every unit of the core returns one of these codes; the glue shows it as a log line, a cell of the status page, a word
 * of JSON. The codes are stored in shared memory (a note), so a released number keeps its meaning.
 */
#ifndef OC_BASE_VERDICT_H
#define OC_BASE_VERDICT_H

typedef enum {
    OC_PENDING = 0, /* no attempt yet */

    /* A verified response. */
    OC_GOOD = 1,
    OC_REVOKED = 2,

    /* The responder answered with an error (RFC 6960 section 4.2.1), or "unknown". */
    OC_UNKNOWN = 10,
    OC_MALFORMED_REQUEST = 11,
    OC_INTERNAL_ERROR = 12,
    OC_TRY_LATER = 13,
    OC_SIG_REQUIRED = 14,
    OC_UNAUTHORIZED = 15,
    OC_UNDEFINED_STATUS = 16,

    /* No answer was obtained. */
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

    /* The answer must not be stapled. */
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
    OC_ALTERED = 67,

    OC_VERDICT_LIMIT = 128 /* codes are below: a note stores them in seven bits */
} oc_verdict_t;

/** What a verdict means for the client; ARCHITECTURE.md, "The path of a handshake". */
typedef enum {
    OC_CLASS_PENDING,
    OC_CLASS_TRUTH,           /* staple it */
    OC_CLASS_RESPONDER_ERROR, /* staple it only where SSLStaplingReturnResponderErrors is On */
    OC_CLASS_NO_ANSWER,       /* a tryLater, where SSLStaplingFakeTryLater is On as well */
    OC_CLASS_UNUSABLE         /* never staple it, whatever the settings */
} oc_class_t;

/** These accept any number: an unknown code (hostile shared memory) is OC_CLASS_UNUSABLE, "unknown code". Static
 *  strings, any thread, any process. */
oc_class_t oc_verdict_class(oc_verdict_t verdict);

/** Is the responder out of order: it cannot be reached, breaks off, or answers with an error of its own (HTTP 5xx)?
 *  Then others that it serves meet the same. An error about the request (HTTP 4xx), or of this host, says nothing of
 *  them.
 *  @param http_status of the answer; counts where the verdict is OC_HTTP_STATUS */
int oc_verdict_is_outage(oc_verdict_t verdict, int http_status);

/** One word in kebab case, stable across releases: for JSON, Prometheus labels, tests. */
const char *oc_verdict_name(oc_verdict_t verdict);

/** What happened, as a clause: "the responder did not answer in time". */
const char *oc_verdict_text(oc_verdict_t verdict);

/** What the administrator can do about it, in sentences; "" where there is nothing to do. */
const char *oc_verdict_advice(oc_verdict_t verdict);

/** The verdict for an OCSPResponseStatus other than successful (RFC 6960 section 4.2.1). */
oc_verdict_t oc_verdict_of_response_status(int ocsp_response_status);

#endif
