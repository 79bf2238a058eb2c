/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of client certificates, in an arena of its own. The client longest without a refresh gives way to a new
 * one; revoked clients, and the issuers that verification needs, stay longest, and clients without an answer go first:
 * many certificates that are not answered cannot push out those that are known.
 *
 * Readers take no lock and make no system call. What is marked "writer" runs between oc_shm_begin() and oc_shm_end(),
 * with the arena's mutex held.
 */
#ifndef OC_CLIENT_CLIENTS_H
#define OC_CLIENT_CLIENTS_H

#include "cache/shm.h"
#include "client/client.h"

#define OC_KIND_CLIENT 'C'
#define OC_KIND_CLIENT_ISSUER 'I'
#define OC_CLIENTS_ISSUER_MAX 16384 /* bytes of an issuer's record */

typedef struct oc_clients_t oc_clients_t;

/** Seconds since 1970 when a client came last; a place serves several clients where there are more than places. */
typedef _Atomic uint32_t oc_client_seen_t;

/** The size of an arena for @a n clients. */
apr_size_t oc_clients_size_for(uint32_t n);

/** How many places `seen` needs for @a n clients: a power of two. */
uint32_t oc_clients_seen_for(uint32_t n);

/** A handle, from @a pool. @param seen oc_clients_seen_for() places that all processes share, zero at first; it may
 * outlive the arena */
oc_clients_t *oc_clients_create(oc_shm_t *shm, oc_client_seen_t *seen, uint32_t n_seen, apr_pool_t *pool);

oc_shm_t *oc_clients_shm(const oc_clients_t *clients);

/** What is known of one client; client->urls points into `bytes`. */
typedef struct {
    oc_client_t client;
    oc_note_t note;
    unsigned char bytes[OC_CLIENT_LEN_MAX];
} oc_clients_entry_t;

/** Look a client up. @return APR_SUCCESS; APR_NOTFOUND */
apr_status_t oc_clients_get(const oc_clients_t *clients, const oc_client_key_t *key, oc_clients_entry_t *entry);

/** A client came. One store at most in a second. */
void oc_clients_touch(const oc_clients_t *clients, const oc_client_key_t *key, apr_time_t now);
apr_time_t oc_clients_seen(const oc_clients_t *clients, const oc_client_key_t *key);

/**
 * The next client at or after @a *cursor (begin with 0). Reads no more than @a *budget blocks and lowers it.
 * @param scratch OC_BLOCK_DATA_MAX bytes
 * @return APR_SUCCESS; APR_EOF: no more; APR_INCOMPLETE: the budget is used up: call again with the cursor
 */
apr_status_t oc_clients_next(const oc_clients_t *clients, uint32_t *cursor, oc_client_key_t *key,
                             oc_clients_entry_t *entry, unsigned char *scratch, uint32_t *budget);

/** Store a client and its note (writer). @return APR_SUCCESS; APR_ENOSPC: the arena is too small for any */
apr_status_t oc_clients_put(oc_clients_t *clients, const oc_client_key_t *key, const oc_client_t *client,
                            const oc_note_t *note, apr_time_t now);

/** Store the issuer of @a cert, unless it is there (writer). @param id out: for oc_client_t.issuer */
apr_status_t oc_clients_put_issuer(oc_clients_t *clients, const oc_cert_t *cert, unsigned char id[OC_CLIENT_KEY_LEN],
                                   apr_time_t now);

/** Store the issuer of @a client again, once after oc_clients_put_issuer(): that one runs in handshakes, which do not
 * write to the file (writer). */
void oc_clients_keep_issuer(oc_clients_t *clients, const oc_client_t *client, apr_time_t now);

/**
 * The certificate of a client as far as a query and verification need it: serial, issuer, times. From @a pool.
 * @return APR_SUCCESS; APR_NOTFOUND: its issuer gave way, and comes back when the client comes again
 */
apr_status_t oc_clients_cert(const oc_clients_t *clients, const oc_client_t *client, oc_cert_t **cert,
                             apr_pool_t *pool);

/** How many clients are in each state. Reads the whole table: not for a handshake. */
typedef struct {
    unsigned good, revoked, unknown, expired; /* expired: good, and the usable time has ended */
    uint32_t room;                            /* for clients */
} oc_clients_count_t;
void oc_clients_count(const oc_clients_t *clients, apr_time_t now, oc_clients_count_t *count, apr_pool_t *pool);

#endif
