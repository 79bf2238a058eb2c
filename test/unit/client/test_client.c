/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The entry of a client: its key, its bytes, and what follows from it. Certificates of two issuers have the same
 * serials here, and one issuer has a twin with its name and one with its key.
 */
#include "client/client.h"

#include "base/timestamp.h"
#include "support_pki.h"
#include "support_test.h"

#include <string.h>

static apr_pool_t *pool;
static pki_id_t *issuer, *same_name, *same_key;

static int setup(void **state)
{
    pki_spec_t twin = {.cn = "Another name", .basic_constraints = "critical,CA:TRUE"};

    (void)state;
    apr_pool_create(&pool, NULL);
    issuer = pki_make_ca(pool, "Client CA", PKI_P256, NULL);
    same_name = pki_make_ca(pool, "Client CA", PKI_P256, NULL);
    twin.rekey = issuer;
    same_key = pki_make(pool, &twin);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static pki_id_t *client_of(const pki_id_t *ca, long serial)
{
    pki_spec_t spec = {.cn = "a client",
                       .issuer = ca,
                       .serial = serial,
                       .aia = "OCSP;URI:http://one.test/,OCSP;URI:http://two.test/x"};

    return pki_make(pool, &spec);
}

static oc_client_key_t key_of(const pki_id_t *client, const pki_id_t *ca)
{
    oc_client_key_t key;

    assert_int_equal(oc_client_identify(&key, client->x509, ca->x509), 1);
    return key;
}

static int same(oc_client_key_t a, oc_client_key_t b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

/* ---- the key ---- */

TEST(key_is_what_the_issuer_signed)
{
    pki_id_t *one = client_of(issuer, 77);
    oc_client_key_t key = key_of(one, issuer);

    assert_true(same(key, key_of(one, issuer)));
    assert_false(same(key, key_of(client_of(issuer, 78), issuer)));
    assert_false(same(key, key_of(client_of(same_name, 77), same_name)));
    assert_false(same(key, key_of(client_of(same_key, 77), same_key)));
}

/* An ECDSA signature and its negative are both valid, so the bytes of a certificate can change. */
TEST(key_does_not_depend_on_the_signature)
{
    pki_id_t *one = client_of(issuer, 77), *again = client_of(issuer, 77);
    const ASN1_BIT_STRING *a, *b;

    X509_get0_signature(&a, NULL, one->x509);
    X509_get0_signature(&b, NULL, again->x509);
    assert_int_not_equal(ASN1_STRING_cmp(a, b), 0);
    assert_true(same(key_of(one, issuer), key_of(again, issuer)));
}

TEST(negative_serial_is_another)
{
    assert_false(same(key_of(client_of(issuer, 77), issuer), key_of(client_of(issuer, -77), issuer)));
}

/* ---- the bytes ---- */

static oc_client_t begin(const pki_id_t *client, const pki_id_t *ca)
{
    const char *reason = "";
    oc_cert_t *cert = NULL;
    oc_client_t begun;

    assert_int_equal(oc_cert_from_x509(&cert, client->x509, ca->x509, oc_issuer_set_create(pool), pool, &reason),
                     APR_SUCCESS);
    assert_int_equal(oc_client_begin(&begun, cert, 5, PKI_NOW, pool), 1);
    return begun;
}

TEST(entry_survives_its_bytes)
{
    oc_client_t client = begin(client_of(issuer, 0x1234), issuer), read;
    unsigned char bytes[OC_CLIENT_LEN_MAX];
    apr_size_t len;

    client.verdict = OC_REVOKED;
    client.this_update = PKI_NOW - 5;
    client.usable_until = PKI_NOW + 7;
    client.fetched_at = PKI_NOW - 1;
    memset(client.issuer, 0xa5, sizeof(client.issuer));
    len = oc_client_encode(&client, bytes);
    assert_int_equal(oc_client_decode(&read, bytes, len), APR_SUCCESS);
    assert_int_equal(read.verdict, OC_REVOKED);
    assert_int_equal(read.this_update, client.this_update);
    assert_int_equal(read.usable_until, client.usable_until);
    assert_int_equal(read.fetched_at, client.fetched_at);
    assert_int_equal(read.tried_at, PKI_NOW);
    assert_int_equal(read.not_after, client.not_after);
    assert_int_equal(read.host, 5);
    assert_memory_equal(read.issuer, client.issuer, sizeof(read.issuer));
    assert_int_equal(read.urls_len, sizeof("http://one.test/") + sizeof("http://two.test/x"));
    assert_string_equal(read.urls, "http://one.test/");
    assert_string_equal(read.urls + sizeof("http://one.test/"), "http://two.test/x");
    assert_string_equal(oc_client_serial(&read, pool), "1234");
}

TEST(serial_is_printed_as_openssl_does)
{
    oc_client_t client = begin(client_of(issuer, 0x80), issuer);

    assert_string_equal(oc_client_serial(&client, pool), "80");
    client = begin(client_of(issuer, 5), issuer);
    assert_string_equal(oc_client_serial(&client, pool), "05");
}

/* Any child may have written them. */
TEST(hostile_bytes_are_refused)
{
    oc_client_t client = begin(client_of(issuer, 1), issuer), read;
    unsigned char bytes[OC_CLIENT_LEN_MAX], changed[OC_CLIENT_LEN_MAX];
    apr_size_t i, len = oc_client_encode(&client, bytes);
    int bit;

    for (i = 0; i < len; i++)
        assert_int_equal(oc_client_decode(&read, bytes, i), APR_EINVAL);
    for (i = 0; i < len; i++) {
        for (bit = 0; bit < 8; bit++) {
            memcpy(changed, bytes, len);
            changed[i] ^= (unsigned char)(1u << bit);
            if (oc_client_decode(&read, changed, len) != APR_SUCCESS)
                continue;
            assert_true(read.serial_der_len <= OC_CLIENT_SERIAL_MAX);
            assert_true(read.urls_len == 0 || read.urls[read.urls_len - 1] == '\0');
            (void)oc_client_serial(&read, pool);
        }
    }
}

TEST(times_out_of_range_are_refused)
{
    static const apr_time_t TIMES[] = {-1, APR_INT64_MIN, APR_INT64_MAX, OC_TIME_MAX + 1};
    oc_client_t client = begin(client_of(issuer, 1), issuer), read;
    apr_time_t *const fields[] = {&client.this_update, &client.usable_until, &client.fetched_at,
                                  &client.tried_at,    &client.not_before,   &client.not_after};
    unsigned char bytes[OC_CLIENT_LEN_MAX];
    unsigned field, i;

    for (field = 0; field < 6; field++) {
        apr_time_t before = *fields[field];

        for (i = 0; i < 4; i++) {
            *fields[field] = TIMES[i];
            assert_int_equal(oc_client_decode(&read, bytes, oc_client_encode(&client, bytes)), APR_EINVAL);
        }
        *fields[field] = before;
        assert_int_equal(oc_client_decode(&read, bytes, oc_client_encode(&client, bytes)), APR_SUCCESS);
    }
}

TEST(more_urls_than_fit)
{
    const char *urls[] = {"http://one.test/", NULL, "http://three.test/", NULL};
    char longest[OC_CLIENT_URLS_MAX];
    oc_cert_t cert = {.serial_der = (const unsigned char *)"\x02\x01\x05", .serial_der_len = 3, .urls = urls};
    oc_client_t client;

    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    urls[1] = longest;
    assert_int_equal(oc_client_begin(&client, &cert, 0, PKI_NOW, pool), 1);
    assert_int_equal(client.urls_len, sizeof("http://one.test/") + sizeof("http://three.test/"));
    cert.serial_der_len = OC_CLIENT_SERIAL_MAX + 1;
    assert_int_equal(oc_client_begin(&client, &cert, 0, PKI_NOW, pool), 0);
}

/* ---- the decision ---- */

typedef struct {
    const char *name;
    oc_verdict_t held, last; /* of the entry, of the last attempt */
    int ends_in;             /* seconds from now to the end of the usable time */
    unsigned failures;
    int due_in, grace;
    oc_client_state_t state;
    oc_client_source_t source;
    int may_change;
} row_t;

#define GRACE_3600 3600
static const row_t rows[] = {
    {"first contact", OC_PENDING, OC_PENDING, 0, 0, 0, 3600, OC_CLIENT_UNKNOWN, OC_CLIENT_SOURCE_NONE, 1},
    {"good", OC_GOOD, OC_GOOD, 1, 0, 60, 0, OC_CLIENT_GOOD, OC_CLIENT_SOURCE_CACHE, 0},
    {"good, due for a refresh", OC_GOOD, OC_GOOD, 1, 0, -60, 0, OC_CLIENT_GOOD, OC_CLIENT_SOURCE_CACHE, 0},
    {"good, the refresh fails", OC_GOOD, OC_TIMED_OUT, 1, 3, 5, 0, OC_CLIENT_GOOD, OC_CLIENT_SOURCE_CACHE, 0},
    {"over, no grace", OC_GOOD, OC_GOOD, 0, 0, -60, 0, OC_CLIENT_UNKNOWN, OC_CLIENT_SOURCE_NONE, 1},
    {"over, within the grace, not tried", OC_GOOD, OC_GOOD, -60, 0, -60, 3600, OC_CLIENT_GOOD, OC_CLIENT_SOURCE_GRACE,
     1},
    {"over, within the grace, failing", OC_GOOD, OC_TIMED_OUT, -60, 1, 5, 3600, OC_CLIENT_GOOD, OC_CLIENT_SOURCE_GRACE,
     0},
    {"over, within the grace, failing, the next attempt is due", OC_GOOD, OC_TIMED_OUT, -60, 1, -5, 3600,
     OC_CLIENT_GOOD, OC_CLIENT_SOURCE_GRACE, 0},
    {"over, the grace is over", OC_GOOD, OC_TIMED_OUT, -3600, 9, 5, 3600, OC_CLIENT_UNKNOWN, OC_CLIENT_SOURCE_NONE, 0},
    {"over, the responder does not know it", OC_GOOD, OC_UNKNOWN, -60, 1, 5, 3600, OC_CLIENT_UNKNOWN,
     OC_CLIENT_SOURCE_NONE, 0},
    {"failing", OC_PENDING, OC_TIMED_OUT, 0, 1, 5, 3600, OC_CLIENT_UNKNOWN, OC_CLIENT_SOURCE_NONE, 0},
    {"failing, due again", OC_PENDING, OC_TIMED_OUT, 0, 1, 0, 3600, OC_CLIENT_UNKNOWN, OC_CLIENT_SOURCE_NONE, 1},
    {"revoked", OC_REVOKED, OC_REVOKED, 60, 0, 60, 0, OC_CLIENT_REVOKED, OC_CLIENT_SOURCE_CACHE, 0},
    {"revoked, over", OC_REVOKED, OC_TIMED_OUT, -9999, 9, -60, 0, OC_CLIENT_REVOKED, OC_CLIENT_SOURCE_CACHE, 0},
};

TEST(decisions)
{
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const row_t *row = &rows[i];
        oc_client_t client = {.verdict = row->held,
                              .usable_until = PKI_NOW + apr_time_from_sec(row->ends_in),
                              .this_update = PKI_NOW - 1};
        oc_note_t note = {PKI_NOW + apr_time_from_sec(row->due_in), row->failures, row->last};
        oc_client_answer_t answer = oc_client_decide(&client, &note, PKI_NOW, apr_time_from_sec(row->grace));

        print_message("%s: %s from %s\n", row->name, oc_client_state_name(answer.state),
                      oc_client_source_name(answer.source));
        assert_int_equal(answer.state, row->state);
        assert_int_equal(answer.source, row->source);
        assert_int_equal(answer.may_change, row->may_change);
        assert_int_equal(answer.this_update, row->source == OC_CLIENT_SOURCE_NONE ? 0 : PKI_NOW - 1);
    }
}

TEST(nothing_is_known)
{
    oc_client_answer_t answer = oc_client_decide(NULL, NULL, PKI_NOW, PKI_HOUR);

    assert_int_equal(answer.state, OC_CLIENT_UNKNOWN);
    assert_int_equal(answer.may_change, 1);
}

TEST(times_at_the_end_of_the_range)
{
    oc_client_t client = {.verdict = OC_GOOD, .usable_until = APR_INT64_MAX - 1};
    oc_note_t note = {0};

    assert_int_equal(oc_client_decide(&client, &note, APR_INT64_MAX - 1, APR_INT64_MAX).state, OC_CLIENT_GOOD);
}

/* ---- the refresh ---- */

TEST(refresh_is_for_those_who_came)
{
    oc_client_t client = {.verdict = OC_GOOD, .tried_at = PKI_NOW - PKI_HOUR, .usable_until = PKI_NOW + PKI_HOUR};
    oc_note_t note = {PKI_NOW, 0, OC_GOOD};

    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW - 1, PKI_NOW), 1);
    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW - 2 * PKI_HOUR, PKI_NOW), 0);
    assert_int_equal(oc_client_is_due(&client, &note, client.tried_at, PKI_NOW), 0);
    note.due = PKI_NOW + 1;
    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW - 1, PKI_NOW), 0);
}

/* The file of the table has no notes: the middle of what is left counts. */
TEST(client_out_of_the_file_is_not_due_at_once)
{
    oc_client_t client = {.verdict = OC_GOOD,
                          .tried_at = PKI_NOW - PKI_HOUR,
                          .fetched_at = PKI_NOW - PKI_HOUR,
                          .usable_until = PKI_NOW + 2 * PKI_HOUR};
    oc_note_t note = {0};

    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW, PKI_NOW), 0);
    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW + PKI_HOUR, PKI_NOW + PKI_HOUR), 1);
}

TEST(one_who_left_without_an_answer_is_not_pursued)
{
    oc_client_t client = {.verdict = OC_PENDING, .tried_at = PKI_NOW};
    oc_note_t note = {0};

    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW, PKI_NOW), 1);
    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW, PKI_NOW + apr_time_from_sec(61)), 0);
}

/* The last attempt failed while the clock was an hour ahead: the pause after it is void, and no client waits for it. */
TEST(clock_that_was_set_back)
{
    oc_client_t client = {.verdict = OC_PENDING, .tried_at = PKI_NOW + PKI_HOUR};
    oc_note_t note = {PKI_NOW + PKI_HOUR + apr_time_from_sec(3), 1, OC_EXPIRED};

    assert_int_equal(oc_client_is_paused(&client, &note, PKI_NOW), 0);
    assert_int_equal(oc_client_decide(&client, &note, PKI_NOW, 0).may_change, 1);
    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW, PKI_NOW), 1);
    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW - PKI_HOUR, PKI_NOW), 0); /* it left */
    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW + PKI_HOUR, PKI_NOW), 0); /* it has not come since */

    note = (oc_note_t){PKI_NOW + 2 * PKI_HOUR, 0, OC_GOOD}; /* as after a success */
    client.verdict = OC_GOOD;
    client.usable_until = PKI_NOW + PKI_HOUR;
    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW, PKI_NOW), 1);
    client.tried_at = PKI_NOW + 1000; /* another process's reading of the same clock */
    assert_int_equal(oc_client_is_due(&client, &note, PKI_NOW + 1000, PKI_NOW), 0);
    assert_int_equal(oc_client_is_paused(&client, &note, PKI_NOW), 1);
}

TEST(hosts_have_numbers)
{
    assert_true(oc_client_host_id("www.example.test:443") != oc_client_host_id("www.example.test:8443"));
    assert_true(oc_client_host_id("") == oc_client_host_id(""));
}

TEST_MAIN(setup, teardown, NULL, NULL)
