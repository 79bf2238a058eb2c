/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The keys, hashes and algorithm identifiers that a response may be signed with.
 */
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include <apr_strings.h>
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <string.h>

/* An issuer with a key of this kind, which signs itself or through a delegate of another kind. */
static oc_verdict_t judge_keys(pki_key_t issuer_key, int delegated, pki_key_t delegate_key, const EVP_MD *md, int pss)
{
    pki_id_t *issuer = pki_make_ca(scene.pool, "Keyed CA", issuer_key, NULL);
    pki_spec_t spec = scene_delegate_spec();
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    oc_verdict_t verdict;

    single.issuer = spec.issuer = issuer;
    spec.key = delegate_key;
    response.signer = delegated ? pki_make(scene.pool, &spec) : issuer;
    response.certificates[0] = delegated ? response.signer->x509 : NULL;
    response.md = md;
    response.pss = pss;
    scene_trust(issuer);
    verdict = scene_judge(&response);
    scene_trust(scene.issuer);
    return verdict;
}

TEST(key_kinds)
{
    assert_verdict(OC_GOOD, judge_keys(PKI_RSA_2048, 0, 0, NULL, 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_RSA_2048, 0, 0, EVP_sha384(), 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_RSA_2048, 0, 0, NULL, 1));
    assert_verdict(OC_GOOD, judge_keys(PKI_ED25519, 0, 0, NULL, 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_P256, 1, PKI_P384, NULL, 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_RSA_2048, 1, PKI_P521, EVP_sha512(), 0));
    /* Firefox knows three curves: another one only where the issuer has it. */
    assert_verdict(OC_GOOD, judge_keys(PKI_ED25519, 1, PKI_ED25519, NULL, 0));
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_P256, 1, PKI_ED25519, NULL, 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_BRAINPOOL, 0, 0, NULL, 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_BRAINPOOL, 1, PKI_BRAINPOOL, NULL, 0));
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_P256, 1, PKI_BRAINPOOL, NULL, 0));
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_P256, 1, PKI_SECP256K1, NULL, 0));
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_BRAINPOOL, 1, PKI_SECP256K1, NULL, 0));
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_P256, 1, PKI_P224, NULL, 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_P256, 1, PKI_RSA_2048, NULL, 1));
}

TEST(weak_hashes)
{
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_RSA_2048, 0, 0, EVP_md5(), 0));
    assert_non_null(strstr(scene.result.detail, "MD5"));
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_P256, 0, 0, EVP_sha1(), 0));
    assert_non_null(strstr(scene.result.detail, "SHA1"));
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_P256, 1, PKI_P256, EVP_sha1(), 0));
    /* Firefox and Chrome know neither. */
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_P256, 0, 0, EVP_sha224(), 0));
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_RSA_2048, 0, 0, EVP_sha224(), 0));
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_RSA_2048, 0, 0, EVP_sha3_256(), 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_P256, 0, 0, EVP_sha384(), 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_P256, 0, 0, EVP_sha512(), 0));
}

TEST(weak_signature_on_the_signer)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.md = EVP_sha1();
    assert_verdict(OC_SIGNATURE_WEAK, scene_judge_signer(pki_make(scene.pool, &spec)));
    assert_non_null(strstr(scene.result.detail, "CN=Delegate"));
    spec.md = EVP_sha384();
    assert_verdict(OC_GOOD, scene_judge_signer(pki_make(scene.pool, &spec)));
    spec.md = EVP_sha224();
    assert_verdict(OC_SIGNATURE_WEAK, scene_judge_signer(pki_make(scene.pool, &spec)));
}

TEST(weak_keys)
{
    assert_verdict(OC_SIGNATURE_WEAK, judge_keys(PKI_P256, 1, PKI_RSA_1024, NULL, 0));
    assert_non_null(strstr(scene.result.detail, "weak key"));
    /* Clients reject a CA of 1024 bits, or are configured to accept it: its staples change nothing. */
    assert_verdict(OC_GOOD, judge_keys(PKI_RSA_1024, 0, 0, NULL, 0));
    assert_verdict(OC_GOOD, judge_keys(PKI_RSA_1024, 1, PKI_RSA_1024, NULL, 0));
}

TEST(pss_hashes)
{
    pki_id_t *issuer = pki_make_ca(scene.pool, "PSS CA", PKI_RSA_2048, NULL);
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    single.issuer = response.signer = issuer;
    response.pss = 1;
    scene_trust(issuer);
    assert_verdict(OC_GOOD, scene_judge(&response));
    response.pss_salt = RSA_PSS_SALTLEN_MAX; /* OpenSSL's default */
    assert_verdict(OC_SIGNATURE_BAD, scene_judge(&response));
    response.pss_salt = 20;
    assert_verdict(OC_SIGNATURE_BAD, scene_judge(&response));
    response.pss_salt = 32;
    assert_verdict(OC_GOOD, scene_judge(&response));
    response.pss_mask = EVP_sha512();
    assert_verdict(OC_SIGNATURE_BAD, scene_judge(&response));
    assert_non_null(strstr(scene.result.detail, "not all clients"));
    response.pss_mask = EVP_sha1();
    assert_verdict(OC_SIGNATURE_BAD, scene_judge(&response));
    scene_trust(scene.issuer);
    for (int i = 0; i < 3; i++) { /* Firefox accepts the last two, GnuTLS only SHA-256 */
        static const char *const others[] = {"SHA1", "SHA384", "SHA512"};

        assert_verdict(OC_SIGNATURE_BAD, judge_keys(PKI_RSA_2048, 0, 0, EVP_get_digestbyname(others[i]), 1));
    }
}

/* ------------------------------------------------------------------------------------ the algorithm identifier */

static pki_bytes_t direct(const pki_id_t *issuer, int pss)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    single.issuer = response.signer = issuer;
    response.pss = pss;
    return pki_respond(scene.pool, &response);
}

/* The first element of @a bytes; they move on to the next. */
static pki_bytes_t take(pki_bytes_t *bytes)
{
    pki_bytes_t content = pki_content(*bytes), element = {bytes->data, 0};

    element.length = (apr_size_t)(content.data - bytes->data) + content.length;
    bytes->data += element.length;
    bytes->length -= element.length;
    return element;
}

/* The same response with another content of its signature's AlgorithmIdentifier, which no signature covers. */
static pki_bytes_t with_algorithm(pki_bytes_t response, pki_bytes_t content)
{
    pki_bytes_t outer = pki_content(response), status = take(&outer), bytes = pki_content(pki_content(outer));
    pki_bytes_t type = take(&bytes), basic = pki_content(pki_content(bytes)), data = take(&basic);

    take(&basic);
    basic = pki_tlv(scene.pool, 0x30,
                    pki_join(scene.pool, data, pki_join(scene.pool, pki_tlv(scene.pool, 0x30, content), basic)));
    return pki_tlv(
        scene.pool, 0x30,
        pki_join(scene.pool, status,
                 pki_tlv(scene.pool, 0xa0,
                         pki_tlv(scene.pool, 0x30, pki_join(scene.pool, type, pki_tlv(scene.pool, 0x04, basic))))));
}

static pki_bytes_t algorithm_of(pki_bytes_t response)
{
    pki_bytes_t outer = pki_content(response), bytes, basic;

    take(&outer);
    bytes = pki_content(pki_content(outer));
    take(&bytes);
    basic = pki_content(pki_content(bytes));
    take(&basic);
    return pki_content(take(&basic));
}

TEST(algorithm_parameters)
{
    pki_id_t *issuer = pki_make_ca(scene.pool, "RSA Issuer", PKI_RSA_2048, NULL);
    pki_bytes_t response = direct(scene.issuer, 0), algorithm = algorithm_of(response), null = PKI_BYTES(0x05, 0x00),
                oid, inner;

    /* ECDSA has none, not even NULL. */
    assert_verdict(OC_GOOD, scene_judge_bytes(with_algorithm(response, algorithm)));
    assert_verdict(OC_SIGNATURE_BAD,
                   scene_judge_bytes(with_algorithm(response, pki_join(scene.pool, algorithm, null))));

    /* PKCS #1 v1.5 has NULL; without it is accepted too (RFC 4055 section 5). */
    scene_trust(issuer);
    response = direct(issuer, 0);
    algorithm = algorithm_of(response);
    oid = take(&algorithm);
    assert_verdict(OC_GOOD, scene_judge_bytes(with_algorithm(response, pki_join(scene.pool, oid, null))));
    assert_verdict(OC_GOOD, scene_judge_bytes(with_algorithm(response, oid)));
    assert_verdict(OC_SIGNATURE_BAD,
                   scene_judge_bytes(with_algorithm(response, pki_join(scene.pool, oid, PKI_BYTES(0x04, 0x00)))));

    /* PSS: no trailerField, no parameters missing. */
    response = direct(issuer, 1);
    algorithm = algorithm_of(response);
    oid = take(&algorithm);
    inner = pki_content(algorithm);
    assert_verdict(OC_GOOD, scene_judge_bytes(
                                with_algorithm(response, pki_join(scene.pool, oid, pki_tlv(scene.pool, 0x30, inner)))));
    { /* without the NULL of the hash: for OpenSSL the same */
        pki_bytes_t rest = inner, hash = pki_content(pki_content(take(&rest)));

        hash = pki_tlv(scene.pool, 0xa0, pki_tlv(scene.pool, 0x30, take(&hash)));
        assert_verdict(
            OC_SIGNATURE_BAD,
            scene_judge_bytes(with_algorithm(
                response, pki_join(scene.pool, oid, pki_tlv(scene.pool, 0x30, pki_join(scene.pool, hash, rest))))));
    }
    inner = pki_join(scene.pool, inner, PKI_BYTES(0xa3, 0x03, 0x02, 0x01, 0x01));
    assert_verdict(OC_SIGNATURE_BAD, scene_judge_bytes(with_algorithm(
                                         response, pki_join(scene.pool, oid, pki_tlv(scene.pool, 0x30, inner)))));
    assert_verdict(OC_SIGNATURE_BAD, scene_judge_bytes(with_algorithm(response, oid)));
    assert_verdict(OC_SIGNATURE_BAD, scene_judge_bytes(with_algorithm(response, pki_join(scene.pool, oid, null))));
    scene_trust(scene.issuer);

    /* An algorithm that does not exist. */
    assert_verdict(OC_SIGNATURE_BAD,
                   scene_judge_bytes(with_algorithm(direct(scene.issuer, 0), PKI_BYTES(0x06, 0x03, 0x2a, 3, 4))));
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
