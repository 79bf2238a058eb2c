/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Waits for the responses of Must-Staple certificates. The wait is in the main thread of a child that does not accept
 * connections yet. It must end when the child has to end, although the MPMs block all signals meanwhile.
 */
#include "must_staple.h"

#include "refresh/leader.h"
#include "server/managed.h"
#include "server/module.h"
#include "server/staples.h"

#include <http_log.h>
#include <mpm_common.h>
#include <signal.h>
#include <stdatomic.h>

APLOG_USE_MODULE(ocsp_cache);

#define WAIT_STEP apr_time_from_msec(20)
#define NEWS apr_time_from_sec(2) /* for so long after the deadline a report is still useful */

static struct {
    apr_time_t deadline; /* absolute, set in the parent: restarted children do not extend it */
    int has_reported;    /* used by the leading thread only */

    /* Set by the main thread: a certificate without a response when the wait ended; NULL: none. */
    _Atomic(const oc_managed_t *) missed;
} wait_state;

void oc_must_staple_begin(void)
{
    wait_state.deadline = apr_time_now() + oc_settings_global()->must_staple_wait;
    wait_state.has_reported = 0;
    atomic_store(&wait_state.missed, NULL);
}

static int is_waited_for(const oc_managed_t *managed, apr_time_t now, apr_pool_t *pool)
{
    oc_record_t record;

    if (!managed->cert->must_staple || !oc_managed_is_refreshed(managed))
        return 0;
    return oc_staples_get(managed->cert, &record, NULL, pool) != APR_SUCCESS || !oc_record_is_usable(&record, now)
           || oc_verdict_class(record.verdict) != OC_CLASS_TRUTH;
}

/* Is this child to end before it accepts connections? */
static int is_called_off(void)
{
    sigset_t pending;

    if (!oc_leader_is_current())
        return 1;
    return sigpending(&pending) == 0
           && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGHUP) == 1
               || sigismember(&pending, AP_SIG_GRACEFUL) == 1);
}

/* A client that waits in the listen queue for a moment is served; one without a staple ends the handshake. */
void oc_must_staple_wait(apr_pool_t *pchild)
{
    const apr_array_header_t *all = oc_managed_all();
    apr_interval_time_t wait = oc_settings_global()->must_staple_wait;
    apr_pool_t *pool;
    int i = 0;

    apr_pool_create(&pool, pchild);
    while (i < all->nelts) {
        apr_time_t now = apr_time_now();
        const oc_managed_t *managed = APR_ARRAY_IDX(all, i, const oc_managed_t *);

        apr_pool_clear(pool);
        if (!is_waited_for(managed, now, pool)) {
            i++;
            continue;
        }
        if (now >= wait_state.deadline)
            atomic_store(&wait_state.missed, managed);
        if (now >= wait_state.deadline || now + wait < wait_state.deadline || is_called_off())
            break; /* the time is over, the clock was set back, or the server is stopped */
        apr_sleep(WAIT_STEP);
    }
    apr_pool_destroy(pool);
}

void oc_must_staple_report(apr_pool_t *pool)
{
    const apr_array_header_t *all = oc_managed_all();
    apr_interval_time_t wait = oc_settings_global()->must_staple_wait;
    apr_time_t now = apr_time_now();
    const oc_managed_t *late = atomic_load(&wait_state.missed);
    int i, n = 0;

    if (wait_state.has_reported || now < wait_state.deadline)
        return;
    wait_state.has_reported = 1;
    if (wait == 0 || now > wait_state.deadline + NEWS)
        return; /* no wait is configured, or another child has reported long ago */
    for (i = 0; i < all->nelts; i++) {
        const oc_managed_t *managed = APR_ARRAY_IDX(all, i, const oc_managed_t *);

        if (!is_waited_for(managed, now, pool))
            continue;
        n++;
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, managed->server,
                     "%s: no valid response came within the %" APR_TIME_T_FMT
                     " ms of OCSPCacheMustStapleWait. Connections are accepted. Until a response comes, clients that "
                     "enforce Must-Staple reject the certificate",
                     managed->label, apr_time_as_msec(wait));
    }
    if (n == 0 && late)
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, late->server,
            "%s: the response came only when the %" APR_TIME_T_FMT
            " ms of OCSPCacheMustStapleWait were over and the server accepted connections. If the responder is "
            "behind this server, set OCSPCacheMustStapleWait to 0, or run the responder on another server",
            late->label, apr_time_as_msec(wait));
}
