/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Judges a response by a checklist that reads from top to bottom (`checklist`, near the end). Refresher threads of
 * unprivileged children call it, and ocsp-cachectl without rights. It must never read a clock, trust anything but the
 * issuer that it was given, or call a response good that some client would reject. Where clients differ, the strictest
 * of them sets the rule and a comment names it; docs/faults.md compares them check by check.
 */
#include "ocsp/verify.h"

#include "check.h"
#include "der.h"
#include "ocsp/x509.h"
#include "signer.h"
#include "singles.h"
#include "trim.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <string.h>

/* What fits into the TLS 1.3 extension that carries a staple (RFC 8446 section 4.4.2.1: 65535 less type and length).
 * The fetch has a lower cap; this one bounds the work here for every caller. */
#define OC_VERIFY_MAX 65531

/* First of all: nothing that a responder says about an expired certificate can be stapled, and the administrator
 * needs the cause rather than the responder's "unauthorized". */
static oc_verdict_t check_certificate_time(oc_check_t *check)
{
    apr_time_t not_after = check->subject->not_after;

    if (not_after <= check->policy->now)
        return oc_check_refuse_time(check, OC_CERTIFICATE_EXPIRED, "its notAfter", not_after);
    oc_check_lower(check, not_after);
    return PASSED;
}

static oc_verdict_t check_size(oc_check_t *check)
{
    if (check->der_len == 0)
        return oc_check_refuse(check, OC_NOT_DER, "it is empty");
    if (check->der_len > OC_VERIFY_MAX)
        return oc_check_refuse(check, OC_TOO_LARGE, "%" APR_SIZE_T_FMT " bytes", check->der_len);
    return PASSED;
}

static oc_verdict_t check_encoding(oc_check_t *check)
{
    const unsigned char *p = check->der;

    check->response = d2i_OCSP_RESPONSE(NULL, &p, (long)check->der_len);
    if (!check->response)
        return oc_check_refuse(check, OC_NOT_DER, "%" APR_SIZE_T_FMT " bytes that are not an OCSPResponse",
                               check->der_len);
    if (p != check->der + check->der_len)
        return oc_check_refuse(check, OC_NOT_DER, "%ld bytes follow the response",
                               (long)(check->der + check->der_len - p));
    if (!oc_der_is_canonical(check->der, (long)check->der_len, OC_DER_RESPONSE))
        return oc_check_refuse(check, OC_NOT_DER, "its encoding is not canonical");
    return PASSED;
}

static oc_verdict_t check_response_status(oc_check_t *check)
{
    int status = OCSP_response_status(check->response);

    if (status == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return PASSED;
    /* RFC 6960 section 4.2.1: with an error there are no responseBytes. An error may be stapled where the administrator
     * allows it, but without unsigned bytes. SEQUENCE { ENUMERATED } takes five bytes. */
    if (check->der_len != 5)
        return oc_check_refuse(check, OC_NOT_BASIC, "error status %d, but %" APR_SIZE_T_FMT " bytes", status,
                               check->der_len);
    return oc_check_refuse(check, oc_verdict_of_response_status(status), "OCSPResponseStatus %d", status);
}

static oc_verdict_t check_basic(oc_check_t *check)
{
    unsigned long error;

    check->basic = OCSP_response_get1_basic(check->response);
    error = ERR_peek_last_error();
    if (!check->basic && ERR_GET_LIB(error) == ERR_LIB_OCSP) {
        return oc_check_refuse(check, OC_NOT_BASIC, "%s",
                               ERR_GET_REASON(error) == OCSP_R_NO_RESPONSE_DATA ? "status successful without a response"
                                                                                : "its type is not id-pkix-ocsp-basic");
    }
    if (!check->basic)
        return oc_check_refuse(check, OC_NOT_DER, "its content is not a BasicOCSPResponse");
    return oc_trim_locate(check);
}

static oc_verdict_t check_canonical(oc_check_t *check)
{
    return oc_der_is_canonical(check->basic_der.at, (long)check->basic_der.len, OC_DER_RESPONSE)
               ? PASSED
               : oc_check_refuse(check, OC_NOT_DER, "the encoding of its BasicOCSPResponse is not canonical");
}

/* From here on der is what will be sent. */
static oc_verdict_t check_certificates(oc_check_t *check)
{
    oc_verdict_t verdict = oc_signer_find(check), encoding;

    if (verdict == PASSED)
        return oc_trim(check);
    encoding = check_canonical(check); /* a name in BER matches no certificate */
    return encoding == PASSED ? verdict : encoding;
}

/* Version v1 is the default, which DER omits. An explicit one is accepted: BoringSSL and Firefox accept it, since such
 * responders exist, no client objects, and the signature covers it. */
static oc_verdict_t check_version(oc_check_t *check)
{
    static const unsigned char v1[] = {V_ASN1_INTEGER, 1, 0};
    oc_bytes_t element = check->signed_data, data = oc_bytes_take(&element, 0x30);
    oc_bytes_t version = oc_bytes_take(&data, 0xa0);

    return !version.at || (version.len == sizeof(v1) && memcmp(version.at, v1, sizeof(v1)) == 0)
               ? PASSED
               : oc_check_refuse(check, OC_NOT_BASIC, "its version is not v1");
}

/* Any critical one: Firefox knows none of those of RFC 6960 section 4.4 as critical, not even the nonce, and a client
 * must reject what it does not know. Uncritical ones are ignored, including an unrequested nonce (section 4.4.1). */
static oc_verdict_t check_response_extensions(oc_check_t *check)
{
    int critical = OCSP_BASICRESP_get_ext_by_critical(check->basic, 1, -1);
    int count = OCSP_BASICRESP_get_ext_count(check->basic);

    if (critical >= 0)
        return oc_check_refuse_extension(check, OCSP_BASICRESP_get_ext(check->basic, critical));
    for (int i = 0; i < count; i++) {
        X509_EXTENSION *extension = (X509_EXTENSION *)OCSP_BASICRESP_get_ext(check->basic, i);

        /* Chrome rejects one that is present twice (RFC 5280 section 4.2). */
        if (OCSP_BASICRESP_get_ext_by_OBJ(check->basic, X509_EXTENSION_get_object(extension), i) >= 0)
            return oc_check_refuse(check, OC_NOT_DER, "a response extension appears twice");
    }
    return PASSED;
}

/* RFC 6960 requires nothing of producedAt. But where a responder's clock is ahead by more than the skew, its other
 * times are wrong too, and Chrome ignores a response from before the certificate was valid. */
static oc_verdict_t check_produced_at(oc_check_t *check)
{
    apr_time_t produced_at;

    if (!oc_x509_strict_time(&produced_at, OCSP_resp_get0_produced_at(check->basic)))
        return oc_check_refuse(check, OC_TIMES_INVALID, "producedAt is not of the form YYYYMMDDHHMMSSZ");
    check->result->produced_at = produced_at;
    if (!oc_check_is_past(check, produced_at))
        return oc_check_refuse_time(check, OC_NOT_YET_VALID, "producedAt", produced_at);
    if (!oc_check_is_past(check, check->subject->not_before))
        return oc_check_refuse_time(check, OC_NOT_YET_VALID,
                                    "the certificate itself is not valid before its notBefore, which",
                                    check->subject->not_before);
    if (produced_at < check->subject->not_before)
        return oc_check_refuse_time(check, OC_TIMES_INVALID, "before the certificate was valid: its producedAt",
                                    produced_at);
    return PASSED;
}

/* Each assumes that those above have passed; nothing in the response is trusted before oc_signer_check. The last one
 * finds the status. */
/* clang-format off */
static oc_verdict_t (*const checklist[])(oc_check_t *) = {
    check_certificate_time,
    check_size,
    check_encoding,
    check_response_status,
    check_basic,
    check_certificates,
    check_canonical,
    check_version,
    check_response_extensions,
    oc_signer_check,
    check_produced_at,
    oc_singles_check,
};
/* clang-format on */

/* The caller stores what was verified completely. */
static void hand_out(oc_check_t *check)
{
    oc_verify_result_t *result = check->result;
    oc_class_t class = oc_verdict_class(result->verdict);

    if (class == OC_CLASS_RESPONDER_ERROR)
        oc_check_lower(check, oc_check_later(check->policy->now, check->policy->error_keep));
    else if (class != OC_CLASS_TRUTH)
        return;
    result->usable_until = check->usable_until;
    result->usable_from = check->usable_from;
    result->der = apr_pmemdup(check->pool, check->der, check->der_len);
    result->der_len = check->der_len;
}

void oc_verify_response(const unsigned char *der, apr_size_t der_len, const oc_verify_subject_t *subject,
                        const oc_verify_policy_t *policy, oc_verify_result_t *result, apr_pool_t *pool)
{
    oc_check_t check = {.der = der,
                        .der_len = der_len,
                        .subject = subject,
                        .policy = policy,
                        .result = result,
                        .pool = pool,
                        .usable_until = APR_INT64_MAX};
    oc_verdict_t verdict = PASSED;

    memset(result, 0, sizeof(*result));
    result->revocation_reason = -1;
    ERR_set_mark();
    for (size_t i = 0; verdict == PASSED && i < sizeof(checklist) / sizeof(checklist[0]); i++)
        verdict = checklist[i](&check);
    ERR_pop_to_mark();
    OCSP_BASICRESP_free(check.basic);
    OCSP_RESPONSE_free(check.response);

    result->verdict = verdict;
    hand_out(&check);
    if (verdict != OC_REVOKED) {
        result->revoked_at = 0;
        result->revocation_reason = -1;
    }
}
