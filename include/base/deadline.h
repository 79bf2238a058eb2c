/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_deadline: how long one exchange may take: one deadline on the monotonic clock and one stop flag, asked together.
 *
 * Every wait of oc_connect and oc_fetch goes through here, so that none of them can outlive the one or miss the other.
 */
#ifndef OC_BASE_DEADLINE_H
#define OC_BASE_DEADLINE_H

#include "base/verdict.h"

#include <apr_time.h>
#include <poll.h>
#include <stdatomic.h>

#define OC_DEADLINE_SLICE apr_time_from_msec(50) /* the longest sleep between two looks at the stop flag */

typedef struct {
    apr_time_t end;         /* on the clock of oc_deadline_now() */
    const atomic_int *stop; /* NULL: nobody can stop it */
} oc_deadline_t;

/** Microseconds of the monotonic clock: comparable within this boot only, untouched when the wall clock is set. */
apr_time_t oc_deadline_now(void);

/** From now on, for @a timeout (pulled into [0, 1 day]). */
void oc_deadline_start(oc_deadline_t *deadline, apr_interval_time_t timeout, const atomic_int *stop);

/** Has somebody asked to stop? Touches nothing but the flag. */
int oc_deadline_stopped(const oc_deadline_t *deadline);

/** @return OC_PENDING: go on; OC_STOPPED; OC_TIMED_OUT. The stop flag is looked at first. */
oc_verdict_t oc_deadline_check(const oc_deadline_t *deadline);

/**
 * poll(2) once: until one of @a fds is ready, @a until (same clock) or the deadline is reached, or a slice is over;
 * never longer.
 * @return as oc_deadline_check() before the sleep. With OC_PENDING, revents are valid (all zero: nothing happened yet).
 */
oc_verdict_t oc_deadline_poll(const oc_deadline_t *deadline, struct pollfd *fds, nfds_t count, apr_time_t until);

#endif
