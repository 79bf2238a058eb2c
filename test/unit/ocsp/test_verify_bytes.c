/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Verification of bytes that are not, or not quite, a response: cut short, with garbage, every bit flipped, BER instead
 * of DER, contents that OpenSSL would never write. None of it may be judged good, leave an error in the thread's
 * queue or read beyond its end (the tests also run under AddressSanitizer).
 */
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <string.h>

static pki_bytes_t direct(void)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    return pki_respond(scene.pool, &response);
}

static pki_bytes_t delegated(void)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    response.signer = scene.delegate;
    response.certificates[0] = scene.delegate->x509;
    return pki_respond(scene.pool, &response);
}

/* Signed with RSA: PKCS #1, whose algorithm has parameters that nothing signs, or PSS, which has many. */
static pki_bytes_t rsa_signed(const pki_id_t *issuer, int pss)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    single.issuer = response.signer = issuer;
    response.pss = pss;
    return pki_respond(scene.pool, &response);
}

/* --------------------------------------------------------------------------------------------------------- sizes */

TEST(too_short)
{
    assert_verdict(OC_NOT_DER, scene_judge_bytes((pki_bytes_t){NULL, 0}));
    for (int byte = 0; byte < 256; byte++)
        assert_verdict(OC_NOT_DER, scene_judge_bytes(PKI_BYTES((unsigned char)byte)));
}

TEST(truncated_at_every_length)
{
    pki_bytes_t responses[] = {direct(), delegated()};

    for (size_t i = 0; i < 2; i++) {
        assert_verdict(OC_GOOD, scene_judge_bytes(responses[i]));
        for (apr_size_t length = 0; length < responses[i].length; length++)
            assert_verdict(OC_NOT_DER, scene_judge_bytes((pki_bytes_t){responses[i].data, length}));
    }
}

TEST(trailing_garbage)
{
    pki_bytes_t good = direct(), error = pki_status(scene.pool, 3);

    for (int byte = 0; byte < 256; byte++) {
        pki_bytes_t tail = PKI_BYTES((unsigned char)byte);
        assert_verdict(OC_NOT_DER, scene_judge_bytes(pki_join(scene.pool, good, tail)));
        assert_string_equal(scene.result.detail, "1 bytes follow the response");
        assert_verdict(OC_NOT_DER, scene_judge_bytes(pki_join(scene.pool, error, tail)));
    }
    assert_verdict(OC_NOT_DER, scene_judge_bytes(pki_join(scene.pool, good, good)));
}

TEST(too_large)
{
    pki_bytes_t large = {apr_pcalloc(scene.pool, 70000), 65532};

    assert_verdict(OC_TOO_LARGE, scene_judge_bytes(large));
    large.length = 65531;
    assert_verdict(OC_NOT_DER, scene_judge_bytes(large));
}

/* ---------------------------------------------------------------------------------------------------------- bits */

/* Flip every bit; none may remain good, nor be taken for another proven status. */
static void turn_every_bit(pki_bytes_t bytes)
{
    assert_verdict(OC_GOOD, scene_judge_bytes(bytes));
    for (apr_size_t at = 0; at < bytes.length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            oc_verdict_t verdict;
            bytes.data[at] ^= (unsigned char)(1 << bit);
            verdict = scene_judge_bytes(bytes);
            if (verdict == OC_GOOD || verdict == OC_REVOKED || verdict == OC_UNKNOWN)
                fail_msg("byte %" APR_SIZE_T_FMT " bit %d: %s", at, bit, oc_verdict_name(verdict));
            assert_verdict(verdict, scene.result.verdict);
            bytes.data[at] ^= (unsigned char)(1 << bit);
        }
    }
    assert_verdict(OC_GOOD, scene_judge_bytes(bytes));
}

TEST(every_bit_of_a_direct_response)
{
    turn_every_bit(direct());
}

TEST(every_bit_of_a_delegated_response)
{
    turn_every_bit(delegated());
}

TEST(every_bit_of_rsa_responses)
{
    pki_id_t *issuer = pki_make_ca(scene.pool, "RSA Issuer", PKI_RSA_2048, NULL);

    scene_trust(issuer);
    turn_every_bit(rsa_signed(issuer, 0));
    turn_every_bit(rsa_signed(issuer, 1));
    scene_trust(scene.issuer);
}

/* No signature covers a certificate that clients do not need. Whatever is done to it, they get the same bytes. */
TEST(every_bit_of_unneeded_certificates)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_bytes_t bytes, trimmed;
    int survivors = 0;

    response.certificates[0] = scene.issuer->x509;
    bytes = pki_respond(scene.pool, &response);
    assert_verdict(OC_GOOD, scene_judge_bytes(bytes));
    trimmed = (pki_bytes_t){apr_pmemdup(scene.pool, scene.result.der, scene.result.der_len), scene.result.der_len};
    for (apr_size_t at = 0; at < bytes.length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[at] ^= (unsigned char)(1 << bit);
            if (scene_judge_bytes(bytes) == OC_GOOD) {
                survivors++;
                assert_int_equal(scene.result.der_len, trimmed.length);
                assert_memory_equal(scene.result.der, trimmed.data, trimmed.length);
            }
            bytes.data[at] ^= (unsigned char)(1 << bit);
        }
    }
    assert_in_range(survivors, 1000, 8 * bytes.length);
}

/* ------------------------------------------------------------------------------------------------------- encoding */

static pki_bytes_t join(pki_bytes_t first, pki_bytes_t second)
{
    return pki_join(scene.pool, first, second);
}

static pki_bytes_t tlv(unsigned char identifier, pki_bytes_t content)
{
    return pki_tlv(scene.pool, identifier, content);
}

TEST(ber_outside)
{
    pki_bytes_t content = pki_content(direct());
    unsigned char high = (unsigned char)(content.length >> 8), low = (unsigned char)content.length;

    assert_verdict(OC_GOOD, scene_judge_bytes(join(PKI_BYTES(0x30, 0x82, high, low), content)));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(join(PKI_BYTES(0x30, 0x83, 0, high, low), content)));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(join(PKI_BYTES(0x30, 0x84, 0, 0, high, low), content)));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(join(PKI_BYTES(0x30, 0x80), join(content, PKI_BYTES(0x00, 0x00)))));
    /* Errors too. */
    assert_verdict(OC_TRY_LATER, scene_judge_bytes(PKI_BYTES(0x30, 0x03, 0x0a, 0x01, 0x03)));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(PKI_BYTES(0x30, 0x81, 0x03, 0x0a, 0x01, 0x03)));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(PKI_BYTES(0x30, 0x80, 0x0a, 0x01, 0x03, 0x00, 0x00)));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(PKI_BYTES(0x30, 0x04, 0x0a, 0x02, 0x00, 0x03)));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(PKI_BYTES(0x30, 0x02, 0x0a, 0x00)));
    assert_verdict(OC_UNDEFINED_STATUS, scene_judge_bytes(PKI_BYTES(0x30, 0x03, 0x0a, 0x01, 0xff)));
}

/* An error status stands alone: anything else would be stapled unsigned. */
TEST(error_with_extra_bytes)
{
    pki_bytes_t content = pki_content(direct());

    content.data[2] = 3; /* ENUMERATED */
    assert_verdict(OC_NOT_BASIC, scene_judge_bytes(tlv(0x30, content)));
    assert_verdict(OC_NOT_BASIC, scene_judge_bytes(PKI_BYTES(0x30, 0x04, 0x0a, 0x02, 0x01, 0x03)));
    assert_verdict(OC_NOT_BASIC, scene_judge_bytes(PKI_BYTES(0x30, 0x0b, 0x0a, 0x09, 1, 2, 3, 4, 5, 6, 7, 8, 9)));
}

/* The bytes are signed as they are, so only the encoding is wrong. */
static pki_bytes_t sign_raw(pki_bytes_t response_data)
{
    return pki_sign_raw(scene.pool, response_data, scene.issuer);
}

TEST(signed_by_hand)
{
    pki_bytes_t content = pki_response_data(scene.pool, direct());

    assert_verdict(OC_GOOD, scene_judge_bytes(sign_raw(tlv(0x30, content))));
    assert_verdict(OC_NOT_DER,
                   scene_judge_bytes(sign_raw(join(PKI_BYTES(0x30, 0x82, 0, (unsigned char)content.length), content))));
    assert_verdict(OC_NOT_DER,
                   scene_judge_bytes(sign_raw(join(PKI_BYTES(0x30, 0x80), join(content, PKI_BYTES(0x00, 0x00))))));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(sign_raw(tlv(0x30, join(content, PKI_BYTES(0x05, 0x00))))));
}

TEST(version)
{
    pki_bytes_t content = pki_response_data(scene.pool, direct());

    /* Not strictly DER, but all clients accept it. */
    assert_verdict(OC_GOOD, scene_judge_bytes(sign_raw(tlv(0x30, join(PKI_BYTES(0xa0, 3, 2, 1, 0), content)))));
    assert_verdict(OC_NOT_BASIC, scene_judge_bytes(sign_raw(tlv(0x30, join(PKI_BYTES(0xa0, 3, 2, 1, 1), content)))));
    assert_verdict(OC_NOT_BASIC, scene_judge_bytes(sign_raw(tlv(0x30, join(PKI_BYTES(0xa0, 3, 2, 1, 0xff), content)))));
    assert_verdict(OC_NOT_BASIC, scene_judge_bytes(sign_raw(tlv(0x30, join(PKI_BYTES(0xa0, 4, 2, 2, 1, 0), content)))));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(sign_raw(tlv(0x30, join(PKI_BYTES(0xa0, 4, 2, 2, 0, 0), content)))));
}

/* responseExtensions with one extension, whose critical is written as given. */
static pki_bytes_t with_extension(pki_bytes_t critical)
{
    pki_bytes_t oid = PKI_BYTES(0x06, 0x03, 0x2a, 0x03, 0x04), value = PKI_BYTES(0x04, 0x02, 0x05, 0x00);
    pki_bytes_t extensions = tlv(0x30, tlv(0x30, join(oid, join(critical, value))));

    return tlv(0x30, join(pki_response_data(scene.pool, direct()), tlv(0xa1, extensions)));
}

TEST(critical_encodings)
{
    assert_verdict(OC_GOOD, scene_judge_bytes(sign_raw(with_extension((pki_bytes_t){NULL, 0}))));
    assert_verdict(OC_CRITICAL_EXTENSION, scene_judge_bytes(sign_raw(with_extension(PKI_BYTES(0x01, 0x01, 0xff)))));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(sign_raw(with_extension(PKI_BYTES(0x01, 0x01, 0x01)))));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(sign_raw(with_extension(PKI_BYTES(0x01, 0x01, 0x00)))));
}

/* Chrome rejects a list of extensions that has none. */
TEST(empty_lists_of_extensions)
{
    static unsigned char sha1[] = {0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00};
    pki_bytes_t none = tlv(0xa1, tlv(0x30, (pki_bytes_t){NULL, 0}));
    pki_bytes_t data = pki_response_data(scene.pool, direct()), head = {data.data, 0}, single;

    assert_verdict(OC_NOT_DER, scene_judge_bytes(sign_raw(tlv(0x30, join(data, none)))));
    assert_non_null(strstr(scene.result.detail, "empty list of extensions"));

    /* SEQUENCE { SEQUENCE { SEQUENCE { hash algorithm ... */
    while (memcmp(head.data + head.length + 6, sha1, sizeof(sha1)) != 0)
        head.length++;
    single = pki_content(pki_content((pki_bytes_t){data.data + head.length, data.length - head.length}));
    assert_verdict(OC_GOOD, scene_judge_bytes(sign_raw(tlv(0x30, join(head, tlv(0x30, tlv(0x30, single)))))));
    single = join(single, none);
    assert_verdict(OC_NOT_DER, scene_judge_bytes(sign_raw(tlv(0x30, join(head, tlv(0x30, tlv(0x30, single)))))));
    assert_non_null(strstr(scene.result.detail, "empty list of extensions"));
}

/* The CertID's hash: parameters that are absent or NULL, and nothing else. */
TEST(certid_parameters)
{
    static unsigned char sha1[] = {0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00};
    pki_bytes_t data = pki_response_data(scene.pool, direct()), start = {data.data, 0}, single, certid, rest, hash;

    while (memcmp(start.data + start.length, sha1, sizeof(sha1)) != 0)
        start.length++;
    /* [2] { key hash }, producedAt, SEQUENCE { SEQUENCE { CertID ... */
    hash = (pki_bytes_t){data.data + start.length + sizeof(sha1), 0};
    for (int variant = 0; variant < 4; variant++) {
        pki_bytes_t algorithms[] = {PKI_BYTES(0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00),
                                    PKI_BYTES(0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a),
                                    PKI_BYTES(0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x30, 0x00),
                                    PKI_BYTES(0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x04, 0x01, 0x00)};
        pki_bytes_t head = {data.data, start.length - 6}; /* less three SEQUENCEs of one length octet */

        certid = pki_content((pki_bytes_t){data.data + start.length - 2, data.length - start.length + 2});
        hash = (pki_bytes_t){certid.data + sizeof(sha1), certid.length - sizeof(sha1)};
        rest = (pki_bytes_t){certid.data + certid.length,
                             data.length - (apr_size_t)(certid.data + certid.length - data.data)};
        single = join(tlv(0x30, join(tlv(0x30, algorithms[variant]), hash)), rest);
        single = join(head, tlv(0x30, tlv(0x30, single)));
        assert_verdict(variant < 2 ? OC_GOOD : OC_NOT_OURS, scene_judge_bytes(sign_raw(tlv(0x30, single))));
    }
}

/* OpenSSL preserves names as received. */
TEST(ber_in_the_responder_name)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_bytes_t data, name, rest, longer, text;

    response.by_key = 0;
    data = pki_response_data(scene.pool, pki_respond(scene.pool, &response));
    assert_int_equal(data.data[0], 0xa1);
    name = pki_content(pki_content(data));
    rest = (pki_bytes_t){name.data + name.length, data.length - (apr_size_t)(name.data + name.length - data.data)};
    assert_verdict(OC_GOOD, scene_judge_bytes(sign_raw(tlv(0x30, join(tlv(0xa1, tlv(0x30, name)), rest)))));
    longer = join(PKI_BYTES(0x30, 0x81, (unsigned char)name.length), name);
    assert_verdict(OC_NOT_DER, scene_judge_bytes(sign_raw(tlv(0x30, join(tlv(0xa1, longer), rest)))));
    longer = join(PKI_BYTES(0x30, 0x80), join(name, PKI_BYTES(0x00, 0x00)));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(sign_raw(tlv(0x30, join(tlv(0xa1, longer), rest)))));
    /* The common name in pieces, one in fact. */
    text = tlv(0x2c, tlv(0x0c, (pki_bytes_t){(unsigned char *)"Test Issuer", 11}));
    longer = tlv(0x30, tlv(0x31, tlv(0x30, join(PKI_BYTES(0x06, 0x03, 0x55, 0x04, 0x03), text))));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(sign_raw(tlv(0x30, join(tlv(0xa1, longer), rest)))));
}

/* After the BasicOCSPResponse, inside its OCTET STRING. */
TEST(garbage_inside)
{
    pki_bytes_t whole = direct(), response_bytes, basic_type, octets, inner;

    response_bytes =
        pki_content(pki_content((pki_bytes_t){pki_content(whole).data + 3, pki_content(whole).length - 3}));
    basic_type = (pki_bytes_t){response_bytes.data, 11};
    octets = (pki_bytes_t){response_bytes.data + 11, response_bytes.length - 11};
    for (int garbage = 0; garbage < 2; garbage++) {
        pki_bytes_t content = pki_content(octets);
        if (garbage)
            content = join(content, PKI_BYTES(0x05, 0x00));
        inner = tlv(0x30, join(basic_type, tlv(0x04, content)));
        assert_verdict(garbage ? OC_NOT_DER : OC_GOOD,
                       scene_judge_bytes(tlv(0x30, join(PKI_BYTES(0x0a, 1, 0), tlv(0xa0, inner)))));
    }
    /* Another type of response; one that is no response at all. */
    basic_type = PKI_BYTES(0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02);
    inner = tlv(0x30, join(basic_type, octets));
    assert_verdict(OC_NOT_BASIC, scene_judge_bytes(tlv(0x30, join(PKI_BYTES(0x0a, 1, 0), tlv(0xa0, inner)))));
    basic_type.data[10] = 1;
    inner = tlv(0x30, join(basic_type, PKI_BYTES(0x04, 0x02, 0x05, 0x00)));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(tlv(0x30, join(PKI_BYTES(0x0a, 1, 0), tlv(0xa0, inner)))));
}

/* Algorithm parameters can hold anything; a thousand levels must be rejected without exhausting the stack. */
TEST(deep_nesting)
{
    pki_bytes_t nested = PKI_BYTES(0x05, 0x00), data = tlv(0x30, pki_response_data(scene.pool, direct()));
    pki_bytes_t oid = PKI_BYTES(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02), basic;
    pki_bytes_t basic_type = PKI_BYTES(0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01);

    for (int depth = 0; depth < 1000; depth++)
        nested = tlv(0x30, nested);
    basic = join(data, join(tlv(0x30, join(oid, nested)), PKI_BYTES(0x03, 0x02, 0x00, 0x01)));
    basic = tlv(0x30, join(basic_type, tlv(0x04, tlv(0x30, basic))));
    assert_verdict(OC_NOT_DER, scene_judge_bytes(tlv(0x30, join(PKI_BYTES(0x0a, 1, 0), tlv(0xa0, basic)))));
}

/* --------------------------------------------------------------------------------------------------- error queue */

static void assert_two_errors(void)
{
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), ERR_R_PASSED_NULL_PARAMETER);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), ERR_R_INTERNAL_ERROR);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), ERR_R_PASSED_NULL_PARAMETER);
    assert_int_equal(ERR_get_error(), 0);
}

static void judge_beside_errors(pki_bytes_t bytes)
{
    ERR_clear_error();
    scene_judge_bytes(bytes);
    assert_int_equal(ERR_peek_error(), 0);
    ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
    ERR_raise(ERR_LIB_USER, ERR_R_PASSED_NULL_PARAMETER);
    scene_judge_bytes(bytes);
    assert_two_errors();
}

TEST(error_queue_is_left_as_found)
{
    pki_bytes_t bytes = delegated();

    judge_beside_errors(bytes);
    judge_beside_errors(pki_status(scene.pool, 3));
    for (apr_size_t at = 0; at < bytes.length; at++) {
        judge_beside_errors((pki_bytes_t){bytes.data, at});
        bytes.data[at] ^= 0x21;
        judge_beside_errors(bytes);
        bytes.data[at] ^= 0x21;
    }
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
