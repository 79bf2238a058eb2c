/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_standing: what is thought of a store that other people run, by how it answered so far: is it to be asked now, and has that
 * changed, so that it is worth a line in the log? Pure; the caller locks, and brings the time.
 */
#ifndef OC_STANDING_H
#define OC_STANDING_H

#include <apr_errno.h>
#include <apr_time.h>

#define OC_STANDING_PAUSE_MIN apr_time_from_sec(5) /* first pause after a failure; it doubles, up to */
#define OC_STANDING_PAUSE_MAX apr_time_from_sec(60)

typedef enum {
    OC_STANDING_UP,
    OC_STANDING_READ_ONLY, /* it gives what it has, and refuses what is brought */
    OC_STANDING_DOWN
} oc_standing_state_t;

/** Zero it before first use: whoever is not known works. */
typedef struct {
    oc_standing_state_t state;
    apr_time_t retry_at; /* a monotonic clock's */
    apr_interval_time_t pause;
    int is_trying; /* one question is under way that decides whether it works again */
} oc_standing_t;

/** One question to the store. */
typedef struct {
    int is_put;   /* it brings something */
    int is_trial; /* set by oc_standing_may_ask(): the store is in trouble, and this one finds out whether it still is */
    int is_alive; /* set by who asked: whatever the status of the question, the store took a probe */
} oc_standing_question_t;

/** May @a question be asked now? If so, oc_standing_conclude() has to follow. */
int oc_standing_may_ask(oc_standing_t *standing, oc_standing_question_t *question, apr_time_t now);

/**
 * It was asked, and @a rv came of it. APR_NOTFOUND for a get, APR_ENOSPC, APR_ENOMEM (something does not fit) and APR_EINTR (the
 * asker gave up) say nothing against the store; APR_EGENERAL for a put makes it read-only; every other error is a failure.
 * @return 1: the state is another one now
 */
int oc_standing_conclude(oc_standing_t *standing, const oc_standing_question_t *question, apr_status_t rv,
                         apr_time_t now);

/** Is @a rv about the size of what was to be moved? */
int oc_standing_is_about_size(apr_status_t rv);

#endif
