/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Where the status page is: <Location> sections with `SetHandler ocsp-cache-status`, for the link in mod_status' block.
 */
#ifndef OC_STATUS_LOCATION_H
#define OC_STATUS_LOCATION_H

#include <httpd.h>

/** post_config: find the sections. Directives of httpd are read from the configuration's tree, which lasts until
 * post_config ends. */
void oc_status_location_post_config(apr_pool_t *pconf);

/** The path of the status page on the host of @a r, which lives as long as the configuration; NULL: none is known. */
const char *oc_status_location(const request_rec *r);

#endif
