/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status_html_parts: what the pages for people are made of: frame, badge, time, link, button. All text that is not ours is escaped here.
 */
#ifndef OC_STATUS_HTML_PARTS_H
#define OC_STATUS_HTML_PARTS_H

#include "status/request.h"

/** The page up to and into <main>. @param title  of the document, not escaped yet */
void oc_status_open_page(const oc_status_request_t *request, const char *title);
void oc_status_close_page(const oc_status_request_t *request);

/** <span class="badge">: the certificate's state. From @a pool, like the strings below. */
const char *oc_status_badge(const oc_view_t *view, apr_time_t now, apr_pool_t *pool);

/** <time>: a span from now in words, the time itself on pointing at it. */
const char *oc_status_time(apr_time_t time, apr_time_t now, apr_pool_t *pool);

/** @a text, escaped, kept apart from its neighbours' direction of writing. NULL: "-" */
const char *oc_status_text(const char *text, apr_pool_t *pool);

/** The page of one certificate, for href. */
const char *oc_status_link(const oc_view_t *view, apr_pool_t *pool);

/** @a query's page, for href. */
const char *oc_status_query_link(const oc_query_t *query, apr_pool_t *pool);

/** A button that asks for one certificate again, NULL: for all; "" where that is off. */
const char *oc_status_button(const oc_status_request_t *request, const oc_view_t *view, apr_pool_t *pool);

/** What a POST came to, where the query says so. */
void oc_status_print_told(const oc_status_request_t *request);

#endif
