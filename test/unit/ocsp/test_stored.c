/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Stored records compared with their responses: a process that can write to the cache may have changed any number, or
 * all of them, around a genuine response. The response's own values must decide.
 */
#include "support_test.h"
#include "support_verify.h"

#include "ocsp/record.h"

#include <apr_strings.h>
#include <openssl/ocsp.h>
#include <string.h>

#define SECOND apr_time_from_sec(1)

static struct {
    oc_cert_t *cert;
    oc_record_t record; /* as oc_record_make() makes it, at PKI_NOW */
    oc_verify_result_t result;
} stored;

static int make(pki_bytes_t bytes)
{
    const char *reason;

    assert_int_equal(oc_cert_from_x509(&stored.cert, scene.certificate->x509, scene.issuer->x509,
                                       oc_issuer_set_create(scene.pool), scene.pool, &reason),
                     APR_SUCCESS);
    scene_judge_bytes(bytes);
    return oc_record_make(&stored.record, &scene.result, stored.cert, OC_ORIGIN_RESPONDER, PKI_NOW);
}

static void make_single(const pki_single_t *single)
{
    pki_response_t response = scene_response(single);

    assert_true(make(pki_respond(scene.pool, &response)));
}

static void make_good(void)
{
    pki_single_t single = scene_single();

    make_single(&single);
}

static void make_revoked(void)
{
    pki_single_t single = scene_single();

    single.status = V_OCSP_CERTSTATUS_REVOKED;
    single.revoked_at = pki_time(scene.pool, PKI_NOW - 3 * PKI_DAY);
    make_single(&single);
}

static void make_open_ended(void)
{
    pki_single_t single = scene_single();

    single.next_update = NULL;
    make_single(&single);
}

static void make_unknown(void)
{
    pki_single_t single = scene_single();

    single.status = V_OCSP_CERTSTATUS_UNKNOWN;
    make_single(&single);
}

static int verify(oc_record_t *record)
{
    return oc_record_verify(record, stored.cert, &scene.policy, &stored.result, scene.pool);
}

static void assert_accepted(oc_record_t record)
{
    if (!verify(&record))
        fail_msg("refused: %s (%s)", oc_verdict_name(stored.result.verdict), stored.result.detail);
    assert_int_equal(stored.result.verdict, record.verdict);
    assert_int_equal(stored.result.usable_until, record.usable_until);
    assert_in_range(record.usable_until, scene.policy.now + 1, APR_INT64_MAX);
    assert_in_range(record.fetched_at, 0, scene.policy.now);
}

static void assert_refused(oc_record_t record, oc_verdict_t verdict, const char *detail)
{
    assert_false(verify(&record));
    assert_int_equal(stored.result.verdict, verdict);
    assert_non_null(strstr(stored.result.detail, detail));
    assert_int_equal(stored.result.usable_until, 0);
}

static void assert_unchanged(void)
{
    oc_record_t record = stored.record;

    assert_accepted(record);
    (void)verify(&record);
    assert_memory_equal(&record, &stored.record, sizeof(record));
}

TEST(what_was_made_is_accepted_as_it_is)
{
    static void (*const kinds[])(void) = {make_good, make_revoked, make_open_ended, make_unknown};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kinds[i]();
        assert_unchanged();
        scene.policy.now += 10 * SECOND;
        assert_unchanged();
        scene.policy.now = PKI_NOW;
    }
    for (int status = 1; status <= 6; status++) {
        assert_true(make(pki_status(scene.pool, status)));
        assert_unchanged();
        scene.policy.now += 10 * SECOND;
        assert_unchanged();
        scene.policy.now = PKI_NOW;
    }
}

TEST(refused_responses_leave_no_record)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    single.serial = 0x99;
    assert_false(make(pki_respond(scene.pool, &response)));
    assert_false(make(PKI_BYTES(0x30, 0x00)));
}

/* A later thisUpdate would shut out a true "revoked" (invariant 7). */
TEST(invariant_7_forged_times)
{
    static const apr_interval_time_t OFFSETS[] = {1, -1, SECOND, -SECOND, 300 * PKI_DAY, -300 * PKI_DAY};
    oc_record_t record;

    for (size_t i = 0; i < sizeof(OFFSETS) / sizeof(OFFSETS[0]); i++) {
        make_good();
        record = stored.record;
        record.this_update += OFFSETS[i];
        assert_refused(record, OC_ALTERED, "thisUpdate");
        record = stored.record;
        record.next_update += OFFSETS[i];
        assert_refused(record, OC_ALTERED, "nextUpdate");
        make_open_ended();
        record = stored.record;
        record.next_update = PKI_NOW + OFFSETS[i];
        assert_refused(record, OC_ALTERED, "nextUpdate");
    }
    make_good();
    record = stored.record;
    record.this_update = 0; /* then fetched_at would decide */
    assert_refused(record, OC_ALTERED, "thisUpdate");
}

TEST(forged_verdicts)
{
    static void (*const kinds[])(void) = {make_good, make_revoked, make_unknown};
    oc_record_t record;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kinds[i]();
        record = stored.record;
        for (int verdict = 0; verdict < OC_VERDICT_LIMIT + 2; verdict++) {
            record.verdict = (oc_verdict_t)verdict;
            if (record.verdict != stored.record.verdict)
                assert_refused(record, OC_ALTERED, "its response says");
        }
    }
    assert_true(make(pki_status(scene.pool, OCSP_RESPONSE_STATUS_TRYLATER)));
    record = stored.record;
    record.verdict = OC_GOOD;
    assert_refused(record, OC_ALTERED, "stored as good");
    record.verdict = OC_UNAUTHORIZED;
    assert_refused(record, OC_ALTERED, "stored as unauthorized");
}

/* nextUpdate ends it, whatever was stored. */
TEST(forged_usable_time)
{
    apr_time_t forged[] = {PKI_NOW + 1, PKI_NOW + 300 * PKI_DAY, APR_INT64_MAX};

    for (size_t i = 0; i < 3; i++) {
        oc_record_t record;

        make_good();
        record = stored.record;
        record.usable_until = forged[i];
        assert_true(verify(&record));
        assert_int_equal(record.usable_until, PKI_NOW + PKI_DAY);
        /* Without nextUpdate it cannot be later than one counted from now; an earlier one is kept. */
        make_open_ended();
        record = stored.record;
        record.usable_until = forged[i];
        assert_true(verify(&record));
        assert_int_equal(record.usable_until, i == 0 ? forged[0] : PKI_NOW + PKI_HOUR);
        assert_true(make(pki_status(scene.pool, OCSP_RESPONSE_STATUS_TRYLATER)));
        record = stored.record;
        record.usable_until = forged[i];
        assert_true(verify(&record));
        assert_int_equal(record.usable_until, i == 0 ? forged[0] : PKI_NOW + 2 * PKI_HOUR);
    }
    make_good();
    stored.record.usable_until = PKI_NOW;
    assert_refused(stored.record, OC_EXPIRED, "2030-03-17T17:46:40Z");
    stored.record.usable_until = -1;
    assert_refused(stored.record, OC_EXPIRED, "usable until");
}

/* A clock that was ahead has been set back: clients would refuse it until its thisUpdate. */
TEST(usable_later)
{
    apr_time_t forged[] = {APR_INT64_MIN, 0, PKI_NOW}, from;
    oc_record_t record;

    make_good();
    from = stored.record.this_update - SCENE_SKEW;
    assert_int_equal(stored.record.usable_from, from);
    assert_true(oc_record_is_usable(&stored.record, from));
    assert_false(oc_record_is_usable(&stored.record, from - 1));
    assert_false(oc_record_is_usable(&stored.record, stored.record.usable_until));
    for (size_t i = 0; i < 3; i++) {
        record = stored.record;
        record.usable_from = forged[i];
        assert_true(verify(&record));
        assert_int_equal(record.usable_from, from);
    }
    record = stored.record;
    record.usable_from = PKI_NOW + 1;
    assert_refused(record, OC_NOT_YET_VALID, "usable from");
    scene.policy.skew = 0;
    record = stored.record;
    assert_true(verify(&record));
    assert_int_equal(record.usable_from, record.this_update);
}

TEST(forged_fetched_at)
{
    apr_time_t forged[] = {PKI_NOW + 1, PKI_NOW + 3650 * PKI_DAY, APR_INT64_MAX};
    oc_record_t record;

    for (size_t i = 0; i < 3; i++) {
        make_good();
        record = stored.record;
        record.fetched_at = forged[i];
        assert_true(verify(&record)); /* it decides nothing here, and is corrected */
        assert_int_equal(record.fetched_at, PKI_NOW);
        /* Among errors the latest prevails: one from the future would always prevail. */
        assert_true(make(pki_status(scene.pool, OCSP_RESPONSE_STATUS_TRYLATER)));
        record = stored.record;
        record.fetched_at = forged[i];
        assert_refused(record, OC_ALTERED, "obtained at");
    }
    make_good();
    record = stored.record;
    record.fetched_at = APR_INT64_MIN;
    assert_true(verify(&record));
    assert_int_equal(record.fetched_at, record.this_update);
    record = stored.record;
    record.fetched_at = record.this_update - SCENE_SKEW;
    assert_true(verify(&record));
    assert_int_equal(record.fetched_at, record.this_update - SCENE_SKEW);
    assert_true(make(pki_status(scene.pool, OCSP_RESPONSE_STATUS_TRYLATER)));
    record = stored.record;
    record.fetched_at = APR_INT64_MIN; /* prevails over nothing */
    assert_true(verify(&record));
}

TEST(another_certificate_or_response)
{
    oc_record_t record;
    unsigned char *der;

    make_good();
    record = stored.record;
    record.binding[31] ^= 1;
    assert_refused(record, OC_NOT_OURS, "another certificate");

    record = stored.record;
    der = apr_pmemdup(scene.pool, record.der, record.der_len);
    der[record.der_len - 1] ^= 1;
    record.der = der;
    assert_refused(record, OC_SIGNATURE_BAD, "");
    record.der_len = 5;
    assert_refused(record, OC_NOT_DER, "");
    record.der_len = 0;
    assert_refused(record, OC_NOT_DER, "");
}

/* Settings change between two starts, and time passes. */
TEST(current_settings_decide)
{
    oc_record_t record;

    make_good();
    scene.policy.max_age = 2 * PKI_HOUR;
    record = stored.record;
    assert_true(verify(&record));
    assert_int_equal(record.usable_until, PKI_NOW + PKI_HOUR);
    scene.policy.max_age = PKI_HOUR;
    assert_refused(stored.record, OC_TOO_OLD, "");
    scene.policy.max_age = 0;
    assert_true(verify(&record)); /* longer again */
    assert_int_equal(record.usable_until, PKI_NOW + PKI_DAY);

    scene.policy.now = PKI_NOW + PKI_DAY;
    assert_refused(stored.record, OC_EXPIRED, "");
    scene.policy.now = PKI_NOW - 2 * PKI_HOUR; /* the clock was set back */
    assert_refused(stored.record, OC_NOT_YET_VALID, "");

    scene.policy.now = PKI_NOW;
    assert_true(make(pki_status(scene.pool, OCSP_RESPONSE_STATUS_UNAUTHORIZED)));
    scene.policy.error_keep = PKI_HOUR;
    record = stored.record;
    assert_true(verify(&record));
    assert_int_equal(record.usable_until, PKI_NOW + PKI_HOUR);
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
