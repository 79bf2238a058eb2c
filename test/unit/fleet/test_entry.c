/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Entries of a shared store: names, bytes, and damaged or hostile bytes in place of an entry.
 */
#include "fleet/entry.h"
#include "support_test.h"
#include "support_verify.h"

#include <stdint.h>

#include <apr_strings.h>
#include <openssl/sha.h>
#include <string.h>

#define DER_LEN 471

static unsigned char der[DER_LEN], bytes[OC_FLEET_ENTRY_HEAD_LEN + DER_LEN + 8];
static const unsigned char KEY[OC_CERT_HASH_LEN] = {1, 2, 3, 0xab, 0xff};

static oc_fleet_entry_t example(void)
{
    oc_fleet_entry_t entry = {.this_update = apr_time_from_sec(1900000000) + 7,
                              .fetched_at = apr_time_from_sec(1900000100),
                              .der = der,
                              .der_len = DER_LEN};
    unsigned i;

    for (i = 0; i < DER_LEN; i++)
        der[i] = (unsigned char)(i * 7);
    memcpy(entry.key, KEY, sizeof(KEY));
    return entry;
}

/* Anyone who can write to the store can compute a correct checksum. */
static void sum_up(unsigned char *entry, apr_size_t len)
{
    unsigned char all[64 + OC_FLEET_ENTRY_HEAD_LEN + DER_LEN + 8];

    memcpy(all, entry, 64);
    memcpy(all + 64, entry + OC_FLEET_ENTRY_HEAD_LEN, len - OC_FLEET_ENTRY_HEAD_LEN);
    SHA256(all, len - OC_CERT_HASH_LEN, entry + 64);
}

TEST(round_trip_at_any_alignment)
{
    oc_fleet_entry_t entry = example(), decoded;
    unsigned shift;

    for (shift = 0; shift < 8; shift++) {
        apr_size_t len = oc_fleet_entry_encode(&entry, bytes + shift);

        assert_int_equal(len, OC_FLEET_ENTRY_HEAD_LEN + DER_LEN);
        assert_null(oc_fleet_entry_decode(&decoded, bytes + shift, len, KEY));
        assert_int_equal(decoded.this_update, entry.this_update);
        assert_int_equal(decoded.fetched_at, entry.fetched_at);
        assert_memory_equal(decoded.key, KEY, sizeof(KEY));
        assert_int_equal(decoded.der_len, DER_LEN);
        assert_ptr_equal(decoded.der, bytes + shift + OC_FLEET_ENTRY_HEAD_LEN);
        assert_memory_equal(decoded.der, der, DER_LEN);
    }
}

static const apr_time_t IN_RANGE[] = {0, 1, OC_TIME_MAX};
static const apr_time_t OUT_OF_RANGE[] = {-1, OC_TIME_MAX + 1, APR_INT64_MAX, APR_INT64_MIN, APR_INT64_MIN + 1};

static const char *decode_with_times(apr_time_t this_update, apr_time_t fetched_at, oc_fleet_entry_t *decoded)
{
    oc_fleet_entry_t entry = example();

    entry.this_update = this_update;
    entry.fetched_at = fetched_at;
    entry.der_len = 0;
    assert_int_equal(oc_fleet_entry_encode(&entry, bytes), OC_FLEET_ENTRY_HEAD_LEN);
    return oc_fleet_entry_decode(decoded, bytes, OC_FLEET_ENTRY_HEAD_LEN, KEY);
}

TEST(times_in_range_are_read_as_written)
{
    oc_fleet_entry_t decoded;
    unsigned i;

    for (i = 0; i < 3; i++) {
        assert_null(decode_with_times(IN_RANGE[i], IN_RANGE[2 - i], &decoded));
        assert_int_equal(decoded.this_update, IN_RANGE[i]);
        assert_int_equal(decoded.fetched_at, IN_RANGE[2 - i]);
    }
}

TEST(times_out_of_range_are_refused)
{
    oc_fleet_entry_t decoded;
    unsigned i;

    for (i = 0; i < 5; i++) {
        assert_non_null(strstr(decode_with_times(OUT_OF_RANGE[i], 1, &decoded), "out of range"));
        assert_non_null(strstr(decode_with_times(1, OUT_OF_RANGE[i], &decoded), "out of range"));
    }
}

/* Servers on other machines, of either byte order, rely on the layout. */
TEST(the_layout_does_not_depend_on_the_machine)
{
    oc_fleet_entry_t entry = example();

    oc_fleet_entry_encode(&entry, bytes);
    assert_memory_equal(bytes, "ocsp\0\1\0\0", 8);
    assert_memory_equal(bytes + 24, "\0\0\x01\xd7\0\0\0\0", 8);
    assert_memory_equal(bytes + 32, KEY, 32);
    assert_memory_equal(bytes + OC_FLEET_ENTRY_HEAD_LEN, der, DER_LEN);
    entry.this_update = 0x0102030405060708;
    entry.fetched_at = 0x1112131415161718;
    oc_fleet_entry_encode(&entry, bytes);
    assert_memory_equal(bytes + 8, "\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18", 16);
}

TEST(each_changed_bit_is_found)
{
    oc_fleet_entry_t entry = example(), decoded;
    apr_size_t len = oc_fleet_entry_encode(&entry, bytes), i;
    int bit;

    for (i = 0; i < len; i++)
        for (bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1 << bit);
            assert_non_null(oc_fleet_entry_decode(&decoded, bytes, len, KEY));
            bytes[i] ^= (unsigned char)(1 << bit);
        }
    assert_null(oc_fleet_entry_decode(&decoded, bytes, len, KEY));
}

TEST(each_wrong_length_is_found)
{
    oc_fleet_entry_t entry = example(), decoded;
    apr_size_t whole = oc_fleet_entry_encode(&entry, bytes), len;

    for (len = 0; len < sizeof(bytes); len++) {
        unsigned char *copy = malloc(len ? len : 1); /* of exactly this size: the sanitizer finds a read beyond it */

        memcpy(copy, bytes, len);
        assert_int_equal(oc_fleet_entry_decode(&decoded, copy, len, KEY) == NULL, len == whole);
        free(copy);
    }
}

TEST(each_problem_has_its_own_message)
{
    oc_fleet_entry_t entry = example(), decoded;
    apr_size_t len = oc_fleet_entry_encode(&entry, bytes);
    unsigned char other[OC_CERT_HASH_LEN] = {9};

    assert_non_null(
        strstr(oc_fleet_entry_decode(&decoded, (const unsigned char *)"garbage in", 10, KEY), "by this module"));
    assert_non_null(strstr(oc_fleet_entry_decode(&decoded, bytes, len - 1, KEY), "cut off"));
    assert_non_null(strstr(oc_fleet_entry_decode(&decoded, bytes, len, other), "another certificate"));
    bytes[200] ^= 1;
    assert_non_null(strstr(oc_fleet_entry_decode(&decoded, bytes, len, KEY), "damaged"));
    sum_up(bytes, len);
    assert_null(oc_fleet_entry_decode(&decoded, bytes, len, KEY)); /* control: sum_up() computes a correct checksum */
    bytes[5] = 2;
    sum_up(bytes, len);
    assert_non_null(strstr(oc_fleet_entry_decode(&decoded, bytes, len, KEY), "another version"));
    bytes[5] = 1;
    bytes[7] = 1; /* reserved bytes are zero */
    sum_up(bytes, len);
    assert_non_null(oc_fleet_entry_decode(&decoded, bytes, len, KEY));
}

TEST(test_names)
{
    char name[OC_FLEET_ENTRY_NAME_LEN];
    const char *longest = "abcdefghijklmnopqrstuvwxyz.-_012";

    oc_fleet_entry_name("ocsp", KEY, name);
    assert_string_equal(name, "ocsp:1:010203ABFF000000000000000000000000000000000000000000000000000000");
    assert_null(oc_fleet_entry_prefix_problem(longest));
    oc_fleet_entry_name(longest, KEY, name);
    assert_int_equal(strlen(name), OC_FLEET_ENTRY_NAME_LEN - 1);
    assert_null(oc_fleet_entry_prefix_problem("A"));
    assert_non_null(oc_fleet_entry_prefix_problem(""));
    assert_non_null(oc_fleet_entry_prefix_problem("abcdefghijklmnopqrstuvwxyz.-_0123"));
    assert_non_null(oc_fleet_entry_prefix_problem("two words"));
    assert_non_null(oc_fleet_entry_prefix_problem("a:b"));
    assert_non_null(oc_fleet_entry_prefix_problem("line\nend"));
    assert_non_null(oc_fleet_entry_prefix_problem("\xc3\xa9"));
}

static void key_of(const pki_id_t *issuer, long serial, unsigned char key[OC_CERT_HASH_LEN])
{
    pki_spec_t spec = {.cn = "www", .issuer = issuer, .serial = serial};
    const char *reason = NULL;
    oc_cert_t *cert;

    assert_int_equal(oc_cert_parse(&cert, pki_pem(scene.pool, pki_make(scene.pool, &spec), issuer),
                                   oc_issuer_set_create(scene.pool), scene.pool, &reason),
                     APR_SUCCESS);
    assert_int_equal(oc_fleet_entry_key(cert, key, scene.pool), APR_SUCCESS);
}

/* Two certificates of one CertID share an entry, as one response is for both; another CertID has another entry. */
TEST_WITH(keys_follow_the_certid, scene_setup, scene_teardown)
{
    unsigned char a[OC_CERT_HASH_LEN], b[OC_CERT_HASH_LEN];
    const pki_id_t *twin = pki_make_ca(scene.pool, "Another CA", PKI_P256, NULL);
    const pki_id_t *same_name = pki_make_ca(scene.pool, "Another CA", PKI_P256, NULL);

    key_of(scene.issuer, 5, a);
    key_of(scene.issuer, 5, b); /* another certificate, with another key */
    assert_memory_equal(a, b, sizeof(a));
    key_of(scene.issuer, 6, b);
    assert_memory_not_equal(a, b, sizeof(a));
    key_of(twin, 5, b);
    assert_memory_not_equal(a, b, sizeof(a));
    key_of(same_name, 5, a); /* the same name, another key */
    assert_memory_not_equal(a, b, sizeof(a));
}

TEST(claims)
{
    oc_fleet_claim_t claim = {UINT64_C(0x8000000000000001), apr_time_from_sec(1900000000) + 5}, decoded;
    unsigned char made[OC_FLEET_CLAIM_LEN];

    oc_fleet_claim_encode(&claim, made);
    assert_int_equal(oc_fleet_claim_decode(&decoded, made, sizeof(made)), APR_SUCCESS);
    assert_true(decoded.who == claim.who);
    assert_int_equal(decoded.since, claim.since);
    assert_int_equal(oc_fleet_claim_decode(&decoded, made, sizeof(made) - 1), APR_EINVAL);
    assert_int_equal(oc_fleet_claim_decode(&decoded, made, 0), APR_EINVAL);
}

TEST(claims_with_times_out_of_range_are_refused)
{
    unsigned char made[OC_FLEET_CLAIM_LEN];
    oc_fleet_claim_t decoded;
    unsigned i;

    for (i = 0; i < 5; i++) {
        oc_fleet_claim_t claim = {7, OUT_OF_RANGE[i]};

        oc_fleet_claim_encode(&claim, made);
        assert_int_equal(oc_fleet_claim_decode(&decoded, made, sizeof(made)), APR_EINVAL);
    }
}

TEST_MAIN(scene_group_setup, scene_group_teardown, NULL, NULL)
