/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * When a response is due for refresh. Pure functions of times, failures and a random number: no clock, no state. Called
 * by the refresher and, for a whole fleet in virtual time, by the benchmarks.
 */
#ifndef OC_OCSP_SCHEDULE_H
#define OC_OCSP_SCHEDULE_H

#include <apr_time.h>
#include <stdint.h>

/** Bounds, from the configuration. All > 0, min <= max. */
typedef struct {
    apr_interval_time_t min;       /* shortest pause after a success */
    apr_interval_time_t max;       /* longest pause after a success, however long the response is valid */
    apr_interval_time_t retry_min; /* first pause after a failure */
    apr_interval_time_t retry_max; /* longest pause after failures (SSLStaplingErrorCacheTimeout) */
} oc_schedule_bounds_t;

/**
 * After a success: soon after the middle of the validity, when CAs have published the next response: within a fifth of
 * the validity after it, but within max / 2, by @a random. Where the middle is past (the CA is late): between 40 and 60
 * % of what is left. Within the bounds; where max limits it, between 60 and 100 % of max, where min does, up to a fifth
 * beyond min. Where even `min` would miss the end of the usable time, the bound yields: due lies before the end
 * whenever usable_until > now. docs/schedule.md has the figures.
 * @param this_update, usable_until  of the response; @a random: uniform over all 32 bits
 */
apr_time_t oc_schedule_success(apr_time_t now, apr_time_t this_update, apr_time_t usable_until,
                               const oc_schedule_bounds_t *bounds, uint32_t random);

/**
 * Where @a due lies before the end of @a max_age (Cache-Control; 0: none), put it off: until then a cache on the way
 * gives the same response again. By @a random, to that end or up to half of max_age later, within max, and no later
 * after the middle of the validity than without a hint. A hint that leaves less than a quarter of the time until then
 * has no effect: all responses obtained together would be due together.
 * @param due of oc_schedule_success(), and the other arguments as there; @a random is another number: the one there
 *   decides which responses are put off
 */
apr_time_t oc_schedule_hint(apr_time_t due, apr_time_t now, apr_time_t this_update, apr_time_t usable_until,
                            apr_interval_time_t max_age, const oc_schedule_bounds_t *bounds, uint32_t random);

/**
 * After the @a failures-th failure in a row (>= 1): exponential back-off with jitter between retry_min and retry_max,
 * shortened when a valid response is held and little of it is left (at most a quarter of the rest, but no shorter than
 * a second or what the back-off says, whichever is less).
 * @param usable_until  of the response held; 0 or past: none
 * @param retry_after   the responder's Retry-After, 0: none; honoured up to retry_max, unless the rest requires less
 */
apr_time_t oc_schedule_failure(apr_time_t now, apr_time_t usable_until, unsigned failures,
                               apr_interval_time_t retry_after, const oc_schedule_bounds_t *bounds, uint32_t random);

/**
 * While no valid response is stored: when a second exchange is to begin, in parallel with one that has not ended.
 * Half-way to its deadline, so that requests are evenly spaced when each is followed by the next; but an exchange of
 * less than a second is not slow.
 * @param timeout of the exchange, > 0. @return no later than its deadline, where a second one has no purpose
 */
apr_time_t oc_schedule_hedge(apr_time_t begun, apr_interval_time_t timeout);

/**
 * A due time that another process wrote, or that was computed before the clock was set: unchanged when it is plausible,
 * else moved to the nearest time that is. After a failure the latest is now + retry_max; after a success it is now +
 * max, and the end of the response's usable time; and without a usable response it is now.
 * @param usable_until  of the response held, as in oc_schedule_failure(); @param failures in a row
 */
apr_time_t oc_schedule_clamp(apr_time_t due, apr_time_t now, apr_time_t usable_until, unsigned failures,
                             const oc_schedule_bounds_t *bounds);

#endif
