/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The hooks that mod_ssl calls. oc_ssl_hooks_get_resp() and everything it calls are the handshake path:
 * test/guards/hot_path.py reads the object code, and fails when a function that it does not list becomes reachable from
 * here.
 */
#include "server/ssl_hooks.h"

#include "server/managed.h"
#include "server/module.h"
#include "server/provider.h"
#include "server/settings.h"
#include "server/staples.h"
#include "server/stats.h"

#include <http_core.h>

#define USUAL_LEN 4096 /* most responses have 500 to 2,500 bytes and need no allocation */

/* OCSPResponse { responseStatus tryLater } (RFC 6960 section 4.2.1) in DER: what mod_ssl also generates when no
 * responder answers. */
static const unsigned char TRY_LATER[] = {0x30, 0x03, 0x0a, 0x01, 0x03};

int oc_ssl_hooks_prime(server_rec *s, apr_pool_t *pool, const char *id, apr_size_t id_len, const char *pem)
{
    (void)pool;
    if (!oc_settings_server(s)->staples)
        return DECLINED;
    if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) /* httpd discards the first pass */
        oc_managed_add(s, id, id_len, pem);
    /* OK even when nothing can be stapled: after DECLINED mod_ssl would fetch inside handshakes, or log errors. */
    return OK;
}

/* What is sent, by the rules in ARCHITECTURE.md, "what is stapled". */
typedef struct {
    const unsigned char *der;
    apr_size_t len;
    oc_counters_handshake_t kind;
    const char *name; /* of it, for the access log */
} staple_t;

static const staple_t NOTHING = {NULL, 0, OC_COUNTERS_NOTHING, "none"};

static staple_t of_record(const oc_record_t *record, oc_counters_handshake_t kind)
{
    return (staple_t){record->der, record->der_len, kind, oc_verdict_name(record->verdict)};
}

static staple_t choose(const oc_server_conf_t *conf, const oc_record_t *record, oc_note_t note)
{
    oc_class_t last = oc_verdict_class(note.verdict);

    if (record && oc_verdict_class(record->verdict) == OC_CLASS_TRUTH)
        return of_record(record, OC_COUNTERS_STAPLED);
    if (!oc_settings_returns_errors(conf))
        return NOTHING;
    if (record && last == OC_CLASS_RESPONDER_ERROR)
        return of_record(record, OC_COUNTERS_ERROR);
    if (last == OC_CLASS_NO_ANSWER && oc_settings_fakes_try_later(conf))
        return (staple_t){TRY_LATER, sizeof(TRY_LATER), OC_COUNTERS_ERROR, oc_verdict_name(OC_TRY_LATER)};
    return NOTHING;
}

/* Look up the certificate's record and decide. `bytes` holds a record of up to USUAL_LEN. */
static staple_t look_up(const oc_server_conf_t *conf, const oc_shm_t *shm, const char *id, unsigned char *bytes,
                        apr_pool_t *pool)
{
    oc_key_t key = {OC_KIND_STAPLE, OC_CERT_ID_LEN, (const unsigned char *)id};
    apr_size_t len = USUAL_LEN;
    oc_shm_meta_t meta;
    oc_record_t record;
    apr_status_t rv = oc_shm_get(shm, &key, bytes, &len, &meta);
    int is_valid;

    if (rv == APR_ENOSPC) {
        bytes = apr_palloc(pool, len);
        rv = oc_shm_get(shm, &key, bytes, &len, &meta);
    }
    is_valid = rv == APR_SUCCESS && oc_record_decode(&record, bytes, len) == APR_SUCCESS
               && oc_record_is_usable(&record, apr_time_now());
    return choose(conf, is_valid ? &record : NULL, oc_note_unpack(meta.note));
}

int oc_ssl_hooks_get_resp(server_rec *s, conn_rec *c, const char *id, apr_size_t id_len,
                          ap_ssl_ocsp_copy_resp *callback, void *userdata)
{
    const oc_server_conf_t *conf = oc_settings_server(s);
    const oc_shm_t *shm = oc_staples_arena();
    unsigned char bytes[USUAL_LEN];
    staple_t staple = NOTHING;

    if (!conf->staples)
        return DECLINED;
    if (shm && id_len == OC_CERT_ID_LEN)
        staple = look_up(conf, shm, id, bytes, c->pool);
    oc_stats_handshake(c, staple.kind);
    ap_set_module_config(c->conn_config, &ocsp_cache_module, (void *)(uintptr_t)staple.name);
    callback(staple.der, staple.len, userdata);
    return OK;
}

/* ---- not the handshake path ---- */

int oc_ssl_hooks_tell_request(request_rec *r)
{
    const conn_rec *c = r->connection->master ? r->connection->master
                                              : r->connection; /* HTTP/2: the connection of a stream has no TLS */
    const char *name = ap_get_module_config(c->conn_config, &ocsp_cache_module);

    if (name)
        apr_table_setn(r->subprocess_env, OC_STAPLE_VARIABLE, name);
    return DECLINED;
}
