/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which certificate issued another one: the one whose key verifies its signature. A CA that is renewed with a new key
 * keeps its name, so name and key identifier only order the candidates.
 */
#ifndef OC_OCSP_ISSUER_H
#define OC_OCSP_ISSUER_H

#include <apr_tables.h>
#include <openssl/x509.h>

/** NULL: @a issuer issued @a x509; else why not, static. May leave errors in OpenSSL's queue. */
const char *oc_issuer_problem(X509 *x509, X509 *issuer);

/** The one of @a candidates (X509 *) that issued @a x509, those with the right key identifier first; NULL: none.
 * Likewise. */
X509 *oc_issuer_choose(const apr_array_header_t *candidates, X509 *x509);

/** Would mod_ssl take one of @a candidates for the issuer? It compares names and key identifiers, not keys. */
int oc_issuer_is_plausible(const apr_array_header_t *candidates, X509 *x509);

/** "CN=A, CN=B (another key) and 3 more": the names of @a candidates, for a message; "" for none. From @a pool. */
const char *oc_issuer_names(const apr_array_header_t *candidates, const X509 *x509, apr_pool_t *pool);

/** The issuer that @a x509 names, for a message. From @a pool. */
const char *oc_issuer_needed(const X509 *x509, apr_pool_t *pool);

#endif
