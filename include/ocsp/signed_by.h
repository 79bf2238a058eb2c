/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Names of the parties behind a verified response, for people: the issuer of the certificate and the signer of the
 * response. Called for reports. It decides nothing: oc_verify_response() does.
 */
#ifndef OC_OCSP_SIGNED_BY_H
#define OC_OCSP_SIGNED_BY_H

#include "ocsp/cert.h"

/** The subject of the issuer's certificate, from @a pool; NULL: OpenSSL cannot read it. Any thread. */
const char *oc_signed_by_issuer(const oc_issuer_t *issuer, apr_pool_t *pool);

/**
 * Who signed the response @a der: "the issuer", or the subject of the delegated signer whose certificate the response
 * carries.
 * @return from @a pool; NULL: @a der is not a signed response, or carries no certificate of its signer. Any thread.
 * Total: @a der may be anything. Leaves OpenSSL's error queue as found.
 */
const char *oc_signed_by(const unsigned char *der, apr_size_t der_len, const oc_issuer_t *issuer, apr_pool_t *pool);

#endif
