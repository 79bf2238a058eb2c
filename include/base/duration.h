/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Durations as people write them, in directives and in the options of the tool.
 */
#ifndef OC_BASE_DURATION_H
#define OC_BASE_DURATION_H

#include <apr_pools.h>
#include <apr_time.h>

#define OC_DURATION_FORM "a number and ms, s, min, h, d or w, as in 12h"

/** Read a whole number and a unit, in either case: ms, s, m, mi, min, h, hr, d, w; without one, seconds. httpd's own
 * time directives read the units up to the hour.
 * @param max a longer one is not a duration. @return 0: @a text is not one, and @a duration is unchanged */
int oc_duration_parse(const char *text, apr_interval_time_t max, apr_interval_time_t *duration);

/** "12h", "10min", in the unit that @a like is written in, if the number is whole in it; else in the largest in which
 * it is. From @a pool. @param like what a user wrote; may be anything */
const char *oc_duration_text(apr_interval_time_t duration, const char *like, apr_pool_t *pool);

#endif
