/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_breaker: what is thought of a store that other people run, by how it answered so far: is it to be asked now, and has that
 * changed, so that it is worth a line in the log? Pure; the caller locks, and brings the time.
 */
#ifndef OC_FLEET_BREAKER_H
#define OC_FLEET_BREAKER_H

#include <apr_errno.h>
#include <apr_time.h>

#define OC_BREAKER_PAUSE_MIN apr_time_from_sec(5) /* first pause after a failure; it doubles, up to */
#define OC_BREAKER_PAUSE_MAX apr_time_from_sec(60)

typedef enum {
    OC_BREAKER_UP,
    OC_BREAKER_READ_ONLY, /* it gives what it has, and refuses what is brought */
    OC_BREAKER_DOWN
} oc_breaker_state_t;

/** Zero it before first use: whoever is not known works. */
typedef struct {
    oc_breaker_state_t state;
    apr_time_t retry_at; /* a monotonic clock's */
    apr_interval_time_t pause;
    int is_trying; /* one question is under way that decides whether it works again */
} oc_breaker_t;

/** One question to the store. */
typedef struct {
    int is_put;   /* it brings something */
    int is_trial; /* set by oc_breaker_may_ask(): the store is in trouble, and this one finds out whether it still is */
    int is_alive; /* set by who asked: whatever the status of the question, the store took a probe */
} oc_breaker_question_t;

/** May @a question be asked now? If so, oc_breaker_conclude() has to follow. */
int oc_breaker_may_ask(oc_breaker_t *breaker, oc_breaker_question_t *question, apr_time_t now);

/**
 * It was asked, and @a rv came of it. APR_NOTFOUND for a get, APR_ENOSPC, APR_ENOMEM (something does not fit) and APR_EINTR (the
 * asker gave up) say nothing against the store; APR_EGENERAL for a put makes it read-only; every other error is a failure.
 * @return 1: the state is another one now
 */
int oc_breaker_conclude(oc_breaker_t *breaker, const oc_breaker_question_t *question, apr_status_t rv, apr_time_t now);

/** Is @a rv about the size of what was to be moved? */
int oc_breaker_is_about_size(apr_status_t rv);

#endif
