/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The building blocks of the HTML pages: frame, badge, time, link, button. Text from outside is escaped here.
 */
#ifndef OC_STATUS_HTML_PARTS_H
#define OC_STATUS_HTML_PARTS_H

#include "request.h"

/** The page up to and into <main>. @param title  of the document, not escaped yet */
void oc_status_open_page(const oc_status_request_t *request, const char *title);
void oc_status_close_page(const oc_status_request_t *request);

/** <span class="badge">: the certificate's state. From @a pool, like the strings below. */
const char *oc_status_badge(const oc_view_t *view, apr_time_t now, apr_pool_t *pool);

/** <time>: the span from now in words, with the time itself as its title. */
const char *oc_status_time(apr_time_t time, apr_time_t now, apr_pool_t *pool);

/** @a text, escaped, isolated from the writing direction of its neighbours. NULL: "-" */
const char *oc_status_text(const char *text, apr_pool_t *pool);

/** A host's name, and its port unless that is 443, escaped. NULL: "-" */
const char *oc_status_host(const char *host, apr_pool_t *pool);

/** A state in words, static. */
const char *oc_status_group_word(oc_group_t group);

/** The page of one certificate, for href. */
const char *oc_status_link(const oc_view_t *view, apr_pool_t *pool);

/** @a query's page, for href. */
const char *oc_status_query_link(const oc_query_t *query, apr_pool_t *pool);

/** A button that refreshes one certificate, or all (NULL); "" where that is off or cannot be. */
const char *oc_status_button(const oc_status_request_t *request, const oc_view_t *view, apr_pool_t *pool);

/** The notice that the query names, after a POST. */
void oc_status_print_notice(const oc_status_request_t *request);

#endif
