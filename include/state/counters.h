/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Counts what this server has done since its start: handshakes by what was stapled, exchanges by verdict, and their
 * duration.
 *
 * One region of anonymous shared memory, made by the parent before its first child and preserved across graceful
 * restarts: the numbers only grow. Related numbers are not updated together, so a reader may see one of them counted
 * before the other.
 *
 *   lanes   handshakes: 128 B each (two cache lines: neighbours are prefetched in pairs), one per server thread
 *   then    exchanges: one word per verdict, one per latency bucket, sum
 */
#ifndef OC_STATE_COUNTERS_H
#define OC_STATE_COUNTERS_H

#include "ocsp/record.h"

#include <apr_pools.h>

typedef struct oc_counters_t oc_counters_t;

/** The result of a handshake whose client requested a status. */
typedef enum {
    OC_COUNTERS_STAPLED, /* good or revoked */
    OC_COUNTERS_ERROR,   /* a responder's error or a tryLater, as configured */
    OC_COUNTERS_NOTHING, /* no response was available */
    OC_COUNTERS_HANDSHAKES
} oc_counters_handshake_t;

/** Upper bounds of the latency histogram, in microseconds, ascending; the last bucket has none (+Inf). */
#define OC_COUNTERS_BUCKETS 14
extern const apr_interval_time_t oc_counters_bounds[OC_COUNTERS_BUCKETS - 1];

typedef struct {
    uint64_t handshakes[OC_COUNTERS_HANDSHAKES];
    uint64_t exchanges[OC_ORIGIN_LIMIT][OC_VERDICT_LIMIT]; /* attempts by source and verdict */
    uint64_t latency[OC_COUNTERS_BUCKETS];                 /* exchanges with responders; not cumulative */
    uint64_t latency_sum;                                  /* microseconds */
} oc_counters_totals_t;

#define OC_COUNTERS_LANES_MAX 4096 /* half a MiB; a server with more threads shares lanes */

/** Create zeroed counters with @a lanes lanes (rounded up to a power of two, from 1 to OC_COUNTERS_LANES_MAX). Lives as
 *  long as @a pool; inherited through fork.
 *  @return APR_SUCCESS; else why there is no memory. */
apr_status_t oc_counters_create(oc_counters_t **counters, unsigned lanes, apr_pool_t *pool);

/** Count a handshake. Handshake path: one relaxed addition, on a cache line that no other thread uses while lanes
 *  differ. */
void oc_counters_handshake(oc_counters_t *counters, unsigned lane, oc_counters_handshake_t what);

/** Count an attempt. @param elapsed  how long the exchange took; < 0: there was none. Any thread. */
void oc_counters_exchange(oc_counters_t *counters, oc_origin_t origin, oc_verdict_t verdict,
                          apr_interval_time_t elapsed);

void oc_counters_read(const oc_counters_t *counters, oc_counters_totals_t *totals);

#endif
