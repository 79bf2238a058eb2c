/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The words that the text and the JSON of `ocsp-cachectl probe` share: what the result means, and what to do about it.
 * The table of verdicts knows most of it; here is what depends on this certificate, this responder and this host.
 */
#include "ctl_probe.h"

#include "ocsp/x509.h"
#include "view/view.h"

#include <apr_env.h>
#include <apr_strings.h>
#include <string.h>

const char *probe_step_name(oc_step_kind_t kind)
{
    static const char *const names[] = {[OC_STEP_LOOK_UP] = "lookup",
                                        [OC_STEP_CONNECT] = "connect",
                                        [OC_STEP_REQUEST] = "request",
                                        [OC_STEP_HEAD] = "head",
                                        [OC_STEP_ANSWER] = "answer"};

    return names[kind];
}

const char *probe_date(const probe_t *probe, apr_time_t when)
{
    apr_time_t now = apr_time_now();
    char text[40];

    oc_x509_time_text(text, sizeof(text), when);
    return apr_psprintf(probe->pool, "%s (%s%s)", text, when > now ? "in " : "", oc_view_span(when, now, probe->pool));
}

const char *probe_text(const probe_t *probe)
{
    if (!probe->url)
        return "the certificate names no OCSP responder";
    if (!probe->issuer)
        return probe->issuer_gap;
    return oc_verdict_text(probe->verdict);
}

const char *probe_advice(const probe_t *probe)
{
    if (!probe->url)
        return probe->cert->must_staple
                   ? "It is a Must-Staple certificate: clients reject it without a staple. Ask the CA for one without "
                     "Must-Staple, or for its responder, and name that with --url and SSLStaplingForceURL."
                   : "There is nothing to staple: several public CAs have ended OCSP. If the CA runs a responder, "
                     "name it with --url, and with SSLStaplingForceURL.";
    if (!probe->issuer)
        return "Name a file that contains it with --chain. For httpd, append it to the server's certificate in "
               "SSLCertificateFile, or name its file in SSLCertificateChainFile or SSLCACertificateFile: nothing is "
               "stapled without it.";
    return oc_verdict_advice(probe->verdict);
}

static void hint_at_responder(const probe_t *probe, apr_array_header_t *hints)
{
    char *proxy_variable = NULL;
    apr_interval_time_t age = apr_time_now() - probe->cert->not_before;

    (void)apr_env_get(&proxy_variable, "http_proxy", probe->pool);
    switch (probe->verdict) {
    case OC_NAME_LOOKUP_FAILED:
    case OC_CONNECT_FAILED:
    case OC_TIMED_OUT:
    case OC_CONNECTION_LOST:
        if (probe->proxy && probe->last_step <= OC_STEP_CONNECT)
            APR_ARRAY_PUSH(hints, const char *) = "The proxy could not be reached; the responder was not tried.";
        else if (!probe->proxy && proxy_variable && *proxy_variable)
            APR_ARRAY_PUSH(hints, const char *) = "The module and this command ignore the environment variable "
                                                  "http_proxy: try --proxy, and set SSLOCSPProxyURL.";
        break;
    case OC_URL_UNUSABLE:
        if (probe->url && strncasecmp(probe->url, "https:", 6) == 0)
            APR_ARRAY_PUSH(hints, const char *) =
                "The module does not query responders over https. Most of them answer on plain http as well: try --url "
                "with http://, then set SSLStaplingForceURL to that URL.";
        break;
    case OC_HTTP_STATUS:
        if (probe->fetched.http_status == 407)
            APR_ARRAY_PUSH(hints, const char *) =
                "The proxy requires a user name: http://user:password@host:port, here and in SSLOCSPProxyURL.";
        break;
    case OC_UNAUTHORIZED:
    case OC_UNKNOWN:
        APR_ARRAY_PUSH(hints, const char *) = apr_psprintf(
            probe->pool, "This certificate was issued %s.%s",
            oc_view_span(probe->cert->not_before, apr_time_now(), probe->pool),
            age < apr_time_from_sec(2 * 86400) ? " Try again in a few hours."
                                               : " The CA may no longer answer for it, for example because it has "
                                                 "ended OCSP: a renewed certificate then names no responder.");
        break;
    default:
        break;
    }
}

apr_array_header_t *probe_hints(const probe_t *probe)
{
    apr_array_header_t *hints = apr_array_make(probe->pool, 4, sizeof(const char *));
    apr_time_t now = apr_time_now();

    if (probe->url && !probe->issuer)
        APR_ARRAY_PUSH(hints, const char *) =
            probe->issuer_url
                ? apr_pstrcat(probe->pool, "The certificate names ", probe->issuer_url,
                              " as its address (usually in DER form: `openssl x509 -inform DER` converts it to PEM).",
                              NULL)
                : "The certificate does not name an address for it: download it from the CA.";
    hint_at_responder(probe, hints);
    if (probe->cert->not_before > now)
        APR_ARRAY_PUSH(hints, const char *) = apr_psprintf(
            probe->pool,
            "The certificate is not valid before %s: clients reject it until then, whatever its responder answers.",
            probe_date(probe, probe->cert->not_before));
    if (probe->ahead)
        APR_ARRAY_PUSH(hints, const char *) =
            apr_psprintf(probe->pool, "The responder's clock is %s %s this host's, by its Date header.",
                         oc_view_span(now + (probe->ahead > 0 ? probe->ahead : -probe->ahead), now, probe->pool),
                         probe->ahead > 0 ? "ahead of" : "behind");
    return hints;
}
