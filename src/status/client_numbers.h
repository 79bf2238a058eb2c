/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Client certificates on the status page, in JSON and as metrics: how many are in each state, and what happened. No
 * names, no serials: client_list.h has those.
 */
#ifndef OC_STATUS_CLIENT_NUMBERS_H
#define OC_STATUS_CLIENT_NUMBERS_H

#include "request.h"
#include "view/json.h"

/** A tile; nothing where no client is checked. */
void oc_client_numbers_html(const oc_status_request_t *request);

/** "clients": an object; null where no client is checked. */
void oc_client_numbers_json(oc_json_t *json, const oc_status_request_t *request);

/** Metrics; none where no client is checked. */
void oc_client_numbers_prometheus(const oc_status_request_t *request);

#endif
