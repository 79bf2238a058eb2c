/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A certificate as an operator sees it: what its numbers mean, and its object of JSON. The table is in table.c.
 */
#include "view/view.h"

#include "version.h"
#include "base/hex.h"

#include <apr_strings.h>
#include <string.h>

void oc_view_take_cert(oc_view_t *view, const oc_cert_t *cert)
{
    memcpy(view->id, cert->id, sizeof(view->id));
    view->subject = cert->subject;
    view->serial = cert->serial;
    view->not_after = cert->not_after;
    view->must_staple = cert->must_staple;
}

void oc_view_take_record(oc_view_t *view, const oc_record_t *record)
{
    view->has_record = 1;
    view->verdict = record->verdict;
    view->origin = record->origin;
    view->this_update = record->this_update;
    view->next_update = record->next_update;
    view->usable_from = record->usable_from;
    view->usable_until = record->usable_until;
    view->fetched_at = record->fetched_at;
    view->size = record->der_len;
}

void oc_view_take_attempt(oc_view_t *view, apr_time_t when)
{
    int is_of_response = view->has_record && view->failures == 0 && view->last != OC_PENDING;

    view->last_attempt = when == 0 && is_of_response ? view->fetched_at : when;
}

int oc_view_is_stapled(const oc_view_t *view, apr_time_t now)
{
    return view->has_record && view->usable_from <= now && now < view->usable_until;
}

static int is_expired(const oc_view_t *view, apr_time_t now)
{
    return view->not_after && view->not_after <= now;
}

const char *oc_view_state(const oc_view_t *view, apr_time_t now)
{
    if (oc_view_is_stapled(view, now))
        return oc_verdict_name(view->verdict);
    if (view->lacks_issuer)
        return "no-issuer";
    return view->is_refreshed ? "none" : "no-responder";
}

/* ---- attention ---- */

int oc_view_is_ending(apr_interval_time_t left, apr_interval_time_t validity, apr_interval_time_t limit)
{
    return left > 0 && left < (limit < validity / 4 ? limit : validity / 4);
}

int oc_view_is_running_out(const oc_view_t *view, apr_time_t now, apr_interval_time_t limit)
{
    return oc_view_is_stapled(view, now)
           && oc_view_is_ending(view->usable_until - now, view->usable_until - view->fetched_at, limit);
}

/* The end of a sentence about the last attempt, and what to do about it. */
static const char *advice(const oc_view_t *view, apr_pool_t *pool)
{
    const char *text = oc_verdict_advice(view->last);

    return apr_pstrcat(pool, *text ? ". " : ".", text, NULL);
}

/* May the next attempt succeed without anybody's help? */
static int may_pass(oc_verdict_t verdict)
{
    return verdict == OC_INTERNAL_ERROR || verdict == OC_TRY_LATER
           || (verdict >= OC_NAME_LOOKUP_FAILED && verdict <= OC_HTTP_MALFORMED);
}

static int is_failing(const oc_view_t *view)
{
    return view->failures > (may_pass(view->last) ? OC_VIEW_FAILURES_TOLERATED : 0);
}

static oc_attention_t of_stapled(const oc_view_t *view, apr_time_t now, apr_interval_time_t expiry_warning,
                                 const char **reason, apr_pool_t *pool)
{
    const char *left = oc_view_span(view->usable_until, now, pool);
    int is_late = oc_view_is_running_out(view, now, expiry_warning);

    if (!is_late && !is_failing(view))
        return OC_ATTENTION_NONE;
    if (view->failures > 0)
        *reason = apr_psprintf(pool, "%u attempt%s in a row failed (%s). The stapled response expires in %s%s",
                               view->failures, view->failures == 1 ? "" : "s", oc_verdict_text(view->last), left,
                               advice(view, pool));
    else
        *reason =
            apr_psprintf(pool,
                         "The stapled response expires in %s and has not been renewed. See the error log, or query "
                         "the responder with `ocsp-cachectl probe`.",
                         left);
    return OC_ATTENTION_WARNING;
}

/* Nothing is stapled, or only a responder's error. */
static oc_attention_t of_unstapled(const oc_view_t *view, apr_time_t now, const char **reason, apr_pool_t *pool)
{
    const char *who = view->must_staple ? "Clients reject this Must-Staple certificate: nothing good is stapled"
                                        : "Nothing good is stapled";

    if (!view->is_refreshed && !view->lacks_issuer && !view->must_staple)
        return OC_ATTENTION_NONE;
    if (view->lacks_issuer)
        *reason =
            apr_psprintf(pool,
                         "%s: the certificate of its issuer%s%s%s is not configured. Append it to the certificate "
                         "in SSLCertificateFile and reload.",
                         who, view->issuer ? ", " : "", view->issuer ? view->issuer : "", view->issuer ? "," : "");
    else if (!view->is_refreshed)
        *reason = apr_pstrcat(
            pool, who,
            ", and no OCSP responder can be queried for it. Name one with SSLStaplingForceURL, or install a "
            "certificate without Must-Staple.",
            NULL);
    else if (view->has_record && view->usable_from > now)
        *reason =
            apr_psprintf(pool, "%s: by this server's clock, the stored response becomes valid in %s. Check that clock.",
                         who, oc_view_span(view->usable_from, now, pool));
    else if (oc_verdict_class(view->last) == OC_CLASS_TRUTH)
        *reason =
            apr_pstrcat(pool, who, ": the response has expired and has not been renewed. See the error log.", NULL);
    else
        *reason = apr_pstrcat(pool, who, " (", oc_verdict_text(view->last), ")", advice(view, pool), NULL);
    return view->must_staple ? OC_ATTENTION_CRITICAL : OC_ATTENTION_WARNING;
}

oc_attention_t oc_view_attention(const oc_view_t *view, apr_time_t now, apr_interval_time_t expiry_warning,
                                 const char **reason, apr_pool_t *pool)
{
    *reason = "";
    if (view->last == OC_REVOKED || (view->has_record && view->verdict == OC_REVOKED)) {
        *reason = apr_pstrcat(pool, "Revoked. ", oc_verdict_advice(OC_REVOKED), NULL);
        return OC_ATTENTION_CRITICAL;
    }
    if (is_expired(view, now)) {
        *reason = apr_psprintf(pool, "The certificate expired %s: renew it.", oc_view_span(view->not_after, now, pool));
        return OC_ATTENTION_CRITICAL;
    }
    if (oc_view_is_stapled(view, now) && oc_verdict_class(view->verdict) == OC_CLASS_TRUTH)
        return of_stapled(view, now, expiry_warning, reason, pool);
    return of_unstapled(view, now, reason, pool);
}

const char *oc_attention_name(oc_attention_t attention)
{
    switch (attention) {
    case OC_ATTENTION_NONE:
        return "none";
    case OC_ATTENTION_WARNING:
        return "warning";
    case OC_ATTENTION_CRITICAL:
        return "critical";
    }
    return "unknown";
}

/* ---- times ---- */

/* Any two times have a span: those from a file may be anything. */
const char *oc_view_span(apr_time_t when, apr_time_t now, apr_pool_t *pool)
{
    apr_int64_t seconds = when / APR_USEC_PER_SEC - now / APR_USEC_PER_SEC;
    const char *ago = seconds < 0 ? " ago" : "";

    if (when == 0)
        return "-";
    if (seconds == 0)
        return "now";
    if (seconds < 0)
        seconds = -seconds;
    if (seconds < 120)
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " s%s", seconds, ago);
    if (seconds < 7200)
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " min%s", seconds / 60, ago);
    if (seconds < 172800)
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " h %" APR_INT64_T_FMT " min%s", seconds / 3600,
                            seconds / 60 % 60, ago);
    return apr_psprintf(pool, "%" APR_INT64_T_FMT " d %" APR_INT64_T_FMT " h%s", seconds / 86400, seconds / 3600 % 24,
                        ago);
}

const char *oc_view_left(apr_time_t when, apr_time_t now, apr_pool_t *pool)
{
    const char *span = oc_view_span(when, now, pool);

    if (when == 0)
        return span;
    return apr_pstrcat(pool, when <= now ? "ended " : "", span, when > now ? " left" : "", NULL);
}

/* ---- sizes and names ---- */

const char *oc_view_size(apr_size_t bytes, apr_pool_t *pool)
{
    static const char *const units[] = {"KiB", "MiB", "GiB"};
    double value = (double)bytes / 1024;
    unsigned unit = 0;
    int is_whole;

    if (bytes < 1024)
        return apr_psprintf(pool, "%" APR_SIZE_T_FMT " B", bytes);
    for (; value >= 1023.95 && unit < 2; unit++)
        value /= 1024;
    is_whole = value >= 100 || (apr_int64_t)(value * 10 + 0.5) % 10 == 0; /* "4 MiB", not "4.0 MiB" */
    return apr_psprintf(pool, is_whole ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

#define USUAL_PORT ":443"

const char *oc_view_host_text(const char *host, apr_pool_t *pool)
{
    apr_size_t len = host ? strlen(host) : 0, port_len = strlen(USUAL_PORT);

    if (len <= port_len || strcmp(host + len - port_len, USUAL_PORT) != 0)
        return host;
    return apr_pstrmemdup(pool, host, len - port_len);
}

int oc_view_subject_is_host(const oc_view_t *view)
{
    const char *port = view->host ? strrchr(view->host, ':') : NULL;
    apr_size_t len = port ? (apr_size_t)(port - view->host) : 0;

    return len > 0 && view->subject && strncmp(view->subject, "CN=", 3) == 0
           && strncasecmp(view->subject + 3, view->host, len) == 0 && view->subject[3 + len] == '\0';
}

/* ---- JSON ---- */

static void put_hosts(oc_json_t *json, const oc_view_t *view)
{
    int i;

    oc_json_array(json, "hosts");
    for (i = 0; view->hosts && i < view->hosts->nelts; i++)
        oc_json_string(json, NULL, APR_ARRAY_IDX(view->hosts, i, const char *));
    if (!view->hosts && view->host)
        oc_json_string(json, NULL, view->host);
    oc_json_end(json);
}

static void put_urls(oc_json_t *json, const oc_view_t *view)
{
    const char *const *url;

    oc_json_array(json, "responders");
    for (url = view->urls; url && *url; url++)
        oc_json_string(json, NULL, *url);
    oc_json_end(json);
}

static void put_response(oc_json_t *json, const oc_view_t *view)
{
    if (!view->has_record) {
        oc_json_null(json, "response");
        return;
    }
    oc_json_object(json, "response");
    oc_json_string(json, "verdict", oc_verdict_name(view->verdict));
    oc_json_string(json, "origin", oc_origin_name(view->origin));
    oc_json_time(json, "this_update", view->this_update);
    oc_json_time(json, "next_update", view->next_update);
    oc_json_time(json, "usable_from", view->usable_from);
    oc_json_time(json, "usable_until", view->usable_until);
    oc_json_time(json, "fetched_at", view->fetched_at);
    oc_json_integer(json, "size", (apr_int64_t)view->size);
    oc_json_end(json);
}

void oc_view_json(oc_json_t *json, const char *key, const oc_view_t *view, apr_time_t now,
                  apr_interval_time_t expiry_warning, apr_pool_t *pool)
{
    const char *reason, *attention = oc_attention_name(oc_view_attention(view, now, expiry_warning, &reason, pool));

    oc_json_object(json, key);
    oc_json_string(json, "host", view->host);
    put_hosts(json, view);
    oc_json_string(json, "sha1", oc_hex_print(view->id, sizeof(view->id), pool));
    oc_json_string(json, "subject", view->subject);
    oc_json_string(json, "serial", view->serial);
    oc_json_string(json, "responder", view->url);
    put_urls(json, view);
    oc_json_time(json, "not_after", view->not_after);
    oc_json_bool(json, "must_staple", view->must_staple);
    oc_json_string(json, "state", oc_view_state(view, now));
    oc_json_string(json, "attention", attention);
    oc_json_string(json, "reason", reason);
    put_response(json, view);
    oc_json_string(json, "last_verdict", view->last == OC_PENDING ? NULL : oc_verdict_name(view->last));
    oc_json_time(json, "last_attempt", view->last_attempt);
    oc_json_integer(json, "failures", view->failures);
    oc_json_time(json, "next_request", view->next_request);
    oc_json_end(json);
}

void oc_view_json_begin(oc_json_t *json, oc_json_sink_fn *sink, void *context, apr_time_t now)
{
    oc_json_begin(json, sink, context);
    oc_json_object(json, NULL);
    oc_json_integer(json, "version", OC_VIEW_JSON_VERSION);
    oc_json_time(json, "generated", now);
    oc_json_string(json, "module", OC_VERSION);
}
