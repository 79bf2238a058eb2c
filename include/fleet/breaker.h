/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A circuit breaker for the shared store: may it be queried now, and has that changed, so that the change is logged?
 * Called by src/refresh/shared_store.c. Pure; the caller locks, and passes the time.
 */
#ifndef OC_FLEET_BREAKER_H
#define OC_FLEET_BREAKER_H

#include <apr_errno.h>
#include <apr_time.h>

#define OC_BREAKER_PAUSE_MIN apr_time_from_sec(5) /* the first pause after a failure; it doubles up to */
#define OC_BREAKER_PAUSE_MAX apr_time_from_sec(60)

typedef enum {
    OC_BREAKER_UP,
    OC_BREAKER_READ_ONLY, /* it can be read, and refuses to store */
    OC_BREAKER_DOWN
} oc_breaker_state_t;

/** Zero it before first use: a store with no history is assumed up. */
typedef struct {
    oc_breaker_state_t state;
    apr_time_t retry_at; /* a monotonic clock's */
    apr_interval_time_t pause;
    int is_trying; /* a call is under way that finds out whether it works again */
} oc_breaker_t;

/** One call of the store. */
typedef struct {
    int is_put;   /* it stores something */
    int is_trial; /* set by oc_breaker_may_call(): this call finds out whether the store works again */
    int is_alive; /* set by the caller: whatever the status of the call, the store accepted a probe */
} oc_breaker_call_t;

/** May the store be called now? If so, oc_breaker_conclude() has to follow. */
int oc_breaker_may_call(oc_breaker_t *breaker, oc_breaker_call_t *call, apr_time_t now);

/**
 * The call ended with @a rv. APR_NOTFOUND for a get, APR_ENOSPC, APR_ENOMEM (something does not fit) and APR_EINTR (the
 * caller gave up) are not failures of the store; APR_EGENERAL for a put makes it read-only; every other error is a
 * failure.
 * @return 1: the state has changed
 */
int oc_breaker_conclude(oc_breaker_t *breaker, const oc_breaker_call_t *call, apr_status_t rv, apr_time_t now);

/** Is @a rv about the size of what was to be stored or read? */
int oc_breaker_is_about_size(apr_status_t rv);

#endif
