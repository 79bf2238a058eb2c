/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The contents of a well-formed, well-signed response: status, certificate, times, extensions. Who signed is tested in
 * test_signer.c, hostile bytes in test_verify_bytes.c.
 */
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include <apr_strings.h>
#include <openssl/ocsp.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------- status */

TEST(test_good)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_bytes_t bytes = pki_respond(scene.pool, &response);

    assert_verdict(OC_GOOD, scene_judge_bytes(bytes));
    assert_int_equal(scene.result.produced_at, PKI_NOW - PKI_HOUR);
    assert_int_equal(scene.result.this_update, PKI_NOW - PKI_HOUR);
    assert_int_equal(scene.result.next_update, PKI_NOW + PKI_DAY);
    assert_int_equal(scene.result.usable_until, PKI_NOW + PKI_DAY);
    assert_string_equal(scene.result.detail, "");
    assert_true(pki_openssl_agrees(bytes, scene.issuer->x509, PKI_NOW));
}

/* A malformed time. From OpenSSL 3.5 on, the parser rejects a BasicOCSPResponse with some of these. */
static oc_verdict_t expected_of_malformed_time(oc_verdict_t actual)
{
    return actual == OC_NOT_DER && OpenSSL_version_num() >= 0x30500000UL ? OC_NOT_DER : OC_TIMES_INVALID;
}

#define assert_malformed_time(judge)                                  \
    do {                                                              \
        oc_verdict_t verdict = (judge);                               \
        assert_verdict(expected_of_malformed_time(verdict), verdict); \
    } while (0)

TEST(test_revoked)
{
    pki_single_t single = scene_single();

    single.status = V_OCSP_CERTSTATUS_REVOKED;
    single.reason = OCSP_REVOKED_STATUS_KEYCOMPROMISE;
    single.revoked_at = pki_time(scene.pool, PKI_NOW - 3 * PKI_DAY);
    assert_verdict(OC_REVOKED, scene_judge_single(&single));
    assert_int_equal(scene.result.revoked_at, PKI_NOW - 3 * PKI_DAY);
    assert_int_equal(scene.result.revocation_reason, OCSP_REVOKED_STATUS_KEYCOMPROMISE);
    assert_int_equal(scene.result.usable_until, PKI_NOW + PKI_DAY);

    single.reason = OCSP_REVOKED_STATUS_NOSTATUS;
    assert_verdict(OC_REVOKED, scene_judge_single(&single));
    assert_int_equal(scene.result.revocation_reason, -1);

    /* RFC 6960 section 2.2: a certificate that was never issued is "revoked" as of 1970. */
    single.reason = OCSP_REVOKED_STATUS_CERTIFICATEHOLD;
    single.revoked_at = "19700101000000Z";
    assert_verdict(OC_REVOKED, scene_judge_single(&single));
    assert_int_equal(scene.result.revoked_at, 0);

    single.revoked_at = "2030031712000Z";
    assert_malformed_time(scene_judge_single(&single));
}

TEST(test_unknown)
{
    pki_single_t single = scene_single();

    single.status = V_OCSP_CERTSTATUS_UNKNOWN;
    assert_verdict(OC_UNKNOWN, scene_judge_single(&single));
    assert_int_equal(scene.result.usable_until, PKI_NOW + 2 * PKI_HOUR);
    single.next_update = pki_time(scene.pool, PKI_NOW + PKI_HOUR);
    assert_verdict(OC_UNKNOWN, scene_judge_single(&single));
    assert_int_equal(scene.result.usable_until, PKI_NOW + PKI_HOUR);
}

TEST(error_statuses)
{
    static const struct {
        int status;
        oc_verdict_t verdict;
    } errors[] = {{1, OC_MALFORMED_REQUEST}, {2, OC_INTERNAL_ERROR},    {3, OC_TRY_LATER},
                  {4, OC_UNDEFINED_STATUS},  {5, OC_SIG_REQUIRED},      {6, OC_UNAUTHORIZED},
                  {7, OC_UNDEFINED_STATUS},  {100, OC_UNDEFINED_STATUS}};

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        assert_verdict(errors[i].verdict, scene_judge_bytes(pki_status(scene.pool, errors[i].status)));
        assert_int_equal(scene.result.usable_until, PKI_NOW + 2 * PKI_HOUR);
        assert_int_equal(scene.result.der_len, 5);
    }
    assert_verdict(OC_NOT_BASIC, scene_judge_bytes(pki_status(scene.pool, OCSP_RESPONSE_STATUS_SUCCESSFUL)));
}

/* --------------------------------------------------------------------------------------------------- whose status */

TEST(wrong_serial)
{
    pki_single_t single = scene_single();

    single.serial = 0x4711;
    assert_verdict(OC_NOT_OURS, scene_judge_single(&single));
    assert_non_null(strstr(scene.result.detail, "4711"));
}

TEST(wrong_issuer)
{
    pki_single_t single = scene_single();
    pki_id_t *namesake = pki_make(scene.pool, &(pki_spec_t){.cn = "Test Issuer"});
    pki_id_t *renamed = pki_make(scene.pool, &(pki_spec_t){.cn = "Another Issuer", .rekey = scene.issuer});
    const pki_id_t *wrong[] = {scene.root, namesake /* same name */, renamed /* same key */};

    for (size_t i = 0; i < 3; i++) {
        single.issuer = wrong[i];
        assert_verdict(OC_NOT_OURS, scene_judge_single(&single));
        assert_non_null(strstr(scene.result.detail, "another issuer"));
    }
}

TEST(certid_hashes)
{
    pki_single_t single = scene_single();
    const EVP_MD *known[] = {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()};

    for (size_t i = 0; i < 4; i++) {
        single.id_hash = known[i];
        assert_verdict(OC_GOOD, scene_judge_single(&single));
        single.issuer = scene.root;
        assert_verdict(OC_NOT_OURS, scene_judge_single(&single));
        single.issuer = scene.issuer;
    }
    single.id_hash = EVP_md5();
    assert_verdict(OC_NOT_OURS, scene_judge_single(&single));
}

static oc_verdict_t judge_several(const pki_single_t *singles, int count)
{
    pki_response_t response = scene_response(singles);

    response.count = count;
    return scene_judge(&response);
}

TEST(several_singles)
{
    pki_single_t ours = scene_single(), other = scene_single();

    other.serial = 0x99;
    other.status = V_OCSP_CERTSTATUS_REVOKED;
    other.next_update = pki_time(scene.pool, PKI_NOW - PKI_DAY / 2); /* does not matter */
    assert_verdict(OC_GOOD, judge_several((pki_single_t[]){ours, other, other}, 3));
    assert_int_equal(scene.result.usable_until, PKI_NOW + PKI_DAY);
    /* GnuTLS clients read only the first one, and fail the handshake where it is for another certificate. */
    assert_verdict(OC_NOT_OURS, judge_several((pki_single_t[]){other, other, ours}, 3));
    assert_non_null(strstr(scene.result.detail, "3 of 3"));
    assert_verdict(OC_NOT_OURS, judge_several((pki_single_t[]){other, other}, 2));
    assert_verdict(OC_NOT_OURS, judge_several(NULL, 0));
}

TEST(several_for_us)
{
    pki_single_t good = scene_single(), longer = scene_single(), revoked = scene_single(), unknown = scene_single();

    longer.id_hash = EVP_sha256();
    longer.this_update = pki_time(scene.pool, PKI_NOW - PKI_DAY);
    longer.next_update = pki_time(scene.pool, PKI_NOW + 2 * PKI_DAY);
    revoked.status = V_OCSP_CERTSTATUS_REVOKED;
    revoked.revoked_at = pki_time(scene.pool, PKI_NOW - 3 * PKI_DAY);
    unknown.status = V_OCSP_CERTSTATUS_UNKNOWN;

    /* The narrowest times, in either order. */
    for (int swapped = 0; swapped < 2; swapped++) {
        assert_verdict(OC_GOOD,
                       judge_several(swapped ? (pki_single_t[]){longer, good} : (pki_single_t[]){good, longer}, 2));
        assert_int_equal(scene.result.this_update, PKI_NOW - PKI_DAY);
        assert_int_equal(scene.result.next_update, PKI_NOW + PKI_DAY);
        assert_int_equal(scene.result.usable_until, PKI_NOW + PKI_DAY);
    }
    /* The worst status, in either order. */
    assert_verdict(OC_REVOKED, judge_several((pki_single_t[]){good, revoked, unknown}, 3));
    assert_int_equal(scene.result.revoked_at, PKI_NOW - 3 * PKI_DAY);
    assert_verdict(OC_REVOKED, judge_several((pki_single_t[]){revoked, good}, 2));
    assert_int_equal(scene.result.revoked_at, PKI_NOW - 3 * PKI_DAY);
    assert_verdict(OC_UNKNOWN, judge_several((pki_single_t[]){good, unknown}, 2));
    /* None may be beyond its time, since a client may pick that one. */
    longer.next_update = pki_time(scene.pool, PKI_NOW - PKI_HOUR / 2);
    assert_verdict(OC_EXPIRED, judge_several((pki_single_t[]){good, longer}, 2));
    assert_verdict(OC_EXPIRED, judge_several((pki_single_t[]){revoked, longer}, 2));
}

/* -------------------------------------------------------------------------------------------------------- times */

static oc_verdict_t judge_times(const char *this_update, const char *next_update)
{
    pki_single_t single = scene_single();

    single.this_update = this_update;
    single.next_update = next_update;
    return scene_judge_single(&single);
}

static const char *at(apr_interval_time_t offset)
{
    return pki_time(scene.pool, PKI_NOW + offset);
}

static const apr_interval_time_t second = APR_USEC_PER_SEC;

TEST(expired)
{
    assert_verdict(OC_GOOD, judge_times(at(-PKI_DAY), at(second)));
    assert_int_equal(scene.result.usable_until, PKI_NOW + second);
    /* No skew here: a response that has expired for us has expired for clients. */
    assert_verdict(OC_EXPIRED, judge_times(at(-PKI_DAY), at(0)));
    assert_verdict(OC_EXPIRED, judge_times(at(-PKI_DAY), at(-second)));
    assert_non_null(strstr(scene.result.detail, "nextUpdate is 2030-03-17T17:46:39Z"));
}

TEST(from_the_future)
{
    assert_verdict(OC_GOOD, judge_times(at(SCENE_SKEW), at(PKI_DAY)));
    assert_verdict(OC_NOT_YET_VALID, judge_times(at(SCENE_SKEW + second), at(PKI_DAY)));
    scene.policy.skew = 0;
    assert_verdict(OC_GOOD, judge_times(at(0), at(PKI_DAY)));
    assert_verdict(OC_NOT_YET_VALID, judge_times(at(second), at(PKI_DAY)));
}

TEST(begin_of_the_usable_time)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    assert_verdict(OC_GOOD, judge_times(at(SCENE_SKEW), at(PKI_DAY)));
    assert_int_equal(scene.result.usable_from, PKI_NOW);
    assert_verdict(OC_GOOD, judge_times(at(-PKI_HOUR), at(PKI_DAY)));
    assert_int_equal(scene.result.usable_from, PKI_NOW - PKI_HOUR - SCENE_SKEW);
    response.produced_at = at(second);
    assert_verdict(OC_GOOD, scene_judge(&response));
    assert_int_equal(scene.result.usable_from, PKI_NOW + second - SCENE_SKEW);
    assert_verdict(OC_TRY_LATER, scene_judge_bytes(pki_status(scene.pool, OCSP_RESPONSE_STATUS_TRYLATER)));
    assert_int_equal(scene.result.usable_from, 0);
    assert_verdict(OC_NOT_YET_VALID, judge_times(at(SCENE_SKEW + second), at(PKI_DAY)));
    assert_int_equal(scene.result.usable_from, 0);
}

TEST(test_produced_at)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    response.produced_at = at(SCENE_SKEW);
    assert_verdict(OC_GOOD, scene_judge(&response));
    response.produced_at = at(SCENE_SKEW + second);
    assert_verdict(OC_NOT_YET_VALID, scene_judge(&response));
    assert_non_null(strstr(scene.result.detail, "producedAt"));
    response.produced_at = at(-300 * PKI_DAY);
    assert_verdict(OC_GOOD, scene_judge(&response));
}

TEST(without_next_update)
{
    assert_verdict(OC_GOOD, judge_times(at(-PKI_HOUR), NULL));
    assert_int_equal(scene.result.next_update, 0);
    assert_int_equal(scene.result.usable_until, PKI_NOW + PKI_HOUR);
    /* GnuTLS clients count one older than 15 days as superseded. */
    assert_verdict(OC_GOOD, judge_times(at(-15 * PKI_DAY + second), NULL));
    assert_int_equal(scene.result.usable_until, PKI_NOW + second);
    assert_verdict(OC_TOO_OLD, judge_times(at(-15 * PKI_DAY), NULL));
    assert_verdict(OC_GOOD, judge_times(at(-15 * PKI_DAY), at(PKI_DAY)));
}

TEST(times_in_wrong_order)
{
    assert_verdict(OC_TIMES_INVALID, judge_times(at(-PKI_HOUR), at(-PKI_HOUR - second)));
    assert_verdict(OC_TIMES_INVALID, judge_times(at(200 * second), at(100 * second)));
    /* An instant of validity within the skew is odd, but no contradiction. */
    assert_verdict(OC_GOOD, judge_times(at(second), at(second)));
}

TEST(far_future)
{
    /* The certificate ends first. */
    assert_verdict(OC_GOOD, judge_times(at(-PKI_HOUR), "99991231235959Z"));
    assert_int_equal(scene.result.next_update, apr_time_from_sec(253402300799LL));
    assert_int_equal(scene.result.usable_until, PKI_NOW + 30 * PKI_DAY);
    scene.subject.not_after = apr_time_from_sec(253402300799LL);
    assert_verdict(OC_GOOD, judge_times(at(-PKI_HOUR), "99991231235959Z"));
    assert_int_equal(scene.result.usable_until, apr_time_from_sec(253402300799LL));
    assert_verdict(OC_NOT_YET_VALID, judge_times("99991231235959Z", "99991231235959Z"));
    /* Durations from a configuration file do not overflow, however large. */
    scene.policy.skew = scene.policy.max_age = scene.policy.open_ended = APR_INT64_MAX;
    assert_verdict(OC_GOOD, judge_times(at(-PKI_HOUR), NULL));
    assert_int_equal(scene.result.usable_until, PKI_NOW - PKI_HOUR + 15 * PKI_DAY);
}

TEST(malformed_times)
{
    static const char *const malformed[] = {
        "20300317174640.5Z",
        "20300317174640+0000",
        "203003171746Z",
        "20300317174640",
        "300317174640Z",
        "20301317174640Z",
        "20300230174640Z",
        "20300317254640Z",
        "20300317176040Z",
        "20300317174660Z",
        "19691231235959Z",
        "00000101000000Z",
        " 0300317174640Z",
        "20300317174640z",
        "2030031717464\x01Z",
        "-0300317174640Z",
        "203003171746.5Z",
        "20300317174640Z ",
        "",
    };

    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        pki_single_t single = scene_single();
        pki_response_t response = scene_response(&single);

        assert_malformed_time(judge_times(malformed[i], at(PKI_DAY)));
        assert_malformed_time(judge_times(at(-PKI_HOUR), malformed[i]));
        if (malformed[i][0] == '\0')
            continue; /* with an empty one OpenSSL would not encode ResponseData at all */
        response.produced_at = malformed[i];
        assert_malformed_time(scene_judge(&response));
    }
}

TEST(test_max_age)
{
    scene.policy.max_age = 2 * PKI_HOUR;
    assert_verdict(OC_GOOD, judge_times(at(-PKI_HOUR), at(PKI_DAY)));
    assert_int_equal(scene.result.usable_until, PKI_NOW + PKI_HOUR);
    assert_verdict(OC_GOOD, judge_times(at(-2 * PKI_HOUR + second), at(PKI_DAY)));
    assert_verdict(OC_TOO_OLD, judge_times(at(-2 * PKI_HOUR), at(PKI_DAY)));
    assert_non_null(strstr(scene.result.detail, "SSLStaplingResponseMaxAge"));
    assert_verdict(OC_TOO_OLD, judge_times(at(-2 * PKI_HOUR), NULL));
}

TEST(certificate_ends)
{
    scene.subject.not_after = PKI_NOW + second;
    assert_verdict(OC_GOOD, judge_times(at(-PKI_HOUR), at(PKI_DAY)));
    assert_int_equal(scene.result.usable_until, PKI_NOW + second);
    assert_verdict(OC_GOOD, judge_times(at(-PKI_HOUR), NULL));
    assert_int_equal(scene.result.usable_until, PKI_NOW + second);
    scene.subject.not_after = PKI_NOW;
    assert_verdict(OC_CERTIFICATE_EXPIRED, judge_times(at(-PKI_HOUR), at(PKI_DAY)));
    /* Whatever its response says. */
    assert_verdict(OC_CERTIFICATE_EXPIRED, scene_judge_bytes(pki_status(scene.pool, 6)));
}

/* The same response at other times: nothing here looks at a clock. */
TEST(time_is_an_argument)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_bytes_t bytes;

    response.signer = scene.delegate;
    response.certificates[0] = scene.delegate->x509;
    bytes = pki_respond(scene.pool, &response);
    assert_verdict(OC_GOOD, scene_judge_bytes(bytes));
    scene.policy.now = PKI_NOW - PKI_DAY;
    assert_verdict(OC_NOT_YET_VALID, scene_judge_bytes(bytes));
    scene.policy.now = PKI_NOW + PKI_DAY - second;
    assert_verdict(OC_GOOD, scene_judge_bytes(bytes));
    scene.policy.now = PKI_NOW + PKI_DAY;
    assert_verdict(OC_EXPIRED, scene_judge_bytes(bytes));
    scene.policy.now = PKI_NOW + 10 * PKI_DAY;
    assert_verdict(OC_SIGNER_EXPIRED, scene_judge_bytes(bytes));
    scene.policy.now = 0;
    assert_verdict(OC_SIGNER_EXPIRED, scene_judge_bytes(bytes));
}

/* --------------------------------------------------------------------------------------------------- extensions */

TEST(test_extensions)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    response.nonce = 1;
    single.uncritical = PKI_OID;
    assert_verdict(OC_GOOD, scene_judge(&response));
    response.critical = PKI_OTHER_OID;
    assert_verdict(OC_CRITICAL_EXTENSION, scene_judge(&response));
    assert_non_null(strstr(scene.result.detail, PKI_OTHER_OID));
    response.critical = NULL;
    single.critical = PKI_OID;
    assert_verdict(OC_CRITICAL_EXTENSION, scene_judge(&response));
    assert_non_null(strstr(scene.result.detail, PKI_OID));
    /* A nonce that was not requested, and critical: no client knows it as such. */
    single.critical = NULL;
    response.nonce = 0;
    response.critical = "1.3.6.1.5.5.7.48.1.2";
    assert_verdict(OC_CRITICAL_EXTENSION, scene_judge(&response));
}

TEST(critical_extension_of_another)
{
    pki_single_t singles[] = {scene_single(), scene_single()};

    singles[1].serial = 0x99;
    singles[1].uncritical = PKI_OID;
    assert_verdict(OC_GOOD, judge_several(singles, 2));
    singles[1].critical = PKI_OTHER_OID; /* Chrome looks at all of them */
    assert_verdict(OC_CRITICAL_EXTENSION, judge_several(singles, 2));
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
