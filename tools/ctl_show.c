/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl show: all that is known of a certificate, and its response as OpenSSL prints it in a process without
 * rights. No part of a response reaches the terminal unescaped.
 */
#include "ctl_judge.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "ocsp/x509.h"

typedef struct {
    const ctl_t *ctl;
    const ctl_stock_t *stock;
    const apr_array_header_t *rows;
    const ctl_case_t *cases; /* one for each row; der is NULL where there is none */
} show_t;

static const char *date(apr_time_t when, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 32);

    if (when == 0)
        return "-";
    oc_x509_time_text(text, 32, when);
    return text;
}

/* A time, and how far away it is. */
static const char *moment(const ctl_t *ctl, apr_time_t when)
{
    return when == 0
               ? "-"
               : apr_psprintf(ctl->pool, "%s (%s)", date(when, ctl->pool), oc_view_span(when, ctl->now, ctl->pool));
}

/* The output of @a print without terminal control characters: OpenSSL prints some of a response's strings unescaped. */
static const char *text_of(BIO *bio, apr_pool_t *pool)
{
    char *data, *text, *p;
    long len = BIO_get_mem_data(bio, &data);

    text = apr_pstrmemdup(pool, data, (apr_size_t)len);
    for (p = text; p < text + len; p++)
        if ((*p < ' ' || *p > '~') && *p != '\n')
            *p = *p == '\t' ? ' ' : '?';
    return text;
}

/* In the other process. */
static void decode(const ctl_case_t *one, const char **text, const char **pem, apr_pool_t *pool)
{
    const unsigned char *p = one->der;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)one->der_len);
    BIO *printed = BIO_new(BIO_s_mem()), *armoured = BIO_new(BIO_s_mem());

    *text = "This is not an OCSP response.\n";
    *pem = NULL;
    if (response && printed && OCSP_RESPONSE_print(printed, response, 0))
        *text = text_of(printed, pool);
    if (armoured && PEM_write_bio(armoured, "OCSP RESPONSE", "", one->der, (long)one->der_len) > 0)
        *pem = text_of(armoured, pool);
    BIO_free(armoured);
    BIO_free(printed);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
}

static const char *proof(const show_t *show, const ctl_row_t *row, const ctl_case_t *one)
{
    if (!row->entry)
        return apr_pstrcat(show->ctl->pool, "not verified: ", show->stock->manifest_problem, NULL);
    if (one->result.verdict == row->view.verdict)
        return "verified just now";
    return apr_pstrcat(show->ctl->pool, "REJECTED: ", ctl_judge_text(&one->result, show->ctl->pool), NULL);
}

static void print_facts(const show_t *show, const ctl_row_t *row, const ctl_case_t *one)
{
    const ctl_t *ctl = show->ctl;
    const oc_view_t *view = &row->view;
    const char *reason, *hosts = "";
    oc_attention_t attention = oc_view_attention(view, ctl->now, show->stock->expiry_warning, &reason, ctl->pool);
    int i;
    const char *const *url;

    for (i = 0; view->hosts && i < view->hosts->nelts; i++)
        hosts = apr_pstrcat(ctl->pool, hosts, *hosts ? " " : "",
                            oc_view_printable(APR_ARRAY_IDX(view->hosts, i, const char *), ctl->pool), NULL);
    ctl_fold("Hosts:", *hosts ? hosts : "-", 16, ctl_width(ctl->pool));
    printf("Subject:        %s\nSerial:         %s\nExpires:        %s%s\nResponder:      %s\n",
           oc_view_printable(view->subject, ctl->pool), view->serial ? view->serial : "-", moment(ctl, view->not_after),
           view->must_staple ? "; Must-Staple" : "", oc_view_printable(view->url, ctl->pool));
    for (url = view->urls ? view->urls + 1 : NULL; view->url && url && *url; url++)
        printf("                %s, if the one before fails\n", oc_view_printable(*url, ctl->pool));
    printf("Next request:   %s\n", moment(ctl, view->next_request));
    if (view->last_attempt)
        printf("Last attempt:   %s: %s; failures in a row: %u\n", moment(ctl, view->last_attempt),
               oc_verdict_text(view->last), view->failures);
    printf("Stapled:        %s\n", ctl_coloured(ctl,
                                                attention == OC_ATTENTION_NONE      ? CTL_GREEN
                                                : attention == OC_ATTENTION_WARNING ? CTL_YELLOW
                                                                                    : CTL_RED,
                                                oc_view_state(view, ctl->now)));
    if (attention != OC_ATTENTION_NONE)
        ctl_fold(apr_psprintf(ctl->pool, "Attention:      %s:", oc_attention_name(attention)),
                 oc_view_printable(reason, ctl->pool), 16, ctl_width(ctl->pool));
    if (!row->stored)
        return;
    printf("Response:       %s, %" APR_SIZE_T_FMT " bytes, from %s; %s\n", oc_verdict_name(view->verdict), view->size,
           view->origin == OC_ORIGIN_FILE     ? "a file"
           : view->origin == OC_ORIGIN_SHARED ? "another server"
                                              : "the responder",
           proof(show, row, one));
    printf("This update:    %s\nNext update:    %s\nUsable until:   %s\nFetched at:     %s\n\n",
           moment(ctl, view->this_update), moment(ctl, view->next_update), moment(ctl, view->usable_until),
           moment(ctl, view->fetched_at));
}

static void put_response(oc_json_t *json, const show_t *show, int i)
{
    const ctl_row_t *row = APR_ARRAY_IDX(show->rows, i, const ctl_row_t *);
    const char *text, *pem;

    if (!show->cases[i].der) {
        oc_json_null(json, "response");
        return;
    }
    decode(&show->cases[i], &text, &pem, show->ctl->pool);
    oc_json_object(json, "response");
    oc_json_string(json, "verdict", row->entry ? oc_verdict_name(show->cases[i].result.verdict) : NULL);
    oc_json_string(json, "pem", pem);
    oc_json_string(json, "text", text);
    oc_json_end(json);
}

static void print_json(const show_t *show)
{
    const ctl_t *ctl = show->ctl;
    oc_json_t json;
    int i;

    ctl_stock_json(&json, ctl, show->stock);
    oc_json_array(&json, "certificates");
    for (i = 0; i < show->rows->nelts; i++) {
        const ctl_row_t *row = APR_ARRAY_IDX(show->rows, i, const ctl_row_t *);

        oc_json_object(&json, NULL);
        oc_view_json(&json, "certificate", &row->view, ctl->now, show->stock->expiry_warning, ctl->pool);
        put_response(&json, show, i);
        oc_json_end(&json);
    }
    oc_json_end(&json);
    oc_json_end(&json);
}

static int print(void *data)
{
    const show_t *show = data;
    const char *text, *pem;
    int i;

    if (ctl_is_json(show->ctl)) {
        print_json(show);
        return CTL_OK;
    }
    for (i = 0; i < show->rows->nelts; i++) {
        if (i > 0)
            printf("\n");
        print_facts(show, APR_ARRAY_IDX(show->rows, i, const ctl_row_t *), &show->cases[i]);
        if (!show->cases[i].der)
            continue;
        decode(&show->cases[i], &text, &pem, show->ctl->pool);
        printf("%s", text);
    }
    return CTL_OK;
}

/* A case for each row, which takes its result; those without a response are not judged. */
static int judge(const ctl_t *ctl, const ctl_stock_t *stock, const apr_array_header_t *rows, ctl_case_t *cases)
{
    int i, status = CTL_OK;

    for (i = 0; status == CTL_OK && i < rows->nelts; i++) {
        ctl_row_t *row = APR_ARRAY_IDX(rows, i, ctl_row_t *);

        if (!row->stored)
            continue;
        cases[i] = ctl_case_of(row);
        if (row->entry && (status = ctl_judge(ctl, stock, &cases[i], 1)) == CTL_OK)
            ctl_judge_take(ctl, row, &cases[i]);
    }
    return status;
}

static int run(ctl_t *ctl)
{
    show_t show = {.ctl = ctl};
    apr_array_header_t *rows;
    ctl_case_t *cases;
    ctl_stock_t stock;
    int status, ended = CTL_OK;

    if (ctl->arguments->nelts == 0)
        return ctl_usage(ctl, "name a host or a serial");
    status = ctl_stock_open(ctl, &stock, &rows, 0);
    if (status != CTL_OK)
        return status;
    cases = apr_pcalloc(ctl->pool, (apr_size_t)rows->nelts * sizeof(*cases));
    status = judge(ctl, &stock, rows, cases);
    if (status != CTL_OK)
        return status;
    show.stock = &stock;
    show.rows = rows;
    show.cases = cases;
    status = ctl_apart(ctl, print, &show, &ended);
    return status != CTL_OK ? status : ended;
}

static const ctl_option_t options[] = {CTL_OPTIONS_END};

const ctl_command_t ctl_show = {.name = "show",
                                .arguments = "HOST|SERIAL...",
                                .summary = "Show everything known about a certificate, and decode its response",
                                .help =
                                    "The response is verified and decoded by OpenSSL, in an unprivileged process.\n",
                                .options = options,
                                .run = run};
