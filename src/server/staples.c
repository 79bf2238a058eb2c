/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads and writes staples in the arena of the cache. oc_staples_arena() is on the handshake path. The rest is for
 * worker threads, for the parent before it has children, and for reports.
 */
#include "server/staples.h"

#include "server/cache_size.h"
#include "server/provider.h"

const oc_shm_t *oc_staples_arena(void)
{
    const oc_generation_t *generation = oc_provider_stapling();

    return generation ? oc_generation_shm(generation) : NULL;
}

const char *oc_staples_path(void)
{
    const oc_generation_t *generation = oc_provider_stapling();

    return generation ? oc_generation_path(generation) : NULL;
}

static oc_key_t key_of(const oc_cert_t *cert)
{
    oc_key_t key = {OC_KIND_STAPLE, OC_CERT_ID_LEN, cert->id};

    return key;
}

apr_status_t oc_staples_get(const oc_cert_t *cert, oc_record_t *record, oc_note_t *note, apr_pool_t *pool)
{
    const oc_shm_t *shm = oc_staples_arena();
    oc_key_t key = key_of(cert);
    oc_shm_meta_t meta = {0};
    apr_size_t len = 4096;
    unsigned char *buffer = apr_palloc(pool, len);
    apr_status_t rv = shm ? oc_shm_get(shm, &key, buffer, &len, &meta) : APR_NOTFOUND;

    if (rv == APR_ENOSPC) {
        len = OC_BLOCK_DATA_MAX; /* it may have grown again since */
        buffer = apr_palloc(pool, len);
        rv = oc_shm_get(shm, &key, buffer, &len, &meta);
    }
    if (note)
        *note = oc_note_unpack(meta.note);
    if (rv != APR_SUCCESS)
        return APR_NOTFOUND;
    /* A record with a wrong order could keep every newer one out. */
    return oc_record_decode(record, buffer, len) == APR_SUCCESS && meta.order == oc_record_order(record)
                   && meta.expiry == record->usable_until
               ? APR_SUCCESS
               : APR_EGENERAL;
}

apr_status_t oc_staples_put(const oc_cert_t *cert, const oc_record_t *record, const oc_note_t *note, apr_time_t now,
                            server_rec *s, apr_pool_t *pool)
{
    apr_status_t rv, stored = APR_SUCCESS;
    oc_key_t key = key_of(cert);
    oc_entry_t entry;
    oc_generation_t *generation = oc_provider_stapling();
    oc_shm_t *shm;

    if (!generation)
        return APR_EGENERAL;
    if (record) {
        entry.expiry = record->usable_until;
        entry.order = oc_record_order(record);
        entry.data = apr_palloc(pool, OC_RECORD_HEAD_LEN + record->der_len);
        entry.data_len = oc_record_encode(record, entry.data);
    }
    rv = oc_generation_lock(generation, s);
    if (rv != APR_SUCCESS)
        return rv;
    shm = oc_generation_shm(generation);
    if (record)
        stored = oc_shm_put(shm, &key, &entry, now);
    (void)oc_shm_set_note(shm, &key, oc_note_pack(note));
    oc_generation_unlock(generation, s);

    if (stored == APR_ENOSPC)
        oc_cache_size_full(cert, record, s);
    return stored;
}

apr_status_t oc_staples_remove(const oc_cert_t *cert, server_rec *s)
{
    oc_key_t key = key_of(cert);
    oc_generation_t *generation = oc_provider_stapling();
    apr_status_t rv;

    if (!generation)
        return APR_NOTFOUND;
    rv = oc_generation_lock(generation, s);
    if (rv != APR_SUCCESS)
        return rv;
    rv = oc_shm_remove(oc_generation_shm(generation), &key);
    oc_generation_unlock(generation, s);
    return rv;
}

oc_note_t oc_staples_previous_note(const oc_cert_t *cert)
{
    const oc_generation_t *generation = oc_provider_stapling();
    const oc_shm_t *shm = generation ? oc_generation_previous_shm(generation) : NULL;
    oc_key_t key = key_of(cert);
    oc_shm_meta_t meta = {0};
    unsigned char nothing;
    apr_size_t len = 0;

    if (shm)
        (void)oc_shm_get(shm, &key, &nothing, &len, &meta);
    return oc_note_unpack(meta.note);
}
