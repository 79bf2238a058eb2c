/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_record: a staple record: an OCSP response with all that was decided about it, as the bytes kept in the cache.
 *
 * What a handshake needs to know was found out when the response was verified and stands here, so that stapling parses no
 * ASN.1. Pure; on the handshake path.
 */
#ifndef OC_OCSP_RECORD_H
#define OC_OCSP_RECORD_H

#include "base/verdict.h"

#include <apr_errno.h>
#include <apr_time.h>
#include <stdint.h>

#define OC_KIND_STAPLE 'R' /* what such a record is stored as, under the certificate's id (oc_block.h, "kind") */
#define OC_RECORD_BINDING_LEN 32
#define OC_RECORD_HEAD_LEN 88 /* bytes before the DER */

/** Where a response came from. The numbers are kept in the cache's file. */
typedef enum {
    OC_ORIGIN_RESPONDER = 0, /* asked by this server */
    OC_ORIGIN_FILE = 1,      /* OCSPCacheResponseFolder, or imported by ocsp-cachectl */
    OC_ORIGIN_SHARED = 2,    /* the store that OCSPCacheShared names: another server asked */
    OC_ORIGIN_LIMIT = 3
} oc_origin_t;

/** One word, stable across releases: "responder", "file", "shared"; total. */
const char *oc_origin_name(oc_origin_t origin);

typedef struct {
    oc_verdict_t verdict;    /* of OC_CLASS_TRUTH or OC_CLASS_RESPONDER_ERROR; nothing else is kept */
    apr_time_t this_update;  /* 0 where the response has no times */
    apr_time_t next_update;  /* 0: none */
    apr_time_t usable_until; /* never staple it from here on */
    apr_time_t fetched_at;
    oc_origin_t origin;
    unsigned char binding[OC_RECORD_BINDING_LEN]; /* oc_cert_t.binding of the certificate it is for */
    const unsigned char *der;
    apr_size_t der_len;
} oc_record_t;

/** Write @a record to @a bytes, which holds OC_RECORD_HEAD_LEN + record->der_len bytes or more. @return the length. */
apr_size_t oc_record_encode(const oc_record_t *record, unsigned char *bytes);

/** Read a record; record->der points into @a bytes. @return APR_SUCCESS; APR_EINVAL: not a record of this version. */
apr_status_t oc_record_decode(oc_record_t *record, const unsigned char *bytes, apr_size_t len);

/** Which of two records for one certificate must prevail: the higher one (invariant 7). The truth over a responder's
 *  error; within one class the newer one by thisUpdate, or, without, by when it was fetched. */
uint64_t oc_record_order(const oc_record_t *record);

#endif
