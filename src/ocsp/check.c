/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Helpers that every check of a response uses. They must never put a byte of the response into the detail unescaped.
 */
#include "check.h"

#include "ocsp/x509.h"

#include <apr_strings.h>
#include <stdarg.h>

oc_verdict_t oc_check_refuse(const oc_check_t *check, oc_verdict_t verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    apr_vsnprintf(check->result->detail, sizeof(check->result->detail), format, args);
    va_end(args);
    return verdict;
}

oc_verdict_t oc_check_refuse_time(const oc_check_t *check, oc_verdict_t verdict, const char *which, apr_time_t time)
{
    char text[32];

    oc_x509_time_text(text, sizeof(text), time);
    return oc_check_refuse(check, verdict, "%s is %s", which, text);
}

oc_verdict_t oc_check_refuse_extension(const oc_check_t *check, const X509_EXTENSION *extension)
{
    char oid[80];

    /* OpenSSL 4 returns extensions as const; OpenSSL 3 takes them without, and changes nothing. */
    OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object((X509_EXTENSION *)extension), 0);
    return oc_check_refuse(check, OC_CRITICAL_EXTENSION, "extension %s", oid);
}

void oc_check_lower(oc_check_t *check, apr_time_t bound)
{
    if (bound < check->usable_until)
        check->usable_until = bound;
}

int oc_check_raise(oc_check_t *check, apr_time_t bound)
{
    if (bound > check->usable_from)
        check->usable_from = bound;
    return bound <= check->policy->now;
}

int oc_check_is_past(oc_check_t *check, apr_time_t time)
{
    return oc_check_raise(check, time - check->policy->skew); /* both are >= 0 */
}

apr_time_t oc_check_later(apr_time_t time, apr_interval_time_t interval)
{
    return time > APR_INT64_MAX - interval ? APR_INT64_MAX : time + interval;
}
