/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * `apachectl -t -D DUMP_OCSP_CACHE`: the certificates of this configuration and what the cache's file holds for them,
 * as a table. With `-D DUMP_OCSP_CACHE_JSON`: as one JSON document, the only output on stdout.
 */
#ifndef OC_CONFIG_DUMP_H
#define OC_CONFIG_DUMP_H

#include <apr_tables.h>

/** test_config: print, if one of the two is defined. Reads the files without a lock, also while a server runs. Creates
 * and changes nothing. Names what this user cannot read. @param certificates from oc_inventory_read() */
void oc_dump(const apr_array_header_t *certificates, apr_pool_t *pool);

#endif
