/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The stored response of a certificate, as the refresher reads and replaces it. Every process of the server can write
 * to the cache, so a stored record counts only if oc_record_verify() accepts it. Called by the thread that works on the
 * job.
 */
#ifndef OC_REFRESH_STORED_H
#define OC_REFRESH_STORED_H

#include "job.h"

typedef enum {
    OC_STORED_NONE,    /* nothing */
    OC_STORED_IDLE,    /* by this server's clock, it has expired, or is usable later */
    OC_STORED_VALID,   /* it matches its response, and is still usable */
    OC_STORED_DROPPED, /* it did not, and has been removed, with a warning in the log */
    OC_STORED_UNKNOWN  /* it could not be verified, as memory ran out */
} oc_stored_t;

/** Read and verify it. @param note out; may be NULL. record->der is from @a pool. Where its usable time has changed,
 *  with the settings for instance, it is stored again. */
oc_stored_t oc_stored_read(oc_job_t *job, oc_record_t *record, oc_note_t *note, apr_pool_t *pool);

/**
 * Store @a record (NULL: none) and job->own.note. A stored record of a higher order stays, if it is valid (invariant
 * 7): one that differs from its response is dropped, and never supersedes a valid one. One that is usable later, as the
 * clock was set back, gives way to a valid response, but not to an error.
 * @return of the record: APR_SUCCESS; APR_EEXIST: one that stays is stored; APR_ENOSPC (logged); else the mutex failed.
 */
apr_status_t oc_stored_put(oc_job_t *job, const oc_record_t *record, apr_pool_t *pool);

#endif
