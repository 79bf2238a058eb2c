/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The block in mod_status: a summary, and the certificates that need attention. It reads the arena like any other
 * reader and changes nothing.
 */
#ifndef OC_STATUS_MOD_STATUS_H
#define OC_STATUS_MOD_STATUS_H

#include <apr_pools.h>

/** register_hooks: add the block to mod_status, where that is loaded. */
void oc_mod_status_register(void);

/** post_config: find the status page that the block links to. */
void oc_mod_status_post_config(apr_pool_t *pconf);

#endif
