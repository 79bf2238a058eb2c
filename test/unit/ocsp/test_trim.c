/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A staple contains the certificates that clients need, and no others.
 */
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include <apr_strings.h>
#include <openssl/ocsp.h>
#include <string.h>

/* An attacker on the way can change what is not signed: none of it reaches clients. */
TEST(certificates_that_clients_do_not_need)
{
    pki_spec_t odd = scene_delegate_spec();
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_bytes_t alone, none;
    X509 *strange;

    odd.critical = PKI_OID;
    odd.cn = "Odd";
    strange = pki_make(scene.pool, &odd)->x509;
    assert_verdict(OC_GOOD, scene_judge(&response));
    none = scene_stapled();
    for (int i = 0; i < 2; i++) {
        response.certificates[i] = i ? strange : scene.issuer->x509;
        /* Each ECDSA signature is different: the rest is the same. */
        assert_verdict(OC_GOOD, scene_judge(&response));
        assert_in_range(scene_stapled().length, none.length - 3, none.length + 3);
        assert_int_equal(scene_count_certificates(), 0);
        assert_verdict(OC_GOOD, scene_judge_bytes(scene_stapled()));
    }

    response.signer = scene.delegate;
    response.certificates[0] = scene.delegate->x509;
    response.certificates[1] = NULL;
    assert_verdict(OC_GOOD, scene_judge(&response));
    alone = scene_stapled();
    response.certificates[0] = strange;
    response.certificates[1] = scene.delegate->x509;
    response.certificates[2] = scene.root->x509;
    assert_verdict(OC_GOOD, scene_judge(&response));
    assert_in_range(scene_stapled().length, alone.length - 3, alone.length + 3);
    assert_int_equal(scene_count_certificates(), 1);
    assert_true(pki_openssl_agrees(scene_stapled(), scene.issuer->x509, PKI_NOW));
}

/* A stored response that is verified again stays the same, byte by byte. */
TEST(trimming_is_idempotent)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    for (int delegated = 0; delegated < 2; delegated++) {
        pki_bytes_t received, first, again;

        response.signer = delegated ? scene.delegate : scene.issuer;
        response.certificates[0] = scene.delegate->x509;
        response.certificates[1] = scene.issuer->x509;
        received = pki_respond(scene.pool, &response);
        assert_verdict(OC_GOOD, scene_judge_bytes(received));
        first = scene_stapled();
        assert_true(first.length < received.length);
        assert_verdict(OC_GOOD, scene_judge_bytes(received));
        again = scene_stapled();
        assert_int_equal(first.length, again.length);
        assert_memory_equal(first.data, again.data, first.length);
        assert_verdict(OC_GOOD, scene_judge_bytes(first));
        again = scene_stapled();
        assert_int_equal(first.length, again.length);
        assert_memory_equal(first.data, again.data, first.length);
    }
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
