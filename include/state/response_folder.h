/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads OCSP responses from a folder that another job fills (OCSPCacheResponseFolder), for hosts that cannot reach a
 * responder. The response for a certificate is in SHA1.der, named after the certificate's SHA-1 fingerprint, or else in
 * SERIAL.der, named after its serial number. Certificates of different CAs may share a serial, so SERIAL.der can belong
 * to another certificate. This unit does not verify responses: oc_verify_response() does.
 */
#ifndef OC_STATE_RESPONSE_FOLDER_H
#define OC_STATE_RESPONSE_FOLDER_H

#include "base/disk.h"
#include "ocsp/cert.h"

/** Which file of a certificate was read last. Zero it before the first call. */
typedef struct {
    oc_disk_stamp_t stamp;
    int is_by_serial; /* it was SERIAL.der */
    int is_anothers;  /* it is for another certificate: oc_response_folder_disown() */
} oc_response_folder_seen_t;

typedef struct {
    const char *path; /* always set, for the log */
    const unsigned char *der;
    apr_size_t der_len; /* at most max_len + 1, so the caller recognizes a larger file */
} oc_response_file_t;

/**
 * Read the response for @a cert if its file differs from the one seen last. Any thread.
 * @param file out: everything in it comes from @a pool
 * @return APR_SUCCESS: a new file was read. APR_EEXIST: the file is the one seen last. APR_ENOENT: there is none, or
 *   only a SERIAL.der for another certificate. Otherwise why the file cannot be read.
 */
apr_status_t oc_response_folder_read(const char *folder, const oc_cert_t *cert, apr_size_t max_len,
                                     oc_response_folder_seen_t *seen, oc_response_file_t *file, apr_pool_t *pool);

/** Report that the file read last is for another certificate. @return 1: it was SERIAL.der, and is ignored until it
 *  changes; 0: it has this certificate's fingerprint as its name, so it is wrong. */
int oc_response_folder_disown(oc_response_folder_seen_t *seen);

/** Has a file been added to the folder or removed since the last call? One stat(2). */
int oc_response_folder_has_changed(const char *folder, oc_disk_stamp_t *seen);

#endif
