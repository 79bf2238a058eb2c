/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The certificates in a response are not signed: anybody on the way can add some that make clients reject it. Only the
 * signer's is needed. Called by the checklist of verification.
 */
#ifndef OC_OCSP_TRIM_H
#define OC_OCSP_TRIM_H

#include "check.h"

/** Find the BasicOCSPResponse inside check->der, which is a canonical OCSPResponse, and its parts: sets basic_der, core
 *  and signed_data.
 *  @return PASSED; OC_NOT_DER: anything else is in it, or its parts cannot be separated. */
oc_verdict_t oc_trim_locate(oc_check_t *check);

/**
 * Make a response without the certificates that clients do not need: with check->signer's alone, or with none where
 * that is the issuer. Unless it is so already, der and basic_der are replaced by bytes from check->pool. The same
 * response always gives the same bytes.
 * @return PASSED; OC_OUT_OF_RESOURCES
 */
oc_verdict_t oc_trim(oc_check_t *check);

#endif
