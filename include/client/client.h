/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What is known of one client certificate, and what follows from it for the client. Pure: time is an argument. A
 * handshake calls oc_client_identify(), oc_client_decode() and oc_client_decide().
 */
#ifndef OC_CLIENT_CLIENT_H
#define OC_CLIENT_CLIENT_H

#include "ocsp/record.h"

#define OC_CLIENT_KEY_LEN 32    /* SHA-256 */
#define OC_CLIENT_SERIAL_MAX 44 /* bytes of a serial as a DER INTEGER; RFC 5280 allows 22 */
#define OC_CLIENT_URLS_MAX 1024 /* bytes of a client's responders, each with its NUL */
#define OC_CLIENT_HEAD_LEN 144  /* bytes before the URLs */
#define OC_CLIENT_LEN_MAX (OC_CLIENT_HEAD_LEN + OC_CLIENT_URLS_MAX)

/** Identifies a client certificate by what its issuer signed: the issuer's key and name, and the serial. Not by the
 * certificate's bytes, as a client can change the encoding of some signatures and so make any number of them. */
typedef struct {
    unsigned char bytes[OC_CLIENT_KEY_LEN];
} oc_client_key_t;

typedef struct {
    oc_verdict_t verdict;    /* OC_GOOD or OC_REVOKED; OC_PENDING: no response has been verified yet */
    apr_time_t this_update;  /* of the response, as the next two; 0: there is none */
    apr_time_t usable_until; /* oc_verify_result_t.usable_until */
    apr_time_t fetched_at;
    apr_time_t tried_at; /* when the last attempt ended; at first, when the client came */
    apr_time_t not_before;
    apr_time_t not_after;
    uint64_t host;                           /* whose settings apply to queries: oc_client_host_id() */
    unsigned char issuer[OC_CLIENT_KEY_LEN]; /* the id of the issuer's record (clients.h) */
    unsigned char serial_der[OC_CLIENT_SERIAL_MAX];
    apr_size_t serial_der_len;
    const char *urls; /* the responders that the certificate names, each ended by NUL */
    apr_size_t urls_len;
} oc_client_t;

/** Calculate the key. @return 1; 0: OpenSSL fails. Any thread. */
int oc_client_identify(oc_client_key_t *key, const X509 *cert, const X509 *issuer);

/** What is stored for the certificate of a client that comes for the first time. client->issuer is the caller's.
 * @param cert with issuer @param now is client->tried_at
 * @return 0: its serial is longer than any CA may issue. URLs beyond OC_CLIENT_URLS_MAX are left out. */
int oc_client_begin(oc_client_t *client, const oc_cert_t *cert, uint64_t host, apr_time_t now, apr_pool_t *pool);

/** Write to @a bytes, which holds OC_CLIENT_LEN_MAX. @return the length */
apr_size_t oc_client_encode(const oc_client_t *client, unsigned char *bytes);

/** Read; client->urls points into @a bytes. @return APR_SUCCESS; APR_EINVAL: not of this version, not whole,
 * or with a time that no certificate can have */
apr_status_t oc_client_decode(oc_client_t *client, const unsigned char *bytes, apr_size_t len);

/** The serial in upper-case hexadecimal, as `openssl x509 -serial` prints it. From @a pool. */
const char *oc_client_serial(const oc_client_t *client, apr_pool_t *pool);

/** A stable number for a virtual host, by "name:port". */
uint64_t oc_client_host_id(const char *name);

/** The key under which the table has a client, for the hosts with this id. */
static inline oc_client_key_t oc_client_key_for(oc_client_key_t key, uint64_t host)
{
    uint64_t part;

    memcpy(&part, key.bytes, sizeof(part));
    part ^= host;
    memcpy(key.bytes, &part, sizeof(part));
    return key;
}

typedef enum { OC_CLIENT_UNKNOWN, OC_CLIENT_GOOD, OC_CLIENT_REVOKED } oc_client_state_t;
/** "good", "revoked", "unknown". */
const char *oc_client_state_name(oc_client_state_t state);

/** Where an answer comes from. */
typedef enum {
    OC_CLIENT_SOURCE_NONE,      /* there is no answer */
    OC_CLIENT_SOURCE_CACHE,     /* it was in the table */
    OC_CLIENT_SOURCE_RESPONDER, /* it was obtained while this client waited */
    OC_CLIENT_SOURCE_GRACE      /* it was in the table, and its usable time is over (OCSPCacheClientGrace) */
} oc_client_source_t;
/** "none", "cache", "responder", "grace". */
const char *oc_client_source_name(oc_client_source_t source);

typedef struct {
    oc_client_state_t state;
    oc_client_source_t source;
    apr_time_t this_update; /* of the response; 0: there is none */
    int may_change; /* a query that has not ended, or can be made at once, may give another state: worth a wait */
} oc_client_answer_t;

/**
 * Decide. A revoked certificate stays revoked. A good one is good until the usable time of its response ends, and for
 * @a grace after it while its responder fails; one that the responder does not know is not failing.
 * @param client NULL: nothing is known
 */
oc_client_answer_t oc_client_decide(const oc_client_t *client, const oc_note_t *note, apr_time_t now,
                                    apr_interval_time_t grace);

/** Is the next attempt still to come? Not where the last one is from the future: the clock was set back since, and the
 * time of the next one was computed before. */
int oc_client_is_paused(const oc_client_t *client, const oc_note_t *note, apr_time_t now);

/** Is the responder to be queried although no client waits? When the schedule demands it and the client came again
 * since the last attempt; before the first attempt, when it came within the last minute. */
int oc_client_is_due(const oc_client_t *client, const oc_note_t *note, apr_time_t seen, apr_time_t now);

#endif
