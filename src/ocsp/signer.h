/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_signer: who signed a basic response, whether they may, and whether they did.
 *
 * A part of oc_verify, and called by nobody else: it presumes that the response was found well-formed.
 */
#ifndef OC_OCSP_SIGNER_H
#define OC_OCSP_SIGNER_H

#include "base/verdict.h"

#include <apr_time.h>
#include <openssl/ocsp.h>

/**
 * Find the signer of @a basic, see that it is @a issuer or a certificate that @a issuer signed for OCSP and that is
 * valid at
 * @a now, and verify the signature. May leave errors in OpenSSL's queue: the caller holds a mark. Any thread.
 * @param not_after out: when the delegated signer's certificate ends; APR_INT64_MAX: the issuer signed itself
 * @param detail    out, on refusal: which signer, which algorithm; printable ASCII
 * @return OC_PENDING: nothing to object to. Else OC_SIGNER_*, OC_SIGNATURE_*, OC_CRITICAL_EXTENSION,
 * OC_OUT_OF_RESOURCES.
 */
oc_verdict_t oc_signer_check(OCSP_BASICRESP *basic, X509 *issuer, apr_time_t now, apr_time_t *not_after, char *detail,
                             apr_size_t detail_size);

#endif
