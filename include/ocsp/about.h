/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which certificate an OCSP response is about, before anything in it is verified: to find the file, or the host, that
 * it belongs to, and for messages. It must never decide what is stapled: oc_verify_response() does.
 */
#ifndef OC_OCSP_ABOUT_H
#define OC_OCSP_ABOUT_H

#include "ocsp/verify.h"

#include <apr_pools.h>

typedef enum {
    OC_ABOUT_NOTHING, /* not a successful OCSP response: garbage, an error such as tryLater, or no SingleResponse */
    OC_ABOUT_THIS,
    OC_ABOUT_ANOTHER
} oc_about_t;

/** Does a SingleResponse name this serial and this issuer's key (RFC 6960 section 4.1.1)? A CertID with a hash that
 * OpenSSL does not know counts as naming it. Leaves OpenSSL's error queue as found. Any thread. */
oc_about_t oc_about(const unsigned char *der, apr_size_t der_len, const oc_verify_subject_t *subject);

/** The serial that the first SingleResponse names, as a DER INTEGER from @a pool. @return 0: as OC_ABOUT_NOTHING */
int oc_about_serial(const unsigned char *der, apr_size_t der_len, const unsigned char **serial, apr_size_t *serial_len,
                    apr_pool_t *pool);

#endif
