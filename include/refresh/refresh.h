/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Keeps the staples fresh: in one child of each generation, a thread hands what is due to worker threads. When that
 * child ends, for whatever reason, another one takes the lead within a moment. The parent never fetches, verifies or
 * runs threads.
 */
#ifndef OC_REFRESH_REFRESH_H
#define OC_REFRESH_REFRESH_H

#include <httpd.h>

/** post_config, after mod_ssl's: the table of certificates is complete.
 *  @return OK, or HTTP_INTERNAL_SERVER_ERROR after an error line. */
int oc_refresh_post_config(apr_pool_t *pconf, server_rec *main_server);

/** child_init, behind every other module's: start the thread that may lead; the end of @a pchild ends it. Where a
 *  Must-Staple certificate has no response yet, wait for it, bounded by OCSPCacheMustStapleWait from the start of the
 *  server. */
void oc_refresh_child_init(apr_pool_t *pchild);

#endif
