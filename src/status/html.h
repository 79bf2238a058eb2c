/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status_html: the status page for people: what wants somebody to act, then all certificates, a hundred at a time.
 */
#ifndef OC_STATUS_HTML_H
#define OC_STATUS_HTML_H

#include "status/request.h"

/** Write the page. */
void oc_status_html(const oc_status_request_t *request);

#endif
