/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Judges an OCSP response: its bytes, the certificate, its issuer and the time give a verdict with its times.
 *
 * Verifies as the strictest client would (RFC 6960 sections 3.2, 4.2.2; RFC 5019 section 4), before anything is
 * stapled. Pure: no clock, no network, no files, no logging. Called by unprivileged children only; the input is
 * hostile.
 */
#ifndef OC_OCSP_VERIFY_H
#define OC_OCSP_VERIFY_H

#include "ocsp/subject.h"

#include <apr_pools.h>

/**
 * Judge @a der_len bytes at @a der. Leaves the thread's OpenSSL error queue as it was found, as long as that has room
 * for what OpenSSL adds meanwhile (it holds 16). Any thread.
 *
 * Not one canonical DER encoding from its first to its last byte: OC_NOT_DER; only an explicit version v1 is allowed.
 * The first SingleResponse must be about the certificate; when several are, each must comply with the rules, and the
 * worst status and the narrowest times count.
 */
void oc_verify_response(const unsigned char *der, apr_size_t der_len, const oc_verify_subject_t *subject,
                        const oc_verify_policy_t *policy, oc_verify_result_t *result, apr_pool_t *pool);

#endif
