/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The content handler `SetHandler ocsp-cache-clients`: every client certificate in memory, by issuer and serial. These
 * identify people, so the list is apart from the status page.
 */
#ifndef OC_STATUS_CLIENT_LIST_H
#define OC_STATUS_CLIENT_LIST_H

#include <httpd.h>

#define OC_CLIENT_LIST_HANDLER_NAME "ocsp-cache-clients"

/** handler hook. @return DECLINED for every other handler */
int oc_client_list_handler(request_rec *r);

#endif
