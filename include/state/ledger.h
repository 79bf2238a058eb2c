/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * How the last attempt for each certificate ended and when the next is due, in a file next to the cache's
 * (`path.ledger`), for tools outside the server: `apachectl -t -D DUMP_OCSP_CACHE`, ocsp-cachectl. The server itself
 * never reads it.
 *
 * The parent creates it; children write single entries through the inherited descriptor. Children are untrusted, so its
 * numbers are only displayed, after checks of framing and range.
 *
 *   head   64 B: magic 8 B | layout 32 | byte order 32 | entries 32 | reserved
 *   entry  64 B, at 64 * (1 + ordinal); all 0: empty
 *          id 20 B | pad 4 B | note 64 | last_attempt 64 | reserved 16 B | checksum 64
 */
#ifndef OC_STATE_LEDGER_H
#define OC_STATE_LEDGER_H

#include "ocsp/cert.h"
#include "ocsp/record.h"

#include <apr_hash.h>

typedef struct oc_ledger_t oc_ledger_t;

typedef struct {
    unsigned char id[OC_CERT_ID_LEN];
    oc_note_t note;
    apr_time_t last_attempt; /* 0: none yet */
} oc_ledger_entry_t;

/** The path of the ledger for the cache's file @a cache_path. */
const char *oc_ledger_path(const char *cache_path, apr_pool_t *pool);

/** Begin a fresh ledger with @a n empty entries in place of the one at @a path (temp and rename; mode 0600). Closed
 *  with @a pool; inherited through fork, closed by exec. @return APR_SUCCESS; otherwise why not, with *problem. A
 *  file that is not a ledger is not replaced. */
apr_status_t oc_ledger_create(oc_ledger_t **ledger, const char *path, unsigned n, apr_pool_t *pool,
                              const char **problem);

/** The same in two steps: prepare opens the fresh file and writes nothing; commit, in any process that inherited it,
 *  makes it the ledger. @a path must outlive the ledger. */
apr_status_t oc_ledger_prepare(oc_ledger_t **ledger, const char *path, unsigned n, apr_pool_t *pool,
                               const char **problem);
apr_status_t oc_ledger_commit(oc_ledger_t *ledger, const char **problem);

/** Write entry @a ordinal: one pwrite(2), any process, any thread. @return APR_EINVAL: no such ordinal; else the
 *  errno. */
apr_status_t oc_ledger_write(oc_ledger_t *ledger, unsigned ordinal, const oc_ledger_entry_t *entry);

/** Read all entries of the file: a hash from id (OC_CERT_ID_LEN bytes) to const oc_ledger_entry_t *. Damaged entries
 *  are omitted, and so are those that another version of the module or another kind of machine wrote. The server may
 *  write at the same time.
 *  @return APR_SUCCESS; APR_ENOENT; else why not, with *problem. Symlinks and other kinds of files are refused. */
apr_status_t oc_ledger_load(apr_hash_t **entries, const char *path, apr_pool_t *pool, const char **problem);

#endif
