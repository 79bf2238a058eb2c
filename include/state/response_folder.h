/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_response_folder: a folder in which somebody else leaves OCSP responses, for hosts that cannot reach a responder themselves. A response
 * lies in a file named after the certificate's serial: "0A1B2C.der". What it says is for oc_verify to judge.
 */
#ifndef OC_STATE_RESPONSE_FOLDER_H
#define OC_STATE_RESPONSE_FOLDER_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <stdint.h>

/** Which state of a file, or of the folder, was seen last. Zero it before the first look. */
typedef struct {
    int64_t seconds, nanoseconds;
    uint64_t inode, size;
} oc_response_folder_seen_t;

/**
 * Read the response for @a serial if it is another than the one seen last.
 * @param path out, in any case: the file's name, for the log, from @a pool
 * @return APR_SUCCESS: a new one, *der from @a pool, no larger than max_len + 1 (so that a larger one shows).
 *   APR_EEXIST: still the one that was seen. APR_ENOENT: none is there. Else: why it cannot be read.
 */
apr_status_t oc_response_folder_read(const char *folder, const char *serial, apr_size_t max_len,
                                     oc_response_folder_seen_t *seen, const char **path, const unsigned char **der,
                                     apr_size_t *der_len, apr_pool_t *pool);

/** Did files come to or go from the folder since it was seen last? One stat(2). */
int oc_response_folder_has_changed(const char *folder, oc_response_folder_seen_t *seen);

#endif
