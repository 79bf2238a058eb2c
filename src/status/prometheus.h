/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The status page for Prometheus, ?format=prometheus, in its text format 0.0.4. The manual lists the metrics. The
 * handler calls it.
 */
#ifndef OC_STATUS_PROMETHEUS_H
#define OC_STATUS_PROMETHEUS_H

#include "request.h"

/** Print all metrics of all certificates, whatever the query's filters. */
void oc_status_prometheus(const oc_status_request_t *request);

#endif
