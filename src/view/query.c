/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The arguments of the status page. Unknown ones are errors: a misspelt argument that is ignored would show the wrong
 * certificates.
 */
#include "view/query.h"

#include "base/hex.h"

#include <apr_escape.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 1000000

static const char *const group_names[OC_GROUPS + 1] = {"good",      "revoked",      "error", "none",
                                                       "no-issuer", "no-responder", ""};
static const char *const sort_names[OC_SORTS] = {"",     "host", "subject",  "state",
                                                 "left", "next", "failures", "attention"};
static const char *const format_names[OC_FORMATS] = {"html", "json", "prometheus", "der"};
static const char *const notice_names[OC_NOTICES] = {"", "one", "all", "early", "early-all"};

/* ---- names ---- */

oc_group_t oc_query_group(const oc_view_t *view, apr_time_t now)
{
    if (!oc_view_is_stapled(view, now))
        return view->lacks_issuer ? OC_GROUP_NO_ISSUER : view->is_refreshed ? OC_GROUP_NONE : OC_GROUP_NO_RESPONDER;
    switch (view->verdict) {
    case OC_GOOD:
        return OC_GROUP_GOOD;
    case OC_REVOKED:
        return OC_GROUP_REVOKED;
    default:
        return OC_GROUP_ERROR;
    }
}

const char *oc_query_group_name(oc_group_t group)
{
    return group_names[(unsigned)group < OC_GROUPS ? group : OC_GROUPS];
}

const char *oc_query_sort_name(oc_sort_t sort)
{
    return sort_names[(unsigned)sort < OC_SORTS ? sort : OC_SORT_CONFIGURATION];
}

/* The index of @a word in @a names; -1: it is not there. */
static int find(const char *const *names, int n, const char *word)
{
    int i;

    for (i = 0; i < n; i++)
        if (strcmp(names[i], word) == 0)
            return i;
    return -1;
}

/* ---- arguments ---- */

static int parse_sort(oc_query_t *query, const char *value)
{
    int is_descending = *value == '-', sort = find(sort_names, OC_SORTS, value + is_descending);

    query->is_descending = is_descending && sort > 0;
    query->sort = sort > 0 ? (oc_sort_t)sort : OC_SORT_CONFIGURATION;
    return sort > 0 || (sort == 0 && !is_descending);
}

static int parse_page(oc_query_t *query, const char *value)
{
    char *end;
    apr_int64_t page = apr_strtoi64(value, &end, 10);

    if (end == value || *end || page < 1 || page > PAGE_MAX)
        return 0;
    query->page = (unsigned)page;
    return 1;
}

/* One argument. @return 1; 0: wrong value; -1: unknown argument */
static int parse_one(oc_query_t *query, const char *name, const char *value)
{
    int i;

    if (strcmp(name, "q") == 0) {
        query->text = value;
        return strlen(value) <= OC_QUERY_TEXT_MAX;
    }
    if (strcmp(name, "state") == 0) {
        i = find(group_names, OC_GROUPS + 1, value);
        query->group = i >= 0 ? (oc_group_t)i : OC_GROUP_ANY;
        return i >= 0;
    }
    if (strcmp(name, "format") == 0) {
        i = find(format_names, OC_FORMATS, value);
        query->format = i >= 0 ? (oc_format_t)i : OC_FORMAT_HTML;
        return i >= 0;
    }
    if (strcmp(name, "attention") == 0) {
        query->wants_attention = strcmp(value, "1") == 0;
        return query->wants_attention || strcmp(value, "0") == 0;
    }
    if (strcmp(name, "notice") == 0) {
        i = find(notice_names, OC_NOTICES, value);
        query->notice = i > 0 ? (oc_notice_t)i : OC_NOTICE_NONE;
        return i > 0;
    }
    if (strcmp(name, "id") == 0)
        return query->has_id = oc_hex_read(value, query->id, sizeof(query->id));
    if (strcmp(name, "sort") == 0)
        return parse_sort(query, value);
    if (strcmp(name, "page") == 0)
        return parse_page(query, value);
    return -1;
}

const char *oc_query_parse(oc_query_t *query, const char *arguments, apr_pool_t *pool)
{
    char *rest, *pair;

    *query = (oc_query_t){.text = "", .group = OC_GROUP_ANY, .page = 1};
    for (pair = apr_strtok(apr_pstrdup(pool, arguments ? arguments : ""), "&", &rest); pair;
         pair = apr_strtok(NULL, "&", &rest)) {
        char *equals = strchr(pair, '=');
        const char *value = equals ? apr_punescape_url(pool, equals + 1, NULL, NULL, 1) : "";
        int known;

        if (equals)
            *equals = '\0';
        if (!value)
            return apr_psprintf(pool, "The argument %s is not URL-encoded.", oc_view_printable(pair, pool));
        known = parse_one(query, pair, value);
        if (known < 0)
            return apr_psprintf(pool,
                                "Unknown argument %s. The arguments are: q, state, attention, sort, page, id, format "
                                "(html, json, prometheus, der).",
                                oc_view_printable(pair, pool));
        if (known == 0)
            return apr_psprintf(pool, "The argument %s cannot be %s.", oc_view_printable(pair, pool),
                                *value ? oc_view_printable(value, pool) : "empty");
    }
    if (query->format == OC_FORMAT_DER && !query->has_id)
        return "The format der needs the argument id: the fingerprint of a certificate.";
    return NULL;
}

const char *oc_query_print(const oc_query_t *query, apr_pool_t *pool)
{
    const char *out = "?";

    if (query->has_id)
        out = apr_pstrcat(pool, out, "&id=", oc_hex_print(query->id, sizeof(query->id), pool), NULL);
    if (*query->text)
        out = apr_pstrcat(pool, out, "&q=", apr_pescape_urlencoded(pool, query->text), NULL);
    if (query->group != OC_GROUP_ANY)
        out = apr_pstrcat(pool, out, "&state=", oc_query_group_name(query->group), NULL);
    if (query->wants_attention)
        out = apr_pstrcat(pool, out, "&attention=1", NULL);
    if (query->sort != OC_SORT_CONFIGURATION)
        out =
            apr_pstrcat(pool, out, query->is_descending ? "&sort=-" : "&sort=", oc_query_sort_name(query->sort), NULL);
    if (query->page > 1)
        out = apr_psprintf(pool, "%s&page=%u", out, query->page);
    if (query->format != OC_FORMAT_HTML)
        out = apr_pstrcat(pool, out, "&format=", format_names[query->format], NULL);
    return out[1] ? apr_pstrcat(pool, "?", out + 2, NULL) : out;
}

/* ---- which ---- */

int oc_query_is_filter(const oc_query_t *query)
{
    return *query->text || query->group != OC_GROUP_ANY || query->wants_attention || query->has_id;
}

static int contains(const char *text, const char *part)
{
    apr_size_t len = strlen(part);

    for (; text && *text; text++)
        if (strncasecmp(text, part, len) == 0)
            return 1;
    return 0;
}

static int has_text(const oc_view_t *view, const char *text)
{
    char id[2 * OC_CERT_ID_LEN + 1];
    int i;

    if (contains(view->host, text) || contains(view->subject, text) || contains(view->serial, text)
        || contains(view->url, text))
        return 1;
    for (i = 0; view->hosts && i < view->hosts->nelts; i++)
        if (contains(APR_ARRAY_IDX(view->hosts, i, const char *), text))
            return 1;
    return contains(oc_hex_put(id, view->id, sizeof(view->id)), text);
}

int oc_query_matches(const oc_query_t *query, const oc_view_t *view, apr_time_t now, oc_attention_t attention)
{
    if (query->has_id && memcmp(query->id, view->id, sizeof(view->id)) != 0)
        return 0;
    if (query->wants_attention && attention == OC_ATTENTION_NONE)
        return 0;
    if (query->group != OC_GROUP_ANY && oc_query_group(view, now) != query->group)
        return 0;
    return !*query->text || has_text(view, query->text);
}

/* ---- in what order ---- */

oc_rank_t oc_query_rank(const oc_query_t *query, const oc_view_t *view, apr_time_t now, oc_attention_t attention,
                        unsigned ordinal)
{
    int is_stapled = oc_view_is_stapled(view, now);
    oc_rank_t rank = {"", 0, ordinal};

    switch (query->sort) {
    case OC_SORT_HOST:
        rank.text = view->host ? view->host : "";
        break;
    case OC_SORT_SUBJECT:
        rank.text = view->subject ? view->subject : "";
        break;
    case OC_SORT_STATE:
        rank.number = oc_query_group(view, now);
        break;
    case OC_SORT_LEFT:
        rank.number = is_stapled ? view->usable_until : 0;
        break;
    case OC_SORT_NEXT:
        rank.number = view->next_request;
        break;
    case OC_SORT_FAILURES:
        rank.number = view->failures;
        break;
    case OC_SORT_ATTENTION:
        rank.number = -(apr_int64_t)attention;
        break;
    case OC_SORT_CONFIGURATION:
    case OC_SORTS:
        break;
    }
    return rank;
}

static int compare(const oc_rank_t *a, const oc_rank_t *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return strcasecmp(a->text, b->text);
}

static int by_ordinal(const oc_rank_t *a, const oc_rank_t *b)
{
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

static int ascending(const void *a, const void *b)
{
    int order = compare(a, b);

    return order ? order : by_ordinal(a, b);
}

static int descending(const void *a, const void *b)
{
    int order = compare(b, a);

    return order ? order : by_ordinal(a, b);
}

void oc_query_sort(const oc_query_t *query, apr_array_header_t *ranks)
{
    if (ranks->nelts > 1)
        qsort(ranks->elts, (size_t)ranks->nelts, sizeof(oc_rank_t), query->is_descending ? descending : ascending);
}
