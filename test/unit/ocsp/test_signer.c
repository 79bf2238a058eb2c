/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Who may sign a response (with what: test_signature.c). Where OpenSSL's result is asserted too, both agree; where we
 * are stricter, a comment names the client that is.
 */
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include <apr_strings.h>
#include <openssl/ocsp.h>
#include <openssl/sha.h>
#include <string.h>

static oc_verdict_t judge_delegate(const pki_spec_t *spec)
{
    return scene_judge_signer(pki_make(scene.pool, spec));
}

/* Also OpenSSL's verdict. */
static oc_verdict_t judge_both(const pki_response_t *response, int *openssl_agrees)
{
    pki_bytes_t bytes = pki_respond(scene.pool, response);

    *openssl_agrees = pki_openssl_agrees(bytes, scene.issuer->x509, scene.policy.now);
    return scene_judge_bytes(bytes);
}

TEST(issuer_signs)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    for (int with_certificate = 0; with_certificate < 2; with_certificate++) {
        response.certificates[0] = with_certificate ? scene.issuer->x509 : NULL;
        for (response.by_key = 0; response.by_key < 2; response.by_key++) {
            int agrees;
            assert_verdict(OC_GOOD, judge_both(&response, &agrees));
            assert_true(agrees);
            assert_int_equal(scene.result.usable_until, PKI_NOW + PKI_DAY);
        }
    }
}

/* RFC 6960 section 4.2.1: the key hash is the SHA-1 hash of the key. An identifier that a CA chose otherwise is another
 * value, and the message points out the confusion. */
TEST(key_identifier_of_the_issuer_as_responder_id)
{
    static const unsigned char key_id[SHA_DIGEST_LENGTH] = {0x01, 0x02, 0x03};
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(scene.issuer->x509);
    unsigned char hash[SHA_DIGEST_LENGTH];
    pki_bytes_t bytes;
    apr_size_t at = 0;

    scene_trust(pki_make(scene.pool, &(pki_spec_t){.cn = "Test Issuer",
                                                   .rekey = scene.issuer,
                                                   .issuer = scene.root,
                                                   .basic_constraints = "critical,CA:TRUE",
                                                   .key_id = "0102030000000000000000000000000000000000"}));
    response.by_key = 1;
    bytes = pki_respond(scene.pool, &response);
    assert_verdict(OC_GOOD, scene_judge_bytes(bytes));
    SHA1(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), hash);
    while (memcmp(bytes.data + at, hash, sizeof(hash)) != 0)
        at++;
    memcpy(bytes.data + at, key_id, sizeof(key_id));
    assert_verdict(OC_SIGNER_MISSING, scene_judge_bytes(bytes));
    assert_non_null(strstr(scene.result.detail, "is the issuer's subject key identifier and not the SHA-1 hash"));
    bytes.data[at + sizeof(key_id) - 1] = 1; /* neither of the two */
    assert_verdict(OC_SIGNER_MISSING, scene_judge_bytes(bytes));
    assert_null(strstr(scene.result.detail, "subject key identifier"));
    scene_trust(scene.issuer);
}

TEST(delegate_signs)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    response.signer = scene.delegate;
    for (response.by_key = 0; response.by_key < 2; response.by_key++) {
        int agrees;
        response.certificates[0] = scene.delegate->x509;
        response.certificates[1] = NULL;
        assert_verdict(OC_GOOD, judge_both(&response, &agrees));
        assert_true(agrees);
        /* Among unrelated certificates, or with the whole chain. */
        response.certificates[0] = scene.root->x509;
        response.certificates[1] = scene.issuer->x509;
        response.certificates[2] = scene.delegate->x509;
        assert_verdict(OC_GOOD, judge_both(&response, &agrees));
        assert_true(agrees);
        /* Without its certificate the signer is unknown. */
        response.certificates[0] = NULL;
        assert_verdict(OC_SIGNER_MISSING, judge_both(&response, &agrees));
        assert_false(agrees);
        response.certificates[0] = scene.root->x509;
        response.certificates[1] = NULL;
        assert_verdict(OC_SIGNER_MISSING, judge_both(&response, &agrees));
        assert_false(agrees);
        assert_non_null(strstr(scene.result.detail, response.by_key ? "key hash" : "Test OCSP Signer"));
    }
}

TEST(delegate_ends_the_usable_time)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    single.next_update = pki_time(scene.pool, PKI_NOW + 20 * PKI_DAY);
    response.signer = scene.delegate;
    response.certificates[0] = scene.delegate->x509;
    assert_verdict(OC_GOOD, scene_judge(&response));
    assert_int_equal(scene.result.usable_until, PKI_NOW + 10 * PKI_DAY);
    assert_int_equal(scene.result.next_update, PKI_NOW + 20 * PKI_DAY);
}

TEST(delegate_begins_the_usable_time)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_spec_t spec = scene_delegate_spec();

    spec.not_before = PKI_NOW;
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    assert_int_equal(scene.result.usable_from, PKI_NOW);
    assert_verdict(OC_GOOD, scene_judge(&response));
    assert_true(scene.result.usable_from < PKI_NOW);
}

TEST(delegate_validity)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.not_after = PKI_NOW + apr_time_from_sec(1);
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    spec.not_after = PKI_NOW;
    assert_verdict(OC_SIGNER_EXPIRED, judge_delegate(&spec));
    assert_non_null(strstr(scene.result.detail, "expired"));
    assert_non_null(strstr(scene.result.detail, "CN=Delegate"));
    assert_non_null(strstr(scene.result.detail, "0ABC"));
    /* No skew for certificates: clients grant none. */
    spec.not_after = 0;
    spec.not_before = PKI_NOW;
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    spec.not_before = PKI_NOW + apr_time_from_sec(1);
    assert_verdict(OC_SIGNER_EXPIRED, judge_delegate(&spec));
    assert_non_null(strstr(scene.result.detail, "not valid yet"));
}

TEST(extended_key_usage)
{
    pki_spec_t spec = scene_delegate_spec();
    static const char *const insufficient[] = {NULL, "serverAuth", "anyExtendedKeyUsage",
                                               "serverAuth,clientAuth,timeStamping"};

    for (size_t i = 0; i < sizeof(insufficient) / sizeof(insufficient[0]); i++) {
        spec.eku = insufficient[i];
        assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
        assert_non_null(strstr(scene.result.detail, "OCSPSigning"));
    }
    spec.eku = "serverAuth,OCSPSigning";
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    spec.eku = "critical,OCSPSigning";
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    /* A certificate must not sign its own status. */
    assert_verdict(OC_SIGNER_REFUSED, scene_judge_signer(scene.certificate));
}

TEST(test_key_usage)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.key_usage = NULL;
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    spec.key_usage = "digitalSignature,nonRepudiation";
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    /* RFC 6960 and clients require none: public responders have nonRepudiation alone. */
    spec.key_usage = "nonRepudiation";
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    spec.key_usage = "critical,nonRepudiation";
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    spec.key_usage = "critical,keyEncipherment";
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    /* Firefox rejects one without any bit. */
    spec.key_usage = NULL;
    spec.uncritical = "2.5.29.15";
    spec.uncritical_value = PKI_BYTES(0x03, 0x01, 0x00);
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
}

/* An intermediate with OCSPSigning could sign for its siblings: OpenSSL accepts it, Firefox does not. */
TEST(ca_certificate)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.basic_constraints = "CA:FALSE";
    assert_verdict(OC_GOOD, judge_delegate(&spec));
    spec.basic_constraints = "critical,CA:TRUE";
    spec.key_usage = "critical,digitalSignature,keyCertSign";
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
    assert_non_null(strstr(scene.result.detail, "CA certificate"));
}

TEST(stranger)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.issuer = NULL;
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
    /* A signer with all correct properties, but of another CA, of the CA above, or of a CA with our issuer's name. */
    spec.issuer = pki_make_ca(scene.pool, "Another CA", PKI_P256, NULL);
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
    spec.issuer = scene.root;
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
    spec.issuer = pki_make_ca(scene.pool, "Test Issuer", PKI_P256, NULL);
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
}

TEST(namesake_of_the_issuer)
{
    pki_id_t *namesake = pki_make_ca(scene.pool, "Test Issuer", PKI_P256, NULL);
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    int agrees;

    response.signer = namesake;
    response.by_key = 0;
    assert_verdict(OC_SIGNATURE_BAD, judge_both(&response, &agrees));
    assert_false(agrees);
    response.certificates[0] = namesake->x509;
    assert_verdict(OC_SIGNER_REFUSED, judge_both(&response, &agrees));
    assert_false(agrees);
    response.by_key = 1;
    assert_verdict(OC_SIGNER_REFUSED, judge_both(&response, &agrees));
    assert_false(agrees);
}

/* Name, key and signature must all be right. */
TEST(signature_of_the_delegate_certificate)
{
    pki_id_t *ca_same_key = pki_make(
        scene.pool,
        &(pki_spec_t){.cn = "Test Other Name", .rekey = scene.issuer, .basic_constraints = "critical,CA:TRUE"});
    pki_spec_t spec = scene_delegate_spec();
    pki_id_t *delegate;
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_bytes_t bytes;

    /* The issuer's key, but another issuer's name. */
    spec.issuer = ca_same_key;
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));

    /* The right names, the issuer's signature damaged. */
    spec.issuer = scene.issuer;
    delegate = pki_make(scene.pool, &spec);
    response.signer = delegate;
    response.certificates[0] = delegate->x509;
    bytes = pki_respond(scene.pool, &response);
    bytes.data[bytes.length - 1] ^= 1;
    assert_verdict(OC_SIGNER_REFUSED, scene_judge_bytes(bytes));
    assert_false(pki_openssl_agrees(bytes, scene.issuer->x509, PKI_NOW));
}

TEST(chain_of_two)
{
    pki_id_t *middle = pki_make_ca(scene.pool, "Middle", PKI_P256, scene.issuer);
    pki_spec_t spec = scene_delegate_spec();
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_id_t *delegate;
    int agrees;

    spec.issuer = middle;
    delegate = pki_make(scene.pool, &spec);
    response.signer = delegate;
    response.certificates[0] = delegate->x509;
    response.certificates[1] = middle->x509;
    assert_verdict(OC_SIGNER_REFUSED, judge_both(&response, &agrees));
    assert_false(agrees);
    assert_non_null(strstr(scene.result.detail, "not issued by the certificate's issuer"));
}

/* It has the issuer's name and key, so the issuer counts as the signer, and neither certificate is stapled. */
TEST(cross_signed_issuer)
{
    pki_id_t *other_root = pki_make_ca(scene.pool, "Other Root", PKI_P256, NULL);
    pki_id_t *cross = pki_make(scene.pool, &(pki_spec_t){.cn = "Test Issuer",
                                                         .rekey = scene.issuer,
                                                         .issuer = other_root,
                                                         .basic_constraints = "critical,CA:TRUE",
                                                         .key_usage = "keyCertSign"});
    pki_spec_t spec = scene_delegate_spec();

    assert_verdict(OC_GOOD, scene_judge_signer(cross));
    assert_int_equal(scene_count_certificates(), 0);
    spec.cn = "Test Issuer";
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
}

/* OpenSSL and GnuTLS try only the first of that name, so the one that signed is stapled. */
TEST(two_of_one_name)
{
    pki_spec_t spec = scene_delegate_spec();
    pki_id_t *old, *new;
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    int agrees;

    old = pki_make(scene.pool, &spec);
    new = pki_make(scene.pool, &spec);
    response.signer = new;
    response.by_key = 0;
    response.certificates[0] = new->x509;
    response.certificates[1] = old->x509;
    assert_verdict(OC_GOOD, judge_both(&response, &agrees));
    assert_true(agrees);
    response.certificates[0] = old->x509;
    response.certificates[1] = new->x509;
    assert_verdict(OC_GOOD, judge_both(&response, &agrees));
    assert_false(agrees);
    assert_true(pki_openssl_agrees(scene_stapled(), scene.issuer->x509, PKI_NOW));
    assert_int_equal(scene_count_certificates(), 1);
    response.by_key = 1;
    assert_verdict(OC_GOOD, judge_both(&response, &agrees));
    assert_true(agrees);
    /* Neither of two has signed. */
    response.by_key = 0;
    response.certificates[1] = pki_make(scene.pool, &spec)->x509;
    assert_verdict(OC_SIGNATURE_BAD, judge_both(&response, &agrees));
    assert_false(agrees);
}

/* GnuTLS and Firefox compare names byte by byte. */
TEST(names_in_another_string_type)
{
    pki_spec_t spec = scene_delegate_spec();
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_id_t *delegate = pki_make(scene.pool, &spec), *namesake;

    spec.rekey = delegate;
    spec.string_type = V_ASN1_PRINTABLESTRING;
    namesake = pki_make(scene.pool, &spec);
    response.signer = delegate;
    response.by_key = 0;
    response.certificates[0] = namesake->x509; /* same key, and for OpenSSL the same name */
    assert_verdict(OC_SIGNER_MISSING, scene_judge(&response));
    response.by_key = 1;
    assert_verdict(OC_GOOD, scene_judge(&response));

    spec.string_type = 0;
    spec.issuer_type = V_ASN1_PRINTABLESTRING;
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
    spec.issuer_type = V_ASN1_UTF8STRING;
    assert_verdict(OC_GOOD, judge_delegate(&spec));
}

TEST(critical_extension_in_the_signer)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.critical = PKI_OID;
    assert_verdict(OC_CRITICAL_EXTENSION, judge_delegate(&spec));
    assert_non_null(strstr(scene.result.detail, "CN=Delegate"));
}

TEST(broken_extension_in_the_signer)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.critical = "2.5.29.19"; /* malformed basicConstraints */
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
}

/* The issuer's name constraints apply to its signers too. */
TEST(test_name_constraints)
{
    pki_id_t *constrained =
        pki_make(scene.pool, &(pki_spec_t){.cn = "Constrained",
                                           .basic_constraints = "critical,CA:TRUE",
                                           .key_usage = "keyCertSign",
                                           .name_constraints = "critical,permitted;DNS:example.com"});
    pki_spec_t spec = scene_delegate_spec();
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    scene_trust(constrained);
    single.issuer = spec.issuer = constrained;
    for (int inside = 0; inside < 2; inside++) {
        pki_id_t *delegate;
        spec.san = inside ? "DNS:ocsp.example.com" : "DNS:ocsp.example.org";
        delegate = pki_make(scene.pool, &spec);
        response.signer = delegate;
        response.certificates[0] = delegate->x509;
        assert_verdict(inside ? OC_GOOD : OC_SIGNER_REFUSED, scene_judge(&response));
    }
    scene_trust(scene.issuer);
}

/* Without the right to sign certificates the issuer cannot delegate. */
TEST(issuer_is_no_ca)
{
    pki_id_t *no_ca = pki_make(scene.pool, &(pki_spec_t){.cn = "No CA", .basic_constraints = "CA:FALSE"});
    pki_spec_t spec = scene_delegate_spec();
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    scene_trust(no_ca);
    single.issuer = spec.issuer = no_ca;
    response.signer = pki_make(scene.pool, &spec);
    response.certificates[0] = response.signer->x509;
    assert_verdict(OC_SIGNER_REFUSED, scene_judge(&response));
    scene_trust(scene.issuer);
}

TEST(hostile_names_are_escaped)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.eku = NULL;
    spec.cn = "evil\n[error] \x1b[31m,\xc3\xa9";
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
    assert_non_null(strstr(scene.result.detail, "evil\\0A[error] \\1B[31m\\,\\C3\\A9"));
    spec.cn = "0123456789012345678901234567890123456789012345678901234567890123";
    assert_verdict(OC_SIGNER_REFUSED, judge_delegate(&spec));
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
