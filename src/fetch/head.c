/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads a head byte by byte for http.c. Every byte may be hostile and may come alone, so a fault is found at the first
 * byte that shows it, not at the end of a line that may never come. It must never read on once it has a verdict.
 */
#include "head.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define YEAR apr_time_from_sec(31536000)
#define CONTENT_TYPE "application/ocsp-response"

__attribute__((format(printf, 3, 4))) static void head_reject(oc_head_t *head, oc_verdict_t verdict, const char *format,
                                                              ...)
{
    va_list args;

    if (head->verdict != OC_PENDING)
        return; /* the first fault found is the cause; what follows may be its effect */
    head->verdict = verdict;
    va_start(args, format);
    (void)apr_vsnprintf(head->detail, sizeof(head->detail), format, args);
    va_end(args);
}

/* delta-seconds (RFC 9111 section 1.2.2): digits only, else 0; anything above a year is a year. */
static apr_interval_time_t head_seconds(const char *text)
{
    apr_interval_time_t seconds = 0;

    if (!apr_isdigit(*text))
        return 0;
    for (; apr_isdigit(*text); text++)
        if (seconds < apr_time_sec(YEAR))
            seconds = seconds * 10 + (*text - '0');
    if (*text != '\0' && *text != ',' && *text != ' ' && *text != '\t' && *text != '"')
        return 0;
    return seconds < apr_time_sec(YEAR) ? apr_time_from_sec(seconds) : YEAR;
}

static void head_take_cache_control(oc_head_t *head, const char *value)
{
    static const char directive[] = "max-age=";
    const char *p = value;

    while (p != NULL) {
        p += strspn(p, " \t,");
        if (apr_cstr_casecmpn(p, directive, sizeof(directive) - 1) == 0) {
            p += sizeof(directive) - 1;
            head->max_age = head_seconds(*p == '"' ? p + 1 : p);
            return;
        }
        p = strchr(p, ',');
    }
}

/* RFC 9112 section 6.3: two lengths, or one that is not a number, make the framing unreliable. */
static void head_take_length(oc_head_t *head, const char *value)
{
    apr_int64_t length;
    char *end;

    errno = 0;
    length = apr_strtoi64(value, &end, 10);
    if (!apr_isdigit(*value) || *end != '\0') {
        head_reject(head, OC_HTTP_MALFORMED, "Content-Length: %.40s", value);
        return;
    }
    if (errno != 0)
        length = APR_INT64_MAX;
    if (head->length >= 0 && head->length != length)
        head_reject(head, OC_HTTP_MALFORMED, "two different Content-Length headers");
    head->length = length;
}

/* A list of options, possibly over several headers. */
static void head_take_connection(oc_head_t *head, const char *value)
{
    static const char separators[] = " \t,";
    const char *p = value + strspn(value, separators);

    while (*p != '\0') {
        apr_size_t len = strcspn(p, separators);

        if (len == strlen("close") && apr_cstr_casecmpn(p, "close", len) == 0)
            head->closes = 1;
        else if (len == strlen("keep-alive") && apr_cstr_casecmpn(p, "keep-alive", len) == 0)
            head->persists = 1;
        p += len;
        p += strspn(p, separators);
    }
}

static void head_take_field(oc_head_t *head, const char *name, const char *value)
{
    if (apr_cstr_casecmp(name, "Content-Type") == 0) {
        (void)apr_cpystrn(head->content_type, value, sizeof(head->content_type));
    }
    else if (apr_cstr_casecmp(name, "Content-Length") == 0) {
        head_take_length(head, value);
    }
    else if (apr_cstr_casecmp(name, "Transfer-Encoding") == 0) {
        if (head->transfer_encoding[0] != '\0')
            head_reject(head, OC_HTTP_MALFORMED, "two Transfer-Encoding headers");
        (void)apr_cpystrn(head->transfer_encoding, value, sizeof(head->transfer_encoding));
    }
    else if (apr_cstr_casecmp(name, "Content-Encoding") == 0) {
        (void)apr_cpystrn(head->content_encoding, value, sizeof(head->content_encoding));
    }
    else if (apr_cstr_casecmp(name, "Location") == 0) {
        (void)apr_cpystrn(head->location, value, sizeof(head->location));
    }
    else if (apr_cstr_casecmp(name, "Retry-After") == 0) {
        head->retry_after = head_seconds(value);
    }
    else if (apr_cstr_casecmp(name, "Cache-Control") == 0) {
        head_take_cache_control(head, value);
    }
    else if (apr_cstr_casecmp(name, "Connection") == 0) {
        head_take_connection(head, value);
    }
}

/* "HTTP/1.1 200 OK". The reason goes to the log. */
static void head_take_status_line(oc_head_t *head, const char *line)
{
    const char *code = line + strlen("HTTP/1.x");

    if (strlen(line) < strlen("HTTP/1.x 200") || !apr_isdigit(line[7]) || *code != ' ') {
        head_reject(head, OC_HTTP_MALFORMED, "status line \"%.60s\"", line);
        return;
    }
    code += strspn(code, " ");
    if (!apr_isdigit(code[0]) || !apr_isdigit(code[1]) || !apr_isdigit(code[2]) || (code[3] != '\0' && code[3] != ' ')
        || code[0] == '0') {
        head_reject(head, OC_HTTP_MALFORMED, "status line \"%.60s\"", line);
        return;
    }
    head->status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    head->is_http_1_0 = line[7] == '0';
    head->persists = !head->is_http_1_0;
    if (head->status != 200) {
        /* Judged at the end of the head: a redirect's Location is still to come. */
        (void)apr_snprintf(head->detail, sizeof(head->detail), "HTTP status %.100s", code);
    }
}

/* Redirects are not followed: RFC 5019 does not need them, and the certificate or the administrator chooses the
 * responder, not the network. The log shows the Location, for SSLStaplingForceURL. */
static void head_judge_status(oc_head_t *head)
{
    int status = head->status;

    if (status == 200)
        return;
    if (head->location[0] != '\0'
        && (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)) {
        head_reject(head, OC_HTTP_REDIRECT, "HTTP status %d to %s", status, head->location);
        return;
    }
    head->verdict = OC_HTTP_STATUS; /* detail: from the status line */
}

/* The media type in any case, with any parameters (RFC 9110 section 8.3.1). No Content-Type is accepted: some old
 * responders send none, and verification decides on the content anyway. */
static void head_judge_type(oc_head_t *head)
{
    const char *type = head->content_type;
    const char *rest;

    if (head->content_encoding[0] != '\0' && apr_cstr_casecmp(head->content_encoding, "identity") != 0)
        head_reject(head, OC_CONTENT_TYPE, "Content-Encoding: %s", head->content_encoding);
    if (*type == '\0')
        return;
    rest = type + sizeof(CONTENT_TYPE) - 1;
    if (apr_cstr_casecmpn(type, CONTENT_TYPE, sizeof(CONTENT_TYPE) - 1) != 0
        || (*rest != '\0' && *rest != ';' && *rest != ' ' && *rest != '\t'))
        head_reject(head, OC_CONTENT_TYPE, "Content-Type: %s", type);
}

/* RFC 9112 section 6.3: reject what two readers may frame differently. */
static void head_judge_framing(oc_head_t *head)
{
    if (head->closes || (head->is_http_1_0 && head->transfer_encoding[0] != '\0')) /* the latter: section 6.1 */
        head->persists = 0;
    if (head->transfer_encoding[0] == '\0' || apr_cstr_casecmp(head->transfer_encoding, "identity") == 0)
        return;
    if (apr_cstr_casecmp(head->transfer_encoding, "chunked") != 0)
        head_reject(head, OC_HTTP_MALFORMED, "Transfer-Encoding: %s", head->transfer_encoding);
    if (head->length >= 0)
        head_reject(head, OC_HTTP_MALFORMED, "both Transfer-Encoding and Content-Length");
    head->chunked = 1;
}

/* The line that ends before @a end. Of a long one the beginning will do. */
static void head_end_line(oc_head_t *head, apr_size_t end)
{
    apr_size_t len = end - head->line;
    char line[512];
    char *colon, *value, *tail;

    (void)apr_cpystrn(line, head->text + head->line, len < sizeof(line) ? len + 1 : sizeof(line));
    if (head->status == 0) {
        head_take_status_line(head, line);
    }
    else if (len == 0) {
        head->done = 1;
        head_judge_status(head);
        head_judge_type(head);
        head_judge_framing(head);
    }
    else if (line[0] == ':') {
        head_reject(head, OC_HTTP_MALFORMED, "a header without a name");
    }
    else if ((colon = strchr(line, ':'))) {
        *colon = '\0';
        value = colon + 1 + strspn(colon + 1, " \t");
        for (tail = value + strlen(value); tail > value && (tail[-1] == ' ' || tail[-1] == '\t'); tail--)
            tail[-1] = '\0';
        head_take_field(head, line, value);
    }
    head->line = head->size;
    head->after_cr = 0;
}

/* Other protocols are recognized by their first bytes. */
static void head_check_beginning(oc_head_t *head)
{
    static const char version[] = "HTTP/1.";
    apr_size_t seen = head->size < sizeof(version) - 1 ? head->size : sizeof(version) - 1;

    if (memcmp(head->text, version, seen) != 0) {
        head_reject(head, OC_HTTP_MALFORMED, "the answer does not begin with HTTP/1. but with \"%.*s\"", (int)seen,
                    head->text);
    }
}

static void head_take_byte(oc_head_t *head, char c)
{
    head->text[head->size++] = c;
    head->text[head->size] = '\0';
    if (c == '\n') {
        head_end_line(head, head->size - 1 - (apr_size_t)head->after_cr);
    }
    else if (head->after_cr || (c != '\r' && apr_iscntrl(c) && c != '\t')) {
        head_reject(head, OC_HTTP_MALFORMED, "a control character in the head");
    }
    else if (c == '\r') {
        head->after_cr = 1;
    }
    else if (head->size - head->line > OC_HEAD_LINE_MAX) {
        head_reject(head, OC_HTTP_MALFORMED, "a head line longer than %d bytes", OC_HEAD_LINE_MAX);
    }
    else if (head->status == 0) {
        head_check_beginning(head);
    }
}

void oc_head_start(oc_head_t *head)
{
    memset(head, 0, sizeof(*head));
    head->length = -1;
}

apr_size_t oc_head_take(oc_head_t *head, const char *data, apr_size_t n)
{
    apr_size_t used = 0;

    while (used < n && !head->done && head->verdict == OC_PENDING) {
        if (head->size == OC_HEAD_MAX) {
            head_reject(head, OC_HTTP_MALFORMED, "the head is longer than %d bytes", OC_HEAD_MAX);
            break;
        }
        head_take_byte(head, data[used++]);
    }
    return used;
}
