/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_verify: a checklist that reads from top to bottom (see `checklist` near the end). Called by refresher threads of
 * unprivileged children. It must never ask a clock, trust anything but the issuer it was given, or call a response
 * good that some client would have to refuse. Where clients differ, the strictest of them sets the rule and a comment
 * says so.
 */
#include "ocsp/verify.h"

#include "signer.h"
#include "ocsp/x509.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdarg.h>
#include <string.h>

/* What fits into the TLS 1.3 extension that carries a staple (RFC 8446 section 4.4.2.1: 65535 less type and length).
 * The fetch has a lower cap; this one bounds the work here whoever calls. */
#define OC_VERIFY_MAX 65531

/* A response without nextUpdate that is older counts as superseded with GnuTLS clients. */
#define OC_VERIFY_OPEN_ENDED_AGE apr_time_from_sec(15 * 24 * 60 * 60)

/* What a check answers when it has nothing to object to. */
#define PASSED OC_PENDING

typedef struct {
    const unsigned char *der;
    apr_size_t der_len;
    const oc_verify_subject_t *subject;
    const oc_verify_policy_t *policy;
    oc_verify_result_t *result;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;
    apr_time_t usable_until; /* so far; only ever lowered */
} oc_check_t;

typedef struct {
    oc_verdict_t status; /* OC_GOOD, OC_REVOKED, OC_UNKNOWN */
    apr_time_t this_update;
    apr_time_t next_update; /* 0: none */
    apr_time_t revoked_at;
    int reason;
} oc_single_t;

__attribute__((format(printf, 3, 4))) static oc_verdict_t refuse(const oc_check_t *check, oc_verdict_t verdict,
                                                                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    apr_vsnprintf(check->result->detail, sizeof check->result->detail, format, args);
    va_end(args);
    return verdict;
}

static oc_verdict_t refuse_time(const oc_check_t *check, oc_verdict_t verdict, const char *which, apr_time_t time)
{
    char text[32];

    oc_x509_time_text(text, sizeof text, time);
    return refuse(check, verdict, "%s is %s", which, text);
}

static void lower(apr_time_t *time, apr_time_t bound)
{
    if (bound < *time)
        *time = bound;
}

/* time + interval, interval >= 0, for intervals that came out of a configuration file. */
static apr_time_t later(apr_time_t time, apr_interval_time_t interval)
{
    return time > APR_INT64_MAX - interval ? APR_INT64_MAX : time + interval;
}

static int encodes_to(const oc_check_t *check, const OCSP_RESPONSE *response)
{
    unsigned char *again = NULL;
    int length = i2d_OCSP_RESPONSE(response, &again);
    int same = length > 0 && (apr_size_t)length == check->der_len && memcmp(again, check->der, check->der_len) == 0;

    OPENSSL_free(again);
    return same;
}

/* First of all: nothing that a responder says about an expired certificate can be stapled, and the administrator should
 * hear the cause rather than the responder's "unauthorized". */
static oc_verdict_t check_certificate_time(oc_check_t *check)
{
    apr_time_t not_after = check->subject->not_after;

    if (not_after <= check->policy->now)
        return refuse_time(check, OC_CERTIFICATE_EXPIRED, "its notAfter", not_after);
    lower(&check->usable_until, not_after);
    return PASSED;
}

static oc_verdict_t check_size(oc_check_t *check)
{
    if (check->der_len == 0)
        return refuse(check, OC_NOT_DER, "it is empty");
    if (check->der_len > OC_VERIFY_MAX)
        return refuse(check, OC_TOO_LARGE, "%" APR_SIZE_T_FMT " bytes", check->der_len);
    return PASSED;
}

static oc_verdict_t check_encoding(oc_check_t *check)
{
    const unsigned char *p = check->der;

    check->response = d2i_OCSP_RESPONSE(NULL, &p, (long)check->der_len);
    if (check->response == NULL)
        return refuse(check, OC_NOT_DER, "%" APR_SIZE_T_FMT " bytes that are no OCSPResponse", check->der_len);
    if (p != check->der + check->der_len)
        return refuse(check, OC_NOT_DER, "%ld bytes follow the response", (long)(check->der + check->der_len - p));
    if (!encodes_to(check, check->response) || !oc_x509_is_der(check->der, (long)check->der_len))
        return refuse(check, OC_NOT_DER, "its encoding is not canonical");
    return PASSED;
}

static oc_verdict_t check_response_status(oc_check_t *check)
{
    int status = OCSP_response_status(check->response);

    if (status == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return PASSED;
    /* RFC 6960 section 4.2.1: with an error there are no responseBytes. An error may be stapled where the administrator
     * wishes so; what rides along unsigned must not. SEQUENCE { ENUMERATED } takes five bytes. */
    if (check->der_len != 5)
        return refuse(check, OC_NOT_BASIC, "error status %d, but %" APR_SIZE_T_FMT " bytes", status, check->der_len);
    return refuse(check, oc_verdict_of_response_status(status), "OCSPResponseStatus %d", status);
}

static oc_verdict_t check_basic(oc_check_t *check)
{
    OCSP_RESPONSE *again;
    unsigned char *der = NULL;
    unsigned long error;
    int length, canonical;

    check->basic = OCSP_response_get1_basic(check->response);
    error = ERR_peek_last_error();
    if (check->basic == NULL && ERR_GET_LIB(error) == ERR_LIB_OCSP) {
        return refuse(check, OC_NOT_BASIC, "%s",
                      ERR_GET_REASON(error) == OCSP_R_NO_RESPONSE_DATA ? "status successful without a response"
                                                                       : "its type is not id-pkix-ocsp-basic");
    }
    if (check->basic == NULL)
        return refuse(check, OC_NOT_DER, "what it contains is no BasicOCSPResponse");

    /* Built up again from the parsed basic response: whatever hid inside the OCTET STRING shows as a difference. */
    again = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, check->basic);
    length = i2d_OCSP_BASICRESP(check->basic, &der);
    canonical = again != NULL && encodes_to(check, again) && length > 0 && oc_x509_is_der(der, length);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(again);
    return canonical ? PASSED : refuse(check, OC_NOT_DER, "the encoding of its BasicOCSPResponse is not canonical");
}

/* Version v1 is the default and in DER not written. Written all the same it is let pass: BoringSSL and Firefox do so
 * for the sake of responders that exist, no client objects, and the signature covers it. */
static oc_verdict_t check_version(oc_check_t *check)
{
    static const unsigned char v1[] = {0xa0, 0x03, 0x02, 0x01, 0x00};
    unsigned char *der = NULL;
    int length = i2d_OCSP_RESPDATA(OCSP_resp_get0_respdata(check->basic), &der);
    const unsigned char *p = der;
    long content;
    int tag, class, known = 0;

    if (length > 0 && (ASN1_get_object(&p, &content, &tag, &class, length) & 0x80) == 0 && content > 0)
        known = *p != v1[0] || (content > (long)sizeof v1 && memcmp(p, v1, sizeof v1) == 0);
    OPENSSL_free(der);
    return known ? PASSED : refuse(check, OC_NOT_BASIC, "its version is not v1");
}

static oc_verdict_t refuse_extension(const oc_check_t *check, const X509_EXTENSION *extension)
{
    char oid[80];

    /* OpenSSL 4 hands extensions out as const; OpenSSL 3 asks for them without, and changes nothing. */
    OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object((X509_EXTENSION *)extension), 0);
    return refuse(check, OC_CRITICAL_EXTENSION, "extension %s", oid);
}

/* Any critical one: Firefox knows none of those of RFC 6960 section 4.4 as critical, not even the nonce, and a client
 * must refuse what it does not know. Uncritical ones are left alone, a nonce nobody asked for included (section
 * 4.4.1). */
static oc_verdict_t check_response_extensions(oc_check_t *check)
{
    int at = OCSP_BASICRESP_get_ext_by_critical(check->basic, 1, -1);

    return at < 0 ? PASSED : refuse_extension(check, OCSP_BASICRESP_get_ext(check->basic, at));
}

static oc_verdict_t check_signer(oc_check_t *check)
{
    oc_verify_result_t *result = check->result;
    apr_time_t end;
    oc_verdict_t verdict = oc_signer_check(check->basic, check->subject->issuer, check->policy->now, &end,
                                           result->detail, sizeof result->detail);

    lower(&check->usable_until, end);
    return verdict;
}

/* RFC 6960 asks nothing of producedAt; but a responder whose clock is ahead by more than the skew cannot be believed in
 * its other times either. */
static oc_verdict_t check_produced_at(oc_check_t *check)
{
    apr_time_t produced_at;

    if (!oc_x509_strict_time(&produced_at, OCSP_resp_get0_produced_at(check->basic)))
        return refuse(check, OC_TIMES_INVALID, "producedAt is not of the form YYYYMMDDHHMMSSZ");
    check->result->produced_at = produced_at;
    if (produced_at > later(check->policy->now, check->policy->skew))
        return refuse_time(check, OC_NOT_YET_VALID, "producedAt", produced_at);
    return PASSED;
}

/* The CertID may use another hash than the request did; a response made beforehand need not know the request. SHA-1 is
 * the one of RFC 5019 section 2.1.1: nothing hangs on its strength, the signature vouches for all of it. */
static const EVP_MD *certid_hash(const ASN1_OBJECT *oid)
{
    switch (OBJ_obj2nid(oid)) {
    case NID_sha1:
        return EVP_sha1();
    case NID_sha256:
        return EVP_sha256();
    case NID_sha384:
        return EVP_sha384();
    case NID_sha512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

static int is_ours(const oc_check_t *check, const OCSP_SINGLERESP *single, int *same_serial)
{
    /* OpenSSL's getters for a const object want it mutable. */
    OCSP_CERTID *given = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single);
    X509 *issuer = check->subject->issuer;
    ASN1_OBJECT *oid;
    ASN1_INTEGER *serial;
    const EVP_MD *hash;
    OCSP_CERTID *wanted;
    int same;

    if (!OCSP_id_get0_info(NULL, &oid, NULL, &serial, given) || ASN1_INTEGER_cmp(serial, check->subject->serial) != 0)
        return 0;
    ++*same_serial;
    if ((hash = certid_hash(oid)) == NULL)
        return 0;
    wanted =
        OCSP_cert_id_new(hash, X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer), check->subject->serial);
    same = wanted != NULL && OCSP_id_cmp(given, wanted) == 0;
    OCSP_CERTID_free(wanted);
    return same;
}

static oc_verdict_t read_times(const oc_check_t *check, oc_single_t *one, const ASN1_GENERALIZEDTIME *this_update,
                               const ASN1_GENERALIZEDTIME *next_update)
{
    if (!oc_x509_strict_time(&one->this_update, this_update))
        return refuse(check, OC_TIMES_INVALID, "thisUpdate is not of the form YYYYMMDDHHMMSSZ");
    if (next_update != NULL && !oc_x509_strict_time(&one->next_update, next_update))
        return refuse(check, OC_TIMES_INVALID, "nextUpdate is not of the form YYYYMMDDHHMMSSZ");
    if (next_update != NULL && one->next_update < one->this_update)
        return refuse_time(check, OC_TIMES_INVALID, "thisUpdate is later than nextUpdate, which", one->next_update);
    return PASSED;
}

static oc_verdict_t check_age(oc_check_t *check, apr_time_t this_update, apr_interval_time_t max_age, const char *whose)
{
    apr_time_t end = later(this_update, max_age);
    char text[32];

    lower(&check->usable_until, end);
    if (end > check->policy->now)
        return PASSED;
    oc_x509_time_text(text, sizeof text, this_update);
    return refuse(check, OC_TOO_OLD, "thisUpdate is %s, beyond %s", text, whose);
}

/* The skew is for a responder whose clock is ahead of ours. It is not granted to nextUpdate, as mod_ssl does: what has
 * ended on our clock has ended on the clocks of our clients. */
static oc_verdict_t check_window(oc_check_t *check, const oc_single_t *one, int has_end)
{
    const oc_verify_policy_t *policy = check->policy;

    if (one->this_update > later(policy->now, policy->skew))
        return refuse_time(check, OC_NOT_YET_VALID, "thisUpdate", one->this_update);
    if (has_end && one->next_update <= policy->now)
        return refuse_time(check, OC_EXPIRED, "nextUpdate", one->next_update);
    lower(&check->usable_until, has_end ? one->next_update : later(policy->now, policy->open_ended));
    if (policy->max_age > 0) {
        oc_verdict_t verdict = check_age(check, one->this_update, policy->max_age, "SSLStaplingResponseMaxAge");
        if (verdict != PASSED)
            return verdict;
    }
    if (has_end)
        return PASSED;
    return check_age(check, one->this_update, OC_VERIFY_OPEN_ENDED_AGE, "15 days, and it has no nextUpdate");
}

/* One SingleResponse that speaks of our certificate. */
static oc_verdict_t judge_single(oc_check_t *check, OCSP_SINGLERESP *single, oc_single_t *one)
{
    ASN1_GENERALIZEDTIME *revoked_at = NULL, *this_update = NULL, *next_update = NULL;
    int critical = OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1);
    int status = OCSP_single_get0_status(single, &one->reason, &revoked_at, &this_update, &next_update);
    oc_verdict_t verdict;

    if (critical >= 0)
        return refuse_extension(check, OCSP_SINGLERESP_get_ext(single, critical));
    if ((verdict = read_times(check, one, this_update, next_update)) != PASSED)
        return verdict;
    switch (status) {
    case V_OCSP_CERTSTATUS_GOOD:
        one->status = OC_GOOD;
        break;
    case V_OCSP_CERTSTATUS_UNKNOWN:
        one->status = OC_UNKNOWN;
        break;
    case V_OCSP_CERTSTATUS_REVOKED:
        one->status = OC_REVOKED;
        if (!oc_x509_strict_time(&one->revoked_at, revoked_at))
            return refuse(check, OC_TIMES_INVALID, "revocationTime is not of the form YYYYMMDDHHMMSSZ");
        break;
    default:
        return refuse(check, OC_NOT_DER, "certificate status %d", status);
    }
    return check_window(check, one, next_update != NULL);
}

/* Several for our certificate (a responder may give one per hash algorithm): clients pick the first, or the worst, so
 * each has to stand on its own, the worst status counts and the narrowest times do. */
static void take_single(oc_verify_result_t *result, const oc_single_t *one, int first)
{
    if (first || one->this_update < result->this_update)
        result->this_update = one->this_update;
    if (result->next_update == 0 || (one->next_update != 0 && one->next_update < result->next_update))
        result->next_update = one->next_update;
    if (first || one->status == OC_REVOKED || result->verdict == OC_GOOD) {
        result->verdict = one->status;
        result->revoked_at = one->revoked_at;
        result->revocation_reason = one->status == OC_REVOKED ? one->reason : -1;
    }
}

static oc_verdict_t refuse_not_ours(const oc_check_t *check, int count, int same_serial)
{
    char serial[48] = "?";
    ASN1_INTEGER *other;

    if (same_serial > 0)
        return refuse(check, OC_NOT_OURS, "it has our serial, but for another issuer");
    if (count > 0
        && OCSP_id_get0_info(NULL, NULL, NULL, &other,
                             (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(OCSP_resp_get0(check->basic, 0))))
        oc_x509_serial(serial, sizeof serial, other);
    return refuse(check, OC_NOT_OURS, "it speaks of %d certificates, the first with serial %s", count, serial);
}

static oc_verdict_t check_singles(oc_check_t *check)
{
    int count = OCSP_resp_count(check->basic), same_serial = 0, ours = 0;

    for (int i = 0; i < count; i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(check->basic, i);
        oc_single_t one = {.status = OC_UNKNOWN, .reason = -1};
        oc_verdict_t verdict;

        if (!is_ours(check, single, &same_serial))
            continue;
        /* A client has to find it anywhere, but GnuTLS looks at the first alone and then fails the connection, where it
         * would have gone on without a staple. */
        if (i > 0 && ours == 0)
            return refuse(check, OC_NOT_OURS, "it is answer %d of %d, but some clients read only the first", i + 1,
                          count);
        verdict = judge_single(check, single, &one);
        take_single(check->result, &one, ours++ == 0);
        if (verdict != PASSED)
            return verdict;
    }
    return ours > 0 ? check->result->verdict : refuse_not_ours(check, count, same_serial);
}

/* Each presumes that those above have passed; nothing that the response says is believed before check_signer. The last
 * one finds the status. */
static oc_verdict_t (*const checklist[])(oc_check_t *) = {
    check_certificate_time,    check_size,   check_encoding,    check_response_status, check_basic, check_version,
    check_response_extensions, check_signer, check_produced_at, check_singles,
};

/* What was verified to its end is for the caller to store. */
static void hand_out(oc_check_t *check, apr_pool_t *pool)
{
    oc_verify_result_t *result = check->result;
    oc_class_t class = oc_verdict_class(result->verdict);

    if (class == OC_CLASS_RESPONDER_ERROR)
        lower(&check->usable_until, later(check->policy->now, check->policy->error_keep));
    else if (class != OC_CLASS_TRUTH)
        return;
    result->usable_until = check->usable_until;
    result->der = apr_pmemdup(pool, check->der, check->der_len);
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
                        .usable_until = APR_INT64_MAX};
    oc_verdict_t verdict = PASSED;

    memset(result, 0, sizeof *result);
    result->revocation_reason = -1;
    ERR_set_mark();
    for (size_t i = 0; verdict == PASSED && i < sizeof checklist / sizeof checklist[0]; i++)
        verdict = checklist[i](&check);
    ERR_pop_to_mark();
    OCSP_BASICRESP_free(check.basic);
    OCSP_RESPONSE_free(check.response);

    result->verdict = verdict;
    hand_out(&check, pool);
    if (verdict != OC_REVOKED) {
        result->revoked_at = 0;
        result->revocation_reason = -1;
    }
}
