/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Computes when a response is due for refresh. The refresher calls it after each exchange, and to check due times read
 * from shared memory. Any argument may be invalid (a responder's times, a hostile child's note): sums saturate, shifts
 * are bounded beforehand, and the bounds are put in order first. It must never read a clock or generate a random
 * number.
 */
#include "ocsp/schedule.h"

#include <apr.h>

/* The shortest pause before a retry, however little validity is left. */
#define RETRY_FLOOR apr_time_from_sec(1)

/* An exchange that takes less does not hang. */
#define HEDGE_FLOOR apr_time_from_sec(1)

static apr_time_t schedule_add(apr_time_t time, apr_interval_time_t pause)
{
    return time > APR_INT64_MAX - pause ? APR_INT64_MAX : time + pause; /* pause >= 0 */
}

/* From @a from to @a to; 0 when that is no forward step, and never more than an apr_interval_time_t holds. */
static apr_interval_time_t schedule_span(apr_time_t from, apr_time_t to)
{
    if (to <= from)
        return 0;
    if (from < 0 && to > APR_INT64_MAX + from)
        return APR_INT64_MAX;
    return to - from;
}

/* @a span (>= 0) times random / 2^32, rounded down. */
static apr_interval_time_t schedule_part(apr_interval_time_t span, uint32_t random)
{
    uint64_t whole = (uint64_t)span;

    return (apr_interval_time_t)((whole >> 32) * random + (((whole & UINT32_MAX) * random) >> 32));
}

static apr_interval_time_t schedule_least(apr_interval_time_t a, apr_interval_time_t b)
{
    return a < b ? a : b;
}

static apr_interval_time_t schedule_most(apr_interval_time_t a, apr_interval_time_t b)
{
    return a > b ? a : b;
}

/* The bounds as the header documents them: positive, and the lower one not above the upper one. */
static oc_schedule_bounds_t schedule_order(const oc_schedule_bounds_t *bounds)
{
    oc_schedule_bounds_t ordered;

    ordered.min = schedule_most(bounds->min, 1);
    ordered.max = schedule_most(bounds->max, ordered.min);
    ordered.retry_min = schedule_most(bounds->retry_min, 1);
    ordered.retry_max = schedule_most(bounds->retry_max, ordered.retry_min);
    return ordered;
}

/* Between 40 and 60 % of @a left. */
static apr_interval_time_t schedule_half(apr_interval_time_t left, uint32_t random)
{
    return 2 * (left / 5) + schedule_part(left / 5, random);
}

/* The lower bound plus up to a fifth of it: all servers of a fleet obtain a shared response at the same moment. Uses
 * the low half of @a random: the high half is small whenever this is called. */
static apr_interval_time_t schedule_shortest(const oc_schedule_bounds_t *ordered, apr_interval_time_t left,
                                             uint32_t random)
{
    apr_interval_time_t room = schedule_least(ordered->min / 5, ordered->max - ordered->min);

    if (left > ordered->min)
        room = schedule_least(room, left - ordered->min - 1);
    return ordered->min + schedule_part(room, random << 16 | random >> 16);
}

apr_time_t oc_schedule_success(apr_time_t now, apr_time_t this_update, apr_time_t usable_until,
                               const oc_schedule_bounds_t *bounds, uint32_t random)
{
    oc_schedule_bounds_t ordered = schedule_order(bounds);
    apr_interval_time_t left = schedule_span(now, usable_until);
    apr_interval_time_t half = schedule_span(this_update, usable_until) / 2;
    apr_interval_time_t to_middle = schedule_span(now, usable_until - half);
    apr_interval_time_t pause;

    if (to_middle > 0) {
        /* Not sooner: the CA has published nothing new. Soon afterwards: the response then outlasts a long outage. */
        pause = schedule_add(to_middle, schedule_part(schedule_least(2 * (half / 5), ordered.max / 2), random));
    }
    else {
        pause = schedule_half(left, random); /* the CA publishes late */
    }
    if (pause > ordered.max) {
        /* Without a wide jitter all certificates of a server would be refreshed at this bound together, every day. */
        pause = ordered.max - schedule_part(2 * (ordered.max / 5), random);
    }
    if (pause < ordered.min)
        pause = schedule_shortest(&ordered, left, random);
    if (left > 0 && pause >= left)
        pause = schedule_half(left, random); /* min misses the end: the bound yields */
    return schedule_add(now, pause);
}

apr_time_t oc_schedule_hint(apr_time_t due, apr_time_t now, apr_time_t this_update, apr_time_t usable_until,
                            apr_interval_time_t max_age, const oc_schedule_bounds_t *bounds, uint32_t random)
{
    oc_schedule_bounds_t ordered = schedule_order(bounds);
    apr_interval_time_t half = schedule_span(this_update, usable_until) / 2;
    /* As in oc_schedule_success(): what is left then covers an outage as long as without a hint. */
    apr_time_t last = schedule_add(usable_until - half, schedule_least(2 * (half / 5), ordered.max / 2));
    apr_interval_time_t longest = schedule_least(schedule_span(now, last), ordered.max);

    if (max_age <= 0 || max_age > longest - longest / 4 || due >= schedule_add(now, max_age))
        return due;
    return schedule_add(now, max_age + schedule_part(schedule_least(max_age / 2, longest - max_age), random));
}

/* retry_min doubled for each failure after the first, up to retry_max. */
static apr_interval_time_t schedule_back_off(const oc_schedule_bounds_t *ordered, unsigned failures)
{
    unsigned doublings = failures > 0 ? failures - 1 : 0;

    if (doublings > 62 || ordered->retry_min > ordered->retry_max >> doublings)
        return ordered->retry_max;
    return ordered->retry_min << doublings;
}

apr_time_t oc_schedule_failure(apr_time_t now, apr_time_t usable_until, unsigned failures,
                               apr_interval_time_t retry_after, const oc_schedule_bounds_t *bounds, uint32_t random)
{
    oc_schedule_bounds_t ordered = schedule_order(bounds);
    apr_interval_time_t base = schedule_back_off(&ordered, failures);
    apr_interval_time_t left = schedule_span(now, usable_until);
    /* Between base and one and a half times base; close to retry_max, within its last quarter. The jitter always has
     * some width, and both ends grow with base. */
    apr_interval_time_t low = schedule_least(base, ordered.retry_max - ordered.retry_max / 4);
    apr_interval_time_t high = base / 2 > ordered.retry_max - base ? ordered.retry_max : base + base / 2;
    apr_interval_time_t pause;

    low = schedule_most(low, ordered.retry_min);
    pause = low + schedule_part(high - low, random);
    pause = schedule_most(pause, schedule_least(retry_after, ordered.retry_max));
    if (left > 0 && pause > left / 4)
        pause = schedule_least(pause, schedule_most(left / 4, RETRY_FLOOR));
    return schedule_add(now, pause);
}

apr_time_t oc_schedule_hedge(apr_time_t begun, apr_interval_time_t timeout)
{
    apr_interval_time_t pause = schedule_most(timeout / 2, schedule_least(timeout, HEDGE_FLOOR));

    return schedule_add(begun, schedule_most(pause, 0));
}

apr_time_t oc_schedule_clamp(apr_time_t due, apr_time_t now, apr_time_t usable_until, unsigned failures,
                             const oc_schedule_bounds_t *bounds)
{
    oc_schedule_bounds_t ordered = schedule_order(bounds);
    apr_interval_time_t longest = schedule_least(ordered.max, schedule_span(now, usable_until));
    apr_time_t latest = schedule_add(now, failures > 0 ? ordered.retry_max : longest);

    if (due < now)
        return now;
    return due > latest ? latest : due;
}
