/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the cache stores for a certificate: the staple record, an OCSP response with everything that was decided about
 * it, and the note, the refresher's memory in one word.
 *
 * A handshake reads both, so all that it needs is here in plain numbers: stapling parses no ASN.1.
 * oc_record_make() and oc_record_verify() are for the refresher and for tools; everything else is pure and safe in a
 * handshake.
 */
#ifndef OC_OCSP_RECORD_H
#define OC_OCSP_RECORD_H

#include "ocsp/cert.h"
#include "ocsp/verify.h"

#include <apr_errno.h>
#include <stdint.h>

#define OC_KIND_STAPLE 'R' /* the kind of a staple record in the arena; its key is the certificate's id */
#define OC_RECORD_BINDING_LEN OC_CERT_HASH_LEN
#define OC_RECORD_HEAD_LEN 96 /* bytes before the DER */

/** Where a response came from. The numbers are stored in the cache's file. */
typedef enum {
    OC_ORIGIN_RESPONDER = 0, /* this server queried the responder */
    OC_ORIGIN_FILE = 1,      /* OCSPCacheResponseFolder, or an import by ocsp-cachectl */
    OC_ORIGIN_SHARED = 2,    /* the store of OCSPCacheShared: another server queried the responder */
    OC_ORIGIN_LIMIT = 3
} oc_origin_t;

/** One word, stable across releases: "responder", "file", "shared"; total. */
const char *oc_origin_name(oc_origin_t origin);

typedef struct {
    oc_verdict_t verdict;    /* of OC_CLASS_TRUTH or OC_CLASS_RESPONDER_ERROR; nothing else is stored */
    apr_time_t this_update;  /* 0 where the response has no times */
    apr_time_t next_update;  /* 0: none */
    apr_time_t usable_from;  /* never staple it before, as after a clock that was ahead has been set back */
    apr_time_t usable_until; /* never staple it from here on */
    apr_time_t fetched_at;
    oc_origin_t origin;
    unsigned char binding[OC_RECORD_BINDING_LEN]; /* oc_cert_t.binding of the certificate that it is for */
    const unsigned char *der;                     /* oc_verify_result_t.der */
    apr_size_t der_len;
} oc_record_t;

/**
 * Make the record of a verified response; record->der points to @a result's.
 * @param fetched_at when it was obtained from the responder
 * @return 1; 0: nothing is stored for such a verdict, and *record is zero
 */
int oc_record_make(oc_record_t *record, const oc_verify_result_t *result, const oc_cert_t *cert, oc_origin_t origin,
                   apr_time_t fetched_at);

/**
 * Does a stored record match its response, and may it be stapled for @a cert at policy->now? This is the one place that
 * decides it, for the refresher and for every tool. Arena and file are as trustworthy as every process that ever wrote
 * to them, so nothing in the record is trusted: the response is verified again as if it had just arrived, and verdict,
 * thisUpdate, nextUpdate (and by them oc_record_order()) and the bytes must be those that verification finds. What a
 * response does not contain is bounded on both sides: usable_from, usable_until and fetched_at are changed where they
 * lie outside of what the response, the settings and the clock allow. A caller that finds them changed stores the
 * record again; one that gets 0 removes it.
 *
 * The order that the arena stores with a record was written by another process as well: oc_record_order() computes it
 * again.
 *
 * @param result out; verdict: the record's own, or why it must not be used (OC_ALTERED: it does not match its
 *               response), with the detail; usable_until: the record's. Memory comes from @a pool.
 * @return 1; 0: do not use it. Any thread; parses ASN.1, so never in a process with rights.
 */
int oc_record_verify(oc_record_t *record, const oc_cert_t *cert, const oc_verify_policy_t *policy,
                     oc_verify_result_t *result, apr_pool_t *pool);

/** Write @a record to @a bytes, which holds OC_RECORD_HEAD_LEN + record->der_len bytes or more. @return the length. */
apr_size_t oc_record_encode(const oc_record_t *record, unsigned char *bytes);

/** May it be stapled at @a now? The handshake, the refresher, reports and tools all decide here. */
static inline int oc_record_is_usable(const oc_record_t *record, apr_time_t now)
{
    return record->usable_from <= now && now < record->usable_until;
}

/** Read a record; record->der points into @a bytes. @return APR_SUCCESS; APR_EINVAL: not a record of this version,
 * or with a time that no certificate can have. */
apr_status_t oc_record_decode(oc_record_t *record, const unsigned char *bytes, apr_size_t len);

/**
 * Which of two records for one certificate must prevail: the higher one (invariant 7). The truth over a responder's
 * error; within one class the newer one by thisUpdate, or, where it has none, by fetched_at.
 *
 * The arena compares such numbers without looking at the responses, so one that was forged can shut out the truth. When
 * it refuses a verified record, the refresher reads what is there, and unless oc_record_verify() accepts that one and
 * its order, computed again, is indeed higher, removes it and stores its own.
 */
uint64_t oc_record_order(const oc_record_t *record);

/**
 * The refresher's memory of one certificate. A failed attempt need not touch the record, another child can take over
 * where one died, and a handshake can tell "the responder answered tryLater" from "no answer".
 *
 *   63       47         40                                     0
 *   | failures | verdict | due: seconds since 1970, 40 bits      |
 */
typedef struct {
    apr_time_t due;       /* of the next attempt, to the second, rounded up; 0: now */
    unsigned failures;    /* in a row; saturates at OC_NOTE_FAILURES_MAX */
    oc_verdict_t verdict; /* of the last attempt */
} oc_note_t;

#define OC_NOTE_FAILURES_MAX 65535

/** Both are total. A word from shared memory may be anything: what comes out is in range, and oc_schedule_clamp()
 *  judges `due`. The word 0 reads as "no attempt yet, due now". */
uint64_t oc_note_pack(const oc_note_t *note);
oc_note_t oc_note_unpack(uint64_t word);

#endif
