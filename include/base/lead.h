/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A lead that one thread of all processes holds: the others sleep in the kernel until it is free, and cost nothing.
 *
 * The kernel frees the lead when its holder ends, however it ends. It is a robust mutex in memory of its own, whatever
 * the Mutex directive names. A POSIX lock on a file would not do: the kernel takes it and another such lock, of two
 * threads of one process, for a deadlock, and refuses the other one.
 */
#ifndef OC_BASE_LEAD_H
#define OC_BASE_LEAD_H

#include <apr_errno.h>
#include <apr_pools.h>

typedef struct oc_lead_t oc_lead_t;

/** Create a free lead, for this process and those that it forks. It lives as long as @a pool does in this process; a
 * forked process keeps its own view of it to its end, so that a thread that sleeps there may stay when the process
 * exits. */
apr_status_t oc_lead_create(oc_lead_t **lead, apr_pool_t *pool);

/** Sleep until the lead is this thread's. Ignores signals. @return APR_SUCCESS; else the memory is damaged, and nobody
 * leads. */
apr_status_t oc_lead_take(oc_lead_t *lead);

/** Give the lead back, in the thread that took it. */
void oc_lead_release(oc_lead_t *lead);

#endif
