/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads and writes durations. Not by ap_timeout_parameter_parse(), which reads "5minutes" and "5hxyz", but no days, and
 * does not exist outside of httpd.
 */
#include "base/duration.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <strings.h>

/* The first name of each length is the one that is written. From the shortest to the longest. */
static const struct {
    const char *name;
    apr_interval_time_t length;
} units[] = {{"ms", 1000},
             {"s", APR_USEC_PER_SEC},
             {"", APR_USEC_PER_SEC},
             {"min", 60 * APR_USEC_PER_SEC},
             {"mi", 60 * APR_USEC_PER_SEC},
             {"m", 60 * APR_USEC_PER_SEC},
             {"h", 3600 * APR_USEC_PER_SEC},
             {"hr", 3600 * APR_USEC_PER_SEC},
             {"d", 86400 * APR_USEC_PER_SEC},
             {"w", 604800 * APR_USEC_PER_SEC}};

#define N_UNITS (sizeof(units) / sizeof(units[0]))

/* @return the length of the unit; 0: it is none */
static apr_interval_time_t length_of(const char *name)
{
    unsigned i;

    for (i = 0; i < N_UNITS; i++)
        if (strcasecmp(name, units[i].name) == 0)
            return units[i].length;
    return 0;
}

int oc_duration_parse(const char *text, apr_interval_time_t max, apr_interval_time_t *duration)
{
    char *unit;
    apr_int64_t number = apr_strtoi64(text, &unit, 10);
    apr_interval_time_t length = length_of(unit);

    if (!apr_isdigit(*text) || length == 0 || number > max / length)
        return 0;
    *duration = number * length;
    return 1;
}

const char *oc_duration_text(apr_interval_time_t duration, const char *like, apr_pool_t *pool)
{
    apr_interval_time_t length;
    unsigned i;

    while (apr_isdigit(*like))
        like++;
    length = length_of(like);
    for (i = N_UNITS; i-- > 0 && (length == 0 || duration % length != 0);)
        if (duration % units[i].length == 0)
            length = units[i].length;
    for (i = 0; units[i].length != length;)
        i++;
    if (duration % length != 0)
        return apr_psprintf(pool, "%" APR_TIME_T_FMT "us", duration);
    return apr_psprintf(pool, "%" APR_TIME_T_FMT "%s", duration / length, units[i].name);
}
