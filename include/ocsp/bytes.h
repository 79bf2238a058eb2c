/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A part of a DER encoding, and the elements in it.
 */
#ifndef OC_OCSP_BYTES_H
#define OC_OCSP_BYTES_H

#include <apr.h>

/** Bytes inside something else. */
typedef struct {
    const unsigned char *at;
    apr_size_t len;
} oc_bytes_t;

/** Take the element with this identifier octet from the front of @a rest. @return its content; at: NULL where another
 * element or none is there, and *rest is unchanged. */
oc_bytes_t oc_bytes_take(oc_bytes_t *rest, int identifier);

#endif
