/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The status page for programs, ?format=json. The manual describes the document. The handler calls it.
 */
#ifndef OC_STATUS_JSON_H
#define OC_STATUS_JSON_H

#include "request.h"

/** Print the document: totals of all certificates, and those that match the query. */
void oc_status_json(const oc_status_request_t *request);

#endif
