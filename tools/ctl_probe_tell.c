/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Prints the output of `ocsp-cachectl probe`. Names, headers and reason phrases are untrusted: none reaches the
 * terminal, or the JSON, unescaped.
 */
#include "ctl_probe.h"

#include "base/deadline.h"
#include "fetch/url.h"
#include "ocsp/x509.h"
#include "view/view.h"

#include <apr_cstr.h>
#include <apr_date.h>
#include <apr_env.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 300     /* of a header, as far as it is shown */
#define LINES_MAX 24      /* of a head */
#define NOTABLE_OFFSET 60 /* seconds between two clocks from which on it is reported */

/* ---- text ---- */

/* Printable, and of limited length. */
static const char *plain(const probe_t *probe, const char *text)
{
    const char *escaped = oc_view_printable(text, probe->pool);

    return strlen(escaped) <= VALUE_MAX ? escaped : apr_psprintf(probe->pool, "%.*s...", VALUE_MAX, escaped);
}

static const char *coloured(const probe_t *probe, const char *colour, const char *text)
{
    return probe->has_colours ? apr_psprintf(probe->pool, "\x1b[%sm%s\x1b[0m", colour, text) : text;
}

static const char *date(const probe_t *probe, apr_time_t when)
{
    char text[40];

    oc_x509_time_text(text, sizeof(text), when);
    return apr_pstrdup(probe->pool, text);
}

/* "2026-01-31T12:00:00Z (in 3 d 4 h)" */
static const char *date_and_span(const probe_t *probe, apr_time_t when)
{
    apr_time_t now = apr_time_now();

    return apr_psprintf(probe->pool, "%s (%s%s)", date(probe, when), when > now ? "in " : "",
                        oc_view_span(when, now, probe->pool));
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

/* Besides the queried one. */
static void print_other_responders(const probe_t *probe)
{
    const char *const *url;

    for (url = probe->urls; url && *url; url++) {
        const char *problem = oc_fetch_url_problem(*url, probe->pool);

        if (strcmp(*url, probe->url) != 0) /* NOLINT */
            say("", apr_psprintf(probe->pool, "%s, %s", plain(probe, oc_url_public(*url, probe->pool)),
                                 problem ? problem : "which the module queries where the first fails"));
    }
}

void probe_tell_subject(const probe_t *probe)
{
    const oc_cert_t *cert = probe->cert;

    say("certificate", apr_psprintf(probe->pool, "%s, serial %s%s, ends %s", cert->subject, cert->serial,
                                    cert->must_staple ? ", Must-Staple" : "", date_and_span(probe, cert->not_after)));
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

static const char *const step_names[] = {"look-up", "connect", "request", "head", "answer"};

/* Headers that show where an answer comes from, and which proxies changed it. */
static int is_notable(const char *line)
{
    static const char *const names[] = {"Content-Type:",
                                        "Content-Length:",
                                        "Content-Encoding:",
                                        "Transfer-Encoding:",
                                        "Cache-Control:",
                                        "Age:",
                                        "Date:",
                                        "Retry-After:",
                                        "Location:",
                                        "Server:",
                                        "Via:",
                                        "Proxy-Authenticate:",
                                        "WWW-Authenticate:",
                                        "Allow:",
                                        "X-Cache:"};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (apr_cstr_casecmpn(line, names[i], strlen(names[i])) == 0)
            return 1;
    return 0;
}

/* The status line, then those headers: const char *, raw, without line ends. */
static apr_array_header_t *lines_of(const char *head, apr_pool_t *pool)
{
    apr_array_header_t *lines = apr_array_make(pool, 8, sizeof(const char *));
    char *rest = apr_pstrdup(pool, head), *line, *end;

    while ((line = rest) != NULL && *line != '\0' && lines->nelts < LINES_MAX) {
        end = strchr(line, '\n');
        rest = end ? end + 1 : NULL;
        if (end && end > line && end[-1] == '\r')
            end--;
        if (end)
            *end = '\0';
        if (lines->nelts == 0 || is_notable(line))
            APR_ARRAY_PUSH(lines, const char *) = line;
    }
    return lines;
}

/* RFC 9110 section 6.6.1: Date is the responder's clock, unless the answer comes from an HTTP cache (Age). */
static void compare_clocks(probe_t *probe, const apr_array_header_t *lines)
{
    apr_time_t theirs = 0, now = apr_time_now();
    int i;

    for (i = 1; i < lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(lines, i, const char *);

        if (apr_cstr_casecmpn(line, "Age:", 4) == 0)
            return;
        if (apr_cstr_casecmpn(line, "Date:", 5) == 0)
            theirs = apr_date_parse_http(line + 5 + strspn(line + 5, " \t"));
    }
    if (theirs > now + apr_time_from_sec(NOTABLE_OFFSET)
        || (theirs > 0 && theirs < now - apr_time_from_sec(NOTABLE_OFFSET)))
        probe->ahead = theirs - now;
}

static const char *said_of(const probe_t *probe, const oc_step_t *step)
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

static void print_step(const probe_t *probe, const oc_step_t *step, const apr_array_header_t *lines)
{
    const char *at = milliseconds(probe, step->ended - probe->begun), *said = said_of(probe, step);
    int i;

    if (lines)
        said = plain(probe, APR_ARRAY_IDX(lines, 0, const char *));
    printf("%12s %-8s %s", at, step_names[step->kind],
           step->verdict == OC_PENDING ? said : coloured(probe, "31", said));
    if (step->kind != OC_STEP_REQUEST)
        printf(" (%s)", milliseconds(probe, step->ended - step->begun));
    (void)putchar('\n');
    for (i = 1; lines && i < lines->nelts; i++)
        printf("%21s %s\n", "", plain(probe, APR_ARRAY_IDX(lines, i, const char *)));
    (void)fflush(stdout);
}

/* Texts of an array as JSON. */
static const char *json_list(const apr_array_header_t *texts, apr_pool_t *pool)
{
    apr_array_header_t *strings = apr_array_make(pool, texts->nelts, sizeof(const char *));
    int i;

    for (i = 0; i < texts->nelts; i++)
        APR_ARRAY_PUSH(strings, const char *) = oc_view_json_string(APR_ARRAY_IDX(texts, i, const char *), pool);
    return apr_pstrcat(pool, "[", apr_array_pstrcat(pool, strings, ','), "]", NULL);
}

static void keep_step(probe_t *probe, const oc_step_t *step, const apr_array_header_t *lines)
{
    apr_pool_t *pool = probe->pool;
    int is_head = step->kind == OC_STEP_HEAD;

    APR_ARRAY_PUSH(probe->steps, const char *) =
        apr_psprintf(pool,
                     "{\"step\":\"%s\",\"verdict\":%s,\"what\":%s,\"%s\":%s,\"bytes\":%" APR_SIZE_T_FMT
                     ",\"at_seconds\":%.6f,\"took_seconds\":%.6f}",
                     step_names[step->kind],
                     step->verdict == OC_PENDING ? "\"ok\"" : oc_view_json_string(oc_verdict_name(step->verdict), pool),
                     oc_view_json_string(*step->what ? step->what : NULL, pool), is_head ? "lines" : "text",
                     is_head ? json_list(lines, pool) : oc_view_json_string(*step->text ? step->text : NULL, pool),
                     step->size, (double)(step->ended - probe->begun) / APR_USEC_PER_SEC,
                     (double)(step->ended - step->begun) / APR_USEC_PER_SEC);
}

void probe_tell_step(void *context, const oc_step_t *step)
{
    probe_t *probe = context;
    const apr_array_header_t *lines = step->kind == OC_STEP_HEAD ? lines_of(step->text, probe->pool) : NULL;

    if (lines && lines->nelts == 0)
        return;
    if (lines)
        compare_clocks(probe, lines);
    probe->last_step = step->kind;
    if (ctl_is_json(probe->ctl))
        keep_step(probe, step, lines);
    else
        print_step(probe, step, lines);
}

/* ---- the result, and what to do ---- */

static const char *text_of(const probe_t *probe)
{
    if (!probe->url)
        return "the certificate names no OCSP responder";
    if (!probe->issuer)
        return probe->issuer_gap;
    return oc_verdict_text(probe->verdict);
}

static const char *advice_of(const probe_t *probe)
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

static void hint_at_peer(const probe_t *probe, apr_array_header_t *hints)
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
            APR_ARRAY_PUSH(hints, const char *) =
                "It is the proxy that could not be reached; the responder was not tried.";
        else if (!probe->proxy && proxy_variable && *proxy_variable)
            APR_ARRAY_PUSH(hints, const char *) = "The module and this command ignore the environment variable "
                                                  "http_proxy: try --proxy, and write SSLOCSPProxyURL.";
        break;
    case OC_URL_UNUSABLE:
        if (strncasecmp(probe->url, "https:", 6) == 0)
            APR_ARRAY_PUSH(hints, const char *) =
                "The module does not query responders over https. Most of them answer on plain http as well: try "
                "--url with http://, then write that URL in SSLStaplingForceURL.";
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
            age < apr_time_from_sec(2 * 86400)
                ? " Ask again in some hours."
                : " The CA may no longer answer for it, as when it has ended OCSP: a renewed certificate then names no "
                  "responder.");
        break;
    default:
        break;
    }
}

/* Facts that the table of verdicts cannot have: const char *. */
static apr_array_header_t *hints_of(const probe_t *probe)
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
    hint_at_peer(probe, hints);
    if (probe->cert->not_before > now)
        APR_ARRAY_PUSH(hints, const char *) = apr_psprintf(
            probe->pool,
            "The certificate is not valid before %s: clients reject it until then, whatever its responder says.",
            date_and_span(probe, probe->cert->not_before));
    if (probe->ahead)
        APR_ARRAY_PUSH(hints, const char *) =
            apr_psprintf(probe->pool, "The responder's clock is %s %s this host's, by its Date header.",
                         oc_view_span(now + (probe->ahead > 0 ? probe->ahead : -probe->ahead), now, probe->pool),
                         probe->ahead > 0 ? "ahead of" : "behind");
    return hints;
}

/* What a server with this certificate would do now, by its default settings. */
static const char *consequence_of(const probe_t *probe)
{
    const char *when = probe->latest ? apr_psprintf(probe->pool, "between %s and %s", date(probe, probe->earliest),
                                                    date(probe, probe->latest))
                                     : "";

    if (oc_verdict_class(probe->verdict) == OC_CLASS_TRUTH && probe->latest)
        return apr_psprintf(probe->pool, "would staple it until %s, and ask again %s",
                            date(probe, probe->verified.usable_until), when);
    if (probe->latest)
        return apr_psprintf(
            probe->pool,
            "would go on with the response that it holds, if it holds a valid one, and ask again %s, then at "
            "growing intervals",
            when);
    return "would not ask, and staple nothing";
}

static void print_times(const probe_t *probe)
{
    const oc_verify_result_t *verified = &probe->verified;

    if (probe->verdict == OC_REVOKED)
        say("revoked", date_and_span(probe, verified->revoked_at));
    if (probe->signer)
        say("signed by", probe->signer);
    if (verified->this_update)
        say("thisUpdate", date_and_span(probe, verified->this_update));
    if (verified->next_update)
        say("nextUpdate", date_and_span(probe, verified->next_update));
    else if (verified->this_update)
        say("nextUpdate", "none");
    if (verified->usable_until)
        say("usable until", date_and_span(probe, verified->usable_until));
}

void probe_tell_outcome(const probe_t *probe)
{
    const char *colour = probe->verdict == OC_GOOD ? "32" : "31", *advice = advice_of(probe);
    const apr_array_header_t *hints = hints_of(probe);
    int i;

    say("verdict", apr_psprintf(probe->pool, "%s: %s%s%s", coloured(probe, colour, probe->name), text_of(probe),
                                *probe->detail ? ": " : "", *probe->detail ? plain(probe, probe->detail) : ""));
    print_times(probe);
    say("the module", consequence_of(probe));
    if (*advice)
        say("what to do", capitalised(probe, advice));
    for (i = 0; i < hints->nelts; i++)
        say(*advice || i > 0 ? "" : "note", APR_ARRAY_IDX(hints, i, const char *));
}

/* ---- JSON ---- */

static const char *json_time(const probe_t *probe, apr_time_t time)
{
    return time ? apr_psprintf(probe->pool, "%" APR_TIME_T_FMT, apr_time_sec(time)) : "null";
}

static const char *json_reason(const probe_t *probe)
{
    return probe->verdict == OC_REVOKED && probe->verified.revocation_reason >= 0
               ? apr_itoa(probe->pool, probe->verified.revocation_reason)
               : "null";
}

void probe_tell_json(const probe_t *probe)
{
    apr_pool_t *pool = probe->pool;
    const oc_verify_result_t *verified = &probe->verified;

#define STRING(text) oc_view_json_string((text), pool)
#define TIME(time) json_time(probe, (time))
    printf("{\"version\":1,\"certificate\":{\"file\":%s,\"subject\":%s,\"serial\":%s,\"not_after\":%s,\"must_staple\":%"
           "s},",
           STRING(probe->certificate_path), STRING(probe->cert->subject), STRING(probe->cert->serial),
           TIME(probe->cert->not_after), probe->cert->must_staple ? "true" : "false");
    printf("\"issuer\":%s,\"issuer_url\":%s,\"responder\":%s,\"proxy\":%s,\"steps\":[%s],", STRING(probe->issuer),
           STRING(probe->issuer_url), STRING(oc_url_public(probe->url, pool)),
           STRING(oc_url_public(probe->proxy, pool)), apr_array_pstrcat(pool, probe->steps, ','));
    printf("\"verdict\":%s,\"text\":%s,\"detail\":%s,\"advice\":%s,\"hints\":%s,\"http_status\":%s,\"elapsed_seconds\":"
           "%.6f,",
           STRING(probe->name), STRING(text_of(probe)), STRING(*probe->detail ? probe->detail : NULL),
           STRING(*advice_of(probe) ? advice_of(probe) : NULL), json_list(hints_of(probe), pool),
           probe->fetched.http_status ? apr_itoa(pool, probe->fetched.http_status) : "null",
           (double)probe->fetched.elapsed / APR_USEC_PER_SEC);
    printf("\"signer\":%s,\"size\":%" APR_SIZE_T_FMT ",\"produced_at\":%s,\"this_update\":%s,\"next_update\":%s,"
           "\"usable_until\":%s,\"revoked_at\":%s,\"revocation_reason\":%s,\"next_request\":[%s,%s]}\n",
           STRING(probe->signer), probe->fetched.der_len, TIME(verified->produced_at), TIME(verified->this_update),
           TIME(verified->next_update), TIME(verified->usable_until), TIME(verified->revoked_at), json_reason(probe),
           TIME(probe->earliest), TIME(probe->latest));
#undef STRING
#undef TIME
}
