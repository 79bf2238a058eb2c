/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * POST to the status page. A token is a MAC over its expiry time and the user, keyed with a secret that survives
 * reloads.
 */
#include "status/post.h"

#include "request.h"
#include "base/hex.h"
#include "server/module.h"
#include "server/settings.h"
#include "state/refresh_flags.h"

#include <apr_buckets.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdatomic.h>

APLOG_USE_MODULE(ocsp_cache);

#define SECRET_KEY "ocsp_cache_status_secret"
#define SECRET_LEN 32
#define MAC_LEN 32
#define TOKEN_LIFE apr_time_from_sec(3600)
#define TOKEN_MAX 128
#define BODY_MAX 4096
#define ALL_PAUSE apr_time_from_sec(60) /* "all" is one request to a responder per certificate */

static struct {
    const unsigned char *secret;     /* NULL: POST is off */
    _Atomic apr_time_t *last_of_all; /* in shared memory: children share the pause */
} refresh;

/* ---- the parent ---- */

void oc_status_post_post_config(apr_pool_t *pconf, server_rec *main_server)
{
    unsigned char *secret = ap_retained_data_get(SECRET_KEY), fresh[SECRET_LEN];
    apr_status_t rv = APR_SUCCESS;
    apr_shm_t *segment;

    refresh.secret = NULL;
    if (!oc_settings_global()->status_refresh)
        return;
    if (!secret && (rv = apr_generate_random_bytes(fresh, SECRET_LEN)) == APR_SUCCESS) {
        secret = ap_retained_data_create(SECRET_KEY, SECRET_LEN);
        memcpy(secret, fresh, SECRET_LEN);
    }
    if (rv == APR_SUCCESS)
        rv = apr_shm_create(&segment, sizeof(*refresh.last_of_all), NULL, pconf);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, main_server,
                     "OCSPCacheStatusRefresh stays off: no random numbers or no shared memory");
        return;
    }
    refresh.last_of_all = apr_shm_baseaddr_get(segment);
    atomic_store(refresh.last_of_all, 0);
    refresh.secret = secret;
}

int oc_status_post_is_on(void)
{
    return refresh.secret != NULL;
}

/* ---- the token: when it ends, and a MAC over that and the user ---- */

static const char *make_token(const request_rec *r, apr_time_t end, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "%" APR_INT64_T_FMT " %s", apr_time_sec(end), r->user ? r->user : "");
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (!HMAC(EVP_sha256(), refresh.secret, SECRET_LEN, (const unsigned char *)text, strlen(text), mac, &len)
        || len != MAC_LEN)
        return NULL;
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "-%s", apr_time_sec(end), oc_hex_print(mac, len, pool));
}

const char *oc_status_post_token(const request_rec *r, apr_time_t now, apr_pool_t *pool)
{
    return refresh.secret ? make_token(r, now + TOKEN_LIFE, pool) : NULL;
}

static int is_token(const request_rec *r, const char *token, apr_time_t now)
{
    apr_int64_t end = apr_strtoi64(token, NULL, 10);
    const char *expected;

    if (strlen(token) > TOKEN_MAX || end < apr_time_sec(now) || end > apr_time_sec(now + TOKEN_LIFE))
        return 0;
    expected = make_token(r, apr_time_from_sec(end), r->pool);
    return expected && strlen(token) == strlen(expected) && CRYPTO_memcmp(token, expected, strlen(expected)) == 0;
}

/* ---- the origin of the request ---- */

/* Browsers send Sec-Fetch-Site over TLS, older ones and those on plain HTTP Origin. Programs send neither: for them the
 * token is enough, and no other site can make a browser omit both. */
static int is_from_here(const request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *host = apr_table_get(r->headers_in, "Host");
    const char *authority;

    if (site)
        return strcmp(site, "same-origin") == 0;
    if (!origin)
        return 1;
    authority = strstr(origin, "://");
    return authority && host && strcasecmp(authority + 3, host) == 0;
}

/* ---- the form ---- */

/* @return the value of field @a name, "" where there is none; NULL: it is too long */
static const char *field(const apr_array_header_t *pairs, const char *name, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < pairs->nelts; i++) {
        const ap_form_pair_t *pair = &APR_ARRAY_IDX(pairs, i, ap_form_pair_t);
        apr_size_t size = BODY_MAX;
        apr_off_t len;
        char *value;

        if (strcmp(pair->name, name) != 0)
            continue;
        if (apr_brigade_length(pair->value, 1, &len) != APR_SUCCESS || len < 0 || len > BODY_MAX)
            return NULL;
        value = apr_pcalloc(pool, BODY_MAX + 1);
        return apr_brigade_flatten(pair->value, value, &size) == APR_SUCCESS ? value : NULL;
    }
    return "";
}

/* ---- requesting a refresh ---- */

static const char *who(const request_rec *r)
{
    return r->user ? r->user : r->useragent_ip;
}

/* A browser that sent the form stays on the page, with a notice; a program gets the status. */
static int refuse_early(const request_rec *r, apr_interval_time_t wait, const char *page, const char **problem)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    if (accept && ap_strcasestr(accept, "text/html")) {
        apr_table_setn(r->headers_out, "Location", page);
        return HTTP_SEE_OTHER;
    }
    apr_table_setn(r->headers_out, "Retry-After",
                   apr_psprintf(r->pool, "%" APR_INT64_T_FMT, apr_time_sec(wait + APR_USEC_PER_SEC - 1)));
    *problem = "A refresh was requested a moment ago. Wait before you request another one.";
    return HTTP_TOO_MANY_REQUESTS;
}

static int refresh_all(const oc_status_request_t *request, const char **problem)
{
    apr_time_t last = atomic_load(refresh.last_of_all), now = request->now;
    unsigned i, n = oc_snapshot_count(), n_requested = 0;

    /* A clock that was set back does not block it. */
    if ((last && now >= last && now - last < ALL_PAUSE)
        || !atomic_compare_exchange_strong(refresh.last_of_all, &last, now))
        return refuse_early(request->r, now >= last ? ALL_PAUSE - (now - last) : ALL_PAUSE, "?notice=early-all",
                            problem);
    for (i = 0; i < n; i++)
        n_requested += oc_snapshot_refresh(i, now) == APR_SUCCESS;
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, request->r,
                  "status page: %s requested a refresh of all certificates (%u)", who(request->r), n_requested);
    apr_table_setn(request->r->headers_out, "Location", "?notice=all");
    return HTTP_SEE_OTHER;
}

static int refresh_one(const oc_status_request_t *request, const unsigned char *id, const char **problem)
{
    request_rec *r = request->r;
    const char *page = apr_pstrcat(r->pool, "?id=", oc_hex_print(id, OC_CERT_ID_LEN, r->pool), NULL);
    int ordinal = oc_snapshot_find(id);
    apr_status_t rv;

    if (ordinal < 0) {
        *problem = "No such certificate. It may have been replaced.";
        return HTTP_NOT_FOUND;
    }
    rv = oc_snapshot_refresh((unsigned)ordinal, request->now);
    if (APR_STATUS_IS_EAGAIN(rv))
        return refuse_early(r, OC_REFRESH_FLAGS_PAUSE, apr_pstrcat(r->pool, page, "&notice=early", NULL), problem);
    if (rv != APR_SUCCESS) {
        *problem = "This certificate has no responder that can be queried.";
        return HTTP_CONFLICT;
    }
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "status page: %s requested a refresh of %s", who(r),
                  oc_snapshot_certificate((unsigned)ordinal)->label);
    apr_table_setn(r->headers_out, "Location", apr_pstrcat(r->pool, page, "&notice=one", NULL));
    return HTTP_SEE_OTHER;
}

int oc_status_post(const oc_status_request_t *request, const char **problem)
{
    request_rec *r = request->r;
    apr_array_header_t *pairs = NULL;
    unsigned char id[OC_CERT_ID_LEN];
    const char *wanted, *token;

    if (!is_from_here(r)) {
        *problem = "This request comes from another site.";
        return HTTP_FORBIDDEN;
    }
    if (ap_parse_form_data(r, NULL, &pairs, (apr_size_t)-1, BODY_MAX) != OK || !pairs) {
        *problem = "Send a form with the fields token and id (a fingerprint, or all).";
        return HTTP_BAD_REQUEST;
    }
    token = field(pairs, "token", r->pool);
    wanted = field(pairs, "id", r->pool);
    if (!token || !is_token(r, token, request->now)) {
        *problem = "The page that sent this request is too old, or from another server. Load it again.";
        return HTTP_FORBIDDEN;
    }
    if (!wanted || (strcmp(wanted, "all") != 0 && !oc_hex_read(wanted, id, sizeof(id)))) {
        *problem = "The field id is neither a certificate's SHA-1 fingerprint nor all.";
        return HTTP_BAD_REQUEST;
    }
    return strcmp(wanted, "all") == 0 ? refresh_all(request, problem) : refresh_one(request, id, problem);
}
