/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_dump: `apachectl -t -D DUMP_OCSP_CACHE`: what the cache of this configuration holds, and how much it can hold.
 */
#ifndef OC_DUMP_H
#define OC_DUMP_H

#include <httpd.h>

/** test_config: print, where DUMP_OCSP_CACHE is defined. Reads the file without a lock, beside a running server; never
 *  creates or changes it. */
void oc_dump(apr_pool_t *pconf, server_rec *s);

#endif
