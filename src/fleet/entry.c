/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Entries and claims of a shared store as bytes. This is the one place where their numbers are read: every time is
 * bounded here, so that no sum or difference overflows later.
 */
#include "fleet/entry.h"

#include "base/hex.h"

#include <apr_lib.h>
#include <openssl/evp.h>
#include <string.h>

#define KEY_AT 32
#define SUM_AT 64

_Static_assert(SUM_AT + OC_CERT_HASH_LEN == OC_FLEET_ENTRY_HEAD_LEN, "the checksum ends the head");
_Static_assert(OC_FLEET_ENTRY_LAYOUT < 10, "one digit in the name");

static const unsigned char MAGIC[4] = {'o', 'c', 's', 'p'};

static void put(unsigned char *at, uint64_t number, unsigned n)
{
    while (n-- > 0) {
        at[n] = (unsigned char)number;
        number >>= 8;
    }
}

static uint64_t take(const unsigned char *at, unsigned n)
{
    uint64_t number = 0;

    while (n-- > 0)
        number = number << 8 | *at++;
    return number;
}

/* @return 0: it is out of range. */
static int take_time(apr_time_t *time, const unsigned char *at)
{
    *time = (apr_time_t)take(at, 8);
    return oc_time_is_valid(*time);
}

static int digest(const void *bytes, apr_size_t len, unsigned char *sum)
{
    return EVP_Digest(bytes, len, sum, NULL, EVP_sha256(), NULL) == 1;
}

apr_status_t oc_fleet_entry_key(const oc_cert_t *cert, unsigned char key[OC_CERT_HASH_LEN], apr_pool_t *pool)
{
    apr_size_t serial_at = (apr_size_t)2 * OC_CERT_HASH_LEN, all = serial_at + cert->serial_der_len;
    unsigned char *parts = apr_palloc(pool, all);
    const ASN1_BIT_STRING *public_key;
    oc_verify_subject_t subject;

    if (oc_cert_subject(cert, &subject, pool) != APR_SUCCESS)
        return APR_EGENERAL;
    public_key = X509_get0_pubkey_bitstr(subject.issuer);
    if (!digest(cert->issuer_name, cert->issuer_name_len, parts) || !public_key
        || !digest(ASN1_STRING_get0_data(public_key), (apr_size_t)ASN1_STRING_length(public_key),
                   parts + OC_CERT_HASH_LEN))
        return APR_EGENERAL;
    memcpy(parts + serial_at, cert->serial_der, cert->serial_der_len);
    return digest(parts, all, key) ? APR_SUCCESS : APR_EGENERAL;
}

void oc_fleet_entry_name(const char *prefix, const unsigned char key[OC_CERT_HASH_LEN],
                         char name[OC_FLEET_ENTRY_NAME_LEN])
{
    apr_size_t n = 0;

    while (n < OC_FLEET_ENTRY_PREFIX_MAX && prefix[n] != '\0') {
        name[n] = prefix[n];
        n++;
    }
    name[n++] = ':';
    name[n++] = '0' + OC_FLEET_ENTRY_LAYOUT;
    name[n++] = ':';
    oc_hex_put(name + n, key, OC_CERT_HASH_LEN);
}

const char *oc_fleet_entry_prefix_problem(const char *prefix)
{
    const char *p;

    if (!*prefix || strlen(prefix) > OC_FLEET_ENTRY_PREFIX_MAX)
        return "it must be 1 to 32 characters long";
    for (p = prefix; *p; p++)
        if (!apr_isascii(*p) || (!apr_isalnum(*p) && !strchr("._-", *p)))
            return "it may contain only letters, digits, '.', '_' and '-'";
    return NULL;
}

/* SHA-256 over the head without its checksum, and the DER. */
static int sum_up(const unsigned char *head, const unsigned char *der, apr_size_t der_len,
                  unsigned char sum[OC_CERT_HASH_LEN])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int is_done = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 && EVP_DigestUpdate(ctx, head, SUM_AT) == 1
                  && EVP_DigestUpdate(ctx, der, der_len) == 1 && EVP_DigestFinal_ex(ctx, sum, NULL) == 1;

    EVP_MD_CTX_free(ctx);
    return is_done;
}

apr_size_t oc_fleet_entry_encode(const oc_fleet_entry_t *entry, unsigned char *bytes)
{
    memset(bytes, 0, OC_FLEET_ENTRY_HEAD_LEN);
    memcpy(bytes, MAGIC, sizeof(MAGIC));
    put(bytes + 4, OC_FLEET_ENTRY_LAYOUT, 2);
    put(bytes + 8, (uint64_t)entry->this_update, 8);
    put(bytes + 16, (uint64_t)entry->fetched_at, 8);
    put(bytes + 24, entry->der_len, 4);
    memcpy(bytes + KEY_AT, entry->key, OC_CERT_HASH_LEN);
    if (!sum_up(bytes, entry->der, entry->der_len, bytes + SUM_AT))
        return 0;
    memcpy(bytes + OC_FLEET_ENTRY_HEAD_LEN, entry->der, entry->der_len);
    return OC_FLEET_ENTRY_HEAD_LEN + entry->der_len;
}

const char *oc_fleet_entry_decode(oc_fleet_entry_t *entry, const unsigned char *bytes, apr_size_t len,
                                  const unsigned char key[OC_CERT_HASH_LEN])
{
    unsigned char sum[OC_CERT_HASH_LEN];

    if (len < 6 || memcmp(bytes, MAGIC, sizeof(MAGIC)) != 0)
        return "it was not stored by this module";
    if (take(bytes + 4, 2) != OC_FLEET_ENTRY_LAYOUT)
        return "it has the layout of another version of this module";
    if (len < OC_FLEET_ENTRY_HEAD_LEN || take(bytes + 24, 4) != len - OC_FLEET_ENTRY_HEAD_LEN)
        return "it is cut off or too long";
    entry->der = bytes + OC_FLEET_ENTRY_HEAD_LEN;
    entry->der_len = len - OC_FLEET_ENTRY_HEAD_LEN;
    if (take(bytes + 6, 2) != 0 || take(bytes + 28, 4) != 0 || !sum_up(bytes, entry->der, entry->der_len, sum)
        || memcmp(sum, bytes + SUM_AT, sizeof(sum)) != 0)
        return "it is damaged (wrong checksum)";
    if (memcmp(bytes + KEY_AT, key, OC_CERT_HASH_LEN) != 0)
        return "it was stored for another certificate";
    memcpy(entry->key, key, OC_CERT_HASH_LEN);
    if (!take_time(&entry->this_update, bytes + 8) || !take_time(&entry->fetched_at, bytes + 16))
        return "its times are out of range";
    return NULL;
}

void oc_fleet_claim_encode(const oc_fleet_claim_t *claim, unsigned char bytes[OC_FLEET_CLAIM_LEN])
{
    put(bytes, claim->who, 8);
    put(bytes + 8, (uint64_t)claim->since, 8);
}

apr_status_t oc_fleet_claim_decode(oc_fleet_claim_t *claim, const unsigned char *bytes, apr_size_t len)
{
    if (len != OC_FLEET_CLAIM_LEN)
        return APR_EINVAL;
    claim->who = take(bytes, 8);
    return take_time(&claim->since, bytes + 8) ? APR_SUCCESS : APR_EINVAL;
}
