/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_cachectl: see oc_cachectl.h.
 */
#include "oc_cachectl.h"

#include "oc_managed.h"
#include "oc_module.h"
#include "oc_roster.h"
#include "oc_shm.h"
#include "oc_store.h"
#include "oc_url.h"

#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

static const oc_roster_t *make_roster(apr_pool_t *pool)
{
    const apr_array_header_t *all = oc_managed_all();
    oc_roster_t *roster = apr_palloc(pool, sizeof(*roster));
    oc_shm_stats_t stats;
    int i;

    oc_shm_stats(oc_store_arena(), &stats);
    roster->blocks = stats.blocks;
    roster->expiry_warning = oc_config_global()->expiry_warning;
    roster->entries = apr_array_make(pool, all->nelts, sizeof(oc_roster_entry_t));
    for (i = 0; i < all->nelts; i++) {
        const oc_managed_t *managed = APR_ARRAY_IDX(all, i, const oc_managed_t *);
        oc_roster_entry_t *entry = apr_array_push(roster->entries);

        entry->cert = managed->cert;
        entry->hosts = oc_managed_hosts(managed, pool);
        entry->url = oc_url_public(managed->url, pool);
        entry->is_refreshed = oc_managed_is_refreshed(managed);
        entry->skew = managed->settings.skew;
        entry->max_age = managed->settings.max_age;
        entry->open_ended = managed->settings.open_ended;
    }
    return roster;
}

void oc_cachectl_post_config(server_rec *main_server)
{
    const char *path = oc_store_path(), *problem = NULL;
    apr_pool_t *pool;

    if (!path)
        return;
    apr_pool_create(&pool, NULL); /* of its own: nothing of it has to last */
    if (oc_roster_save(make_roster(pool), oc_roster_path(path, pool), pool, &problem) != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                     "%s. Stapling does without; ocsp-cachectl does not know the certificates", problem);
    apr_pool_destroy(pool);
}
