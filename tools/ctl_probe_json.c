/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Prints the output of `ocsp-cachectl probe` as one JSON document, when all steps have ended.
 */
#include "ctl_probe.h"

#include "fetch/url.h"
#include "view/view.h"

#include <apr_strings.h>
#include <stdio.h>

typedef struct {
    oc_step_t step;                  /* with copies of its text */
    const apr_array_header_t *lines; /* const char *: of a head; NULL: it is another step */
} kept_step_t;

void probe_keep_step(probe_t *probe, const oc_step_t *step, const apr_array_header_t *lines)
{
    kept_step_t *kept;

    if (!probe->steps)
        probe->steps = apr_array_make(probe->pool, 16, sizeof(kept_step_t));
    kept = apr_array_push(probe->steps);
    kept->step = *step;
    kept->step.what = apr_pstrdup(probe->pool, step->what);
    kept->step.text = apr_pstrdup(probe->pool, step->text);
    kept->lines = lines;
}

static const char *null_if_empty(const char *text)
{
    return *text ? text : NULL;
}

static void put_list(oc_json_t *json, const char *key, const apr_array_header_t *texts)
{
    int i;

    oc_json_array(json, key);
    for (i = 0; i < texts->nelts; i++)
        oc_json_string(json, NULL, APR_ARRAY_IDX(texts, i, const char *));
    oc_json_end(json);
}

static void put_step(oc_json_t *json, const probe_t *probe, const kept_step_t *kept)
{
    const oc_step_t *step = &kept->step;

    oc_json_object(json, NULL);
    oc_json_string(json, "step", probe_step_name(step->kind));
    oc_json_string(json, "verdict", step->verdict == OC_PENDING ? "ok" : oc_verdict_name(step->verdict));
    oc_json_string(json, "what", null_if_empty(step->what));
    if (kept->lines)
        put_list(json, "lines", kept->lines);
    else
        oc_json_string(json, "text", null_if_empty(step->text));
    oc_json_integer(json, "bytes", (apr_int64_t)step->size);
    oc_json_seconds(json, "at_seconds", step->ended - probe->begun);
    oc_json_seconds(json, "took_seconds", step->ended - step->begun);
    oc_json_end(json);
}

static void put_subject(oc_json_t *json, const probe_t *probe)
{
    oc_json_object(json, "certificate");
    oc_json_string(json, "file", probe->certificate_path);
    oc_json_string(json, "subject", probe->cert->subject);
    oc_json_string(json, "serial", probe->cert->serial);
    oc_json_time(json, "not_after", probe->cert->not_after);
    oc_json_bool(json, "must_staple", probe->cert->must_staple);
    oc_json_end(json);
    oc_json_string(json, "issuer", probe->issuer);
    oc_json_string(json, "issuer_url", probe->issuer_url);
    oc_json_string(json, "responder", oc_url_public(probe->url, probe->pool));
    oc_json_string(json, "proxy", oc_url_public(probe->proxy, probe->pool));
}

static void put_steps(oc_json_t *json, const probe_t *probe)
{
    int i;

    oc_json_array(json, "steps");
    for (i = 0; probe->steps && i < probe->steps->nelts; i++)
        put_step(json, probe, &APR_ARRAY_IDX(probe->steps, i, kept_step_t));
    oc_json_end(json);
}

static void put_result(oc_json_t *json, const probe_t *probe)
{
    oc_json_string(json, "verdict", probe->name);
    oc_json_string(json, "text", probe_text(probe));
    oc_json_string(json, "detail", null_if_empty(probe->detail));
    oc_json_string(json, "advice", null_if_empty(probe_advice(probe)));
    put_list(json, "hints", probe_hints(probe));
    if (probe->fetched.http_status)
        oc_json_integer(json, "http_status", probe->fetched.http_status);
    else
        oc_json_null(json, "http_status");
    oc_json_seconds(json, "elapsed_seconds", probe->fetched.elapsed);
}

static void put_response(oc_json_t *json, const probe_t *probe)
{
    const oc_verify_result_t *verified = &probe->verified;

    oc_json_string(json, "signer", probe->signer);
    oc_json_integer(json, "size", (apr_int64_t)probe->fetched.der_len);
    oc_json_time(json, "produced_at", verified->produced_at);
    oc_json_time(json, "this_update", verified->this_update);
    oc_json_time(json, "next_update", verified->next_update);
    oc_json_time(json, "usable_until", probe->signer ? verified->usable_until : 0);
    oc_json_time(json, "revoked_at", verified->revoked_at);
    if (probe->verdict == OC_REVOKED && verified->revocation_reason >= 0)
        oc_json_integer(json, "revocation_reason", verified->revocation_reason);
    else
        oc_json_null(json, "revocation_reason");
}

static void put_certificate(oc_json_t *json, const oc_cert_t *cert)
{
    if (!cert) {
        oc_json_null(json, "certificate");
        return;
    }
    oc_json_object(json, "certificate");
    oc_json_string(json, "subject", cert->subject);
    oc_json_string(json, "serial", cert->serial);
    oc_json_time(json, "not_after", cert->not_after);
    oc_json_bool(json, "must_staple", cert->must_staple);
    oc_json_end(json);
}

/* As the documents of the other commands begin. */
static void begin(oc_json_t *json, const probe_t *probe)
{
    oc_view_json_begin(json, oc_json_to_stream, stdout, probe->ctl->now);
    oc_json_string(json, "command", probe->ctl->command->name);
}

void probe_tell_connection_json(const probe_t *probe)
{
    oc_json_t json;

    begin(&json, probe);
    oc_json_string(&json, "connect", probe->connect);
    oc_json_string(&json, "servername", probe->servername);
    oc_json_string(&json, "address", probe->address);
    oc_json_string(&json, "protocol", probe->protocol);
    put_certificate(&json, probe->cert);
    oc_json_string(&json, "issuer", probe->issuer);
    oc_json_bool(&json, "stapled", probe->fetched.der ? 1 : 0);
    oc_json_string(&json, "verdict", probe->name);
    oc_json_string(&json, "text", probe->text);
    oc_json_string(&json, "detail", null_if_empty(probe->detail));
    oc_json_seconds(&json, "elapsed_seconds", probe->fetched.elapsed);
    put_response(&json, probe);
    oc_json_end(&json);
}

void probe_tell_json(const probe_t *probe)
{
    oc_json_t json;

    begin(&json, probe);
    put_subject(&json, probe);
    put_steps(&json, probe);
    put_result(&json, probe);
    put_response(&json, probe);
    oc_json_array(&json, "next_request");
    oc_json_time(&json, NULL, probe->earliest);
    oc_json_time(&json, NULL, probe->latest);
    oc_json_end(&json);
    oc_json_end(&json);
}
