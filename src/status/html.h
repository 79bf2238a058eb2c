/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The status page for browsers: what needs attention, then all certificates, a hundred to a page. The handler calls it.
 */
#ifndef OC_STATUS_HTML_H
#define OC_STATUS_HTML_H

#include "request.h"

/** Print the page. */
void oc_status_html(const oc_status_request_t *request);

#endif
