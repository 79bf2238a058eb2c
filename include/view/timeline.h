/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The life of a certificate's response as a drawing: thisUpdate, now, the next refresh, the end. Inline SVG without
 * styles (the page's style sheet colours the classes), with the same facts in words. Pure; no text of a certificate
 * gets in.
 */
#ifndef OC_VIEW_TIMELINE_H
#define OC_VIEW_TIMELINE_H

#include "view/view.h"

/** As wide as its container. From @a pool. */
const char *oc_timeline_svg(const oc_view_t *view, apr_time_t now, apr_pool_t *pool);

/** "2026-01-31 12:00:00 UTC"; 0: "-". From @a pool. */
const char *oc_timeline_time(apr_time_t time, apr_pool_t *pool);

#endif
