/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A response as servers pass it to each other through a shared store: its name there, and its bytes. Called by
 * src/refresh/peers.c. Pure; not on the handshake path.
 *
 * Anything may be in the store: decoding finds out whether an entry is whole, of this layout, stored under its own
 * name, and has times that can be calculated with. It never trusts the response in it, which is for
 * oc_verify_response() to judge.
 *
 *   0   magic "ocsp"            4   layout 16 | 0 16           all numbers with the highest byte first
 *   8   this_update 64          16  fetched_at 64              microseconds since 1970
 *   24  length of the DER 32    28  0 32
 *   32  which certificate: oc_fleet_entry_key() 256
 *   64  SHA-256 over the bytes 0 to 63 and the DER: detects accidents, not forgery
 *   96  the DER
 */
#ifndef OC_FLEET_ENTRY_H
#define OC_FLEET_ENTRY_H

#include "base/timestamp.h"
#include "ocsp/cert.h"

#define OC_FLEET_ENTRY_LAYOUT 1
#define OC_FLEET_ENTRY_HEAD_LEN 96
#define OC_FLEET_ENTRY_PREFIX_MAX 32
#define OC_FLEET_ENTRY_NAME_LEN (OC_FLEET_ENTRY_PREFIX_MAX + 3 + 2 * OC_CERT_HASH_LEN + 1)
#define OC_FLEET_CLAIM_LEN 16

typedef struct {
    unsigned char key[OC_CERT_HASH_LEN];
    apr_time_t this_update; /* of the response. Both times are from 0 to OC_TIME_MAX */
    apr_time_t fetched_at;  /* when the responder sent it */
    const unsigned char *der;
    apr_size_t der_len;
} oc_fleet_entry_t;

/**
 * The key that the entries for @a cert are bound to: SHA-256 over the CertID's three parts (RFC 6960 section 4.1.1)
 * with SHA-256 for both hashes, whatever hash requests use. @return APR_SUCCESS; APR_EGENERAL: OpenSSL fails. Any
 * thread.
 */
apr_status_t oc_fleet_entry_key(const oc_cert_t *cert, unsigned char key[OC_CERT_HASH_LEN], apr_pool_t *pool);

/** "prefix:layout:hexadecimal key": no spaces or control characters; at most OC_FLEET_ENTRY_NAME_LEN with its end. */
void oc_fleet_entry_name(const char *prefix, const unsigned char key[OC_CERT_HASH_LEN],
                         char name[OC_FLEET_ENTRY_NAME_LEN]);

/** Why @a prefix is not a valid one; NULL: it is. 1 to OC_FLEET_ENTRY_PREFIX_MAX letters, digits, '.', '_' and '-'.
 * Static. */
const char *oc_fleet_entry_prefix_problem(const char *prefix);

/** Write @a entry to @a bytes, which holds OC_FLEET_ENTRY_HEAD_LEN + entry->der_len. @return the length; 0: OpenSSL has
 * no SHA-256. */
apr_size_t oc_fleet_entry_encode(const oc_fleet_entry_t *entry, unsigned char *bytes);

/**
 * Read an entry that was found under @a key; entry->der points into @a bytes.
 * @return NULL: it is whole and for this certificate; else what is wrong with it, as the end of a sentence, static
 */
const char *oc_fleet_entry_decode(oc_fleet_entry_t *entry, const unsigned char *bytes, apr_size_t len,
                                  const unsigned char key[OC_CERT_HASH_LEN]);

/** A claim says that a server is querying the responder about this certificate: which server, and since when. It is a
 * courtesy, not a lock. */
typedef struct {
    uint64_t who;     /* random */
    apr_time_t since; /* from 0 to OC_TIME_MAX */
} oc_fleet_claim_t;

void oc_fleet_claim_encode(const oc_fleet_claim_t *claim, unsigned char bytes[OC_FLEET_CLAIM_LEN]);

/** @return APR_SUCCESS; APR_EINVAL: it is not a claim. */
apr_status_t oc_fleet_claim_decode(oc_fleet_claim_t *claim, const unsigned char *bytes, apr_size_t len);

#endif
