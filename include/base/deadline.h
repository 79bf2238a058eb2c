/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * How long an exchange may take: a deadline on the monotonic clock and two flags, checked together.
 *
 * Every wait of an exchange goes through oc_deadline_poll(), so that none can outlast the one or miss the others.
 */
#ifndef OC_BASE_DEADLINE_H
#define OC_BASE_DEADLINE_H

#include "base/verdict.h"

#include <apr_time.h>
#include <poll.h>
#include <stdatomic.h>

#define OC_DEADLINE_SLICE apr_time_from_msec(50) /* the longest sleep between two checks of the stop flag */

typedef struct {
    apr_time_t end;               /* on the clock of oc_deadline_now() */
    const atomic_int *stop;       /* the process or the worker ends; NULL: it cannot be stopped */
    const atomic_int *called_off; /* this exchange is no longer needed; NULL: it cannot be called off */
} oc_deadline_t;

/** Microseconds of the monotonic clock: comparable within this boot only, untouched when the wall clock is set. */
apr_time_t oc_deadline_now(void);

/** From now, for @a timeout (limited to [0, 1 day]). The exchange cannot be called off: set that afterwards. */
void oc_deadline_start(oc_deadline_t *deadline, apr_interval_time_t timeout, const atomic_int *stop);

/** Is the stop flag set? Touches nothing else. */
int oc_deadline_stopped(const oc_deadline_t *deadline);

/** @return OC_PENDING: continue; OC_STOPPED: stopped or called off; OC_TIMED_OUT. The flags are checked first. */
oc_verdict_t oc_deadline_check(const oc_deadline_t *deadline);

/**
 * poll(2) once: until one of @a fds is ready, @a until (same clock) or the deadline is reached, or a slice is over.
 * @return as oc_deadline_check() before the sleep. With OC_PENDING, revents are valid (all zero: not ready yet).
 */
oc_verdict_t oc_deadline_poll(const oc_deadline_t *deadline, struct pollfd *fds, nfds_t count, apr_time_t until);

#endif
