/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The sources of a response for a certificate, in the order in which they are tried: an import, a hedge, the response
 * folder, the other servers of the fleet, the responder. Called by renew.c, in the workers' threads.
 */
#ifndef OC_REFRESH_SOURCES_H
#define OC_REFRESH_SOURCES_H

#include "attempt.h"
#include "job.h"

typedef enum {
    OC_FOUND_ANSWER,  /* the attempt ended, with attempt->verdict */
    OC_FOUND_NOTHING, /* not here: try the next source */
    OC_FOUND_NOT_NOW, /* no source is to be queried before job->own.note.due or job->own.peers.wake */
    OC_FOUND_STOP     /* the server stops: there is no attempt */
} oc_found_t;

/** Search for an answer from the first source to the last. @param attempt out, with OC_FOUND_ANSWER; from @a pool
 *  @return anything but OC_FOUND_NOTHING */
oc_found_t oc_sources_search(oc_job_t *job, oc_attempt_t *attempt, const atomic_int *stop, apr_pool_t *pool);

#endif
