/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Prints the output of `ocsp-cachectl probe` as text. Names, headers and reason phrases are untrusted: none reaches the
 * terminal unescaped.
 */
#include "ctl_probe.h"

#include "fetch/url.h"
#include "ocsp/x509.h"
#include "view/view.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 300 /* of a header, as far as it is shown */

/* ---- text ---- */

/* Printable, and of limited length. */
static const char *plain(const probe_t *probe, const char *text)
{
    const char *escaped = oc_view_printable(text, probe->pool);

    return strlen(escaped) <= VALUE_MAX ? escaped : apr_psprintf(probe->pool, "%.*s...", VALUE_MAX, escaped);
}

static const char *date(const probe_t *probe, apr_time_t when)
{
    char text[40];

    oc_x509_time_text(text, sizeof(text), when);
    return apr_pstrdup(probe->pool, text);
}

static const char *milliseconds(const probe_t *probe, apr_interval_time_t time)
{
    return apr_psprintf(probe->pool, "%" APR_TIME_T_FMT ".%" APR_TIME_T_FMT " ms", time / 1000, time % 1000 / 100);
}

static const char *capitalised(const probe_t *probe, const char *sentence)
{
    char *copy = apr_pstrdup(probe->pool, sentence);

    *copy = (char)(*copy >= 'a' && *copy <= 'z' ? *copy - 'a' + 'A' : *copy);
    return copy;
}

static void say(const char *label, const char *text)
{
    printf("%-12s %s\n", label, text);
}

/* Those that are not queried now. */
static void print_other_responders(const probe_t *probe)
{
    const char *const *url;

    for (url = probe->urls; url && *url; url++) {
        const char *problem;

        if (probe->url && strcmp(*url, probe->url) == 0)
            continue;
        problem = oc_fetch_url_problem(*url, probe->pool);
        say("", apr_psprintf(probe->pool, "%s, %s", plain(probe, oc_url_public(*url, probe->pool)),
                             problem ? problem : "which the module queries if the first fails"));
    }
}

void probe_tell_subject(const probe_t *probe)
{
    const oc_cert_t *cert = probe->cert;

    say("certificate", apr_psprintf(probe->pool, "%s, serial %s%s, ends %s", cert->subject, cert->serial,
                                    cert->must_staple ? ", Must-Staple" : "", probe_date(probe, cert->not_after)));
    if (probe->issuer)
        say("issuer", apr_psprintf(probe->pool, "%s, from %s", probe->issuer, plain(probe, probe->issuer_path)));
    if (probe->url)
        say("responder",
            apr_psprintf(probe->pool, "%s, %s", plain(probe, oc_url_public(probe->url, probe->pool)), probe->url_from));
    print_other_responders(probe);
    if (probe->proxy)
        say("proxy", plain(probe, oc_url_public(probe->proxy, probe->pool)));
}

/* ---- steps ---- */

static const char *text_of(const probe_t *probe, const oc_step_t *step)
{
    const char *text = plain(probe, step->text);

    switch (step->kind) {
    case OC_STEP_LOOK_UP:
        return step->verdict == OC_PENDING && strcmp(step->what, step->text) != 0
                   ? apr_psprintf(probe->pool, "%s: %s", plain(probe, step->what), text)
                   : text;
    case OC_STEP_CONNECT:
        return apr_psprintf(probe->pool, "%s%s: %s", probe->proxy ? "proxy " : "", plain(probe, step->what),
                            step->verdict == OC_PENDING ? "connected" : text);
    case OC_STEP_REQUEST:
        return apr_psprintf(probe->pool, "%s %s, an OCSPRequest of %" APR_SIZE_T_FMT " bytes", step->what,
                            oc_view_printable(step->text, probe->pool), step->size);
    case OC_STEP_HEAD:
        return "";
    case OC_STEP_ANSWER:
        break;
    }
    return step->verdict == OC_PENDING ? apr_psprintf(probe->pool, "%" APR_SIZE_T_FMT " bytes", step->size)
                                       : apr_psprintf(probe->pool, "%s%s%s", oc_verdict_text(step->verdict),
                                                      *step->text ? ": " : "", *step->text ? text : "");
}

void probe_tell_step(const probe_t *probe, const oc_step_t *step, const apr_array_header_t *lines)
{
    const char *at = milliseconds(probe, step->ended - probe->begun), *text = text_of(probe, step);
    int i;

    if (lines)
        text = plain(probe, APR_ARRAY_IDX(lines, 0, const char *));
    printf("%12s %-8s %s", at, probe_step_name(step->kind),
           step->verdict == OC_PENDING ? text : ctl_coloured(probe->ctl, CTL_RED, text));
    if (step->kind != OC_STEP_REQUEST)
        printf(" (%s)", milliseconds(probe, step->ended - step->begun));
    (void)putchar('\n');
    for (i = 1; lines && i < lines->nelts; i++)
        printf("%21s %s\n", "", plain(probe, APR_ARRAY_IDX(lines, i, const char *)));
    (void)fflush(stdout);
}

/* ---- the result, and what to do ---- */

/* What a server with this certificate would do now, by its default settings. */
static const char *consequence_of(const probe_t *probe)
{
    const char *when = probe->latest ? apr_psprintf(probe->pool, "between %s and %s", date(probe, probe->earliest),
                                                    date(probe, probe->latest))
                                     : "";

    if (oc_verdict_class(probe->verdict) == OC_CLASS_TRUTH && probe->latest)
        return apr_psprintf(probe->pool, "would staple it until %s, and query again %s",
                            date(probe, probe->verified.usable_until), when);
    if (probe->latest)
        return apr_psprintf(
            probe->pool,
            "would continue with its stored response, if that is valid, and query again %s, then at growing intervals",
            when);
    return "would not query, and would staple nothing";
}

static void print_times(const probe_t *probe)
{
    const oc_verify_result_t *verified = &probe->verified;

    if (probe->verdict == OC_REVOKED)
        say("revoked", probe_date(probe, verified->revoked_at));
    if (probe->signer)
        say("signed by", probe->signer);
    if (verified->this_update)
        say("thisUpdate", probe_date(probe, verified->this_update));
    if (verified->next_update)
        say("nextUpdate", probe_date(probe, verified->next_update));
    else if (verified->this_update)
        say("nextUpdate", "none");
    if (probe->signer)
        say("usable until", probe_date(probe, verified->usable_until));
}

void probe_tell_connection(const probe_t *probe)
{
    const char *colour = probe->verdict == OC_GOOD ? CTL_GREEN : CTL_RED;
    const oc_cert_t *cert = probe->cert;

    say("server", apr_psprintf(probe->pool, "%s%s%s%s%s", plain(probe, probe->connect), probe->address ? ", at " : "",
                               probe->address ? probe->address : "", probe->servername ? ", server name " : "",
                               probe->servername ? plain(probe, probe->servername) : ""));
    if (probe->protocol)
        say("protocol", probe->protocol);
    if (cert)
        say("certificate", apr_psprintf(probe->pool, "%s, serial %s%s, ends %s", cert->subject, cert->serial,
                                        cert->must_staple ? ", Must-Staple" : "", probe_date(probe, cert->not_after)));
    if (probe->issuer)
        say("issuer", probe->issuer);
    if (probe->fetched.der)
        say("staple", apr_psprintf(probe->pool, "%" APR_SIZE_T_FMT " bytes", probe->fetched.der_len));
    say("verdict", apr_psprintf(probe->pool, "%s: %s%s%s", ctl_coloured(probe->ctl, colour, probe->name), probe->text,
                                *probe->detail ? ": " : "", *probe->detail ? plain(probe, probe->detail) : ""));
    print_times(probe);
}

void probe_tell_outcome(const probe_t *probe)
{
    const char *colour = probe->verdict == OC_GOOD ? CTL_GREEN : CTL_RED, *advice = probe_advice(probe);
    const apr_array_header_t *hints = probe_hints(probe);
    int i;

    say("verdict",
        apr_psprintf(probe->pool, "%s: %s%s%s", ctl_coloured(probe->ctl, colour, probe->name), probe_text(probe),
                     *probe->detail ? ": " : "", *probe->detail ? plain(probe, probe->detail) : ""));
    print_times(probe);
    say("the module", consequence_of(probe));
    if (*advice)
        say("what to do", capitalised(probe, advice));
    for (i = 0; i < hints->nelts; i++)
        say(*advice || i > 0 ? "" : "note", APR_ARRAY_IDX(hints, i, const char *));
}
