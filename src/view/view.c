/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A certificate as an operator sees it: what its numbers mean, and its object of JSON. The table is in table.c.
 */
#include "view/view.h"

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
    view->usable_until = record->usable_until;
    view->fetched_at = record->fetched_at;
    view->size = record->der_len;
}

static int is_stapled(const oc_view_t *view, apr_time_t now)
{
    return view->has_record && view->usable_until > now;
}

static int is_expired(const oc_view_t *view, apr_time_t now)
{
    return view->not_after && view->not_after <= now;
}

const char *oc_view_state(const oc_view_t *view, apr_time_t now)
{
    if (is_stapled(view, now))
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
    return view->has_record
           && oc_view_is_ending(view->usable_until - now, view->usable_until - view->fetched_at, limit);
}

/* The end of a sentence about the last attempt, and what to do about it. */
static const char *advice(const oc_view_t *view, apr_pool_t *pool)
{
    const char *text = oc_verdict_advice(view->last);

    return apr_pstrcat(pool, *text ? ". " : ".", text, NULL);
}

static oc_attention_t of_stapled(const oc_view_t *view, apr_time_t now, apr_interval_time_t expiry_warning,
                                 const char **reason, apr_pool_t *pool)
{
    const char *left = oc_view_span(view->usable_until, now, pool);
    int is_late = oc_view_is_running_out(view, now, expiry_warning);

    if (view->failures > 0)
        *reason =
            apr_psprintf(pool, "%u attempt%s in a row failed (%s). The stapled response lasts %s%s", view->failures,
                         view->failures == 1 ? "" : "s", oc_verdict_text(view->last), left, advice(view, pool));
    else if (is_late)
        *reason = apr_psprintf(pool,
                               "The stapled response lasts only %s and is not renewed yet. See the error log, or query "
                               "the responder with `ocsp-cachectl probe`.",
                               left);
    return view->failures > 0 || is_late ? OC_ATTENTION_WARNING : OC_ATTENTION_NONE;
}

/* Nothing is stapled, or only a responder's error. */
static oc_attention_t of_unstapled(const oc_view_t *view, const char **reason, apr_pool_t *pool)
{
    const char *who = view->must_staple ? "Clients refuse this Must-Staple certificate: nothing good is stapled"
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
    else if (oc_verdict_class(view->last) == OC_CLASS_TRUTH)
        *reason = apr_pstrcat(pool, who, ": the response has expired and is not renewed yet. See the error log.", NULL);
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
    if (is_stapled(view, now) && oc_verdict_class(view->verdict) == OC_CLASS_TRUTH)
        return of_stapled(view, now, expiry_warning, reason, pool);
    return of_unstapled(view, reason, pool);
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

#define REPLACEMENT 0xFFFD

/* The code point at *p, which moves past it. Invalid UTF-8 (RFC 3629: overlong, surrogate, cut off, too large): U+FFFD,
 * and one byte on. */
static unsigned next_code_point(const unsigned char **p)
{
    static const struct {
        unsigned char mask, lead;
        unsigned min;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    const unsigned char *s = *p;
    unsigned point, form, i;

    (*p)++;
    for (form = 0; form < 4 && (s[0] & forms[form].mask) != forms[form].lead; form++)
        ;
    if (form == 4)
        return REPLACEMENT;
    point = s[0] & (unsigned char)~forms[form].mask;
    for (i = 1; i <= form; i++) {
        if ((s[i] & 0xC0) != 0x80) /* the end of the string is not one either */
            return REPLACEMENT;
        point = point << 6 | (s[i] & 0x3F);
    }
    if (point < forms[form].min || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return REPLACEMENT;
    *p = s + form + 1;
    return point;
}

static int is_plain(unsigned point)
{
    return point >= 0x20 && point < 0x7F && !strchr("\"\\<>&'", (int)point);
}

const char *oc_view_json_string(const char *text, apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = (const unsigned char *)text;
    char *literal, *out;

    if (!text)
        return "null";
    literal = out = apr_palloc(pool, 6 * strlen(text) + 3);
    *out++ = '"';
    while (*p) {
        unsigned point = next_code_point(&p), units[2] = {point, 0}, i, n = 1;

        if (is_plain(point)) {
            *out++ = (char)point;
            continue;
        }
        if (point > 0xFFFF) { /* a surrogate pair: 12 characters for 4 bytes */
            units[0] = 0xD800 + ((point - 0x10000) >> 10);
            units[1] = 0xDC00 + ((point - 0x10000) & 0x3FF);
            n = 2;
        }
        for (i = 0; i < n; i++) {
            *out++ = '\\';
            *out++ = 'u';
            *out++ = digits[units[i] >> 12 & 15];
            *out++ = digits[units[i] >> 8 & 15];
            *out++ = digits[units[i] >> 4 & 15];
            *out++ = digits[units[i] & 15];
        }
    }
    *out++ = '"';
    *out = '\0';
    return literal;
}

static const char *json_time(apr_time_t time, apr_pool_t *pool)
{
    return time ? apr_psprintf(pool, "%" APR_INT64_T_FMT, apr_time_sec(time)) : "null";
}

static const char *json_hosts(const oc_view_t *view, apr_pool_t *pool)
{
    apr_array_header_t *literals = apr_array_make(pool, 4, sizeof(const char *));
    int i;

    for (i = 0; view->hosts && i < view->hosts->nelts; i++)
        APR_ARRAY_PUSH(literals, const char *) = oc_view_json_string(APR_ARRAY_IDX(view->hosts, i, const char *), pool);
    if (!view->hosts && view->host)
        APR_ARRAY_PUSH(literals, const char *) = oc_view_json_string(view->host, pool);
    return apr_pstrcat(pool, "[", apr_array_pstrcat(pool, literals, ','), "]", NULL);
}

static const char *json_urls(const oc_view_t *view, apr_pool_t *pool)
{
    apr_array_header_t *literals = apr_array_make(pool, 2, sizeof(const char *));
    const char *const *url;

    for (url = view->urls; url && *url; url++)
        APR_ARRAY_PUSH(literals, const char *) = oc_view_json_string(*url, pool);
    return apr_pstrcat(pool, "[", apr_array_pstrcat(pool, literals, ','), "]", NULL);
}

static const char *json_response(const oc_view_t *view, apr_pool_t *pool)
{
    if (!view->has_record)
        return "null";
    return apr_psprintf(pool,
                        "{\"verdict\":\"%s\",\"origin\":\"%s\",\"this_update\":%s,\"next_update\":%s,"
                        "\"usable_until\":%s,\"fetched_at\":%s,\"size\":%" APR_SIZE_T_FMT "}",
                        oc_verdict_name(view->verdict), oc_origin_name(view->origin),
                        json_time(view->this_update, pool), json_time(view->next_update, pool),
                        json_time(view->usable_until, pool), json_time(view->fetched_at, pool), view->size);
}

const char *oc_view_json(const oc_view_t *view, apr_time_t now, apr_interval_time_t expiry_warning, apr_pool_t *pool)
{
    const char *reason, *attention = oc_attention_name(oc_view_attention(view, now, expiry_warning, &reason, pool));

    return apr_psprintf(
        pool,
        "{\"host\":%s,\"hosts\":%s,\"sha1\":\"%s\",\"subject\":%s,\"serial\":%s,\"responder\":%s,\"responders\":%s,"
        "\"not_after\":%s,\"must_staple\":%s,\"state\":\"%s\",\"attention\":\"%s\",\"reason\":%s,"
        "\"response\":%s,\"last_verdict\":%s,\"last_attempt\":%s,\"failures\":%u,\"next_request\":%s}",
        oc_view_json_string(view->host, pool), json_hosts(view, pool), oc_hex_print(view->id, sizeof(view->id), pool),
        oc_view_json_string(view->subject, pool), oc_view_json_string(view->serial, pool),
        oc_view_json_string(view->url, pool), json_urls(view, pool), json_time(view->not_after, pool),
        view->must_staple ? "true" : "false", oc_view_state(view, now), attention, oc_view_json_string(reason, pool),
        json_response(view, pool),
        view->last == OC_PENDING ? "null" : oc_view_json_string(oc_verdict_name(view->last), pool),
        json_time(view->last_attempt, pool), view->failures, json_time(view->next_request, pool));
}
