/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which certificate a response is about: serial and issuer's key both count, whatever the hash, the signature and the
 * place among several.
 */
#include "ocsp/about.h"

#include "support_test.h"
#include "support_verify.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

static oc_about_t about(const pki_bytes_t bytes)
{
    return oc_about(bytes.data, bytes.length, &scene.subject);
}

static oc_about_t about_single(const pki_single_t *single)
{
    pki_response_t response = scene_response(single);

    return about(pki_respond(scene.pool, &response));
}

TEST(this_one_by_any_hash)
{
    pki_single_t single = scene_single();

    assert_int_equal(about_single(&single), OC_ABOUT_THIS);
    single.id_hash = EVP_sha256();
    assert_int_equal(about_single(&single), OC_ABOUT_THIS);
    single.id_hash = EVP_sha384();
    assert_int_equal(about_single(&single), OC_ABOUT_THIS);
}

TEST(another_serial_or_another_issuer)
{
    pki_single_t single = scene_single();

    single.serial++;
    assert_int_equal(about_single(&single), OC_ABOUT_ANOTHER);
    single = scene_single();
    single.issuer = scene.root;
    assert_int_equal(about_single(&single), OC_ABOUT_ANOTHER);
}

/* An issuer of the same name with a new key is another issuer. */
TEST(key_distinguishes_issuers_of_one_name)
{
    pki_single_t single = scene_single();

    single.issuer = pki_make_ca(scene.pool, "Test Issuer", PKI_P256, scene.root);
    assert_int_equal(about_single(&single), OC_ABOUT_ANOTHER);
}

TEST(who_signed_does_not_matter)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);

    response.signer = scene.root;
    assert_int_equal(about(pki_respond(scene.pool, &response)), OC_ABOUT_THIS);
}

TEST(garbage_and_errors_are_about_nothing)
{
    static const unsigned char try_later[] = {0x30, 3, 0x0a, 1, 3}, torn[] = {0x30, 0x82, 1, 0},
                               text[] = "MIIBnwoBAKCC";
    const unsigned char *serial = NULL;
    apr_size_t len = 0;

    assert_int_equal(oc_about(try_later, sizeof(try_later), &scene.subject), OC_ABOUT_NOTHING);
    assert_int_equal(oc_about(torn, sizeof(torn), &scene.subject), OC_ABOUT_NOTHING);
    assert_int_equal(oc_about(text, sizeof(text), &scene.subject), OC_ABOUT_NOTHING);
    assert_int_equal(oc_about(text, 0, &scene.subject), OC_ABOUT_NOTHING);
    assert_false(oc_about_serial(try_later, sizeof(try_later), &serial, &len, scene.pool));
    assert_int_equal(ERR_peek_error(), 0);
}

TEST(the_serial_as_der)
{
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    pki_bytes_t bytes = pki_respond(scene.pool, &response);
    const unsigned char *serial = NULL;
    apr_size_t len = 0;

    assert_true(oc_about_serial(bytes.data, bytes.length, &serial, &len, scene.pool));
    assert_int_equal(len, 4);
    assert_memory_equal(serial, "\x02\x02\x12\x34", 4);
}

TEST_MAIN(scene_group_setup, scene_group_teardown, scene_setup, scene_teardown)
