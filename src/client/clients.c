/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of client certificates over the arena of the cache room. Each issuer is stored once, in a record of its own
 * that its content names.
 */
#include "client/clients.h"

#include <apr_strings.h>
#include <openssl/evp.h>
#include <string.h>

#define DAY (APR_TIME_C(86400) * APR_USEC_PER_SEC)
#define KEPT (30 * DAY)   /* the order of what is to stay longest: as if it were stored so much later */
#define PENDING_FOR (DAY) /* the order of what is to give way first: as if it were stored so much earlier */
#define ISSUER_KEPT 1     /* the note of an issuer that oc_clients_keep_issuer() has stored */
#define ISSUERS_ROOM 64   /* blocks for issuers, on top of one for each client */
#define SEEN_MIN 1024u
#define SEEN_MAX (1u << 22)

struct oc_clients_t {
    oc_shm_t *shm;
    oc_client_seen_t *seen;
    uint32_t n_seen;
};

/* ---- geometry ---- */

apr_size_t oc_clients_size_for(uint32_t n)
{
    apr_size_t size = oc_shm_size_for(n + ISSUERS_ROOM);

    return size < OC_SHM_SIZE_MIN ? OC_SHM_SIZE_MIN : size;
}

uint32_t oc_clients_seen_for(uint32_t n)
{
    uint32_t places = SEEN_MIN;

    while (places < n && places < SEEN_MAX)
        places *= 2;
    return places;
}

oc_clients_t *oc_clients_create(oc_shm_t *shm, oc_client_seen_t *seen, uint32_t n_seen, apr_pool_t *pool)
{
    oc_clients_t *clients = apr_palloc(pool, sizeof(*clients));

    clients->shm = shm;
    clients->seen = seen;
    clients->n_seen = n_seen;
    return clients;
}

oc_shm_t *oc_clients_shm(const oc_clients_t *clients)
{
    return clients->shm;
}

/* ---- readers ---- */

static oc_key_t key_of(const oc_client_key_t *key)
{
    return (oc_key_t){OC_KIND_CLIENT, OC_CLIENT_KEY_LEN, key->bytes};
}

apr_status_t oc_clients_get(const oc_clients_t *clients, const oc_client_key_t *key, oc_clients_entry_t *entry)
{
    oc_key_t found = key_of(key);
    apr_size_t len = sizeof(entry->bytes);
    oc_shm_meta_t meta;

    if (oc_shm_get(clients->shm, &found, entry->bytes, &len, &meta) != APR_SUCCESS)
        return APR_NOTFOUND;
    entry->note = oc_note_unpack(meta.note);
    return oc_client_decode(&entry->client, entry->bytes, len) == APR_SUCCESS ? APR_SUCCESS : APR_NOTFOUND;
}

static oc_client_seen_t *place_of(const oc_clients_t *clients, const oc_client_key_t *key)
{
    uint32_t word;

    memcpy(&word, key->bytes, sizeof(word)); /* a digest: evenly distributed */
    return &clients->seen[word & (clients->n_seen - 1)];
}

void oc_clients_touch(const oc_clients_t *clients, const oc_client_key_t *key, apr_time_t now)
{
    oc_client_seen_t *seen = place_of(clients, key);
    uint32_t second = (uint32_t)apr_time_sec(now);

    if (atomic_load_explicit(seen, memory_order_relaxed) != second)
        atomic_store_explicit(seen, second, memory_order_relaxed);
}

apr_time_t oc_clients_seen(const oc_clients_t *clients, const oc_client_key_t *key)
{
    return apr_time_from_sec((apr_time_t)atomic_load_explicit(place_of(clients, key), memory_order_relaxed));
}

static int take(oc_client_key_t *key, oc_clients_entry_t *entry, const oc_entry_t *found, uint64_t note)
{
    if (found->kind != OC_KIND_CLIENT || found->id_len != OC_CLIENT_KEY_LEN || found->data_len > sizeof(entry->bytes))
        return 0;
    memcpy(key->bytes, found->id, sizeof(key->bytes));
    memcpy(entry->bytes, found->data, found->data_len);
    entry->note = oc_note_unpack(note);
    return oc_client_decode(&entry->client, entry->bytes, found->data_len) == APR_SUCCESS;
}

apr_status_t oc_clients_next(const oc_clients_t *clients, uint32_t *cursor, oc_client_key_t *key,
                             oc_clients_entry_t *entry, unsigned char *scratch, uint32_t *budget)
{
    oc_entry_t found;
    uint64_t note;

    found.data = scratch;
    found.data_cap = OC_BLOCK_DATA_MAX;
    while (*budget > 0) {
        if (oc_shm_next(clients->shm, cursor, &found, &note, budget) != APR_SUCCESS)
            return *budget > 0 ? APR_EOF : APR_INCOMPLETE;
        if (take(key, entry, &found, note))
            return APR_SUCCESS;
    }
    return APR_INCOMPLETE;
}

void oc_clients_count(const oc_clients_t *clients, apr_time_t now, oc_clients_count_t *count, apr_pool_t *pool)
{
    unsigned char *scratch = apr_palloc(pool, OC_BLOCK_DATA_MAX);
    oc_clients_entry_t *entry = apr_palloc(pool, sizeof(*entry));
    uint32_t cursor = 0, budget;
    oc_client_key_t key;
    oc_shm_stats_t stats;

    memset(count, 0, sizeof(*count));
    oc_shm_stats(clients->shm, &stats);
    count->room = stats.blocks > ISSUERS_ROOM ? stats.blocks - ISSUERS_ROOM : stats.blocks;
    budget = 2 * stats.blocks; /* a hostile process may change what is read */
    while (oc_clients_next(clients, &cursor, &key, entry, scratch, &budget) == APR_SUCCESS) {
        if (entry->client.verdict == OC_REVOKED)
            count->revoked++;
        else if (entry->client.verdict != OC_GOOD)
            count->unknown++;
        else if (entry->client.usable_until > now)
            count->good++;
        else
            count->expired++;
    }
}

/* ---- writers ---- */

/* How long a record stays at most. */
static apr_time_t expiry_of(const oc_client_t *client, apr_time_t now)
{
    return client->verdict == OC_PENDING ? now + DAY : client->not_after;
}

static uint64_t order_of(const oc_client_t *client, apr_time_t now)
{
    apr_time_t order = client->verdict == OC_REVOKED ? now + KEPT
                       : client->verdict == OC_GOOD  ? now
                                                     : now - PENDING_FOR;

    return order > 0 ? (uint64_t)order : 0;
}

/* In this table the last store prevails. */
static apr_status_t replace(oc_shm_t *shm, const oc_key_t *key, const oc_entry_t *entry, apr_time_t now)
{
    apr_status_t rv = oc_shm_put(shm, key, entry, now);

    if (rv != APR_EEXIST)
        return rv;
    (void)oc_shm_remove(shm, key);
    return oc_shm_put(shm, key, entry, now);
}

apr_status_t oc_clients_put(oc_clients_t *clients, const oc_client_key_t *key, const oc_client_t *client,
                            const oc_note_t *note, apr_time_t now)
{
    unsigned char bytes[OC_CLIENT_LEN_MAX];
    oc_entry_t entry = {.expiry = expiry_of(client, now), .order = order_of(client, now), .data = bytes};
    oc_key_t where = key_of(key);
    apr_status_t rv;

    entry.data_len = oc_client_encode(client, bytes);
    rv = replace(clients->shm, &where, &entry, now);
    return rv == APR_SUCCESS ? oc_shm_set_note(clients->shm, &where, oc_note_pack(note)) : rv;
}

/* The record of an issuer: the length of the name that the certificate writes, that name, the issuer. */
static unsigned char *issuer_record(const oc_cert_t *cert, apr_size_t *len, unsigned char bytes[OC_CLIENTS_ISSUER_MAX])
{
    uint32_t name_len = (uint32_t)cert->issuer_name_len;

    if (sizeof(name_len) + cert->issuer_name_len > OC_CLIENTS_ISSUER_MAX
        || cert->issuer->der_len > OC_CLIENTS_ISSUER_MAX - sizeof(name_len) - cert->issuer_name_len)
        return NULL;
    memcpy(bytes, &name_len, sizeof(name_len));
    memcpy(bytes + sizeof(name_len), cert->issuer_name, name_len);
    memcpy(bytes + sizeof(name_len) + name_len, cert->issuer->der, cert->issuer->der_len);
    *len = sizeof(name_len) + name_len + cert->issuer->der_len;
    return bytes;
}

static apr_status_t store_issuer(oc_clients_t *clients, const oc_key_t *key, unsigned char *bytes, apr_size_t len,
                                 uint64_t note, apr_time_t now)
{
    oc_entry_t entry = {.expiry = APR_INT64_MAX, .order = (uint64_t)(now + KEPT), .data_len = len};
    apr_status_t rv;

    entry.data = bytes;
    rv = replace(clients->shm, key, &entry, now);
    return rv == APR_SUCCESS ? oc_shm_set_note(clients->shm, key, note) : rv;
}

apr_status_t oc_clients_put_issuer(oc_clients_t *clients, const oc_cert_t *cert, unsigned char id[OC_CLIENT_KEY_LEN],
                                   apr_time_t now)
{
    unsigned char bytes[OC_CLIENTS_ISSUER_MAX], nothing;
    oc_key_t key = {OC_KIND_CLIENT_ISSUER, OC_CLIENT_KEY_LEN, id};
    apr_size_t len, none = 0;
    oc_shm_meta_t meta;

    if (!issuer_record(cert, &len, bytes) || !EVP_Digest(bytes, len, id, NULL, EVP_sha256(), NULL))
        return APR_EINVAL;
    if (oc_shm_get(clients->shm, &key, &nothing, &none, &meta) == APR_ENOSPC
        && meta.order > (uint64_t)(now + KEPT - DAY)) /* else stored again, so that it does not become the oldest */
        return APR_SUCCESS;
    return store_issuer(clients, &key, bytes, len, 0, now);
}

void oc_clients_keep_issuer(oc_clients_t *clients, const oc_client_t *client, apr_time_t now)
{
    unsigned char bytes[OC_CLIENTS_ISSUER_MAX];
    oc_key_t key = {OC_KIND_CLIENT_ISSUER, OC_CLIENT_KEY_LEN, client->issuer};
    apr_size_t len = sizeof(bytes);
    oc_shm_meta_t meta;

    if (oc_shm_get(clients->shm, &key, bytes, &len, &meta) == APR_SUCCESS && meta.note != ISSUER_KEPT)
        (void)store_issuer(clients, &key, bytes, len, ISSUER_KEPT, now);
}

/* ---- for queries ---- */

/* Split the record of an issuer. It names itself, so a record that another process changed is not one. */
static apr_status_t read_issuer(const oc_clients_t *clients, const unsigned char *id, oc_cert_t *cert, apr_pool_t *pool)
{
    oc_key_t key = {OC_KIND_CLIENT_ISSUER, OC_CLIENT_KEY_LEN, id};
    unsigned char *bytes = apr_palloc(pool, OC_CLIENTS_ISSUER_MAX), digest[OC_CLIENT_KEY_LEN];
    apr_size_t len = OC_CLIENTS_ISSUER_MAX;
    oc_issuer_t *issuer = apr_pcalloc(pool, sizeof(*issuer));
    oc_shm_meta_t meta;
    uint32_t name_len;

    if (oc_shm_get(clients->shm, &key, bytes, &len, &meta) != APR_SUCCESS || len < sizeof(name_len)
        || !EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL) || memcmp(digest, id, sizeof(digest)) != 0)
        return APR_NOTFOUND;
    memcpy(&name_len, bytes, sizeof(name_len));
    if (name_len >= len - sizeof(name_len))
        return APR_NOTFOUND;
    cert->issuer_name = bytes + sizeof(name_len);
    cert->issuer_name_len = name_len;
    issuer->der = cert->issuer_name + name_len;
    issuer->der_len = len - sizeof(name_len) - name_len;
    cert->issuer = issuer;
    return APR_SUCCESS;
}

apr_status_t oc_clients_cert(const oc_clients_t *clients, const oc_client_t *client, oc_cert_t **out, apr_pool_t *pool)
{
    oc_cert_t *cert = apr_pcalloc(pool, sizeof(*cert));
    apr_status_t rv = read_issuer(clients, client->issuer, cert, pool);

    if (rv != APR_SUCCESS)
        return rv;
    cert->serial_der = apr_pmemdup(pool, client->serial_der, client->serial_der_len);
    cert->serial_der_len = client->serial_der_len;
    cert->not_before = client->not_before;
    cert->not_after = client->not_after;
    *out = cert;
    return APR_SUCCESS;
}
