/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which certificate is the issuer, and which name a CertID hashes: with issuers whose names certificates encode
 * differently from the issuers themselves, and with two issuers of one name.
 */
#include "ocsp/cert.h"
#include "ocsp/issuer.h"
#include "support_test.h"
#include "support_verify.h"

#include <apr_strings.h>
#include <openssl/ocsp.h>
#include <string.h>

#define ISSUER "Test Issuer"
#define BYTES(text) text, sizeof(text) - 1

/* The same name by RFC 5280 section 7.1, in every way that X509_NAME_cmp() and GnuTLS take for equal. */
static const struct {
    const char *cn;
    int len, type;
} spellings[] = {
    {BYTES(ISSUER), V_ASN1_PRINTABLESTRING},
    {BYTES(ISSUER), V_ASN1_T61STRING},
    {BYTES("\0T\0e\0s\0t\0 \0I\0s\0s\0u\0e\0r"), V_ASN1_BMPSTRING},
    {BYTES("\0\0\0T\0\0\0e\0\0\0s\0\0\0t\0\0\0 \0\0\0I\0\0\0s\0\0\0s\0\0\0u\0\0\0e\0\0\0r"), V_ASN1_UNIVERSALSTRING},
    {BYTES("TEST issuer"), V_ASN1_UTF8STRING},
    {BYTES("  Test   Issuer "), V_ASN1_PRINTABLESTRING},
};
#define SPELLINGS (sizeof(spellings) / sizeof(spellings[0]))

static const pki_id_t *spelt(size_t i)
{
    pki_spec_t spec = {.cn = "www.example.com",
                       .issuer = scene.issuer,
                       .serial = SCENE_SERIAL,
                       .issuer_cn = spellings[i].cn,
                       .issuer_cn_len = spellings[i].len,
                       .issuer_type = spellings[i].type};

    return pki_make(scene.pool, &spec);
}

static oc_cert_t *parse(const pki_id_t *certificate, const pki_id_t *issuer)
{
    const char *reason = "";
    oc_cert_t *cert = NULL;

    if (oc_cert_parse(&cert, pki_pem(scene.pool, certificate, issuer), oc_issuer_set_create(scene.pool), scene.pool,
                      &reason)
        != APR_SUCCESS)
        fail_msg("%s", reason);
    return cert;
}

/* OpenSSL's own CertID for a certificate (OCSP_cert_to_id) is over the certificate's issuer field. */
TEST(request_names_the_issuer_as_the_certificate_does)
{
    static const oc_certid_hash_t hashes[] = {OC_CERTID_SHA1, OC_CERTID_SHA256};

    for (size_t i = 0; i < 2 * SPELLINGS; i++) {
        const pki_id_t *certificate = spelt(i / 2);
        OCSP_CERTID *wanted = OCSP_cert_to_id(i % 2 ? EVP_sha256() : EVP_sha1(), certificate->x509, scene.issuer->x509);
        const unsigned char *der;
        apr_size_t length;
        OCSP_REQUEST *request;

        assert_int_equal(oc_cert_request(parse(certificate, scene.issuer), hashes[i % 2], &der, &length, scene.pool),
                         APR_SUCCESS);
        request = d2i_OCSP_REQUEST(NULL, &der, (long)length);
        assert_non_null(request);
        assert_int_equal(OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)), wanted), 0);
        OCSP_REQUEST_free(request);
        OCSP_CERTID_free(wanted);
    }
}

static oc_verdict_t judge(const oc_cert_t *cert, const pki_single_t *single)
{
    pki_response_t response = scene_response(single);
    pki_bytes_t bytes = pki_respond(scene.pool, &response);
    oc_verify_subject_t subject;

    assert_int_equal(oc_cert_subject(cert, &subject, scene.pool), APR_SUCCESS);
    scene.subject.issuer_name = subject.issuer_name;
    return scene_judge_bytes(bytes);
}

TEST(answer_over_the_certificates_issuer_field_is_ours)
{
    const X509_NAME *name = scene.subject.issuer_name;

    for (size_t i = 0; i < SPELLINGS; i++) {
        const pki_id_t *certificate = spelt(i);
        oc_cert_t *cert = parse(certificate, scene.issuer);
        pki_single_t single = scene_single();

        single.certificate = certificate;
        assert_verdict(OC_GOOD, judge(cert, &single));
        single.id_hash = EVP_sha256();
        assert_verdict(OC_GOOD, judge(cert, &single));
        single.certificate = NULL; /* over the CA's subject: clients do not find the certificate in it */
        assert_verdict(OC_NOT_OURS, judge(cert, &single));
    }
    scene.subject.issuer_name = name;
}

/* ---- namesakes ---- */

static apr_array_header_t *candidates(const pki_id_t *a, const pki_id_t *b, const pki_id_t *c)
{
    const pki_id_t *all[] = {a, b, c};
    apr_array_header_t *array = apr_array_make(scene.pool, 3, sizeof(X509 *));

    for (size_t i = 0; i < 3; i++)
        if (all[i])
            APR_ARRAY_PUSH(array, X509 *) = all[i]->x509;
    return array;
}

TEST(the_one_whose_key_verifies)
{
    const pki_id_t *renewed = pki_make_ca(scene.pool, ISSUER, PKI_P256, scene.root);
    const pki_id_t *older = pki_make_ca(scene.pool, ISSUER, PKI_RSA_2048, scene.root);
    X509 *leaf = scene.certificate->x509;

    assert_ptr_equal(oc_issuer_choose(candidates(scene.issuer, NULL, NULL), leaf), scene.issuer->x509);
    assert_ptr_equal(oc_issuer_choose(candidates(renewed, older, scene.issuer), leaf), scene.issuer->x509);
    assert_ptr_equal(oc_issuer_choose(candidates(scene.root, scene.issuer, renewed), leaf), scene.issuer->x509);
    assert_null(oc_issuer_choose(candidates(renewed, older, scene.root), leaf));
    assert_null(oc_issuer_choose(candidates(NULL, NULL, NULL), leaf));
}

/* Without key identifiers mod_ssl cannot tell two namesakes apart. */
TEST(namesakes_without_key_identifiers)
{
    pki_spec_t spec = {.cn = "www.example.com", .issuer = scene.issuer, .no_key_ids = 1};
    const pki_id_t *leaf = pki_make(scene.pool, &spec);
    const pki_id_t *renewed = pki_make_ca(scene.pool, ISSUER, PKI_P256, scene.root);

    assert_true(oc_issuer_is_plausible(candidates(renewed, NULL, NULL), leaf->x509));
    assert_null(oc_issuer_choose(candidates(renewed, NULL, NULL), leaf->x509));
    assert_ptr_equal(oc_issuer_choose(candidates(renewed, scene.issuer, NULL), leaf->x509), scene.issuer->x509);
    assert_string_equal(oc_issuer_problem(leaf->x509, renewed->x509), "the signature does not match");
}

/* The CA's certificate has another key identifier than the certificates that it issued: the key decides. */
TEST(wrong_key_identifier_only_orders)
{
    pki_id_t *first = pki_make(scene.pool, &(pki_spec_t){.cn = "Other id",
                                                         .rekey = scene.issuer,
                                                         .issuer = scene.root,
                                                         .basic_constraints = "critical,CA:TRUE",
                                                         .key_usage = "critical,keyCertSign",
                                                         .key_id = "0102030405"});
    pki_id_t *second = pki_make(scene.pool, &(pki_spec_t){.cn = "Other id",
                                                          .rekey = scene.issuer,
                                                          .issuer = scene.root,
                                                          .basic_constraints = "critical,CA:TRUE",
                                                          .key_usage = "critical,keyCertSign",
                                                          .key_id = "0908070605"});
    pki_id_t *leaf = pki_make(scene.pool, &(pki_spec_t){.cn = "leaf", .issuer = second});
    pki_id_t *no_right = pki_make(scene.pool, &(pki_spec_t){.cn = "Other id",
                                                            .rekey = scene.issuer,
                                                            .issuer = scene.root,
                                                            .key_usage = "critical,cRLSign",
                                                            .key_id = "0102030405"});

    assert_ptr_equal(oc_issuer_choose(candidates(first, second, NULL), leaf->x509), second->x509);
    assert_ptr_equal(oc_issuer_choose(candidates(first, NULL, NULL), leaf->x509), first->x509);
    assert_false(oc_issuer_is_plausible(candidates(first, NULL, NULL), leaf->x509));
    assert_null(oc_issuer_choose(candidates(no_right, NULL, NULL), leaf->x509));
}

TEST(names_for_a_message)
{
    const pki_id_t *renewed = pki_make_ca(scene.pool, ISSUER, PKI_P256, scene.root);
    apr_array_header_t *many = candidates(renewed, scene.root, scene.delegate);

    assert_string_equal(oc_issuer_needed(scene.certificate->x509, scene.pool), "CN=" ISSUER);
    assert_string_equal(oc_issuer_names(many, scene.certificate->x509, scene.pool),
                        "CN=" ISSUER " (another key), CN=Test Root, CN=Test OCSP Signer");
    APR_ARRAY_PUSH(many, X509 *) = scene.root->x509;
    APR_ARRAY_PUSH(many, X509 *) = scene.root->x509;
    assert_non_null(strstr(oc_issuer_names(many, scene.certificate->x509, scene.pool), "CN=Test Root and 1 more"));
    assert_string_equal(oc_issuer_names(candidates(NULL, NULL, NULL), scene.certificate->x509, scene.pool), "");
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
