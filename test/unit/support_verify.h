/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The scene of the verification tests: a root, an issuing CA below it, a certificate, a delegated OCSP signer; and
 * short ways to make a response about that certificate and verify it at PKI_NOW.
 */
#ifndef SUPPORT_VERIFY_H
#define SUPPORT_VERIFY_H

#include "support_pki.h"

#define SCENE_SERIAL 0x1234
#define SCENE_SKEW apr_time_from_sec(300)

typedef struct {
    apr_pool_t *group_pool;
    apr_pool_t *pool; /* of the running test */
    pki_id_t *root, *issuer, *certificate, *delegate;
    oc_verify_subject_t subject;
    oc_verify_policy_t policy; /* set again for every test */
    oc_verify_result_t result; /* of the last scene_judge() */
} scene_t;

extern scene_t scene;

/* For cmocka. */
/** From now on this is the certificate's issuer. */
void scene_trust(const pki_id_t *issuer);

int scene_group_setup(void **state);
int scene_group_teardown(void **state);
int scene_setup(void **state);
int scene_teardown(void **state);

/** "good" for the certificate, an hour old, valid for a day more. The test may change it. */
pki_single_t scene_single(void);

/** A response with one such answer, signed by the issuer itself, by key, without certificates. */
pki_response_t scene_response(const pki_single_t *single);

/** A delegated signer with all correct properties; the test may change it. */
pki_spec_t scene_delegate_spec(void);

/** Make the response, judge it; the verdict. The result stays in scene.result. */
oc_verdict_t scene_judge(const pki_response_t *response);
oc_verdict_t scene_judge_bytes(pki_bytes_t bytes);

/** Judge scene_response() with this one answer. */
oc_verdict_t scene_judge_single(const pki_single_t *single);

/** Judge a "good" that @a signer signed and whose certificate is embedded. */
oc_verdict_t scene_judge_signer(const pki_id_t *signer);

/** What is stapled of the last response that was judged, and how many certificates it contains. */
pki_bytes_t scene_stapled(void);
int scene_count_certificates(void);

/* Verdicts by name, so that a failure says something. The detail must be printable, and empty or meaningful. */
#define assert_verdict(expected, actual) scene_assert_verdict(expected, actual, __FILE__, __LINE__)
void scene_assert_verdict(oc_verdict_t expected, oc_verdict_t actual, const char *file, int line);

#endif
