/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Every code has a complete row, names are unique and stable, and no number leaves the table.
 */
#include "base/verdict.h"

#include "base/selinux.h"

#include "support_test.h"

#include <stdint.h>

#include <limits.h>
#include <string.h>

/* Every code with the name and class that other programs rely on. A copy on purpose: a change of either shows. */
static const struct {
    oc_verdict_t verdict;
    const char *name;
    oc_class_t class;
} codes[] = {
    {OC_PENDING, "pending", OC_CLASS_PENDING},
    {OC_GOOD, "good", OC_CLASS_TRUTH},
    {OC_REVOKED, "revoked", OC_CLASS_TRUTH},
    {OC_UNKNOWN, "unknown", OC_CLASS_RESPONDER_ERROR},
    {OC_MALFORMED_REQUEST, "malformed-request", OC_CLASS_RESPONDER_ERROR},
    {OC_INTERNAL_ERROR, "internal-error", OC_CLASS_RESPONDER_ERROR},
    {OC_TRY_LATER, "try-later", OC_CLASS_RESPONDER_ERROR},
    {OC_SIG_REQUIRED, "signature-required", OC_CLASS_RESPONDER_ERROR},
    {OC_UNAUTHORIZED, "unauthorized", OC_CLASS_RESPONDER_ERROR},
    {OC_UNDEFINED_STATUS, "undefined-status", OC_CLASS_RESPONDER_ERROR},
    {OC_URL_UNUSABLE, "url-unusable", OC_CLASS_NO_ANSWER},
    {OC_NAME_LOOKUP_FAILED, "name-lookup-failed", OC_CLASS_NO_ANSWER},
    {OC_CONNECT_FAILED, "connect-failed", OC_CLASS_NO_ANSWER},
    {OC_TIMED_OUT, "timed-out", OC_CLASS_NO_ANSWER},
    {OC_CONNECTION_LOST, "connection-lost", OC_CLASS_NO_ANSWER},
    {OC_HTTP_STATUS, "http-status", OC_CLASS_NO_ANSWER},
    {OC_HTTP_REDIRECT, "http-redirect", OC_CLASS_NO_ANSWER},
    {OC_HTTP_MALFORMED, "http-malformed", OC_CLASS_NO_ANSWER},
    {OC_STOPPED, "stopped", OC_CLASS_NO_ANSWER},
    {OC_OUT_OF_RESOURCES, "out-of-resources", OC_CLASS_NO_ANSWER},
    {OC_FILE_UNREADABLE, "file-unreadable", OC_CLASS_NO_ANSWER},
    {OC_CACHE_FULL, "cache-full", OC_CLASS_NO_ANSWER},
    {OC_FILE_NOT_RENEWED, "file-not-renewed", OC_CLASS_NO_ANSWER},
    {OC_CONTENT_TYPE, "content-type", OC_CLASS_UNUSABLE},
    {OC_TOO_LARGE, "too-large", OC_CLASS_UNUSABLE},
    {OC_NOT_DER, "not-der", OC_CLASS_UNUSABLE},
    {OC_NOT_BASIC, "not-basic", OC_CLASS_UNUSABLE},
    {OC_NOT_OURS, "not-ours", OC_CLASS_UNUSABLE},
    {OC_SIGNER_MISSING, "signer-missing", OC_CLASS_UNUSABLE},
    {OC_SIGNER_REFUSED, "signer-refused", OC_CLASS_UNUSABLE},
    {OC_SIGNER_EXPIRED, "signer-expired", OC_CLASS_UNUSABLE},
    {OC_SIGNATURE_BAD, "signature-bad", OC_CLASS_UNUSABLE},
    {OC_SIGNATURE_WEAK, "signature-weak", OC_CLASS_UNUSABLE},
    {OC_CRITICAL_EXTENSION, "critical-extension", OC_CLASS_UNUSABLE},
    {OC_NOT_YET_VALID, "not-yet-valid", OC_CLASS_UNUSABLE},
    {OC_EXPIRED, "expired", OC_CLASS_UNUSABLE},
    {OC_TIMES_INVALID, "times-invalid", OC_CLASS_UNUSABLE},
    {OC_TOO_OLD, "too-old", OC_CLASS_UNUSABLE},
    {OC_CERTIFICATE_EXPIRED, "certificate-expired", OC_CLASS_UNUSABLE},
    {OC_SUPERSEDED, "superseded", OC_CLASS_UNUSABLE},
    {OC_ALTERED, "altered", OC_CLASS_UNUSABLE},
};
#define CODES (sizeof codes / sizeof codes[0])

TEST(names_and_classes)
{
    for (size_t i = 0; i < CODES; i++) {
        assert_string_equal(oc_verdict_name(codes[i].verdict), codes[i].name);
        assert_int_equal(oc_verdict_class(codes[i].verdict), codes[i].class);
        assert_string_not_equal(oc_verdict_text(codes[i].verdict), "");
    }
}

TEST(unlisted_codes_are_unusable)
{
    for (int number = -300; number < 1000; number++) {
        int listed = 0;
        for (size_t i = 0; i < CODES; i++)
            listed |= (int)codes[i].verdict == number;
        if (listed)
            continue;
        assert_int_equal(oc_verdict_class((oc_verdict_t)number), OC_CLASS_UNUSABLE);
        assert_string_equal(oc_verdict_text((oc_verdict_t)number), "unknown code");
        assert_string_equal(oc_verdict_name((oc_verdict_t)number), "unknown-code");
    }
    assert_string_equal(oc_verdict_text((oc_verdict_t)INT_MAX), "unknown code");
    assert_string_equal(oc_verdict_text((oc_verdict_t)INT_MIN), "unknown code");
    assert_string_not_equal(oc_verdict_advice((oc_verdict_t)INT_MIN), "");
}

TEST(texts_fit_a_sentence)
{
    for (size_t i = 0; i < CODES; i++) {
        const char *text = oc_verdict_text(codes[i].verdict);
        assert_true(text[0] >= 'a' && text[0] <= 'z');
        assert_true(text[strlen(text) - 1] != '.');
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(text, oc_verdict_text(codes[other].verdict));
    }
}

TEST(every_trouble_has_advice)
{
    for (size_t i = 0; i < CODES; i++) {
        const char *advice = oc_verdict_advice(codes[i].verdict);
        oc_verdict_t verdict = codes[i].verdict;
        if (verdict == OC_PENDING || verdict == OC_GOOD || verdict == OC_STOPPED) {
            assert_string_equal(advice, "");
            continue;
        }
        assert_true(strlen(advice) > 30);
        assert_true((advice[0] >= 'A' && advice[0] <= 'Z') || (advice[0] >= '0' && advice[0] <= '9'));
        assert_true(advice[strlen(advice) - 1] == '.');
        assert_null(strstr(advice, "support"));
    }
    assert_int_equal(strstr(oc_verdict_advice(OC_CONNECT_FAILED), "httpd_can_network_connect") != NULL,
                     oc_selinux_is_on());
    assert_non_null(strstr(oc_verdict_advice(OC_CONNECT_FAILED), "SSLOCSPProxyURL"));
}

TEST(outages_are_what_others_meet_too)
{
    for (size_t i = 0; i < CODES; i++) {
        oc_verdict_t verdict = codes[i].verdict;
        int is_outage = verdict == OC_NAME_LOOKUP_FAILED || verdict == OC_CONNECT_FAILED || verdict == OC_TIMED_OUT
                        || verdict == OC_CONNECTION_LOST;

        assert_int_equal(oc_verdict_is_outage(verdict, 404), is_outage);
        assert_int_equal(oc_verdict_is_outage(verdict, 499), is_outage);
        assert_int_equal(oc_verdict_is_outage(verdict, 500), is_outage || verdict == OC_HTTP_STATUS);
        assert_int_equal(oc_verdict_is_outage(verdict, 0), is_outage);
    }
    assert_int_equal(oc_verdict_is_outage((oc_verdict_t)INT_MAX, 500), 0);
}

TEST(response_status)
{
    assert_int_equal(oc_verdict_of_response_status(1), OC_MALFORMED_REQUEST);
    assert_int_equal(oc_verdict_of_response_status(2), OC_INTERNAL_ERROR);
    assert_int_equal(oc_verdict_of_response_status(3), OC_TRY_LATER);
    assert_int_equal(oc_verdict_of_response_status(5), OC_SIG_REQUIRED);
    assert_int_equal(oc_verdict_of_response_status(6), OC_UNAUTHORIZED);
    static const int undefined[] = {INT_MIN, -1, 0, 4, 7, 255, INT_MAX};
    for (size_t i = 0; i < sizeof undefined / sizeof undefined[0]; i++)
        assert_int_equal(oc_verdict_of_response_status(undefined[i]), OC_UNDEFINED_STATUS);
}

TEST_MAIN(NULL, NULL, NULL, NULL)
