/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Who signed a basic response, whether they may, and whether they did.
 */
#ifndef OC_OCSP_SIGNER_H
#define OC_OCSP_SIGNER_H

#include "check.h"

/**
 * Find the signer that the responder id names, among the issuer and the certificates in the response: sets
 * check->signer. Where several match the id, the one whose key verifies the signature is taken. This proves
 * nothing yet.
 * @return PASSED; OC_SIGNER_MISSING; OC_OUT_OF_RESOURCES
 */
oc_verdict_t oc_signer_find(oc_check_t *check);

/**
 * Is check->signer the issuer, or a certificate that the issuer signed for OCSP and that is valid now, and did it sign?
 * Lowers check->usable_until to the end of a delegated signer's certificate.
 * @return PASSED; OC_SIGNER_*, OC_SIGNATURE_*, OC_CRITICAL_EXTENSION, OC_OUT_OF_RESOURCES
 */
oc_verdict_t oc_signer_check(oc_check_t *check);

#endif
