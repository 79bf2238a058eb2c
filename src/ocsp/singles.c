/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Judges the SingleResponses. Clients disagree on which of several they use, so each must be acceptable to every
 * client. Called after the signature was verified. Must never let one SingleResponse count for another.
 */
#include "singles.h"

#include "ocsp/x509.h"

#include <string.h>

/* GnuTLS counts a response without nextUpdate that is older as superseded. */
#define OPEN_ENDED_AGE apr_time_from_sec(15 * 24 * 60 * 60)

/* RFC 6962 section 3.3 */
#define SCT_LIST "1.3.6.1.4.1.11129.2.4.5"

/* As many as there are hashes and spellings of their parameters. */
#define ACCEPTED_MAX 8

typedef struct {
    oc_check_t *check;
    unsigned char *serial; /* ours, as a DER INTEGER */
    int serial_len;
    int ours, same_serial, sct_lists;
    oc_bytes_t accepted[ACCEPTED_MAX]; /* what precedes the serial, where it was found to name our issuer */
    int n_accepted;
} oc_singles_t;

typedef struct {
    oc_verdict_t status; /* OC_GOOD, OC_REVOKED, OC_UNKNOWN */
    apr_time_t this_update;
    apr_time_t next_update; /* 0: none */
    apr_time_t revoked_at;
    int reason;
} oc_single_t;

static int is_same(oc_bytes_t a, const void *b, apr_size_t b_len)
{
    return a.len == b_len && memcmp(a.at, b, b_len) == 0;
}

/* Which hash names the issuer? RFC 5019 section 2.1.1 requires SHA-1: nothing depends on its strength, as the
 * signature covers it. Parameters are absent or NULL; Firefox fails on anything else. */
static const EVP_MD *certid_hash(oc_bytes_t algorithm)
{
    static const int known[] = {NID_sha1, NID_sha256, NID_sha384, NID_sha512};
    static const unsigned char null[] = {V_ASN1_NULL, 0};
    oc_bytes_t oid = oc_bytes_take(&algorithm, V_ASN1_OBJECT);

    if (!oid.at || (algorithm.len > 0 && !is_same(algorithm, null, sizeof(null))))
        return NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const ASN1_OBJECT *object = OBJ_nid2obj(known[i]);

        if (is_same(oid, OBJ_get0_data(object), OBJ_length(object)))
            return EVP_get_digestbynid(known[i]);
    }
    return NULL;
}

static int is_hash_of(oc_bytes_t hash, const void *data, apr_size_t len, const EVP_MD *md)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_len = 0;

    return EVP_Digest(data, len, digest, &digest_len, md, NULL) == 1 && is_same(hash, digest, digest_len);
}

/* Does a CertID name our issuer? RFC 6960 section 4.1.1. */
static int is_issuer(const oc_check_t *check, oc_bytes_t certid)
{
    X509 *issuer = check->subject->issuer;
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(issuer);
    const EVP_MD *md = certid_hash(oc_bytes_take(&certid, 0x30));
    const unsigned char *name;
    size_t name_len;

    return md && key && X509_NAME_get0_der(check->subject->issuer_name, &name, &name_len)
           && is_hash_of(oc_bytes_take(&certid, V_ASN1_OCTET_STRING), name, name_len, md)
           && is_hash_of(oc_bytes_take(&certid, V_ASN1_OCTET_STRING), ASN1_STRING_get0_data(key),
                         (apr_size_t)ASN1_STRING_length(key), md);
}

/* The same, but remembers what most SingleResponses of one response have in common. */
static int names_issuer(oc_singles_t *singles, oc_bytes_t certid, oc_bytes_t before_serial)
{
    for (int i = 0; i < singles->n_accepted; i++)
        if (is_same(before_serial, singles->accepted[i].at, singles->accepted[i].len))
            return 1;
    if (!is_issuer(singles->check, certid))
        return 0;
    if (singles->n_accepted < ACCEPTED_MAX)
        singles->accepted[singles->n_accepted++] = before_serial;
    return 1;
}

/* Each must name our issuer: where one names another, OpenSSL expects a local trust decision and refuses the signer,
 * and Firefox fails on a hash that it cannot compute. */
static oc_verdict_t check_certid(oc_singles_t *singles, oc_bytes_t certid, int i, int count, int *is_ours)
{
    const oc_check_t *check = singles->check;
    oc_bytes_t rest = certid, before = certid;

    (void)oc_bytes_take(&rest, 0x30);
    (void)oc_bytes_take(&rest, V_ASN1_OCTET_STRING);
    (void)oc_bytes_take(&rest, V_ASN1_OCTET_STRING);
    before.len = (apr_size_t)(rest.at - certid.at);
    *is_ours = is_same(rest, singles->serial, (apr_size_t)singles->serial_len);
    singles->same_serial += *is_ours;
    if (names_issuer(singles, certid, before))
        return PASSED;
    if (*is_ours)
        return oc_check_refuse(
            check, OC_NOT_OURS,
            "it has the certificate's serial number, but is for another issuer or uses an unknown hash");
    return oc_check_refuse(check, OC_NOT_OURS, "its answer %d of %d is for another issuer or uses an unknown hash",
                           i + 1, count);
}

/* Firefox rejects a response with a list of SCTs that is empty, present twice or not an OCTET STRING. */
static oc_verdict_t check_sct_list(oc_singles_t *singles, const X509_EXTENSION *extension)
{
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data((X509_EXTENSION *)extension);
    oc_bytes_t rest = {ASN1_STRING_get0_data(value), (apr_size_t)ASN1_STRING_length(value)};

    if (++singles->sct_lists > 1)
        return oc_check_refuse(singles->check, OC_NOT_DER, "it has two lists of SCTs");
    if (!oc_bytes_take(&rest, V_ASN1_OCTET_STRING).at || rest.len > 0)
        return oc_check_refuse(singles->check, OC_NOT_DER, "its list of SCTs is not an OCTET STRING");
    return PASSED;
}

/* Chrome checks the extensions of every SingleResponse: none may be critical, and none may be present twice. */
static oc_verdict_t check_extensions(oc_singles_t *singles, OCSP_SINGLERESP *single, int is_ours)
{
    int count = OCSP_SINGLERESP_get_ext_count(single);

    for (int i = 0; i < count; i++) {
        X509_EXTENSION *extension = (X509_EXTENSION *)OCSP_SINGLERESP_get_ext(single, i);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);
        oc_verdict_t verdict = PASSED;
        char text[80];

        if (X509_EXTENSION_get_critical(extension))
            return oc_check_refuse_extension(singles->check, extension);
        OBJ_obj2txt(text, sizeof(text), oid, 1);
        if (OCSP_SINGLERESP_get_ext_by_OBJ(single, oid, i) >= 0)
            return oc_check_refuse(singles->check, OC_NOT_DER, "extension %s appears twice", text);
        if (is_ours && strcmp(text, SCT_LIST) == 0)
            verdict = check_sct_list(singles, extension);
        if (verdict != PASSED)
            return verdict;
    }
    return PASSED;
}

static oc_verdict_t read_times(const oc_check_t *check, oc_single_t *one, const ASN1_GENERALIZEDTIME *this_update,
                               const ASN1_GENERALIZEDTIME *next_update)
{
    if (!oc_x509_strict_time(&one->this_update, this_update))
        return oc_check_refuse(check, OC_TIMES_INVALID, "thisUpdate is not of the form YYYYMMDDHHMMSSZ");
    if (next_update && !oc_x509_strict_time(&one->next_update, next_update))
        return oc_check_refuse(check, OC_TIMES_INVALID, "nextUpdate is not of the form YYYYMMDDHHMMSSZ");
    return PASSED;
}

static oc_verdict_t check_age(oc_check_t *check, apr_time_t this_update, apr_interval_time_t max_age, const char *whose)
{
    apr_time_t end = oc_check_later(this_update, max_age);
    char text[32];

    oc_check_lower(check, end);
    if (end > check->policy->now)
        return PASSED;
    oc_x509_time_text(text, sizeof(text), this_update);
    return oc_check_refuse(check, OC_TOO_OLD, "thisUpdate is %s, beyond %s", text, whose);
}

/* The skew is for a responder whose clock is ahead of ours. It is not granted to nextUpdate, as mod_ssl does: what has
 * ended on our clock has ended on the clocks of our clients. */
static oc_verdict_t check_window(oc_check_t *check, const oc_single_t *one, int has_end)
{
    const oc_verify_policy_t *policy = check->policy;

    if (has_end && one->next_update < one->this_update)
        return oc_check_refuse_time(check, OC_TIMES_INVALID, "thisUpdate is later than nextUpdate, which",
                                    one->next_update);
    if (!oc_check_is_past(check, one->this_update))
        return oc_check_refuse_time(check, OC_NOT_YET_VALID, "thisUpdate", one->this_update);
    if (has_end && one->next_update <= policy->now)
        return oc_check_refuse_time(check, OC_EXPIRED, "nextUpdate", one->next_update);
    oc_check_lower(check, has_end ? one->next_update : oc_check_later(policy->now, policy->open_ended));
    if (policy->max_age > 0) {
        oc_verdict_t verdict = check_age(check, one->this_update, policy->max_age, "SSLStaplingResponseMaxAge");
        if (verdict != PASSED)
            return verdict;
    }
    if (has_end)
        return PASSED;
    return check_age(check, one->this_update, OPEN_ENDED_AGE, "15 days, and it has no nextUpdate");
}

/* Judges one SingleResponse. Chrome reads the times of all of them, so all must be well-formed; their values matter in
 * ours alone. */
static oc_verdict_t judge(oc_check_t *check, OCSP_SINGLERESP *single, int is_ours, oc_single_t *one)
{
    ASN1_GENERALIZEDTIME *revoked_at = NULL, *this_update = NULL, *next_update = NULL;
    int status = OCSP_single_get0_status(single, &one->reason, &revoked_at, &this_update, &next_update);
    oc_verdict_t verdict = read_times(check, one, this_update, next_update);

    if (verdict != PASSED)
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
            return oc_check_refuse(check, OC_TIMES_INVALID, "revocationTime is not of the form YYYYMMDDHHMMSSZ");
        break;
    default:
        return oc_check_refuse(check, OC_NOT_DER, "certificate status %d", status);
    }
    return is_ours ? check_window(check, one, next_update != NULL) : PASSED;
}

/* Several for our certificate (a responder may give one per hash algorithm): clients pick the first, or the worst, so
 * each is judged on its own, and the worst status and the narrowest times count. */
static void take_single(oc_verify_result_t *result, const oc_single_t *one, int is_first)
{
    if (is_first || one->this_update < result->this_update)
        result->this_update = one->this_update;
    if (result->next_update == 0 || (one->next_update != 0 && one->next_update < result->next_update))
        result->next_update = one->next_update;
    if (is_first || one->status == OC_REVOKED || result->verdict == OC_GOOD) {
        result->verdict = one->status;
        result->revoked_at = one->revoked_at;
        result->revocation_reason = one->status == OC_REVOKED ? one->reason : -1;
    }
}

static oc_verdict_t check_one(oc_singles_t *singles, oc_bytes_t certid, int i, int count)
{
    oc_check_t *check = singles->check;
    OCSP_SINGLERESP *single = OCSP_resp_get0(check->basic, i);
    oc_single_t one = {.status = OC_UNKNOWN, .reason = -1};
    int is_ours = 0;
    oc_verdict_t verdict = check_certid(singles, certid, i, count, &is_ours);

    /* A client must find ours at any place, but GnuTLS checks the first alone and then ends the connection, which it
     * would have continued without a staple. */
    if (verdict == PASSED && is_ours && i > 0 && singles->ours == 0)
        return oc_check_refuse(check, OC_NOT_OURS, "it is answer %d of %d, but some clients read only the first", i + 1,
                               count);
    if (verdict == PASSED)
        verdict = check_extensions(singles, single, is_ours);
    if (verdict == PASSED)
        verdict = judge(check, single, is_ours, &one);
    if (is_ours && one.this_update != 0)
        take_single(check->result, &one, singles->ours++ == 0);
    return verdict;
}

static oc_verdict_t refuse_not_ours(const oc_check_t *check, int count)
{
    char serial[48] = "?";
    ASN1_INTEGER *other;

    if (count > 0
        && OCSP_id_get0_info(NULL, NULL, NULL, &other,
                             (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(OCSP_resp_get0(check->basic, 0))))
        oc_x509_serial(serial, sizeof(serial), other);
    return oc_check_refuse(check, OC_NOT_OURS, "it is about %d certificates, the first with serial %s", count, serial);
}

/* The list of SingleResponses, as in the response. @a data: what follows it */
static oc_bytes_t list_of(const oc_check_t *check, oc_bytes_t *data)
{
    oc_bytes_t element = check->signed_data;

    *data = oc_bytes_take(&element, 0x30);
    (void)oc_bytes_take(data, 0xa0); /* version */
    if (!oc_bytes_take(data, 0xa1).at)
        (void)oc_bytes_take(data, 0xa2);
    (void)oc_bytes_take(data, V_ASN1_GENERALIZEDTIME);
    return oc_bytes_take(data, 0x30);
}

/* Does a list of extensions without any come next? RFC 5280 section 4.1 requires one, and Chrome rejects the response
 * without it. */
static int has_empty_extensions(oc_bytes_t rest)
{
    oc_bytes_t field = oc_bytes_take(&rest, 0xa1);

    return field.at && oc_bytes_take(&field, 0x30).len == 0;
}

/* The extensions of a SingleResponse, from its status on. */
static oc_bytes_t extensions_of(oc_bytes_t single)
{
    if (!oc_bytes_take(&single, 0x80).at && !oc_bytes_take(&single, 0xa1).at)
        (void)oc_bytes_take(&single, 0x82);
    (void)oc_bytes_take(&single, V_ASN1_GENERALIZEDTIME);
    (void)oc_bytes_take(&single, 0xa0);
    return single;
}

oc_verdict_t oc_singles_check(oc_check_t *check)
{
    oc_singles_t singles = {.check = check};
    int count = OCSP_resp_count(check->basic);
    oc_bytes_t after, list = list_of(check, &after);
    oc_verdict_t verdict = PASSED;
    int is_empty = has_empty_extensions(after);

    singles.serial_len = i2d_ASN1_INTEGER((ASN1_INTEGER *)check->subject->serial, &singles.serial);
    if (singles.serial_len <= 0)
        return oc_check_refuse(check, OC_OUT_OF_RESOURCES, "the certificate's serial cannot be written");
    for (int i = 0; verdict == PASSED && i < count; i++) {
        oc_bytes_t single = oc_bytes_take(&list, 0x30), certid = oc_bytes_take(&single, 0x30);

        verdict = certid.at ? check_one(&singles, certid, i, count)
                            : oc_check_refuse(check, OC_NOT_DER, "its SingleResponses cannot be separated");
        is_empty |= has_empty_extensions(extensions_of(single));
    }
    OPENSSL_free(singles.serial);
    if (verdict == PASSED && is_empty)
        return oc_check_refuse(check, OC_NOT_DER, "it has an empty list of extensions");
    if (verdict != PASSED)
        return verdict;
    return singles.ours > 0 ? check->result->verdict : refuse_not_ours(check, count);
}
