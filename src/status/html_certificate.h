/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The status page of one certificate: all that the server has stored about it. The handler calls it.
 */
#ifndef OC_STATUS_HTML_CERTIFICATE_H
#define OC_STATUS_HTML_CERTIFICATE_H

#include "request.h"

/** Print the page of certificate @a ordinal. */
void oc_status_html_certificate(const oc_status_request_t *request, unsigned ordinal);

#endif
