/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status_json: the status page for programs, ?format=json. The manual describes it.
 */
#ifndef OC_STATUS_JSON_H
#define OC_STATUS_JSON_H

#include "status/request.h"

/** Write the document. */
void oc_status_json(const oc_status_request_t *request);

#endif
