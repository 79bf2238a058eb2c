/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A robust, process-shared mutex in anonymous shared memory. The parent creates it and never locks it, so that no child
 * can make the parent wait. A process that was forked never unmaps it: one of its threads may sleep there while the
 * process exits.
 */
#include "base/lead.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

struct oc_lead_t {
    pthread_mutex_t *mutex;
    pid_t creator;
};

static apr_status_t unmap(void *data)
{
    oc_lead_t *lead = data;

    if (lead->creator == getpid())
        munmap(lead->mutex, sizeof(pthread_mutex_t));
    return APR_SUCCESS;
}

static int init_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attr;
    int error = pthread_mutexattr_init(&attr);

    if (error != 0)
        return error;
    error = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (error == 0)
        error = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    if (error == 0)
        error = pthread_mutex_init(mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    return error;
}

apr_status_t oc_lead_create(oc_lead_t **out, apr_pool_t *pool)
{
    oc_lead_t *lead = apr_pcalloc(pool, sizeof(*lead));
    void *memory = mmap(NULL, sizeof(pthread_mutex_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int error;

    if (memory == MAP_FAILED)
        return errno;
    lead->mutex = memory;
    lead->creator = getpid();
    error = init_mutex(lead->mutex);
    if (error != 0) {
        munmap(memory, sizeof(pthread_mutex_t));
        return error;
    }
    apr_pool_cleanup_register(pool, lead, unmap, apr_pool_cleanup_null);
    *out = lead;
    return APR_SUCCESS;
}

apr_status_t oc_lead_take(oc_lead_t *lead)
{
    int error = pthread_mutex_lock(lead->mutex);

    if (error == EOWNERDEAD) /* the mutex guards no data that a death could leave half-written */
        error = pthread_mutex_consistent(lead->mutex);
    return error;
}

void oc_lead_release(oc_lead_t *lead)
{
    pthread_mutex_unlock(lead->mutex);
}
