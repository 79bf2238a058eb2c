/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Encodings and OIDs that not every client reads. What GnuTLS does with the OIDs was tried with GnuTLS 3.7.9 and
 * libtasn1 4.19.
 */
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include "ocsp/der.h"

#include <openssl/ocsp.h>
#include <string.h>

#define BITS_63 "1.3.6.1.4.1.9223372036854775807"
#define BITS_64 "1.3.6.1.4.1.18446744073709551615"
#define BITS_64_LEAST "1.3.6.1.4.1.9223372036854775808"
#define BITS_65 "1.3.6.1.4.1.18446744073709551616"
#define FIRST_63 "2.9223372036854775727" /* the first two arcs are one number: 80 more */
#define FIRST_64 "2.9223372036854775728"
#define FIRST_65 "2.18446744073709551536"
#define UUID "2.25.329800735698586629295641978511506172918"
#define TEN_ARCS ".127.127.127.127.127.127.127.127.127.127"
#define CHARACTERS_126 "1.3" TEN_ARCS TEN_ARCS TEN_ARCS ".12"
#define CHARACTERS_127 "1.3" TEN_ARCS TEN_ARCS TEN_ARCS ".127"

static int is_canonical(pki_bytes_t bytes)
{
    return oc_der_is_canonical(bytes.data, (long)bytes.length, OC_DER_RESPONSE);
}

TEST(numbers)
{
    assert_true(is_canonical(PKI_BYTES(0x02, 0x01, 0x00)));
    assert_true(is_canonical(PKI_BYTES(0x02, 0x01, 0xff)));
    assert_true(is_canonical(PKI_BYTES(0x02, 0x02, 0x00, 0x80)));
    assert_true(is_canonical(PKI_BYTES(0x02, 0x02, 0xff, 0x7f)));
    assert_false(is_canonical(PKI_BYTES(0x02, 0x00)));
    assert_false(is_canonical(PKI_BYTES(0x02, 0x02, 0x00, 0x7f)));
    assert_false(is_canonical(PKI_BYTES(0x02, 0x02, 0xff, 0x80)));
    assert_false(is_canonical(PKI_BYTES(0x0a, 0x02, 0x00, 0x01)));
}

TEST(bit_strings)
{
    assert_true(is_canonical(PKI_BYTES(0x03, 0x01, 0x00)));
    assert_true(is_canonical(PKI_BYTES(0x03, 0x02, 0x00, 0x01)));
    assert_true(is_canonical(PKI_BYTES(0x03, 0x02, 0x07, 0x80)));
    assert_false(is_canonical(PKI_BYTES(0x03, 0x00)));
    assert_false(is_canonical(PKI_BYTES(0x03, 0x01, 0x01)));
    assert_false(is_canonical(PKI_BYTES(0x03, 0x02, 0x07, 0xc0)));
    assert_false(is_canonical(PKI_BYTES(0x03, 0x02, 0x01, 0x01)));
    assert_false(is_canonical(PKI_BYTES(0x03, 0x02, 0x08, 0x00)));
}

TEST(truth_and_nothing)
{
    assert_true(is_canonical(PKI_BYTES(0x01, 0x01, 0xff)));
    assert_false(is_canonical(PKI_BYTES(0x01, 0x01, 0x01)));
    assert_false(is_canonical(PKI_BYTES(0x01, 0x01, 0x00)));
    assert_false(is_canonical(PKI_BYTES(0x01, 0x00)));
    assert_true(is_canonical(PKI_BYTES(0x05, 0x00)));
    assert_false(is_canonical(PKI_BYTES(0x05, 0x01, 0x00)));
}

/* ---- OIDs ---- */

/* A response with an extension of this OID. */
static oc_verdict_t judge_in_response(const char *oid)
{
    pki_single_t single = scene_single();

    single.uncritical = oid;
    return scene_judge_single(&single);
}

/* A delegated signer with an extension of this OID, and of another one. */
static oc_verdict_t judge_in_signer(const char *oid)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.uncritical = oid;
    spec.uncritical_value = PKI_BYTES(0x05, 0x00);
    return scene_judge_signer(pki_make(scene.pool, &spec));
}

/* A delegated signer with this extended key usage. */
static oc_verdict_t judge_usage(const char *usage)
{
    pki_spec_t spec = scene_delegate_spec();

    spec.eku = usage;
    return scene_judge_signer(pki_make(scene.pool, &spec));
}

/* GnuTLS decodes a response, and makes text of each OID out of 64-bit numbers. How long the text is does not matter. */
TEST(oids_in_a_response)
{
    static const char *const readable[] = {BITS_63, BITS_64, FIRST_64, CHARACTERS_126, CHARACTERS_127};
    static const char *const unreadable[] = {BITS_65, FIRST_65, UUID};

    for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
        assert_verdict(OC_GOOD, judge_in_response(readable[i]));
    for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++)
        assert_verdict(OC_NOT_DER, judge_in_response(unreadable[i]));
}

/* GnuTLS encodes the signer's certificate again, out of the text. */
TEST(oids_in_the_signer)
{
    static const char *const readable[] = {BITS_63, FIRST_63, CHARACTERS_126};
    static const char *const unreadable[] = {BITS_64_LEAST, FIRST_64, CHARACTERS_127};

    for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
        assert_verdict(OC_GOOD, judge_in_signer(readable[i]));
    for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++) {
        assert_verdict(OC_SIGNER_REFUSED, judge_in_signer(unreadable[i]));
        assert_non_null(strstr(scene.result.detail, "that not all clients accept: signer CN=Delegate"));
    }
    assert_verdict(OC_NOT_DER, judge_in_signer(UUID)); /* it does not even decode the response */
}

/* It decodes the extended key usage alone. */
TEST(oids_in_the_extended_key_usage)
{
    assert_verdict(OC_GOOD, judge_usage("OCSPSigning," BITS_64));
    assert_verdict(OC_GOOD, judge_usage("OCSPSigning," CHARACTERS_127));
    assert_verdict(OC_SIGNER_REFUSED, judge_usage("OCSPSigning," BITS_65));
    assert_verdict(OC_SIGNER_REFUSED, judge_usage("OCSPSigning," UUID));
    assert_non_null(strstr(scene.result.detail, "that not all clients accept"));
}

/* Firefox reads only DER there. */
TEST(encoding_of_the_extended_key_usage)
{
    pki_bytes_t usage = PKI_BYTES(0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09);
    pki_spec_t spec = scene_delegate_spec();

    spec.eku = NULL;
    spec.uncritical = "2.5.29.37";
    spec.uncritical_value = usage;
    assert_verdict(OC_GOOD, scene_judge_signer(pki_make(scene.pool, &spec)));
    spec.uncritical_value = pki_join(scene.pool, PKI_BYTES(0x30, 0x81, 0x0a), pki_content(usage));
    assert_verdict(OC_SIGNER_REFUSED, scene_judge_signer(pki_make(scene.pool, &spec)));
    assert_non_null(strstr(scene.result.detail, "that not all clients accept"));
}

TEST(extension_of_the_signer_present_twice)
{
    pki_id_t *signer;
    pki_spec_t spec = scene_delegate_spec();

    spec.uncritical = PKI_OID;
    spec.uncritical_value = PKI_BYTES(0x05, 0x00);
    signer = pki_make(scene.pool, &spec);
    assert_verdict(OC_GOOD, scene_judge_signer(signer));
    assert_true(X509_add_ext(signer->x509, X509_get_ext(signer->x509, X509_get_ext_count(signer->x509) - 1), -1));
    assert_true(X509_sign(signer->x509, scene.issuer->key, EVP_sha256()));
    assert_verdict(OC_SIGNER_REFUSED, scene_judge_signer(signer));
    assert_non_null(strstr(scene.result.detail, "that not all clients accept"));
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
