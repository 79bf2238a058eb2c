/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Run a program to its end, within a bounded time, from a thread of a multi-threaded process.
 *
 * No shell. The program gets the given arguments and environment and nothing else: default signals, none blocked, a
 * process group of its own. Standard input and output are /dev/null, standard error is the caller's, other descriptors
 * are closed.
 */
#ifndef OC_BASE_SPAWN_H
#define OC_BASE_SPAWN_H

#include <apr_time.h>
#include <stdatomic.h>

typedef enum {
    OC_SPAWN_EXITED,      /* number: its exit status */
    OC_SPAWN_SIGNALLED,   /* number: the signal that ended it */
    OC_SPAWN_TOO_SLOW,    /* it was killed */
    OC_SPAWN_STOPPED,     /* SIGTERM, then SIGKILL: the stop flag was set */
    OC_SPAWN_NOT_STARTED, /* number: errno */
} oc_spawn_end_t;

/**
 * Run argv[0], a path, and wait. When @a patience is over, its whole process group is killed.
 * @param stop  turns non-zero: return within about 50 ms
 * @param number out: see oc_spawn_end_t; else 0
 */
oc_spawn_end_t oc_spawn_run(const char *const *argv, const char *const *environment, apr_interval_time_t patience,
                            const atomic_int *stop, int *number);

#endif
