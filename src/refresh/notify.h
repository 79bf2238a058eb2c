/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * OCSPCacheNotify: reports what happens to certificates to the administrator's program.
 *
 * Runs in the child that refreshes. No thread waits for the program. A failure of the program is logged, and has no
 * other effect.
 */
#ifndef OC_REFRESH_NOTIFY_H
#define OC_REFRESH_NOTIFY_H

#include "job.h"

typedef enum {
    OC_NOTIFY_FIRST_RESPONSE, /* the first good response for a certificate */
    OC_NOTIFY_REVOKED,
    OC_NOTIFY_EXPIRING, /* the response is not renewed and expires soon: with the warning in the log */
    OC_NOTIFY_EXPIRED,  /* nothing valid is held, and an attempt failed */
    OC_NOTIFY_RECOVERED /* good again, after one of the three above */
} oc_notify_t;

/** The child has taken the lead: start the notifier, if the configuration names a program. */
void oc_notify_start(server_rec *main_server);

/** Queue an event for the program. Called in the thread that works on the job.
 *  @param error of the last attempt; OC_PENDING: it did not fail. @param detail of the error, or "" */
void oc_notify_post(const oc_job_t *job, oc_notify_t event, oc_verdict_t error, const char *detail, apr_pool_t *pool);

/** The child ends: a program that still runs is terminated, and queued events are dropped. Waits at most a second. */
void oc_notify_stop(void);

#endif
