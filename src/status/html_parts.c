/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The building blocks of the HTML pages. Text from certificates, URLs and the configuration is escaped here.
 */
#include "html_parts.h"

#include "assets.h"
#include "version.h"
#include "base/hex.h"
#include "status/post.h"
#include "view/timeline.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

void oc_status_open_page(const oc_status_request_t *request, const char *title)
{
    request_rec *r = request->r;
    const char *server = ap_escape_html(r->pool, ap_get_server_name(r));
    oc_query_t machine = request->query;
    const char *json;

    machine.format = OC_FORMAT_JSON;
    machine.page = 1;
    json = oc_status_query_link(&machine, r->pool);
    ap_rvputs(
        r,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n<title>",
        ap_escape_html(r->pool, title), " - ", server, "</title>\n<style>", oc_assets_style, "</style>\n</head>\n",
        NULL);
    ap_rvputs(
        r,
        "<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header><div><h1>OCSP stapling</h1>\n"
        "<p><bdi>",
        server, "</bdi> &middot; <span id=\"as-of\" data-part>as of <time>", oc_timeline_time(request->now, r->pool),
        "</time></span></p></div>\n<div class=\"tools\"><a href=\"", json,
        "\">JSON</a> <a href=\"?format=prometheus\">Prometheus</a> <button id=\"live\" type=\"button\" "
        "aria-pressed=\"true\" hidden>Live</button></div></header>\n<main id=\"content\" tabindex=\"-1\">\n"
        "<p class=\"notice bad\" id=\"trouble\" role=\"alert\"></p>\n",
        NULL);
}

void oc_status_close_page(const oc_status_request_t *request)
{
    ap_rvputs(request->r, "</main>\n<footer>mod_ocsp_cache " OC_VERSION "</footer>\n<script>", oc_assets_script,
              "</script>\n</body>\n</html>\n", NULL);
}

const char *oc_status_badge(const oc_view_t *view, apr_time_t now, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "<span class=\"badge ", oc_query_group_name(oc_query_group(view, now)), "\">",
                       oc_view_state(view, now), "</span>", NULL);
}

const char *oc_status_time(apr_time_t time, apr_time_t now, apr_pool_t *pool)
{
    if (time == 0)
        return "-";
    return apr_pstrcat(pool, "<time title=\"", oc_timeline_time(time, pool), "\">", oc_view_span(time, now, pool),
                       "</time>", NULL);
}

const char *oc_status_text(const char *text, apr_pool_t *pool)
{
    return text ? apr_pstrcat(pool, "<bdi>", ap_escape_html(pool, text), "</bdi>", NULL) : "-";
}

/* A line may break after a dot, and nowhere within the port. */
const char *oc_status_host(const char *host, apr_pool_t *pool)
{
    const char *text = oc_view_host_text(host, pool);
    const char *rest, *out = "";

    if (!text)
        return "-";
    text = ap_escape_html(pool, text);
    for (rest = strchr(text, '.'); rest; rest = strchr(text, '.')) {
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, text, (apr_size_t)(rest - text) + 1), "<wbr>", NULL);
        text = rest + 1;
    }
    return apr_pstrcat(pool, "<bdi class=\"host\">", out, text, "</bdi>", NULL);
}

const char *oc_status_group_word(oc_group_t group)
{
    static const char *const words[OC_GROUPS] = {[OC_GROUP_GOOD] = "good",
                                                 [OC_GROUP_REVOKED] = "revoked",
                                                 [OC_GROUP_ERROR] = "responder error",
                                                 [OC_GROUP_NONE] = "without response",
                                                 [OC_GROUP_NO_ISSUER] = "without issuer",
                                                 [OC_GROUP_NO_RESPONDER] = "without responder"};

    return (unsigned)group < OC_GROUPS ? words[group] : "";
}

const char *oc_status_link(const oc_view_t *view, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "?id=", oc_hex_print(view->id, sizeof(view->id), pool), NULL);
}

const char *oc_status_query_link(const oc_query_t *query, apr_pool_t *pool)
{
    return ap_escape_html(pool, oc_query_print(query, pool));
}

const char *oc_status_button(const oc_status_request_t *request, const oc_view_t *view, apr_pool_t *pool)
{
    const char *token = oc_status_post_token(request->r, request->now, pool);

    if (!token || !request->is_active || (view && !view->is_refreshed))
        return "";
    return apr_pstrcat(
        pool, "<form class=\"again\" method=\"post\" action=\"?\"><input type=\"hidden\" name=\"token\" value=\"",
        token, "\"><button name=\"id\" value=\"", view ? oc_hex_print(view->id, sizeof(view->id), pool) : "all",
        view ? "\">Refresh now</button></form>" : "\">Refresh all</button></form>", NULL);
}

void oc_status_print_notice(const oc_status_request_t *request)
{
    static const char *const texts[OC_NOTICES] = {
        [OC_NOTICE_ONE] = "A refresh was requested. The response appears here as soon as the responder answers.",
        [OC_NOTICE_ALL] =
            "A refresh of all certificates was requested. Responses appear here as the responders answer.",
        [OC_NOTICE_EARLY] = "A refresh was requested less than ten seconds ago. Wait a moment before the next one.",
        [OC_NOTICE_EARLY_ALL] =
            "A refresh of all certificates was requested less than a minute ago. Wait a moment before the next one."};
    const char *text = texts[request->query.notice];

    if (text)
        ap_rvputs(request->r, "<p class=\"notice\" role=\"status\">", text, "</p>\n", NULL);
}
