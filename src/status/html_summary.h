/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The upper half of the status page: the tiles with numbers, and a card for each reason why certificates need
 * attention. html.c calls it.
 */
#ifndef OC_STATUS_HTML_SUMMARY_H
#define OC_STATUS_HTML_SUMMARY_H

#include "request.h"

/** Print both. The cards are left out where the query has filters or another page. */
void oc_status_print_summary(const oc_status_request_t *request, const oc_status_census_t *census);

#endif
