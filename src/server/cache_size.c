/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Compares the size of the cache with what the responses of all certificates take. The parent does it at each start, a
 * worker when a response does not fit.
 */
#include "server/cache_size.h"

#include "server/managed.h"
#include "server/module.h"
#include "server/provider.h"
#include "server/settings.h"

#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

int oc_cache_size_log(const oc_sizing_t *sizing, apr_size_t size, int level, server_rec *main_server)
{
    if (oc_sizing_fits(sizing, size))
        return 0;
    ap_log_error(APLOG_MARK, level, 0, main_server,
                 "SSLStaplingCache: a size of %" APR_SIZE_T_FMT
                 " bytes is too small for the responses of %u certificates: those that do not fit are not stapled. "
                 "Set a size of %" APR_SIZE_T_FMT " or more",
                 size, sizing->records, oc_sizing_recommended(sizing));
    return 1;
}

/* The length of a certificate's record; 0: there is none. */
static apr_size_t stored_len(const oc_shm_t *shm, const oc_cert_t *cert)
{
    oc_key_t key = {OC_KIND_STAPLE, OC_CERT_ID_LEN, cert->id};
    apr_size_t len = 0; /* nothing is copied */
    unsigned char nothing;
    oc_shm_meta_t meta;

    return shm && oc_shm_get(shm, &key, &nothing, &len, &meta) == APR_ENOSPC ? len : 0;
}

/* All certificates for which a response can be obtained.
 * @param older  looked into for what @a shm does not hold; may be NULL
 * @param cert  its record is not in an arena and takes @a len bytes; may be NULL */
static oc_sizing_t add_all(const oc_shm_t *shm, const oc_shm_t *older, const oc_cert_t *cert, apr_size_t len)
{
    const apr_array_header_t *all = oc_managed_all();
    oc_sizing_t sizing = {0};
    int i;

    for (i = 0; i < all->nelts; i++) {
        const oc_managed_t *managed = APR_ARRAY_IDX(all, i, const oc_managed_t *);
        apr_size_t stored = managed->cert == cert ? len : stored_len(shm, managed->cert);

        if (oc_managed_is_refreshed(managed))
            oc_sizing_add(&sizing, OC_CERT_ID_LEN, stored > 0 ? stored : stored_len(older, managed->cert));
    }
    return sizing;
}

void oc_cache_size_check(server_rec *main_server)
{
    oc_generation_t *generation = oc_provider_stapling();
    oc_sizing_t sizing;

    if (!oc_settings_is_active() || !generation)
        return;
    sizing = add_all(oc_generation_shm(generation), oc_generation_previous_shm(generation), NULL, 0);
    if (oc_cache_size_log(&sizing, oc_settings_global()->cache.size, APLOG_WARNING, main_server))
        (void)oc_generation_reports_size(generation);
}

void oc_cache_size_full(const oc_cert_t *cert, const oc_record_t *record, server_rec *s)
{
    oc_generation_t *generation = oc_provider_stapling();
    apr_size_t size = oc_settings_global()->cache.size;
    oc_shm_stats_t stats;
    oc_sizing_t sizing;

    if (!generation || !oc_generation_reports_size(generation))
        return;
    sizing = add_all(oc_generation_shm(generation), NULL, cert, OC_RECORD_HEAD_LEN + record->der_len);
    if (oc_sizing_fits(&sizing, size)) { /* valid responses of certificates that have been removed take up the room */
        oc_shm_stats(oc_generation_shm(generation), &stats);
        sizing.blocks += stats.blocks_used;
    }
    (void)oc_cache_size_log(&sizing, size, APLOG_ERR, s);
}
