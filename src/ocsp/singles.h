/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The SingleResponses of a response that is proven authentic.
 */
#ifndef OC_OCSP_SINGLES_H
#define OC_OCSP_SINGLES_H

#include "check.h"

/** Each must be for a certificate of our issuer, the first for ours. Sets the times in check->result. @return the
 *  status, or why the response must not be used; never PASSED */
oc_verdict_t oc_singles_check(oc_check_t *check);

#endif
