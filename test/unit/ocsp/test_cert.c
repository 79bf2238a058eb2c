/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What is read from a certificate, what is refused, and that request and subject made from the stored bytes equal those
 * that OpenSSL makes from the certificate itself.
 */
#include "ocsp/cert.h"
#include "ocsp/x509.h"
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/sha.h>
#include <openssl/ui.h>
#include <string.h>

static oc_cert_t *parse(const char *pem)
{
    const char *reason = "";
    oc_cert_t *cert;
    apr_status_t status = oc_cert_parse(&cert, pem, oc_issuer_set_create(scene.pool), scene.pool, &reason);

    if (status != APR_SUCCESS)
        fail_msg("%s", reason);
    return cert;
}

static const char *refusal(const char *pem)
{
    const char *reason = NULL;
    oc_cert_t *cert;

    assert_int_equal(oc_cert_parse(&cert, pem, oc_issuer_set_create(scene.pool), scene.pool, &reason), APR_EINVAL);
    assert_null(cert);
    assert_non_null(reason);
    return reason;
}

/* A certificate of our issuer, parsed from its PEM. */
static oc_cert_t *parse_spec(pki_spec_t spec)
{
    spec.issuer = scene.issuer;
    return parse(pki_pem(scene.pool, pki_make(scene.pool, &spec), scene.issuer));
}

static pki_bytes_t der_of(X509 *x509)
{
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);
    pki_bytes_t bytes;

    assert_true(length > 0);
    bytes = (pki_bytes_t){apr_pmemdup(scene.pool, der, (apr_size_t)length), (apr_size_t)length};
    OPENSSL_free(der);
    return bytes;
}

TEST(plain_certificate)
{
    oc_cert_t *cert = parse(pki_pem(scene.pool, scene.certificate, scene.issuer));
    pki_bytes_t der = der_of(scene.certificate->x509), issuer = der_of(scene.issuer->x509);
    pki_bytes_t both = pki_join(scene.pool, der, issuer);
    unsigned char hash[64];

    assert_string_equal(cert->subject, "CN=www.example.com");
    assert_string_equal(cert->serial, "1234");
    assert_null(cert->urls[0]);
    assert_int_equal(cert->must_staple, 0);
    assert_int_equal(cert->not_before, PKI_NOW - 30 * PKI_DAY);
    assert_int_equal(cert->not_after, PKI_NOW + 30 * PKI_DAY);
    assert_memory_equal(cert->id, SHA1(der.data, der.length, hash), OC_CERT_ID_LEN);
    assert_memory_equal(cert->binding, SHA256(both.data, both.length, hash), OC_CERT_HASH_LEN);
    assert_int_equal(cert->issuer->der_len, issuer.length);
    assert_memory_equal(cert->issuer->der, issuer.data, issuer.length);
    assert_memory_equal(cert->issuer->hash, SHA256(issuer.data, issuer.length, hash), OC_CERT_HASH_LEN);
    assert_int_equal(cert->serial_der_len, 4);
    assert_memory_equal(cert->serial_der, "\x02\x02\x12\x34", 4);
}

TEST(what_follows_is_ignored)
{
    const char *pem = pki_pem(scene.pool, scene.certificate, scene.issuer);

    parse(apr_pstrcat(scene.pool, "comment\n", pem, pki_pem(scene.pool, scene.root, NULL), "more\n", NULL));
    parse(apr_pstrcat(scene.pool, pem, "-----BEGIN CERTIFICATE-----\nnonsense", NULL));
}

TEST(not_two_certificates)
{
    const char *one = pki_pem(scene.pool, scene.certificate, NULL), *two;

    assert_string_equal(refusal(""), "no certificate in PEM form");
    assert_string_equal(refusal("nonsense"), "no certificate in PEM form");
    assert_string_equal(refusal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                        "no certificate in PEM form");
    assert_string_equal(refusal(one), "no issuer's certificate follows the certificate");
    two = apr_pstrcat(scene.pool, one, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", NULL);
    assert_string_equal(refusal(two), "no issuer's certificate follows the certificate");
    for (size_t length = 0; length < strlen(one); length += 7)
        refusal(apr_pstrmemdup(scene.pool, one, length));
}

static int questions;

static int count_question(UI *ui)
{
    (void)ui;
    questions++;
    return 0;
}

/* A prompt would wait for input at the terminal. */
TEST(encrypted_pem_does_not_prompt)
{
    const char *encrypted = "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                            "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                            "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n";
    UI_METHOD *asking = UI_create_method("asking");

    assert_non_null(asking);
    UI_method_set_opener(asking, count_question);
    UI_set_default_method(asking);
    assert_string_equal(refusal(encrypted), "no certificate in PEM form");
    assert_string_equal(refusal(apr_pstrcat(scene.pool, pki_pem(scene.pool, scene.certificate, NULL), encrypted, NULL)),
                        "no issuer's certificate follows the certificate");
    UI_set_default_method(UI_OpenSSL());
    UI_destroy_method(asking);
    assert_int_equal(questions, 0);
}

TEST(wrong_issuer)
{
    pki_id_t *namesake = pki_make_ca(scene.pool, "Test Issuer", PKI_P256, NULL);
    pki_id_t *renamed = pki_make(scene.pool, &(pki_spec_t){.cn = "Renamed", .rekey = scene.issuer});
    pki_id_t *no_signing = pki_make(
        scene.pool, &(pki_spec_t){.cn = "Test Issuer", .rekey = scene.issuer, .key_usage = "digitalSignature"});
    const pki_id_t *wrong[] = {scene.root, namesake, renamed, no_signing, scene.certificate};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *reason = refusal(pki_pem(scene.pool, scene.certificate, wrong[i]));
        assert_non_null(strstr(reason, "did not issue CN=www.example.com"));
    }
    /* Name and key identifier are right, the signature is not. */
    X509 *forged = X509_dup(scene.certificate->x509);
    const char *reason = NULL;
    oc_cert_t *cert;
    assert_true(X509_sign(forged, namesake->key, EVP_sha256()) > 0);
    assert_int_equal(
        oc_cert_from_x509(&cert, forged, scene.issuer->x509, oc_issuer_set_create(scene.pool), scene.pool, &reason),
        APR_EINVAL);
    assert_non_null(strstr(reason, "signature does not match"));
    assert_null(cert);
    X509_free(forged);
}

TEST(self_signed)
{
    oc_cert_t *cert = parse(pki_pem(scene.pool, scene.root, scene.root));

    assert_string_equal(cert->subject, "CN=Test Root");
}

TEST(without_issuer)
{
    const char *reason = NULL;
    oc_cert_t *cert;
    oc_verify_subject_t subject;
    const unsigned char *request;
    apr_size_t length;
    pki_bytes_t der = der_of(scene.certificate->x509);
    unsigned char hash[64];

    assert_int_equal(oc_cert_from_x509(&cert, scene.certificate->x509, NULL, NULL, scene.pool, &reason), APR_SUCCESS);
    assert_null(cert->issuer);
    assert_memory_equal(cert->binding, SHA256(der.data, der.length, hash), OC_CERT_HASH_LEN);
    assert_int_equal(oc_cert_subject(cert, &subject, scene.pool), APR_EGENERAL);
    assert_int_equal(oc_cert_request(cert, OC_CERTID_SHA1, &request, &length, scene.pool), APR_EGENERAL);
    assert_null(request);
}

TEST(issuers_are_stored_once)
{
    oc_issuer_set_t *issuers = oc_issuer_set_create(scene.pool);
    oc_cert_t *first, *second, *third;
    const char *reason;

    assert_int_equal(
        oc_cert_parse(&first, pki_pem(scene.pool, scene.certificate, scene.issuer), issuers, scene.pool, &reason),
        APR_SUCCESS);
    assert_int_equal(
        oc_cert_parse(&second, pki_pem(scene.pool, scene.delegate, scene.issuer), issuers, scene.pool, &reason),
        APR_SUCCESS);
    assert_int_equal(oc_cert_parse(&third, pki_pem(scene.pool, scene.issuer, scene.root), issuers, scene.pool, &reason),
                     APR_SUCCESS);
    assert_ptr_equal(first->issuer, second->issuer);
    assert_ptr_not_equal(first->issuer, third->issuer);
    assert_memory_not_equal(first->binding, second->binding, OC_CERT_HASH_LEN);
}

/* The same certificate with a renewed issuer is another pair: a stored response of the one must not be used for the
 * other. */
TEST(binding_covers_the_issuer)
{
    pki_id_t *renewed = pki_make(scene.pool, &(pki_spec_t){.cn = "Test Issuer",
                                                           .rekey = scene.issuer,
                                                           .serial = 2,
                                                           .issuer = scene.root,
                                                           .basic_constraints = "critical,CA:TRUE"});
    oc_cert_t *old = parse(pki_pem(scene.pool, scene.certificate, scene.issuer));
    oc_cert_t *new = parse(pki_pem(scene.pool, scene.certificate, renewed));

    assert_memory_equal(old->id, new->id, OC_CERT_ID_LEN);
    assert_memory_not_equal(old->binding, new->binding, OC_CERT_HASH_LEN);
}

TEST(test_must_staple)
{
    static const struct {
        const char *features;
        int must_staple;
    } cases[] = {{"status_request", 1}, {"status_request_v2", 1}, {"16", 0}, {"16,status_request", 1}, {NULL, 0}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(parse_spec((pki_spec_t){.cn = "x", .tls_feature = cases[i].features})->must_staple,
                         cases[i].must_staple);
}

TEST(subject_is_safe_to_log)
{
    char longest[65];

    assert_string_equal(parse_spec((pki_spec_t){.cn = "a\n\x1b[0m\"\\,\xc3\xa9"})->subject,
                        "CN=a\\0A\\1B[0m\\\"\\\\\\,\\C3\\A9");
    memset(longest, 'n', 64);
    longest[64] = '\0';
    assert_string_equal(parse_spec((pki_spec_t){.cn = longest})->subject,
                        apr_pstrcat(scene.pool, "CN=", longest, NULL));
    /* Large CAs issue certificates like this. */
    assert_string_equal(parse_spec((pki_spec_t){.san = "email:a@b.example,DNS:one.example,DNS:two.example"})->subject,
                        "DNS:one.example");
    assert_string_equal(parse_spec((pki_spec_t){.san = "IP:192.0.2.1"})->subject, "(no name)");
    assert_string_equal(parse_spec((pki_spec_t){.cn = NULL})->subject, "(no name)");
}

TEST(names_are_cut_off)
{
    char buf[8];
    pki_id_t *cert = pki_make(scene.pool, &(pki_spec_t){.cn = "0123456789"});

    memset(buf, 'x', sizeof(buf));
    oc_x509_name(buf, 6, X509_get_subject_name(cert->x509));
    assert_string_equal(buf, "CN=01");
    assert_int_equal(buf[6], 'x');
    oc_x509_subject(buf, 1, cert->x509);
    assert_string_equal(buf, "");
}

TEST(serial_text)
{
    static const struct {
        const char *hex, *text;
    } cases[] = {{"0", "00"},
                 {"1", "01"},
                 {"abc", "0ABC"},
                 {"-1", "-01"},
                 {"ffffffffffffffffffffffffffffffffffffffff", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BIGNUM *number = NULL;
        ASN1_INTEGER *serial;
        char text[64];
        assert_true(BN_hex2bn(&number, cases[i].hex));
        serial = BN_to_ASN1_INTEGER(number, NULL);
        assert_non_null(serial);
        oc_x509_serial(text, sizeof(text), serial);
        assert_string_equal(text, cases[i].text);
        oc_x509_serial(text, 2, serial);
        assert_int_equal(strlen(text), 1);
        ASN1_INTEGER_free(serial);
        BN_free(number);
    }
}

TEST(times)
{
    static const struct {
        const char *text;
        apr_int64_t seconds;
    } cases[] = {{"700101000000Z", 0},
                 {"20380119031408Z", 2147483648LL},
                 {"491231235959Z", 2524607999LL},
                 {"99991231235959Z", 253402300799LL},
                 {"500101000000Z", 0},
                 {"00010101000000Z", 0}};
    apr_time_t time = 1;
    char text[32];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ASN1_TIME *asn1 = ASN1_TIME_new();
        assert_true(ASN1_TIME_set_string(asn1, cases[i].text));
        assert_true(oc_x509_time(&time, asn1));
        assert_int_equal(time, apr_time_from_sec(cases[i].seconds));
        ASN1_TIME_free(asn1);
    }
    assert_false(oc_x509_time(&time, NULL));
    assert_int_equal(time, 0);
    oc_x509_time_text(text, sizeof(text), PKI_NOW);
    assert_string_equal(text, "2030-03-17T17:46:40Z");
}

TEST(test_request)
{
    oc_cert_t *cert = parse(pki_pem(scene.pool, scene.certificate, scene.issuer));
    OCSP_CERTID *wanted = OCSP_cert_to_id(EVP_sha1(), scene.certificate->x509, scene.issuer->x509);
    const unsigned char *der, *p;
    apr_size_t length;
    OCSP_REQUEST *request;

    assert_int_equal(oc_cert_request(cert, OC_CERTID_SHA1, &der, &length, scene.pool), APR_SUCCESS);
    p = der;
    request = d2i_OCSP_REQUEST(NULL, &p, (long)length);
    assert_non_null(request);
    assert_ptr_equal(p, der + length);
    assert_int_equal(OCSP_request_onereq_count(request), 1);
    assert_int_equal(OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)), wanted), 0);
    assert_int_equal(OCSP_REQUEST_get_ext_count(request), 0);
    assert_false(OCSP_request_is_signed(request));
    OCSP_REQUEST_free(request);
    OCSP_CERTID_free(wanted);
}

TEST(subject_verifies)
{
    oc_cert_t *cert = parse(pki_pem(scene.pool, scene.certificate, scene.issuer));
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_bytes_t bytes = pki_respond(scene.pool, &response);
    oc_verify_subject_t subject;
    apr_pool_t *pool;

    apr_pool_create(&pool, scene.pool);
    assert_int_equal(oc_cert_subject(cert, &subject, pool), APR_SUCCESS);
    assert_int_equal(subject.not_after, cert->not_after);
    oc_verify_response(bytes.data, bytes.length, &subject, &scene.policy, &scene.result, pool);
    assert_verdict(OC_GOOD, scene.result.verdict);
    apr_pool_destroy(pool);
}

TEST(error_queue_is_left_as_found)
{
    const char *pem = pki_pem(scene.pool, scene.certificate, scene.issuer);
    oc_cert_t *cert = parse(pem);
    oc_verify_subject_t subject;
    const unsigned char *der;
    apr_size_t length;

    for (int error = 0; error < 2; error++) {
        ERR_clear_error();
        if (error)
            ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
        parse(pem);
        refusal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        refusal(pki_pem(scene.pool, scene.certificate, NULL));
        refusal(pki_pem(scene.pool, scene.certificate, scene.root));
        assert_int_equal(oc_cert_subject(cert, &subject, scene.pool), APR_SUCCESS);
        assert_int_equal(oc_cert_request(cert, OC_CERTID_SHA1, &der, &length, scene.pool), APR_SUCCESS);
        assert_int_equal(ERR_GET_REASON(ERR_get_error()), error ? ERR_R_INTERNAL_ERROR : 0);
        assert_int_equal(ERR_get_error(), 0);
    }
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
