/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads the cache's file and its ledger from outside the server, for `apachectl -t` and ocsp-cachectl.
 *
 * Takes no lock and changes nothing, with the server running or stopped. Unprivileged children wrote the data, and the
 * reader is usually root: it checks framing, checksums and ranges, and never parses ASN.1.
 */
#ifndef OC_STATE_READER_H
#define OC_STATE_READER_H

#include "cache/file.h"
#include "ocsp/record.h"
#include "state/ledger.h"
#include "view/view.h"

typedef struct {
    unsigned char id[OC_CERT_ID_LEN];
    oc_record_t record; /* record.der is NULL, unless oc_reader_load_whole() read it */
    uint64_t order;
} oc_reader_record_t;

typedef struct {
    const char *path;
    apr_status_t status; /* of the file: APR_SUCCESS, APR_ENOENT: none yet; else why not, with *problem */
    const char *problem;
    apr_hash_t *by_id;           /* id -> oc_reader_record_t *: the record of each certificate */
    apr_array_header_t *records; /* the same: oc_reader_record_t *, in the order of the file */
    uint32_t others;             /* records of other kinds or versions */
    uint32_t damaged;            /* beginnings of records that are not whole, perhaps because one is being written */
    uint32_t blocks;             /* that all records take */
    apr_status_t ledger_status;  /* as status */
    const char *ledger_problem;
    apr_hash_t *ledger; /* id -> const oc_ledger_entry_t *; never NULL */
} oc_reader_t;

/** Read the records without their responses, and the ledger. @param path of the cache's file @param blocks_max as
 *  for oc_file_load() */
void oc_reader_load(oc_reader_t *reader, const char *path, uint32_t blocks_max, apr_pool_t *pool);

/** The same, with the responses. */
void oc_reader_load_whole(oc_reader_t *reader, const char *path, uint32_t blocks_max, apr_pool_t *pool);

/** Fill in the fields of @a view that come from the record and the ledger entry of view->id. */
void oc_reader_fill(const oc_reader_t *reader, oc_view_t *view);

#endif
