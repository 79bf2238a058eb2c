/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Mutexes of the type `ocsp-cache`. The parent creates them; each child opens them again. A mechanism that a killed
 * holder would leave locked is replaced.
 */
#include "server/mutex.h"

#include "server/module.h"

#include <http_log.h>
#include <util_mutex.h>

APLOG_USE_MODULE(ocsp_cache);

static int has_warned; /* in this configuration */

apr_status_t oc_mutex_register(apr_pool_t *pconf)
{
    has_warned = 0;
    return ap_mutex_register(pconf, OC_MUTEX_TYPE, NULL, APR_LOCK_DEFAULT, 0);
}

apr_status_t oc_mutex_create(apr_global_mutex_t **mutex, const char *instance, server_rec *s, apr_pool_t *pool)
{
    apr_status_t rv = ap_global_mutex_create(mutex, NULL, OC_MUTEX_TYPE, instance, s, pool, 0);

    if (rv != APR_SUCCESS || apr_global_mutex_mech(*mutex) != APR_LOCK_POSIXSEM)
        return rv;

    /* A POSIX semaphore is never released when its holder is killed: every later user would hang. */
    if (!has_warned)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "Mutex posixsem cannot serve " OC_MUTEX_TYPE
                     ": it stays locked when its holder is killed. pthread is "
                     "used instead. To choose it explicitly, set `Mutex pthread " OC_MUTEX_TYPE "`");
    has_warned = 1;
    apr_global_mutex_destroy(*mutex);
    return apr_global_mutex_create(mutex, NULL, APR_LOCK_PROC_PTHREAD, pool);
}

/* APR counts the users of a pthread mutex. It subtracts one when pchild ends, and one when a process finds the holder
 * dead. A child that exits while one of its threads still writes to a slow disk is subtracted twice, and after some of
 * those APR destroys a mutex in use. So a child registers its use in a pool that is never cleared: the count never
 * falls too low. */
static apr_pool_t *choose_pool(apr_global_mutex_t *mutex, apr_pool_t *pchild)
{
    apr_pool_t *lasting = NULL;

    if (apr_global_mutex_mech(mutex) == APR_LOCK_PROC_PTHREAD)
        (void)apr_pool_create_unmanaged(&lasting);
    return lasting ? lasting : pchild;
}

void oc_mutex_child_init(apr_global_mutex_t **mutex, server_rec *s, apr_pool_t *pchild)
{
    const char *lock_file = apr_global_mutex_lockfile(*mutex);
    apr_status_t rv = apr_global_mutex_child_init(mutex, lock_file, choose_pool(*mutex, pchild));

    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, "cannot open the mutex " OC_MUTEX_TYPE " (%s) in this child",
                     lock_file ? lock_file : "no file");
}
