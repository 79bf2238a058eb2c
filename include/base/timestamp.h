/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Times from outside: of a file, of shared memory that any process of the server may write, of another server. They
 * are checked where they are read, so that no later calculation overflows.
 */
#ifndef OC_BASE_TIMESTAMP_H
#define OC_BASE_TIMESTAMP_H

#include <apr_time.h>

#define OC_TIME_MAX apr_time_from_sec(INT64_C(253402300799)) /* the end of the year 9999, as in certificates */

/** Is it from 0 to OC_TIME_MAX? */
static inline int oc_time_is_valid(apr_time_t time)
{
    return (apr_uint64_t)time <= (apr_uint64_t)OC_TIME_MAX;
}

#endif
