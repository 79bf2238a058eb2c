/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_standing: see oc_standing.h.
 */
#include "fleet/breaker.h"

int oc_standing_may_ask(oc_standing_t *standing, oc_standing_question_t *question, apr_time_t now)
{
    question->is_trial = 0;
    if (standing->state == OC_STANDING_UP || (standing->state == OC_STANDING_READ_ONLY && !question->is_put))
        return 1;
    if (standing->is_trying || now < standing->retry_at)
        return 0;
    standing->is_trying = question->is_trial = 1;
    return 1;
}

int oc_standing_is_about_size(apr_status_t rv)
{
    return rv == APR_ENOSPC || APR_STATUS_IS_ENOMEM(rv); /* of dbm and shmcb; of redis and memcache */
}

/* The state that this answer speaks for. */
static oc_standing_state_t judge(oc_standing_state_t before, const oc_standing_question_t *question, apr_status_t rv)
{
    oc_standing_state_t answered = before == OC_STANDING_DOWN ? OC_STANDING_UP : before;

    if (rv == APR_SUCCESS)
        return question->is_put ? OC_STANDING_UP : answered;
    if (question->is_alive)
        return OC_STANDING_UP;
    if (oc_standing_is_about_size(rv))
        return answered;
    if (rv == APR_EINTR || (rv == APR_NOTFOUND && !question->is_put))
        return before;
    return rv == APR_EGENERAL && question->is_put && before != OC_STANDING_DOWN ? OC_STANDING_READ_ONLY
                                                                                : OC_STANDING_DOWN;
}

int oc_standing_conclude(oc_standing_t *standing, const oc_standing_question_t *question, apr_status_t rv,
                         apr_time_t now)
{
    oc_standing_state_t before = standing->state;

    standing->state = judge(before, question, rv);
    if (standing->state != before)
        standing->pause = 0;
    if (standing->state != OC_STANDING_UP && (standing->state != before || question->is_trial)) {
        standing->pause = standing->pause ? standing->pause * 2 : OC_STANDING_PAUSE_MIN;
        if (standing->pause > OC_STANDING_PAUSE_MAX)
            standing->pause = OC_STANDING_PAUSE_MAX;
        standing->retry_at = now + standing->pause;
    }
    if (question->is_trial)
        standing->is_trying = 0;
    return standing->state != before;
}
