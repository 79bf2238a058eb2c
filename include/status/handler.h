/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The content handler `SetHandler ocsp-cache-status`: a page for browsers, ?format=json and ?format=prometheus for
 * programs, a response as a file with ?format=der, and, where OCSPCacheStatusRefresh is on, POST to refresh
 * certificates.
 */
#ifndef OC_STATUS_HANDLER_H
#define OC_STATUS_HANDLER_H

#include <httpd.h>

#define OC_STATUS_HANDLER_NAME "ocsp-cache-status"

/** handler hook. @return DECLINED for every other handler */
int oc_status_handler(request_rec *r);

#endif
