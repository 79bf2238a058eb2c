/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_limit: see oc_limit.h. Called by oc_connect and oc_fetch in worker threads; it must never sleep longer than a
 * slice.
 */
#include "base/deadline.h"

#include <time.h>

#define LONGEST apr_time_from_sec(86400)

apr_time_t oc_limit_now(void)
{
    struct timespec now;

    /* Cannot fail: the clock is one of POSIX's, and the pointer is ours. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + (apr_time_t)now.tv_nsec / 1000;
}

void oc_limit_start(oc_limit_t *limit, apr_interval_time_t timeout, const atomic_int *stop)
{
    if (timeout < 0)
        timeout = 0;
    if (timeout > LONGEST)
        timeout = LONGEST;
    limit->end = oc_limit_now() + timeout;
    limit->stop = stop;
}

int oc_limit_stopped(const oc_limit_t *limit)
{
    return limit->stop != NULL && atomic_load(limit->stop) != 0;
}

oc_verdict_t oc_limit_check(const oc_limit_t *limit)
{
    if (oc_limit_stopped(limit))
        return OC_STOPPED;
    return oc_limit_now() >= limit->end ? OC_TIMED_OUT : OC_PENDING;
}

oc_verdict_t oc_limit_poll(const oc_limit_t *limit, struct pollfd *fds, nfds_t count, apr_time_t until)
{
    oc_verdict_t verdict = oc_limit_check(limit);
    apr_time_t now = oc_limit_now();
    apr_interval_time_t nap;
    nfds_t i;

    if (verdict != OC_PENDING)
        return verdict;
    nap = (until < limit->end ? until : limit->end) - now;
    if (nap < 0)
        nap = 0;
    if (nap > OC_LIMIT_SLICE)
        nap = OC_LIMIT_SLICE;
    /* Rounded up: a rest below a millisecond would otherwise be spent spinning. */
    if (poll(fds, count, (int)((nap + 999) / 1000)) < 0) {
        /* EINTR, or ENOMEM: nothing happened; the caller comes again until the deadline. */
        for (i = 0; i < count; i++)
            fds[i].revents = 0;
    }
    return OC_PENDING;
}
