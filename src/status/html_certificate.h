/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status_html_certificate: the status page of one certificate: all that is known of it.
 */
#ifndef OC_STATUS_HTML_CERTIFICATE_H
#define OC_STATUS_HTML_CERTIFICATE_H

#include "status/request.h"

/** Write the page of request->query.id, which is the certificate @a ordinal. */
void oc_status_html_certificate(const oc_status_request_t *request, unsigned ordinal);

#endif
