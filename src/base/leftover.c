/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * exit(3) runs handlers in the reverse order of their registration. Libraries register theirs when they are loaded or
 * first used, in the parent; this one is registered by the first thread, so it runs before them.
 */
#include "base/leftover.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_uint n_left;

#ifdef __GLIBC__
static void end_at_once(int status, void *data)
{
    (void)data;
    if (atomic_load(&n_left) > 0)
        _exit(status);
}

static void register_end(void)
{
    (void)on_exit(end_at_once, NULL);
}
#else
static void end_at_once(void)
{
    if (atomic_load(&n_left) > 0)
        _exit(0); /* the status is unknown here; httpd's parent ignores it for a child that it ended */
}

static void register_end(void)
{
    (void)atexit(end_at_once);
}
#endif

void oc_leftover_add(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, register_end);
    atomic_fetch_add(&n_left, 1);
}

void oc_leftover_remove(void)
{
    atomic_fetch_sub(&n_left, 1);
}
