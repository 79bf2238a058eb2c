/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Draws the lifetime of a response as an inline SVG. Positions are percentages of the width, so nothing is distorted in
 * a narrow window.
 */
#include "view/timeline.h"

#include "ocsp/x509.h"

#include <apr_strings.h>
#include <string.h>

typedef struct {
    apr_time_t begin;
    apr_time_t end;
} scale_t;

/* From 1 to 99 percent, so that a mark at an edge is not cut off. */
static double place(const scale_t *scale, apr_time_t time)
{
    double part = ((double)time - (double)scale->begin) / ((double)scale->end - (double)scale->begin);

    if (!(part > 0))
        part = 0;
    return 1 + 98 * (part < 1 ? part : 1);
}

static scale_t scale_of(const oc_view_t *view, apr_time_t now)
{
    scale_t scale = {now, now};

    if (view->this_update > 0 && view->this_update < now)
        scale.begin = view->this_update;
    if (view->usable_until > scale.end)
        scale.end = view->usable_until;
    if (view->next_update > scale.end)
        scale.end = view->next_update;
    if (scale.end - scale.begin < APR_USEC_PER_SEC)
        scale.end = scale.begin + APR_USEC_PER_SEC;
    return scale;
}

const char *oc_timeline_time(apr_time_t time, apr_pool_t *pool)
{
    char text[32];

    if (time == 0)
        return "-";
    oc_x509_time_text(text, sizeof(text), time);
    if (strlen(text) != strlen("2026-01-31T12:00:00Z")) /* a year beyond 9999 */
        return apr_pstrdup(pool, text);
    text[10] = ' ';
    text[19] = '\0';
    return apr_pstrcat(pool, text, " UTC", NULL);
}

/* The drawing in words: for screen readers, and as its title. */
static const char *words(const oc_view_t *view, apr_time_t now, apr_pool_t *pool)
{
    const char *next = view->next_request <= now
                           ? "next refresh: due now"
                           : apr_psprintf(pool, "next refresh in %s", oc_view_span(view->next_request, now, pool));

    if (view->lacks_issuer)
        return "No response: the certificate of the issuer is missing";
    if (!view->is_refreshed)
        return "No response: no responder can be queried";
    if (!view->has_record)
        return apr_pstrcat(pool, "No response yet; ", next, NULL);
    return apr_psprintf(pool, "thisUpdate %s; nextUpdate %s; usable until %s (%s); %s",
                        oc_timeline_time(view->this_update, pool), oc_timeline_time(view->next_update, pool),
                        oc_timeline_time(view->usable_until, pool), oc_view_left(view->usable_until, now, pool), next);
}

/* The class that the style sheet colours. */
static const char *kind_of(const oc_view_t *view)
{
    if (!view->has_record || view->verdict == OC_GOOD)
        return "good";
    return view->verdict == OC_REVOKED ? "revoked" : "error";
}

const char *oc_timeline_svg(const oc_view_t *view, apr_time_t now, apr_pool_t *pool)
{
    const char *text = words(view, now, pool), *bars = "", *next = "";
    scale_t scale = scale_of(view, now);
    double begin, end, at = place(&scale, now);

    if (view->has_record) {
        begin = place(&scale, view->this_update ? view->this_update : view->fetched_at);
        end = place(&scale, view->usable_until);
        bars = apr_psprintf(pool,
                            "<rect class=\"t-life\" x=\"%.2f%%\" y=\"8\" width=\"%.2f%%\" height=\"6\" rx=\"3\"/>"
                            "<rect class=\"t-past\" x=\"%.2f%%\" y=\"8\" width=\"%.2f%%\" height=\"6\" rx=\"3\"/>",
                            begin, end > begin ? end - begin : 0, begin,
                            (at < end ? at : end) > begin ? (at < end ? at : end) - begin : 0);
        if (view->is_refreshed && view->next_request && view->next_request <= scale.end)
            next = apr_psprintf(pool, "<circle class=\"t-next\" cx=\"%.2f%%\" cy=\"11\" r=\"4\"/>",
                                place(&scale, view->next_request > now ? view->next_request : now));
        next = apr_psprintf(pool, "%s<rect class=\"t-now\" x=\"%.2f%%\" y=\"2\" width=\"2\" height=\"18\"/>", next, at);
    }
    return apr_pstrcat(pool, "<svg class=\"timeline ", kind_of(view), "\" role=\"img\" height=\"22\" aria-label=\"",
                       text, "\"><title>", text,
                       "</title><line class=\"t-axis\" x1=\"1%\" x2=\"99%\" y1=\"11\" y2=\"11\"/>", bars, next,
                       "</svg>", NULL);
}
