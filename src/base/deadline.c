/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The one clock and the one wait of exchanges and of child processes. It must never sleep longer than a slice.
 */
#include "base/deadline.h"

#include <time.h>

#define LONGEST apr_time_from_sec(86400)

apr_time_t oc_deadline_now(void)
{
    struct timespec now;

    /* Cannot fail: POSIX requires this clock. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + (apr_time_t)now.tv_nsec / 1000;
}

void oc_deadline_start(oc_deadline_t *deadline, apr_interval_time_t timeout, const atomic_int *stop)
{
    if (timeout < 0)
        timeout = 0;
    if (timeout > LONGEST)
        timeout = LONGEST;
    deadline->end = oc_deadline_now() + timeout;
    deadline->stop = stop;
    deadline->called_off = NULL;
}

int oc_deadline_stopped(const oc_deadline_t *deadline)
{
    return deadline->stop && atomic_load(deadline->stop) != 0;
}

oc_verdict_t oc_deadline_check(const oc_deadline_t *deadline)
{
    if (oc_deadline_stopped(deadline) || (deadline->called_off && atomic_load(deadline->called_off) != 0))
        return OC_STOPPED;
    return oc_deadline_now() >= deadline->end ? OC_TIMED_OUT : OC_PENDING;
}

oc_verdict_t oc_deadline_poll(const oc_deadline_t *deadline, struct pollfd *fds, nfds_t count, apr_time_t until)
{
    oc_verdict_t verdict = oc_deadline_check(deadline);
    apr_time_t now = oc_deadline_now();
    apr_interval_time_t nap;
    nfds_t i;

    if (verdict != OC_PENDING)
        return verdict;
    nap = (until < deadline->end ? until : deadline->end) - now;
    if (nap < 0)
        nap = 0;
    if (nap > OC_DEADLINE_SLICE)
        nap = OC_DEADLINE_SLICE;
    /* Rounded up: below a millisecond it would spin. */
    if (poll(fds, count, (int)((nap + 999) / 1000)) < 0) {
        /* EINTR or ENOMEM: nothing is ready; the caller tries again until the deadline. */
        for (i = 0; i < count; i++)
            fds[i].revents = 0;
    }
    return OC_PENDING;
}
