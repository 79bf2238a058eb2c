/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The state machine of the circuit breaker. A call that was under way when the state changed may still end afterwards,
 * so each end is judged by the state that it meets.
 */
#include "fleet/breaker.h"

int oc_breaker_may_call(oc_breaker_t *breaker, oc_breaker_call_t *call, apr_time_t now)
{
    call->is_trial = 0;
    if (breaker->state == OC_BREAKER_UP || (breaker->state == OC_BREAKER_READ_ONLY && !call->is_put))
        return 1;
    if (breaker->is_trying || now < breaker->retry_at)
        return 0;
    breaker->is_trying = call->is_trial = 1;
    return 1;
}

int oc_breaker_is_about_size(apr_status_t rv)
{
    return rv == APR_ENOSPC || APR_STATUS_IS_ENOMEM(rv); /* of dbm and shmcb; of redis and memcache */
}

/* The state that this answer indicates. */
static oc_breaker_state_t judge(oc_breaker_state_t before, const oc_breaker_call_t *call, apr_status_t rv)
{
    oc_breaker_state_t answered = before == OC_BREAKER_DOWN ? OC_BREAKER_UP : before;

    if (rv == APR_SUCCESS)
        return call->is_put ? OC_BREAKER_UP : answered;
    if (call->is_alive)
        return OC_BREAKER_UP;
    if (oc_breaker_is_about_size(rv))
        return answered;
    if (rv == APR_EINTR || (rv == APR_NOTFOUND && !call->is_put))
        return before;
    return rv == APR_EGENERAL && call->is_put && before != OC_BREAKER_DOWN ? OC_BREAKER_READ_ONLY : OC_BREAKER_DOWN;
}

int oc_breaker_conclude(oc_breaker_t *breaker, const oc_breaker_call_t *call, apr_status_t rv, apr_time_t now)
{
    oc_breaker_state_t before = breaker->state;

    breaker->state = judge(before, call, rv);
    if (breaker->state != before)
        breaker->pause = 0;
    if (breaker->state != OC_BREAKER_UP && (breaker->state != before || call->is_trial)) {
        breaker->pause = breaker->pause ? breaker->pause * 2 : OC_BREAKER_PAUSE_MIN;
        if (breaker->pause > OC_BREAKER_PAUSE_MAX)
            breaker->pause = OC_BREAKER_PAUSE_MAX;
        breaker->retry_at = now + breaker->pause;
    }
    if (call->is_trial)
        breaker->is_trying = 0;
    return breaker->state != before;
}
