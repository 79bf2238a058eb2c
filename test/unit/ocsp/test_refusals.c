/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What an administrator reads when a response is rejected: a response for every text of verify.c, trim.c and signer.c.
 * Each differs from a good one only in what the text names. test_signer.c tests the text for a responder id that is the
 * issuer's subject key identifier.
 */
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include <openssl/ocsp.h>
#include <string.h>

#define REFUSED(expected, text, judge)                             \
    do {                                                           \
        assert_verdict(expected, judge);                           \
        if (!strstr(scene.result.detail, text))                    \
            fail_msg("not in \"%s\": " text, scene.result.detail); \
    } while (0)

/* ---- bytes ---- */

static pki_bytes_t join(pki_bytes_t first, pki_bytes_t second)
{
    return pki_join(scene.pool, first, second);
}

static pki_bytes_t tlv(unsigned char identifier, pki_bytes_t content)
{
    return pki_tlv(scene.pool, identifier, content);
}

static pki_bytes_t good(void)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    return pki_respond(scene.pool, &response);
}

/* The content of ResponseData, signed by the issuer. */
static oc_verdict_t judge_data(pki_bytes_t content)
{
    return scene_judge_bytes(pki_sign_raw(scene.pool, tlv(0x30, content), scene.issuer));
}

/* A response of this type with this content. */
static oc_verdict_t judge_content(unsigned char type, pki_bytes_t content)
{
    pki_bytes_t oid = PKI_BYTES(0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, type);
    pki_bytes_t bytes = tlv(0xa0, tlv(0x30, join(oid, tlv(0x04, content))));

    return scene_judge_bytes(tlv(0x30, join(PKI_BYTES(0x0a, 0x01, 0x00), bytes)));
}

/* The BasicOCSPResponse of a good response. */
static pki_bytes_t basic(void)
{
    pki_bytes_t status = pki_content(good()), bytes;

    bytes = pki_content(pki_content((pki_bytes_t){status.data + 3, status.length - 3}));
    return pki_content((pki_bytes_t){bytes.data + 11, bytes.length - 11});
}

TEST(certificate_expired)
{
    scene.subject.not_after = PKI_NOW;
    REFUSED(OC_CERTIFICATE_EXPIRED, "its notAfter is 2030-03-17T17:46:40Z", scene_judge_bytes(good()));
}

TEST(no_response_at_all)
{
    static unsigned char large[65532];

    REFUSED(OC_NOT_DER, "it is empty", scene_judge_bytes((pki_bytes_t){NULL, 0}));
    REFUSED(OC_TOO_LARGE, "65532 bytes", scene_judge_bytes((pki_bytes_t){large, sizeof(large)}));
    REFUSED(OC_NOT_DER, "2 bytes that are not an OCSPResponse", scene_judge_bytes(PKI_BYTES(0x05, 0x00)));
    REFUSED(OC_NOT_DER, "2 bytes follow the response", scene_judge_bytes(join(good(), PKI_BYTES(0x05, 0x00))));
}

TEST(error_status)
{
    REFUSED(OC_NOT_DER, "its encoding is not canonical",
            scene_judge_bytes(PKI_BYTES(0x30, 0x81, 0x03, 0x0a, 0x01, 0x03)));
    REFUSED(OC_TRY_LATER, "OCSPResponseStatus 3", scene_judge_bytes(PKI_BYTES(0x30, 0x03, 0x0a, 0x01, 0x03)));
    REFUSED(OC_NOT_BASIC, "error status 259, but 6 bytes",
            scene_judge_bytes(PKI_BYTES(0x30, 0x04, 0x0a, 0x02, 0x01, 0x03)));
    REFUSED(OC_NOT_BASIC, "status successful without a response",
            scene_judge_bytes(PKI_BYTES(0x30, 0x03, 0x0a, 0x01, 0x00)));
}

TEST(other_content)
{
    pki_bytes_t bytes = basic(), content = pki_content(bytes);

    assert_verdict(OC_GOOD, judge_content(1, bytes));
    REFUSED(OC_NOT_BASIC, "its type is not id-pkix-ocsp-basic", judge_content(2, bytes));
    REFUSED(OC_NOT_DER, "its content is not a BasicOCSPResponse", judge_content(1, PKI_BYTES(0x05, 0x00)));
    REFUSED(OC_NOT_DER, "there is other data next to its BasicOCSPResponse",
            judge_content(1, join(bytes, PKI_BYTES(0x05, 0x00))));
    REFUSED(OC_NOT_DER, "the encoding of its BasicOCSPResponse is not canonical",
            judge_content(1, join(PKI_BYTES(0x30, 0x83, 0x00, (unsigned char)(content.length >> 8),
                                            (unsigned char)content.length),
                                  content)));
}

/* ResponseData of indefinite length: OpenSSL parses it. */
TEST(parts_that_cannot_be_separated)
{
    pki_bytes_t data = pki_response_data(scene.pool, good());

    data = join(PKI_BYTES(0x30, 0x80), join(data, PKI_BYTES(0x00, 0x00)));
    REFUSED(OC_NOT_DER, "the parts of its BasicOCSPResponse cannot be separated",
            scene_judge_bytes(pki_sign_raw(scene.pool, data, scene.issuer)));
}

TEST(version_and_extensions)
{
    pki_bytes_t data = pki_response_data(scene.pool, good()), oid = PKI_BYTES(0x06, 0x03, 0x2a, 0x03, 0x04);
    pki_bytes_t value = PKI_BYTES(0x04, 0x02, 0x05, 0x00), one = tlv(0x30, join(oid, value));

    assert_verdict(OC_GOOD, judge_data(join(data, tlv(0xa1, tlv(0x30, one)))));
    REFUSED(OC_NOT_BASIC, "its version is not v1", judge_data(join(PKI_BYTES(0xa0, 3, 2, 1, 1), data)));
    REFUSED(OC_NOT_DER, "a response extension appears twice",
            judge_data(join(data, tlv(0xa1, tlv(0x30, join(one, one))))));
    one = tlv(0x30, join(oid, join(PKI_BYTES(0x01, 0x01, 0xff), value)));
    REFUSED(OC_CRITICAL_EXTENSION, "extension 1.2.3.4", judge_data(join(data, tlv(0xa1, tlv(0x30, one)))));
}

TEST(produced_at)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    response.produced_at = "20300317174640.5Z";
    REFUSED(OC_TIMES_INVALID, "producedAt is not of the form YYYYMMDDHHMMSSZ", scene_judge(&response));
    response.produced_at = pki_time(scene.pool, PKI_NOW + SCENE_SKEW + APR_USEC_PER_SEC);
    REFUSED(OC_NOT_YET_VALID, "producedAt is 2030-03-17T17:51:41Z", scene_judge(&response));
    scene.subject.not_before = PKI_NOW - PKI_HOUR + APR_USEC_PER_SEC;
    REFUSED(OC_TIMES_INVALID, "before the certificate was valid: its producedAt is 2030-03-17T16:46:40Z",
            scene_judge_bytes(good()));
    scene.subject.not_before = 0;
}

/* ---- who signed ---- */

TEST(signer_missing)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    response.signer = scene.delegate;
    response.by_key = 0;
    REFUSED(OC_SIGNER_MISSING, "responder name CN=Test OCSP Signer", scene_judge(&response));
    response.by_key = 1;
    REFUSED(OC_SIGNER_MISSING, "responder key hash ", scene_judge(&response));
    assert_null(strstr(scene.result.detail, "identifier"));
}

/* ---- whether they may ---- */

#define SIGNER "signer CN=Delegate, serial 0ABC"

static oc_verdict_t judge_signer(pki_spec_t spec)
{
    return scene_judge_signer(pki_make(scene.pool, &spec));
}

TEST(signer_path)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.critical = PKI_OID;
    REFUSED(OC_CRITICAL_EXTENSION, "in the signer's certificate: " SIGNER, judge_signer(spec));
    spec.critical = NULL;
    spec.issuer = scene.root;
    REFUSED(OC_SIGNER_REFUSED, "not issued by the certificate's issuer: " SIGNER, judge_signer(spec));
    spec.issuer = pki_make_ca(scene.pool, "Test Issuer", PKI_P256, NULL);
    spec.no_key_ids = 1;
    REFUSED(OC_SIGNER_REFUSED, "certificate signature failure: " SIGNER, judge_signer(spec));
}

TEST(signer_names)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.issuer_type = V_ASN1_PRINTABLESTRING;
    REFUSED(OC_SIGNER_REFUSED, "encodes its issuer's name differently from the issuer: " SIGNER, judge_signer(spec));
    spec = scene_delegate_spec();
    spec.cn = "Test Issuer";
    REFUSED(OC_SIGNER_REFUSED, "has the issuer's name, but is not the issuer: signer CN=Test Issuer",
            judge_signer(spec));
}

TEST(signer_extensions)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.eku = "serverAuth";
    REFUSED(OC_SIGNER_REFUSED, "no extended key usage OCSPSigning: " SIGNER, judge_signer(spec));
    spec = scene_delegate_spec();
    spec.key_usage = NULL;
    spec.uncritical = "2.5.29.15";
    spec.uncritical_value = PKI_BYTES(0x03, 0x01, 0x00);
    REFUSED(OC_SIGNER_REFUSED, "malformed extension, or key usage without any bit: " SIGNER, judge_signer(spec));
    spec = scene_delegate_spec();
    spec.uncritical = "2.5.29.19";
    spec.uncritical_value = PKI_BYTES(0x05, 0x00);
    REFUSED(OC_SIGNER_REFUSED, "malformed extension, or key usage without any bit: " SIGNER, judge_signer(spec));
    spec = scene_delegate_spec();
    spec.basic_constraints = "critical,CA:TRUE";
    REFUSED(OC_SIGNER_REFUSED, "a CA certificate: " SIGNER, judge_signer(spec));
    spec = scene_delegate_spec();
    spec.eku = "OCSPSigning,2.25.329800735698586629295641978511506172918";
    REFUSED(OC_SIGNER_REFUSED, "OID, encoding or repeated extension that not all clients accept: " SIGNER,
            judge_signer(spec));
}

TEST(signer_validity)
{
    pki_spec_t spec = scene_delegate_spec();
    pki_id_t *signer;

    spec.not_after = PKI_NOW;
    REFUSED(OC_SIGNER_EXPIRED, "expired: " SIGNER, judge_signer(spec));
    spec = scene_delegate_spec();
    spec.not_before = PKI_NOW + APR_USEC_PER_SEC;
    REFUSED(OC_SIGNER_EXPIRED, "not valid yet: " SIGNER, judge_signer(spec));

    spec = scene_delegate_spec();
    signer = pki_make(scene.pool, &spec);
    assert_true(ASN1_STRING_set((ASN1_STRING *)X509_getm_notAfter(signer->x509), "301301000000Z", -1));
    assert_true(X509_sign(signer->x509, scene.issuer->key, EVP_sha256()));
    if (OpenSSL_version_num() >= 0x30500000UL) /* its parser checks times */
        assert_int_not_equal(scene_judge_signer(signer), OC_GOOD);
    else
        REFUSED(OC_SIGNER_REFUSED, "unreadable validity: " SIGNER, scene_judge_signer(signer));
}

TEST(signer_strength)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.md = EVP_sha1();
    REFUSED(OC_SIGNATURE_WEAK, "weak or uncommon signature on its certificate: " SIGNER, judge_signer(spec));
    spec = scene_delegate_spec();
    spec.key = PKI_RSA_1024;
    REFUSED(OC_SIGNATURE_WEAK, "weak key: " SIGNER, judge_signer(spec));
    spec.key = PKI_ED25519;
    REFUSED(OC_SIGNATURE_WEAK, "key type that not all clients support: " SIGNER, judge_signer(spec));
}

/* A key of an algorithm that OpenSSL does not know. */
TEST(signer_key_unusable)
{
    pki_spec_t spec = scene_delegate_spec();
    pki_id_t *signer = pki_make(scene.pool, &spec);
    X509_PUBKEY *key = (X509_PUBKEY *)(uintptr_t)X509_get_X509_PUBKEY(signer->x509); /* const since OpenSSL 4 */
    const unsigned char *bits;
    unsigned char *copy;
    int length;

    assert_true(X509_PUBKEY_get0_param(NULL, &bits, &length, NULL, key));
    copy = OPENSSL_memdup(bits, (size_t)length);
    assert_true(X509_PUBKEY_set0_param(key, OBJ_txt2obj(PKI_OID, 1), V_ASN1_UNDEF, NULL, copy, length));
    assert_true(X509_sign(signer->x509, scene.issuer->key, EVP_sha256()));
    REFUSED(OC_SIGNER_REFUSED, "unusable public key: " SIGNER, scene_judge_signer(signer));
}

/* ---- whether they did ---- */

/* A good response in whose BasicOCSPResponse the algorithm's OID, and what follows it there, is replaced. */
static oc_verdict_t judge_algorithm(pki_bytes_t algorithm)
{
    static const unsigned char ecdsa[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    pki_bytes_t whole = pki_content(basic()), data = {whole.data, 0}, rest;

    while (memcmp(data.data + data.length, ecdsa, sizeof(ecdsa)) != 0)
        data.length++;
    rest = (pki_bytes_t){data.data + data.length + sizeof(ecdsa), whole.length - data.length - sizeof(ecdsa)};
    return judge_content(1, tlv(0x30, join(join(data, tlv(0x30, algorithm)), rest)));
}

TEST(signature)
{
    pki_bytes_t sha256 = PKI_BYTES(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);

    assert_verdict(OC_GOOD, judge_algorithm(sha256));
    REFUSED(OC_SIGNATURE_BAD, "unknown signature algorithm 1.2.3.4",
            judge_algorithm(PKI_BYTES(0x06, 0x03, 0x2a, 0x03, 0x04)));
    REFUSED(OC_SIGNATURE_BAD, "ecdsa-with-SHA256 has parameters that not all clients",
            judge_algorithm(join(sha256, PKI_BYTES(0x05, 0x00))));
    REFUSED(OC_SIGNATURE_WEAK, "ecdsa-with-SHA224 with SHA224",
            judge_algorithm(PKI_BYTES(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x01)));
    REFUSED(OC_SIGNATURE_BAD, "it does not match the key: signer CN=Test Issuer",
            judge_algorithm(PKI_BYTES(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03)));
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
