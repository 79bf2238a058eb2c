/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The scene of the verification tests. The keys are made once per program, the responses for each test.
 */
#include "support_verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <cmocka.h>
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>

scene_t scene;

void scene_trust(const pki_id_t *issuer)
{
    scene.subject.issuer = issuer->x509;
    scene.subject.issuer_name = X509_get_subject_name(issuer->x509);
}

int scene_group_setup(void **state)
{
    (void)state;
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&scene.group_pool, NULL) != APR_SUCCESS)
        return -1;
    scene.root = pki_make_ca(scene.group_pool, "Test Root", PKI_P256, NULL);
    scene.issuer = pki_make_ca(scene.group_pool, "Test Issuer", PKI_P256, scene.root);
    scene.certificate = pki_make(
        scene.group_pool,
        &(pki_spec_t){.cn = "www.example.com", .issuer = scene.issuer, .serial = SCENE_SERIAL, .eku = "serverAuth"});
    scene.delegate = pki_make(scene.group_pool, &(pki_spec_t){.cn = "Test OCSP Signer",
                                                              .issuer = scene.issuer,
                                                              .serial = 0x77,
                                                              .not_after = PKI_NOW + 10 * PKI_DAY,
                                                              .key_usage = "critical,digitalSignature",
                                                              .eku = "OCSPSigning",
                                                              .no_check = 1});
    scene_trust(scene.issuer);
    scene.subject.serial = X509_get0_serialNumber(scene.certificate->x509);
    return 0;
}

int scene_group_teardown(void **state)
{
    (void)state;
    apr_pool_destroy(scene.group_pool);
    apr_terminate();
    return 0;
}

int scene_setup(void **state)
{
    (void)state;
    scene.subject.not_after = PKI_NOW + 30 * PKI_DAY;
    scene.policy.now = PKI_NOW;
    scene.policy.skew = SCENE_SKEW;
    scene.policy.max_age = 0;
    scene.policy.open_ended = PKI_HOUR;
    scene.policy.error_keep = 2 * PKI_HOUR;
    return apr_pool_create(&scene.pool, scene.group_pool) == APR_SUCCESS ? 0 : -1;
}

int scene_teardown(void **state)
{
    (void)state;
    apr_pool_destroy(scene.pool);
    return 0;
}

pki_single_t scene_single(void)
{
    return (pki_single_t){.issuer = scene.issuer,
                          .serial = SCENE_SERIAL,
                          .status = V_OCSP_CERTSTATUS_GOOD,
                          .reason = -1,
                          .this_update = pki_time(scene.pool, PKI_NOW - PKI_HOUR),
                          .next_update = pki_time(scene.pool, PKI_NOW + PKI_DAY)};
}

pki_response_t scene_response(const pki_single_t *single)
{
    return (pki_response_t){.signer = scene.issuer, .by_key = 1, .singles = single, .count = 1};
}

pki_spec_t scene_delegate_spec(void)
{
    return (pki_spec_t){.cn = "Delegate",
                        .issuer = scene.issuer,
                        .serial = 0xabc,
                        .key_usage = "critical,digitalSignature",
                        .eku = "OCSPSigning"};
}

oc_verdict_t scene_judge_bytes(pki_bytes_t bytes)
{
    /* A copy of just this size: the sanitizer detects a read beyond it. */
    unsigned char *copy = malloc(bytes.length);

    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    memset(&scene.result, 0xa5, sizeof(scene.result));
    oc_verify_response(copy, bytes.length, &scene.subject, &scene.policy, &scene.result, scene.pool);
    free(copy);
    return scene.result.verdict;
}

oc_verdict_t scene_judge(const pki_response_t *response)
{
    return scene_judge_bytes(pki_respond(scene.pool, response));
}

oc_verdict_t scene_judge_single(const pki_single_t *single)
{
    pki_response_t response = scene_response(single);

    return scene_judge(&response);
}

oc_verdict_t scene_judge_signer(const pki_id_t *signer)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    response.signer = signer;
    response.certificates[0] = signer->x509;
    return scene_judge(&response);
}

pki_bytes_t scene_stapled(void)
{
    return (pki_bytes_t){(unsigned char *)scene.result.der, scene.result.der_len};
}

int scene_count_certificates(void)
{
    const unsigned char *p = scene.result.der;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)scene.result.der_len);
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    const STACK_OF(X509) *certificates = OCSP_resp_get0_certs(basic);
    int count = certificates ? sk_X509_num(certificates) : 0;

    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return count;
}

static void assert_result_consistent(const char *file, int line)
{
    const oc_verify_result_t *result = &scene.result;
    int proven = result->verdict == OC_GOOD || result->verdict == OC_REVOKED || result->verdict == OC_UNKNOWN;
    int stored = proven || oc_verdict_class(result->verdict) == OC_CLASS_RESPONDER_ERROR;

    if (memchr(result->detail, '\0', sizeof(result->detail)) == NULL)
        _fail(file, line);
    for (const char *c = result->detail; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~') {
            print_error("unprintable in detail: %s\n", result->detail);
            _fail(file, line);
        }
    }
    if (stored != (result->der != NULL) || stored != (result->der_len != 0))
        _fail(file, line);
    if (stored ? result->usable_until <= scene.policy.now : result->usable_until != 0) {
        print_error("usable_until %" APR_TIME_T_FMT "\n", result->usable_until);
        _fail(file, line);
    }
    /* A refusal names its cause. */
    if (!proven && result->detail[0] == '\0') {
        print_error("no detail for %s\n", oc_verdict_name(result->verdict));
        _fail(file, line);
    }
    if (result->verdict != OC_REVOKED && (result->revoked_at != 0 || result->revocation_reason != -1))
        _fail(file, line);
}

void scene_assert_verdict(oc_verdict_t expected, oc_verdict_t actual, const char *file, int line)
{
    if (expected != actual) {
        print_error("expected %s, got %s (%s)\n", oc_verdict_name(expected), oc_verdict_name(actual),
                    scene.result.detail);
        _fail(file, line);
    }
    assert_result_consistent(file, line);
}
