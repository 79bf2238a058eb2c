/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The locations in a certificate's Authority Information Access extension (RFC 5280 section 4.2.2.1).
 */
#ifndef OC_OCSP_AIA_H
#define OC_OCSP_AIA_H

#include <apr_pools.h>
#include <openssl/x509v3.h>

/**
 * The locations in @a access (freed; NULL: there is no such extension) that have an access method (NID_ad_OCSP,
 * NID_ad_ca_issuers), in the order of the certificate, each once.
 * Blanks and line ends around a URL are removed. What a URL must not contain inside is percent-encoded; a control
 * character becomes \xHH, which no URL may contain either. What is not a URL is named: "DirName:CN=x".
 * @return NULL-terminated, from @a pool; empty when there is none. Printable ASCII without blanks. May leave errors in
 *         OpenSSL's queue.
 */
const char *const *oc_aia_locations(AUTHORITY_INFO_ACCESS *access, int method, apr_pool_t *pool);

#endif
