/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The socache provider "ocsp_cache".
 *
 * mod_ssl creates an instance for SSLStaplingCache and initialises it under the name "mod_ssl-staple". That one is
 * persistent, never drops a valid record, and holds the staples. Instances of other consumers are plain caches in
 * memory.
 */
#ifndef OC_SERVER_PROVIDER_H
#define OC_SERVER_PROVIDER_H

#include "server/generation.h"

#define OC_PROVIDER_NAME "ocsp_cache"

#define OC_KIND_SOCACHE 'X' /* stored through the socache interface; OC_KIND_STAPLE is in ocsp/record.h */

/** Counters in a cache's arena (oc_shm_count): calls through the socache interface. */
enum {
    OC_COUNT_HIT,  /* found */
    OC_COUNT_MISS, /* not found, or expired */
    OC_COUNT_STORE /* stored */
};

/** register_hooks: register the provider. */
void oc_provider_register(apr_pool_t *pconf);

/** pre_config: forget the last configuration's instances. */
void oc_provider_reset(void);

/** post_config: release the caches of the last generation that this configuration does not use. */
void oc_provider_settle(void);

/** child_init: make the mutexes usable in this child. */
void oc_provider_child_init(apr_pool_t *pchild, server_rec *s);

/** This configuration's cache for stapling, initialised as "mod_ssl-staple"; NULL: none. Handshake path. */
oc_generation_t *oc_provider_stapling(void);

#endif
