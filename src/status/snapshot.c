/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_snapshot: see oc_snapshot.h.
 */
#include "status/snapshot.h"

#include "server/staples.h"
#include "server/stats.h"

static void take_record(oc_view_t *view, const oc_record_t *record)
{
    view->has_record = 1;
    view->verdict = record->verdict;
    view->origin = record->origin;
    view->this_update = record->this_update;
    view->next_update = record->next_update;
    view->usable_until = record->usable_until;
    view->fetched_at = record->fetched_at;
    view->size = record->der_len;
}

/* When was the last attempt? A server that has just begun may know it only from the response that it kept. */
static apr_time_t last_attempt(const oc_view_t *view, unsigned ordinal)
{
    const oc_refresh_flags_t *recall = oc_stats_recall();
    apr_time_t when = recall ? oc_refresh_flags_last_attempt(recall, ordinal) : 0;

    if (when == 0 && view->has_record && view->failures == 0 && view->last != OC_PENDING)
        when = view->fetched_at;
    return when;
}

void oc_snapshot_take(oc_view_t *view, const oc_managed_t *managed, unsigned ordinal, apr_time_t now, apr_pool_t *pool)
{
    const oc_cert_t *cert = managed->cert;
    oc_record_t record;
    oc_note_t note;
    apr_status_t rv = oc_staples_get(cert, &record, &note, pool);

    memset(view, 0, sizeof(*view));
    view->host = managed->host;
    view->hosts = oc_managed_hosts(managed, pool);
    memcpy(view->id, cert->id, sizeof(view->id));
    view->subject = cert->subject;
    view->serial = cert->serial;
    view->url = managed->url;
    view->urls = managed->targets.urls;
    view->not_after = cert->not_after;
    view->must_staple = cert->must_staple;
    view->is_refreshed = oc_managed_is_refreshed(managed);
    if (rv == APR_SUCCESS)
        take_record(view, &record);
    view->last = note.verdict;
    view->failures = note.failures;
    if (view->is_refreshed)
        view->next_request = note.due <= now ? note.due : oc_schedule_clamp(note.due, now, &managed->settings.bounds);
    view->last_attempt = last_attempt(view, ordinal);
}

apr_status_t oc_snapshot_recall(unsigned ordinal, apr_time_t now)
{
    const apr_array_header_t *all = oc_managed_all();

    if (!oc_settings_is_active() || ordinal >= (unsigned)all->nelts)
        return APR_EINVAL;
    if (!oc_managed_is_refreshed(APR_ARRAY_IDX(all, (int)ordinal, const oc_managed_t *)))
        return APR_ENOTIMPL;
    return oc_stats_recall() ? oc_refresh_flags_one(oc_stats_recall(), ordinal, now) : APR_ENOMEM;
}

int oc_snapshot_totals(oc_snapshot_totals_t *totals)
{
    const oc_shm_t *shm = oc_staples_arena();

    memset(totals, 0, sizeof(*totals));
    if (!oc_settings_is_active() || !shm)
        return 0;
    if (oc_stats_tally())
        oc_counters_read(oc_stats_tally(), &totals->counters);
    oc_shm_stats(shm, &totals->cache);
    totals->path = oc_staples_path();
    return 1;
}
