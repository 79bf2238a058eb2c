/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The SingleResponses of a response: their CertIDs and extensions, in ours and in others.
 */
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include <apr_strings.h>
#include <openssl/ocsp.h>
#include <string.h>

static oc_verdict_t judge_several(const pki_single_t *singles, int count)
{
    pki_response_t response = scene_response(singles);

    response.count = count;
    return scene_judge(&response);
}

/* RFC 6962 section 3.3: an OCTET STRING inside the extension's. Firefox rejects everything else. */
TEST(list_of_scts)
{
    pki_single_t single = scene_single(), other = scene_single();
    const char *oid = "1.3.6.1.4.1.11129.2.4.5";

    single.value_oid[0] = oid;
    single.value[0] = PKI_BYTES(0x04, 0x02, 0x00, 0x00);
    assert_verdict(OC_GOOD, scene_judge_single(&single));
    single.value_oid[1] = oid;
    single.value[1] = single.value[0];
    assert_verdict(OC_NOT_DER, scene_judge_single(&single));
    single.value_oid[1] = NULL;
    other = single; /* in both of two for our certificate */
    other.id_hash = EVP_sha256();
    assert_verdict(OC_NOT_DER, judge_several((pki_single_t[]){single, other}, 2));
    other.serial = 0x99;
    assert_verdict(OC_GOOD, judge_several((pki_single_t[]){single, other}, 2));
    single.value[0].length = 0;
    assert_verdict(OC_NOT_DER, scene_judge_single(&single));
    single.value[0] = PKI_BYTES(0x30, 0x02, 0x05, 0x00);
    assert_verdict(OC_NOT_DER, scene_judge_single(&single));
    single.value[0] = PKI_BYTES(0x04, 0x01, 0x00, 0x00);
    assert_verdict(OC_NOT_DER, scene_judge_single(&single));
}

TEST(extension_present_twice)
{
    pki_single_t single = scene_single();

    single.value_oid[0] = PKI_OID;
    single.value[0] = single.value[1] = PKI_BYTES(0x05, 0x00);
    single.value_oid[1] = PKI_OTHER_OID;
    assert_verdict(OC_GOOD, scene_judge_single(&single));
    single.value_oid[1] = PKI_OID;
    assert_verdict(OC_NOT_DER, scene_judge_single(&single));
}

/* Chrome ignores a response from before the certificate was valid. */
TEST(older_than_the_certificate)
{
    pki_single_t single = scene_single();

    scene.subject.not_before = PKI_NOW - PKI_HOUR;
    assert_verdict(OC_GOOD, scene_judge_single(&single));
    scene.subject.not_before = PKI_NOW - PKI_HOUR + APR_USEC_PER_SEC;
    assert_verdict(OC_TIMES_INVALID, scene_judge_single(&single));
    assert_non_null(strstr(scene.result.detail, "producedAt"));
    scene.subject.not_before = 0;
}

/* Each must name our issuer. Otherwise OpenSSL rejects the signer, and Firefox the response. */
TEST(others_of_another_issuer)
{
    pki_single_t ours = scene_single(), other = scene_single();

    other.serial = 0x99;
    other.id_hash = EVP_sha512();
    assert_verdict(OC_GOOD, judge_several((pki_single_t[]){ours, other}, 2));
    other.issuer = scene.root;
    assert_verdict(OC_NOT_OURS, judge_several((pki_single_t[]){ours, other}, 2));
    assert_non_null(strstr(scene.result.detail, "2 of 2"));
    other.issuer = scene.issuer;
    other.id_hash = EVP_sha224();
    assert_verdict(OC_NOT_OURS, judge_several((pki_single_t[]){ours, other}, 2));
    other.id_hash = EVP_md5();
    assert_verdict(OC_NOT_OURS, judge_several((pki_single_t[]){ours, other}, 2));
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
