/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The current certificates and numbers, read from the arena and the counters like any other reader does.
 */
#include "snapshot.h"

#include "server/staples.h"
#include "server/stats.h"

/* The certificates that are never primed come after all others. */
unsigned oc_snapshot_count(void)
{
    return (unsigned)(oc_managed_all()->nelts + oc_managed_unprimed()->nelts);
}

const oc_managed_t *oc_snapshot_certificate(unsigned ordinal)
{
    const apr_array_header_t *all = oc_managed_all();

    if (ordinal < (unsigned)all->nelts)
        return APR_ARRAY_IDX(all, (int)ordinal, const oc_managed_t *);
    return APR_ARRAY_IDX(oc_managed_unprimed(), (int)ordinal - all->nelts, const oc_managed_t *);
}

int oc_snapshot_find(const unsigned char *id)
{
    unsigned i, n = oc_snapshot_count();

    for (i = 0; i < n; i++)
        if (memcmp(oc_snapshot_certificate(i)->cert->id, id, OC_CERT_ID_LEN) == 0)
            return (int)i;
    return -1;
}

/* The end of the valid response; 0: there is none. */
static apr_time_t covered_until(const oc_view_t *view, apr_time_t now)
{
    return oc_view_is_stapled(view, now) && oc_verdict_class(view->verdict) == OC_CLASS_TRUTH ? view->usable_until : 0;
}

static void take_state(oc_view_t *view, const oc_managed_t *managed, unsigned ordinal, apr_time_t now, apr_pool_t *pool)
{
    const oc_refresh_flags_t *flags = oc_stats_refresh_flags();
    oc_record_t record;
    oc_note_t note;

    if (oc_staples_get(managed->cert, &record, &note, pool) == APR_SUCCESS)
        oc_view_take_record(view, &record);
    view->last = note.verdict;
    view->failures = note.failures;
    if (view->is_refreshed && note.verdict != OC_CERTIFICATE_EXPIRED)
        view->next_request = note.due <= now ? note.due
                                             : oc_schedule_clamp(note.due, now, covered_until(view, now), note.failures,
                                                                 &managed->settings.bounds);
    oc_view_take_attempt(view, flags ? oc_refresh_flags_last_attempt(flags, ordinal) : 0);
}

void oc_snapshot_take(oc_view_t *view, unsigned ordinal, apr_time_t now, apr_pool_t *pool)
{
    const oc_managed_t *managed = oc_snapshot_certificate(ordinal);

    memset(view, 0, sizeof(*view));
    oc_view_take_cert(view, managed->cert);
    view->host = managed->host;
    view->hosts = oc_managed_hosts(managed, pool);
    view->url = managed->url;
    view->urls = managed->targets.urls;
    view->is_refreshed = oc_managed_is_refreshed(managed);
    if (managed->cert->issuer) {
        take_state(view, managed, ordinal, now, pool);
        return;
    }
    view->lacks_issuer = view->is_refreshed;
    view->is_refreshed = 0;
    view->issuer = managed->wanted_issuer;
}

apr_status_t oc_snapshot_response(unsigned ordinal, const unsigned char **der, apr_size_t *len, apr_pool_t *pool)
{
    const oc_managed_t *managed = oc_snapshot_certificate(ordinal);
    oc_record_t record;
    apr_status_t rv = managed->cert->issuer ? oc_staples_get(managed->cert, &record, NULL, pool) : APR_NOTFOUND;

    if (rv == APR_SUCCESS) {
        *der = record.der;
        *len = record.der_len;
    }
    return rv;
}

apr_status_t oc_snapshot_refresh(unsigned ordinal, apr_time_t now)
{
    if (!oc_settings_is_active() || ordinal >= oc_snapshot_count())
        return APR_EINVAL;
    if (ordinal >= (unsigned)oc_managed_all()->nelts || !oc_managed_is_refreshed(oc_snapshot_certificate(ordinal)))
        return APR_ENOTIMPL;
    return oc_stats_refresh_flags() ? oc_refresh_flags_one(oc_stats_refresh_flags(), ordinal, now) : APR_ENOMEM;
}

int oc_snapshot_totals(oc_snapshot_totals_t *totals)
{
    const oc_shm_t *shm = oc_staples_arena();

    memset(totals, 0, sizeof(*totals));
    if (!oc_settings_is_active() || !shm)
        return 0;
    if (oc_stats_counters())
        oc_counters_read(oc_stats_counters(), &totals->counters);
    oc_shm_stats(shm, &totals->cache);
    totals->path = oc_staples_path();
    return 1;
}
