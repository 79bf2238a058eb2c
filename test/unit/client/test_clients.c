/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of clients: what gives way to what in a flood of 50,000 certificates, what a query gets back out, and what
 * a record that another process changed leads to.
 */
#include "client/clients.h"

#include "support_pki.h"
#include "support_test.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 1000

static apr_pool_t *pool;
static oc_clients_t *table;
static oc_client_seen_t *seen;

static int setup(void **state)
{
    oc_shm_seed_t seed = {{1, 2}};
    oc_shm_t *shm;

    (void)state;
    apr_pool_create(&pool, NULL);
    assert_int_equal(oc_shm_create(&shm, oc_clients_size_for(ROOM), OC_SHM_DROP_OLDEST, seed, pool), APR_SUCCESS);
    seen = calloc(oc_clients_seen_for(ROOM), sizeof(*seen));
    table = oc_clients_create(shm, seen, oc_clients_seen_for(ROOM), pool);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(seen);
    apr_pool_destroy(pool);
    return 0;
}

static oc_client_key_t key_number(uint32_t number)
{
    oc_client_key_t key;
    size_t i;

    for (i = 0; i < sizeof(key.bytes); i++)
        key.bytes[i] = (unsigned char)((number + i) * 2654435761u >> 24 ^ (number >> (i % 4 * 8)));
    memcpy(key.bytes + 4, &number, sizeof(number));
    return key;
}

static apr_status_t put(uint32_t number, oc_verdict_t verdict, apr_time_t now)
{
    oc_client_key_t key = key_number(number);
    oc_client_t client = {.verdict = verdict,
                          .usable_until = now + PKI_DAY,
                          .tried_at = now,
                          .urls = "http://a.test/",
                          .urls_len = 15,
                          .not_after = PKI_NOW + 300 * PKI_DAY};
    oc_note_t note = {now + PKI_HOUR, 0, verdict};
    apr_status_t rv;

    (void)oc_shm_begin(oc_clients_shm(table));
    rv = oc_clients_put(table, &key, &client, &note, now);
    oc_shm_end(oc_clients_shm(table));
    return rv;
}

static int has(uint32_t number)
{
    oc_client_key_t key = key_number(number);
    oc_clients_entry_t entry;

    return oc_clients_get(table, &key, &entry) == APR_SUCCESS;
}

TEST(client_and_note_come_back)
{
    oc_client_key_t key = key_number(7);
    oc_clients_entry_t entry;

    assert_int_equal(put(7, OC_REVOKED, PKI_NOW), APR_SUCCESS);
    assert_int_equal(oc_clients_get(table, &key, &entry), APR_SUCCESS);
    assert_int_equal(entry.client.verdict, OC_REVOKED);
    assert_string_equal(entry.client.urls, "http://a.test/");
    assert_int_equal(entry.note.due, PKI_NOW + PKI_HOUR);
    assert_false(has(8));
}

TEST(last_store_prevails)
{
    oc_client_key_t key = key_number(7);
    oc_clients_entry_t entry;

    assert_int_equal(put(7, OC_REVOKED, PKI_NOW), APR_SUCCESS); /* a certificate on hold */
    assert_int_equal(put(7, OC_GOOD, PKI_NOW + 1), APR_SUCCESS);
    assert_int_equal(oc_clients_get(table, &key, &entry), APR_SUCCESS);
    assert_int_equal(entry.client.verdict, OC_GOOD);
    assert_int_equal(put(7, OC_PENDING, PKI_NOW - PKI_DAY), APR_SUCCESS); /* the clock was set back */
}

/* A flood of valid certificates: the table does not grow, and those that are not answered push out each other. */
TEST(flood_of_clients_stays_bounded)
{
    oc_clients_count_t count;
    uint32_t i, n_known = 0;

    for (i = 0; i < ROOM / 2; i++)
        assert_int_equal(put(i, i % 50 == 0 ? OC_REVOKED : OC_GOOD, PKI_NOW - PKI_HOUR), APR_SUCCESS);
    for (i = 0; i < 50000; i++)
        assert_int_equal(put(100000 + i, OC_PENDING, PKI_NOW + i), APR_SUCCESS);
    oc_clients_count(table, PKI_NOW, &count, pool);
    assert_true(count.good + count.revoked + count.unknown <= count.room + 64);
    assert_int_equal(count.revoked, ROOM / 2 / 50);
    for (i = 0; i < ROOM / 2; i++)
        n_known += has(i) ? 1u : 0u;
    assert_true(n_known > ROOM / 2 * 95 / 100); /* a full bucket of the index may cost one */
}

/* Many good ones push out the oldest good ones, and no revoked one. */
TEST(revoked_clients_stay)
{
    uint32_t i;

    for (i = 0; i < 20; i++)
        assert_int_equal(put(i, OC_REVOKED, PKI_NOW), APR_SUCCESS);
    for (i = 0; i < 5 * ROOM; i++)
        assert_int_equal(put(1000 + i, OC_GOOD, PKI_NOW + PKI_HOUR + i), APR_SUCCESS);
    for (i = 0; i < 20; i++)
        assert_true(has(i));
    assert_false(has(1000));
    assert_true(has(1000 + 5 * ROOM - 1));
}

TEST(counts)
{
    oc_clients_count_t count;

    put(1, OC_GOOD, PKI_NOW);
    put(2, OC_GOOD, PKI_NOW - 2 * PKI_DAY);
    put(3, OC_PENDING, PKI_NOW);
    put(4, OC_REVOKED, PKI_NOW);
    put(5, OC_REVOKED, PKI_NOW);
    oc_clients_count(table, PKI_NOW, &count, pool);
    assert_int_equal(count.good, 1);
    assert_int_equal(count.expired, 1);
    assert_int_equal(count.unknown, 1);
    assert_int_equal(count.revoked, 2);
    assert_int_equal(count.room, ROOM);
}

TEST(looking_through_the_table_in_steps)
{
    unsigned char *scratch = apr_palloc(pool, OC_BLOCK_DATA_MAX);
    oc_clients_entry_t entry;
    oc_client_key_t key;
    uint32_t cursor = 0, budget, i, n = 0, steps = 0;
    apr_status_t rv = APR_INCOMPLETE;

    for (i = 0; i < 300; i++)
        put(i, OC_GOOD, PKI_NOW);
    while (rv != APR_EOF) {
        budget = 32;
        while ((rv = oc_clients_next(table, &cursor, &key, &entry, scratch, &budget)) == APR_SUCCESS)
            n++;
        steps++;
    }
    assert_int_equal(n, 300);
    assert_true(steps >= 300 / 32);
}

TEST(when_a_client_came)
{
    oc_client_key_t key = key_number(3), other = key_number(4);

    assert_int_equal(oc_clients_seen(table, &key), 0);
    oc_clients_touch(table, &key, PKI_NOW + 999999);
    assert_int_equal(oc_clients_seen(table, &key), PKI_NOW);
    assert_int_equal(oc_clients_seen(table, &other), 0);
}

/* ---- issuers ---- */

static oc_cert_t *cert_of(const pki_id_t *issuer, long serial)
{
    pki_spec_t spec = {.cn = "a client", .issuer = issuer, .serial = serial};
    const char *reason = "";
    oc_cert_t *cert = NULL;

    assert_int_equal(
        oc_cert_from_x509(&cert, pki_make(pool, &spec)->x509, issuer->x509, oc_issuer_set_create(pool), pool, &reason),
        APR_SUCCESS);
    return cert;
}

static oc_client_t admit(const oc_cert_t *cert)
{
    oc_client_t client;

    assert_int_equal(oc_client_begin(&client, cert, 0, PKI_NOW, pool), 1);
    (void)oc_shm_begin(oc_clients_shm(table));
    assert_int_equal(oc_clients_put_issuer(table, cert, client.issuer, PKI_NOW), APR_SUCCESS);
    oc_shm_end(oc_clients_shm(table));
    return client;
}

TEST(query_gets_what_the_certificate_had)
{
    pki_id_t *one = pki_make_ca(pool, "Client CA", PKI_P256, NULL),
             *two = pki_make_ca(pool, "Client CA", PKI_P256, NULL);
    oc_cert_t *first = cert_of(one, 5), *second = cert_of(two, 5), *back = NULL;
    oc_client_t a = admit(first), b = admit(second), c = admit(cert_of(one, 6));
    oc_verify_subject_t subject;

    assert_memory_not_equal(a.issuer, b.issuer, sizeof(a.issuer));
    assert_memory_equal(a.issuer, c.issuer, sizeof(a.issuer));
    assert_int_equal(oc_clients_cert(table, &b, &back, pool), APR_SUCCESS);
    assert_int_equal(oc_cert_subject(back, &subject, pool), APR_SUCCESS);
    assert_int_equal(X509_cmp(subject.issuer, two->x509), 0);
    assert_int_equal(ASN1_INTEGER_get(subject.serial), 5);
    assert_int_equal(subject.not_after, second->not_after);
    assert_int_equal(X509_NAME_cmp(subject.issuer_name, X509_get_subject_name(two->x509)), 0);
}

static void count_change(void *context, uint32_t block, const void *bytes)
{
    (void)block;
    *(unsigned *)context += bytes != NULL;
}

static unsigned keep_issuer(const oc_client_t *client)
{
    unsigned n_changes = 0;

    oc_shm_on_change(oc_clients_shm(table), count_change, &n_changes);
    (void)oc_shm_begin(oc_clients_shm(table));
    oc_clients_keep_issuer(table, client, PKI_NOW + 1);
    oc_shm_end(oc_clients_shm(table));
    oc_shm_on_change(oc_clients_shm(table), NULL, NULL);
    return n_changes;
}

/* Handshakes store outside of the file: an answer writes the issuer, once, and again after it was stored again. */
TEST(issuer_is_kept_once)
{
    oc_cert_t *cert = cert_of(pki_make_ca(pool, "Client CA", PKI_RSA_2048, NULL), 5), *back;
    oc_client_t client = admit(cert), stranger = {.issuer = "of no certificate"};
    apr_time_t later = PKI_NOW + apr_time_from_sec(2 * 86400);
    unsigned n_blocks = keep_issuer(&client);

    assert_true(n_blocks > 0);
    assert_int_equal(keep_issuer(&client), 0);
    assert_int_equal(keep_issuer(&stranger), 0);
    assert_int_equal(oc_clients_cert(table, &client, &back, pool), APR_SUCCESS);
    (void)oc_shm_begin(oc_clients_shm(table));
    assert_int_equal(oc_clients_put_issuer(table, cert, client.issuer, later), APR_SUCCESS);
    oc_shm_end(oc_clients_shm(table));
    assert_int_equal(keep_issuer(&client), n_blocks);
    assert_int_equal(keep_issuer(&client), 0);
}

TEST(issuers_survive_a_flood)
{
    oc_client_t client = admit(cert_of(pki_make_ca(pool, "Client CA", PKI_RSA_2048, NULL), 5));
    oc_cert_t *back;
    uint32_t i;

    for (i = 0; i < 5 * ROOM; i++)
        put(i, OC_GOOD, PKI_NOW + i);
    assert_int_equal(oc_clients_cert(table, &client, &back, pool), APR_SUCCESS);
}

TEST(issuer_that_another_process_changed_is_none)
{
    oc_client_t client = admit(cert_of(pki_make_ca(pool, "Client CA", PKI_P256, NULL), 5));
    oc_key_t key = {OC_KIND_CLIENT_ISSUER, OC_CLIENT_KEY_LEN, client.issuer};
    unsigned char forged[600] = {4};
    oc_entry_t entry = {.expiry = APR_INT64_MAX, .order = 1, .data = forged, .data_len = sizeof(forged)};
    oc_cert_t *back;

    (void)oc_shm_begin(oc_clients_shm(table));
    (void)oc_shm_remove(oc_clients_shm(table), &key);
    assert_int_equal(oc_clients_cert(table, &client, &back, pool), APR_NOTFOUND);
    assert_int_equal(oc_shm_put(oc_clients_shm(table), &key, &entry, 0), APR_SUCCESS);
    oc_shm_end(oc_clients_shm(table));
    assert_int_equal(oc_clients_cert(table, &client, &back, pool), APR_NOTFOUND);
}

TEST_MAIN(NULL, NULL, setup, teardown)
