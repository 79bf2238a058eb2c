/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The responders that a certificate names: in its order, cleaned where the meaning is clear, and without a byte that
 * a log or a request must not contain.
 */
#include "ocsp/cert.h"
#include "support_test.h"
#include "support_verify.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <string.h>

static const char *joined(const char *const *urls)
{
    const char *text = *urls ? *urls : "";

    while (*urls && *++urls)
        text = apr_pstrcat(scene.pool, text, " ", *urls, NULL);
    return text;
}

static const char *const *urls_of(const pki_id_t *id)
{
    const char *reason = "";
    oc_cert_t *cert = NULL;

    if (oc_cert_from_x509(&cert, id->x509, NULL, NULL, scene.pool, &reason) != APR_SUCCESS)
        fail_msg("%s", reason);
    return cert->urls;
}

/* A certificate whose AIA extension has one OCSP responder, at a GeneralName of these bytes. */
static const pki_id_t *with_ocsp_location(unsigned char identifier, pki_bytes_t content)
{
    static unsigned char ocsp[] = {0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01};
    pki_bytes_t name = pki_tlv(scene.pool, identifier, content);
    pki_bytes_t access = pki_tlv(scene.pool, 0x30, pki_join(scene.pool, (pki_bytes_t){ocsp, sizeof(ocsp)}, name));
    pki_bytes_t aia = pki_tlv(scene.pool, 0x30, access);
    const char *hex = apr_pescape_hex(scene.pool, aia.data, aia.length, 0);
    pki_spec_t spec = {.cn = "x", .issuer = scene.issuer, .aia = apr_pstrcat(scene.pool, "DER:", hex, NULL)};

    return pki_make(scene.pool, &spec);
}

TEST(responder_urls)
{
    static const struct {
        const char *aia, *urls;
    } cases[] = {
        {"OCSP;URI:http://ocsp.example.com/", "http://ocsp.example.com/"},
        /* In the order of the certificate, not of the alphabet, and each once. */
        {"OCSP;URI:http://z.example.com/,OCSP;URI:http://a.example.com/,OCSP;URI:http://z.example.com/",
         "http://z.example.com/ http://a.example.com/"},
        {"caIssuers;URI:http://ca.example.com/ca.der,OCSP;URI:HTTP://ocsp.example.com", "HTTP://ocsp.example.com"},
        {"OCSP;URI:ldap://l.example.com/,OCSP;URI:http://ocsp.example.com/",
         "ldap://l.example.com/ http://ocsp.example.com/"},
        {"OCSP;URI:https://s.example.com/", "https://s.example.com/"},
        {"caIssuers;URI:http://ca.example.com/ca.der", ""},
        {"OCSP;DNS:ocsp.example.com,OCSP;email:a@b.example", "DNS:ocsp.example.com email:a@b.example"},
        {"OCSP;URI:http://ocsp.example.com/a b", "http://ocsp.example.com/a%20b"},
        /* UTF-8 and Latin-1: the bytes are preserved. */
        {"OCSP;URI:http://ocsp.example.com/pr\xc3\xbc"
         "fung,OCSP;URI:http://ocsp.example.com/pr\xfc"
         "fung",
         "http://ocsp.example.com/pr%C3%BCfung http://ocsp.example.com/pr%FCfung"},
        {"OCSP;URI:http://ocsp.example.com/%7ea?<b>#c", "http://ocsp.example.com/%7ea?%3Cb%3E#c"},
        /* The meaning is unclear: the result is not a URL. */
        {"OCSP;URI:http://ocsp.example.com/\x01", "http://ocsp.example.com/\\x01"},
        {NULL, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(joined(urls_of(pki_make(
                                scene.pool, &(pki_spec_t){.cn = "x", .issuer = scene.issuer, .aia = cases[i].aia}))),
                            cases[i].urls);
}

/* A configuration file of OpenSSL cannot express these bytes: they overwrite others of the same length. */
TEST(responder_urls_with_blanks_around)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"http://ocsp.example.com/x\n", "http://ocsp.example.com/x"},
        {"http://ocsp.example.com/ \t", "http://ocsp.example.com/"},
        {"\r\n http://ocsp.example/a\r\n", "http://ocsp.example/a"},
        {"http://ocsp.exam\nple.com/", "http://ocsp.exam\\x0Aple.com/"},
        {"http://ocsp.exam\0ple.com/", "http://ocsp.exam\\x00ple.com/"},
        {"http://ocsp.example\x7f/", "http://ocsp.example\\x7F/"},
        {" \n\r\t ", ""},
    };
    static const apr_size_t lengths[] = {26, 26, 25, 25, 25, 21, 5};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pki_bytes_t uri = {apr_pmemdup(scene.pool, cases[i].in, lengths[i]), lengths[i]};

        assert_string_equal(joined(urls_of(with_ocsp_location(0x86, uri))), cases[i].out);
    }
}

/* A directory name before the URL, as some national CAs write it. */
TEST(responder_urls_after_a_directory_name)
{
    pki_id_t *one = pki_make(scene.pool, &(pki_spec_t){.cn = "OCSP \"of\" x"});
    unsigned char *der = NULL;
    int length = i2d_X509_NAME(X509_get_subject_name(one->x509), &der);
    pki_bytes_t name = {der, (apr_size_t)length};

    assert_true(length > 0);
    assert_string_equal(joined(urls_of(with_ocsp_location(0xa4, name))), "DirName:CN=OCSP%20%5C%22of%5C%22%20x");
    OPENSSL_free(der);
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
