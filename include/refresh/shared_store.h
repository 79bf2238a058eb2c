/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The store that OCSPCacheShared names: one of httpd's socache providers (redis, memcache, ...), which other servers
 * use as well.
 *
 * A provider may block for any time, so calls run in threads of their own, and a caller waits at most
 * OCSPCacheSharedTimeout. After a failure the store is not used for a while, so that an unavailable one costs little.
 * Each change of its state is logged once.
 *
 * The parent creates and initializes the provider, and never queries it. Only the child that refreshes does, between
 * oc_shared_store_start() and oc_shared_store_stop(). This unit passes bytes: it does not parse OCSP, and trusts no
 * answer.
 */
#ifndef OC_REFRESH_SHARED_STORE_H
#define OC_REFRESH_SHARED_STORE_H

#include "server/generation.h"

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>
#include <httpd.h>
#include <stdatomic.h>
#include <stdint.h>

/** pre_config: discard the store of the last configuration. */
void oc_shared_store_reset(void);

/** The directive's argument, "provider" or "provider:arguments". @return NULL, or what is wrong with it */
const char *oc_shared_store_create(const char *argument, apr_pool_t *pconf, apr_pool_t *ptemp);

/** post_config, in the parent: initialize it, with a mutex of @a generation for a provider that needs one. A failure is
 *  logged, and the server works without it. */
void oc_shared_store_init(oc_generation_t *generation, server_rec *main_server);

/** child_init: the mutex that some providers need. */
void oc_shared_store_child_init(apr_pool_t *pchild);

/** As it is written in the configuration; NULL: there is none, or it could not be initialized. */
const char *oc_shared_store_provider(void);

/** A random number that identifies this server's claims, from oc_shared_store_init() on. */
uint64_t oc_shared_store_self(void);

/** The child that refreshes begins to use the store, and stops. @return of stop: how many threads hang in the provider;
 *  they end when its call returns. */
void oc_shared_store_start(void);
unsigned oc_shared_store_stop(void);

/**
 * Look up @a name. Any thread of the refresher's workers; waits for OCSPCacheSharedTimeout at most, and checks @a stop.
 * @param data out, from @a pool, of at most @a max bytes
 * @return APR_SUCCESS; APR_NOTFOUND: not found, or the store is unavailable; APR_ENOSPC: larger than @a max
 */
apr_status_t oc_shared_store_get(const char *name, const unsigned char **data, apr_size_t *len, apr_size_t max,
                                 const atomic_int *stop, apr_pool_t *pool);

/** Store @a data under @a name until @a expiry. Called and limited like oc_shared_store_get(). A failure is logged, and
 *  the caller need not handle it. */
void oc_shared_store_put(const char *name, const unsigned char *data, apr_size_t len, apr_time_t expiry,
                         const atomic_int *stop);

#endif
