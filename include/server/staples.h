/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The staple record and the note of a managed certificate, in the cache that SSLStaplingCache names.
 */
#ifndef OC_SERVER_STAPLES_H
#define OC_SERVER_STAPLES_H

#include "cache/shm.h"
#include "ocsp/cert.h"
#include "ocsp/record.h"

#include <httpd.h>

/** The staples' arena, for readers; NULL when this configuration has none. Handshake path. */
const oc_shm_t *oc_staples_arena(void);

/** The file that stores the staples; NULL: they are in memory only. */
const char *oc_staples_path(void);

/**
 * Read a certificate's staple record; record->der points into @a buffer, from @a pool.
 * @return APR_SUCCESS, APR_NOTFOUND. APR_EGENERAL: the record is not one that this module writes: remove it. @a note
 * (may be NULL) is filled in any case. Not for the handshake path.
 */
apr_status_t oc_staples_get(const oc_cert_t *cert, oc_record_t *record, oc_note_t *note, apr_pool_t *pool);

/**
 * Store @a record (NULL: only the note) and @a note for a certificate, unless a valid record of higher order is held.
 * Waits for the mutex: for worker threads, and for the parent before it has children. Logs errors of memory and file.
 * @return APR_SUCCESS; APR_EEXIST: the record held is newer, and stays (the note is stored).
 *   APR_ENOSPC: no room (logged with a sufficient size). Else: the mutex failed.
 */
apr_status_t oc_staples_put(const oc_cert_t *cert, const oc_record_t *record, const oc_note_t *note, apr_time_t now,
                            server_rec *s, apr_pool_t *pool);

/** In the parent, after a reload: the note of a certificate in the last generation's cache. All zero: there is none. */
oc_note_t oc_staples_previous_note(const oc_cert_t *cert);

/** Remove a certificate's record and note, because the record is unusable. */
apr_status_t oc_staples_remove(const oc_cert_t *cert, server_rec *s);

#endif
