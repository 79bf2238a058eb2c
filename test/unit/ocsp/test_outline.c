/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the outline of a certificate says is what OpenSSL says of it, also of a damaged one; what is uncommon is left to
 * OpenSSL; and a certificate is not taken for one that another key has signed.
 */
#include "ocsp/cert.h"
#include "ocsp/outline.h"
#include "support_test.h"
#include "support_verify.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <string.h>

static pki_bytes_t der_of(const pki_id_t *id)
{
    unsigned char *der = NULL;
    int length = i2d_X509(id->x509, &der);
    pki_bytes_t bytes;

    assert_true(length > 0);
    bytes = (pki_bytes_t){apr_pmemdup(scene.pool, der, (apr_size_t)length), (apr_size_t)length};
    OPENSSL_free(der);
    return bytes;
}

static void assert_same(const oc_cert_t *cert, const oc_cert_t *wanted)
{
    int i;

    assert_memory_equal(cert->id, wanted->id, sizeof(cert->id));
    assert_int_equal(cert->issuer_name_len, wanted->issuer_name_len);
    assert_memory_equal(cert->issuer_name, wanted->issuer_name, wanted->issuer_name_len);
    assert_int_equal(cert->serial_der_len, wanted->serial_der_len);
    assert_memory_equal(cert->serial_der, wanted->serial_der, wanted->serial_der_len);
    assert_string_equal(cert->serial, wanted->serial);
    assert_string_equal(cert->subject, wanted->subject);
    for (i = 0; wanted->urls[i]; i++)
        assert_string_equal(cert->urls[i], wanted->urls[i]);
    assert_null(cert->urls[i]);
    assert_int_equal(cert->not_before, wanted->not_before);
    assert_int_equal(cert->not_after, wanted->not_after);
    assert_int_equal(cert->must_staple, wanted->must_staple);
    assert_int_equal(cert->is_self_signed, wanted->is_self_signed);
}

/* By the outline; NULL: it leaves it to OpenSSL. */
static oc_cert_t *outlined(pki_bytes_t der, oc_last_urls_t *last)
{
    oc_outline_t outline;
    oc_cert_t *cert;

    if (!oc_outline_read(&outline, der.data, der.length)
        || oc_cert_from_outline(&cert, &outline, last, scene.pool) != APR_SUCCESS)
        return NULL;
    assert_null(cert->subject);
    oc_cert_name(cert, outline.subject, outline.der, scene.pool);
    return cert;
}

/* By OpenSSL; NULL: it rejects it. */
static oc_cert_t *parsed(pki_bytes_t der)
{
    const unsigned char *p = der.data;
    X509 *x509 = d2i_X509(NULL, &p, (long)der.length);
    oc_cert_t *cert = NULL;
    const char *reason;

    if (x509)
        (void)oc_cert_from_x509(&cert, x509, NULL, NULL, scene.pool, &reason);
    X509_free(x509);
    return cert;
}

TEST(certificates_of_the_usual_form)
{
    static const pki_spec_t specs[] = {
        {.cn = "www.example.com"},
        {.cn = "www.example.com", .key = PKI_RSA_2048, .aia = "OCSP;URI:http://o.example.com/"},
        {.cn = "www.example.com", .aia = "OCSP;URI:http://o.example.com/"}, /* the last one's URLs */
        {.cn = "www.example.com", .aia = "OCSP;URI:http://p.example.com/,caIssuers;URI:http://c.example.com/"},
        {.cn = "Zo\xc3\xab\n", .tls_feature = "status_request", .serial = 0x80},
        {.san = "DNS:only.example.com", .aia = "caIssuers;URI:http://c.example.com/"},
        {.cn = "x", .not_before = -PKI_DAY, .not_after = APR_TIME_C(253402300799) * APR_USEC_PER_SEC},
        {.cn = "x", .basic_constraints = "critical,CA:FALSE", .key_usage = "digitalSignature", .eku = "serverAuth"},
    };
    oc_last_urls_t last = {{NULL, 0}, NULL};
    size_t i;

    for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        pki_spec_t spec = specs[i];
        pki_bytes_t der;
        oc_cert_t *cert;

        spec.issuer = scene.issuer;
        der = der_of(pki_make(scene.pool, &spec));
        cert = outlined(der, &last);
        assert_non_null(cert);
        assert_same(cert, parsed(der));
    }
}

TEST(what_is_uncommon_is_left_to_openssl)
{
    static unsigned char twice[] = {0x30, 0};
    const pki_spec_t specs[] = {
        {.cn = "x", .issuer = scene.issuer, .no_key_ids = 1},
        {.cn = "Test Root"},
        {.cn = "x",
         .issuer = scene.issuer,
         .aia = "OCSP;URI:http://o.example.com/",
         .uncritical = "1.3.6.1.5.5.7.1.1",
         .uncritical_value = {twice, sizeof(twice)}},
    };
    oc_outline_t outline;
    pki_bytes_t der;
    size_t i;

    for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        der = der_of(pki_make(scene.pool, &specs[i]));
        assert_false(oc_outline_read(&outline, der.data, der.length));
    }
    der = pki_join(scene.pool, der_of(scene.certificate), PKI_BYTES(0x30, 0x00));
    assert_false(oc_outline_read(&outline, der.data, der.length));
}

/* In a block of its own, so that AddressSanitizer sees a read beyond it. */
static void judge_damaged(const unsigned char *der, size_t length)
{
    unsigned char *copy = malloc(length ? length : 1);
    pki_bytes_t bytes = {copy, length};
    oc_cert_t *cert, *wanted;

    memcpy(copy, der, length);
    cert = outlined(bytes, NULL);
    wanted = cert ? parsed(bytes) : NULL;
    if (wanted)
        assert_same(cert, wanted);
    free(copy);
}

TEST(damaged_certificates)
{
    pki_spec_t spec = {.cn = "www.example.com",
                       .issuer = scene.issuer,
                       .aia = "OCSP;URI:http://o.example.com/",
                       .tls_feature = "status_request"};
    pki_bytes_t der = der_of(pki_make(scene.pool, &spec));
    static const unsigned char changes[] = {0x01, 0x80, 0x20, 0xff};
    size_t i, j;

    for (i = 0; i < der.length; i++)
        judge_damaged(der.data, i);
    for (i = 0; i < der.length; i++)
        for (j = 0; j < sizeof(changes); j++) {
            der.data[i] ^= changes[j];
            judge_damaged(der.data, der.length);
            der.data[i] ^= changes[j];
        }
    ERR_clear_error();
}

TEST(names_an_issuer)
{
    pki_bytes_t der = der_of(scene.certificate);
    const pki_id_t *renewed = pki_make_ca(scene.pool, "Test Issuer", PKI_P256, scene.root);
    const pki_id_t *no_right = pki_make(
        scene.pool, &(pki_spec_t){.cn = "Test Issuer", .rekey = scene.issuer, .key_usage = "digitalSignature"});
    const pki_id_t *renamed = pki_make(scene.pool, &(pki_spec_t){.cn = "Other", .rekey = scene.issuer});
    oc_outline_t outline;

    assert_true(oc_outline_read(&outline, der.data, der.length));
    assert_true(oc_outline_names(&outline, scene.issuer->x509));
    assert_false(oc_outline_names(&outline, renewed->x509));
    assert_false(oc_outline_names(&outline, no_right->x509));
    assert_false(oc_outline_names(&outline, renamed->x509));
    assert_false(oc_outline_names(&outline, scene.root->x509));
}

TEST(is_signed_by_a_key)
{
    const pki_id_t *renewed = pki_make_ca(scene.pool, "Test Issuer", PKI_RSA_2048, scene.root);
    pki_bytes_t der = der_of(scene.certificate);
    oc_outline_t outline;

    assert_true(oc_outline_read(&outline, der.data, der.length));
    assert_true(oc_outline_is_signed_by(&outline, scene.issuer->x509));
    assert_false(oc_outline_is_signed_by(&outline, scene.root->x509));
    assert_false(oc_outline_is_signed_by(&outline, renewed->x509));
    ((unsigned char *)outline.tbs.at)[outline.tbs.len - 1] ^= 1;
    assert_false(oc_outline_is_signed_by(&outline, scene.issuer->x509));
    ERR_clear_error();
}

TEST(keys)
{
    const pki_id_t *all[] = {scene.root, scene.issuer, scene.certificate,
                             pki_make_ca(scene.pool, "x", PKI_RSA_2048, scene.root),
                             pki_make_ca(scene.pool, "x", PKI_ED25519, scene.root)};
    pki_bytes_t der;
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const ASN1_BIT_STRING *wanted = X509_get0_pubkey_bitstr(all[i]->x509);
        oc_bytes_t key;

        der = der_of(all[i]);
        key = oc_outline_key(der.data, der.length);
        assert_non_null(key.at);
        assert_int_equal(key.len, ASN1_STRING_length(wanted));
        assert_memory_equal(key.at, ASN1_STRING_get0_data(wanted), key.len);
    }
    for (i = 0; i < der.length; i++) {
        unsigned char *cut = malloc(i ? i : 1);

        memcpy(cut, der.data, i);
        assert_null(oc_outline_key(cut, i).at);
        free(cut);
    }
    ERR_clear_error();
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
