/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target: fleet/entry.c over anything that a store may hold, also with a correct checksum. What is decoded lies
 * within the input, encodes to the same bytes, and has times that fleet/policy.c calculates with.
 */
#include "fuzz.h"

#include "fleet/entry.h"
#include "fleet/policy.h"

#include <openssl/evp.h>

static void check(const unsigned char *bytes, size_t size, const unsigned char *key)
{
    oc_fleet_entry_t entry;
    const char *problem = oc_fleet_entry_decode(&entry, bytes, size, key);
    unsigned char *encoded;

    require(problem == NULL || *problem);
    if (problem)
        return;
    require(entry.der == bytes + OC_FLEET_ENTRY_HEAD_LEN && entry.der_len == size - OC_FLEET_ENTRY_HEAD_LEN);
    encoded = malloc(size);
    require(oc_fleet_entry_encode(&entry, encoded) == size && memcmp(encoded, bytes, size) == 0);
    free(encoded);
    require(entry.this_update >= 0 && entry.fetched_at >= 0);
    (void)oc_fleet_time_problem(&entry, entry.this_update, apr_time_from_sec(300), apr_time_from_sec(1900000000));
    (void)oc_fleet_is_news(&(oc_fleet_held_t){.until = 1}, &entry, 0);
    (void)oc_fleet_is_due(&(oc_fleet_held_t){.until = 1}, &entry, 0, OC_TIME_MAX, 0);
}

/* As an attacker who can write to the store does: head and checksum fit what follows. */
static void check_forged(const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(size), *summed = malloc(size);
    size_t der_len = size - OC_FLEET_ENTRY_HEAD_LEN;

    memcpy(bytes, data, size);
    memcpy(bytes, "ocsp\0\1\0", 8);
    bytes[24] = (unsigned char)(der_len >> 24);
    bytes[25] = (unsigned char)(der_len >> 16);
    bytes[26] = (unsigned char)(der_len >> 8);
    bytes[27] = (unsigned char)der_len;
    memset(bytes + 28, 0, 4);
    memcpy(summed, bytes, 64);
    memcpy(summed + 64, bytes + OC_FLEET_ENTRY_HEAD_LEN, der_len);
    EVP_Digest(summed, 64 + der_len, bytes + 64, NULL, EVP_sha256(), NULL);
    check(bytes, size, bytes + 32);
    free(summed);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[OC_CERT_HASH_LEN] = {1, 2, 3, 0xab, 0xff};
    oc_fleet_claim_t claim;

    check(data, size, key);
    if (size >= OC_FLEET_ENTRY_HEAD_LEN)
        check_forged(data, size);
    if (oc_fleet_claim_decode(&claim, data, size) == APR_SUCCESS)
        require(size == OC_FLEET_CLAIM_LEN && claim.since >= 0 && claim.since <= OC_TIME_MAX);
    return 0;
}
