/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The notes are in shared memory that children write to, so the refresher limits their times (oc_schedule_clamp). How a
 * certificate is queried is remembered as a digest, in the parent's own memory.
 */
#include "back_off.h"

#include "server/managed.h"
#include "server/staples.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <http_main.h>
#include <openssl/evp.h>
#include <string.h>

/* Of the last configuration that was read: oc_cert_t.id -> digest. The module stays mapped, so this survives a
 * reload. */
static struct {
    apr_pool_t *pool;
    apr_hash_t *digests;
} last;

/* A digest of what a query's answer depends on. */
static void digest_query(const oc_managed_t *managed, unsigned char digest[OC_CERT_HASH_LEN], apr_pool_t *pool)
{
    const char *const *url;
    const char *text = apr_psprintf(pool, "%d %" APR_TIME_T_FMT " %s\n", (int)oc_settings_global()->certid_hash,
                                    managed->settings.timeout, managed->proxy ? managed->proxy : "");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    for (url = managed->targets.urls; *url; url++)
        text = apr_pstrcat(pool, text, *url, "\n", NULL);
    memset(digest, 0, OC_CERT_HASH_LEN);
    if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1
        && EVP_DigestUpdate(ctx, managed->cert->binding, sizeof(managed->cert->binding)) == 1
        && EVP_DigestUpdate(ctx, text, strlen(text)) == 1)
        (void)EVP_DigestFinal_ex(ctx, digest, NULL);
    EVP_MD_CTX_free(ctx);
}

static void take_note(const oc_managed_t *managed, server_rec *s, apr_pool_t *pool)
{
    oc_note_t note = oc_staples_previous_note(managed->cert), held = {0};
    oc_record_t record;

    if (note.failures == 0 || oc_staples_get(managed->cert, &record, &held, pool) != APR_NOTFOUND
        || oc_note_pack(&held) != 0)
        return;
    oc_staples_put(managed->cert, NULL, &note, apr_time_now(), s, pool);
}

void oc_back_off_take_over(server_rec *main_server, apr_pool_t *ptemp)
{
    const apr_array_header_t *all = oc_managed_all();
    apr_hash_t *digests;
    apr_pool_t *pool, *scratch;
    int i;

    apr_pool_create(&pool, ap_pglobal);
    apr_pool_tag(pool, "ocsp_cache_back_off");
    apr_pool_create(&scratch, ptemp);
    digests = apr_hash_make(pool);
    for (i = 0; i < all->nelts; i++) {
        const oc_managed_t *managed = APR_ARRAY_IDX(all, i, const oc_managed_t *);
        const unsigned char *id = apr_pmemdup(pool, managed->cert->id, OC_CERT_ID_LEN), *before = NULL;
        unsigned char *digest = apr_palloc(pool, OC_CERT_HASH_LEN);

        apr_pool_clear(scratch);
        digest_query(managed, digest, scratch);
        apr_hash_set(digests, id, OC_CERT_ID_LEN, digest);
        if (last.digests)
            before = apr_hash_get(last.digests, id, OC_CERT_ID_LEN);
        if (before && memcmp(before, digest, OC_CERT_HASH_LEN) == 0)
            take_note(managed, main_server, scratch);
    }
    apr_pool_destroy(scratch);
    if (last.pool)
        apr_pool_destroy(last.pool);
    last.pool = pool;
    last.digests = digests;
}
