/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_limit: how long one exchange may take: one deadline on the monotonic clock and one stop flag, asked together.
 *
 * Every wait of oc_connect and oc_fetch goes through here, so that none of them can outlive the one or miss the other.
 */
#ifndef OC_LIMIT_H
#define OC_LIMIT_H

#include "base/verdict.h"

#include <apr_time.h>
#include <poll.h>
#include <stdatomic.h>

#define OC_LIMIT_SLICE apr_time_from_msec(50) /* the longest sleep between two looks at the stop flag */

typedef struct {
    apr_time_t end;         /* on the clock of oc_limit_now() */
    const atomic_int *stop; /* NULL: nobody can stop it */
} oc_limit_t;

/** Microseconds of the monotonic clock: comparable within this boot only, untouched when the wall clock is set. */
apr_time_t oc_limit_now(void);

/** From now on, for @a timeout (pulled into [0, 1 day]). */
void oc_limit_start(oc_limit_t *limit, apr_interval_time_t timeout, const atomic_int *stop);

/** Has somebody asked to stop? Touches nothing but the flag. */
int oc_limit_stopped(const oc_limit_t *limit);

/** @return OC_PENDING: go on; OC_STOPPED; OC_TIMED_OUT. The stop flag is looked at first. */
oc_verdict_t oc_limit_check(const oc_limit_t *limit);

/**
 * poll(2) once: until one of @a fds is ready, @a until (same clock) or the deadline is reached, or a slice is over;
 * never longer.
 * @return as oc_limit_check() before the sleep. With OC_PENDING, revents are valid (all zero: nothing happened yet).
 */
oc_verdict_t oc_limit_poll(const oc_limit_t *limit, struct pollfd *fds, nfds_t count, apr_time_t until);

#endif
