/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * An outage of a responder that many certificates share has one cause, so it is one warning: of the first certificate
 * that it affects. Called by log.c in the workers' threads.
 */
#ifndef OC_REFRESH_OUTAGE_H
#define OC_REFRESH_OUTAGE_H

#include "attempt.h"
#include "job.h"

/** Does the attempt's failure concern a responder that several certificates share? Then one warning serves them all. */
int oc_outage_is_grouped(const oc_job_t *job, const oc_attempt_t *attempt);

/** An attempt failed, and it is worth a warning: has the same failure of this responder been logged as a warning for
 *  another certificate, and no certificate obtained an answer since? */
int oc_outage_is_known(oc_job_t *job, const oc_attempt_t *attempt, oc_outage_stage_t stage);

/** "40 certificates use this responder (a:443, b:443, c:443 and 37 more): ...", for the end of that warning; "": no
 *  other certificate does, or the failure is not the responder's. From @a pool. */
const char *oc_outage_extent(const oc_job_t *job, const oc_attempt_t *attempt, apr_pool_t *pool);

/** The responder gave a valid response. @return how many certificates its outage affected, if this is the first of them
 *  that obtained one; otherwise 0 */
unsigned oc_outage_end(const oc_job_t *job, const oc_attempt_t *attempt);

#endif
