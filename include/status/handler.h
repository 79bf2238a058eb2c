/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status: the content handler `SetHandler ocsp-cache-status`: a page for people, ?format=json and ?format=prometheus for machines,
 * and, where OCSPCacheStatusRefresh is on, POST to ask for certificates again.
 */
#ifndef OC_STATUS_HANDLER_H
#define OC_STATUS_HANDLER_H

#include <httpd.h>

/** handler hook. @return DECLINED for every other handler */
int oc_status_handler(request_rec *r);

#endif
