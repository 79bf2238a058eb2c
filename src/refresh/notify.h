/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_notify: OCSPCacheNotify: what happens to certificates, told to the administrator's program.
 *
 * In the child that refreshes. Nobody waits for the program; trouble with it is a log line.
 */
#ifndef OC_REFRESH_NOTIFY_H
#define OC_REFRESH_NOTIFY_H

#include "job.h"

typedef enum {
    OC_NOTIFY_FIRST_RESPONSE, /* a certificate nothing was known of has its first good response */
    OC_NOTIFY_REVOKED,
    OC_NOTIFY_EXPIRING, /* what is stapled is not renewed and runs out: at the moment of the warning in the log */
    OC_NOTIFY_EXPIRED,  /* nothing valid is held, any more or yet, and an attempt to get something failed */
    OC_NOTIFY_RECOVERED /* good again, after one of the three above */
} oc_notify_t;

/** The child leads from now on: start the notifier, where the configuration names a program. */
void oc_notify_start(server_rec *main_server);

/** Tell. In the thread that works on the job. @param error of the last attempt; OC_PENDING: it did not fail. @param detail more of
 *  it, or "" */
void oc_notify_tell(const oc_job_t *job, oc_notify_t event, oc_verdict_t error, const char *detail, apr_pool_t *pool);

/** The child ends: a program that still runs is asked to end, what waits is not told. Waits a second at most. */
void oc_notify_stop(void);

#endif
