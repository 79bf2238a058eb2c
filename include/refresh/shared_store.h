/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_shared_store: the store that OCSPCacheShared names: one of httpd's socache providers (redis, memcache, ...), which other servers
 * use as well.
 *
 * A provider may take as long as it likes: what it is asked runs in threads of its own, and whoever asks waits no longer than
 * OCSPCacheSharedTimeout. After a failure the store is left alone for a while, so that a dead one costs next to nothing. Each
 * change from one state to another is one line in the log.
 *
 * The parent creates and initialises the provider, and asks it nothing. Only the child that refreshes does, between
 * oc_shared_store_start() and oc_shared_store_stop(). Bytes in, bytes out: nothing here knows OCSP, or trusts what it gets.
 */
#ifndef OC_REFRESH_SHARED_STORE_H
#define OC_REFRESH_SHARED_STORE_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>
#include <httpd.h>
#include <stdatomic.h>
#include <stdint.h>

/** pre_config: forget the store of the last configuration. */
void oc_shared_store_reset(void);

/** The directive's argument, "provider" or "provider:arguments". @return NULL, or what is wrong with it */
const char *oc_shared_store_create(const char *argument, apr_pool_t *pconf, apr_pool_t *ptemp);

/** post_config, in the parent: begin to use it. Trouble is logged, and the server goes on without. */
void oc_shared_store_init(server_rec *main_server, apr_pool_t *pconf);

/** child_init: the mutex that some providers need. */
void oc_shared_store_child_init(apr_pool_t *pchild);

/** As it is written in the configuration; NULL: there is none, or it could not be initialised. */
const char *oc_shared_store_provider(void);

/** A random number by which this server's claims are known, from oc_shared_store_init() on. */
uint64_t oc_shared_store_self(void);

/** The one child that refreshes begins to ask, and ends. @return of stop: how many threads hang in the provider; they end as
 *  soon as it lets them go. */
void oc_shared_store_start(void);
unsigned oc_shared_store_stop(void);

/**
 * Look up @a name. Any thread of the refresher's workers; waits for OCSPCacheSharedTimeout at most, and looks at @a stop.
 * @param data out, from @a pool, of at most @a max bytes
 * @return APR_SUCCESS; APR_NOTFOUND: nothing there, or nobody to be asked now; APR_ENOSPC: larger than @a max
 */
apr_status_t oc_shared_store_get(const char *name, const unsigned char **data, apr_size_t *len, apr_size_t max,
                                 const atomic_int *stop, apr_pool_t *pool);

/** Keep @a data under @a name until @a expiry, if the store will. Likewise; what goes wrong is logged, and no concern of the
 *  caller's. */
void oc_shared_store_put(const char *name, const unsigned char *data, apr_size_t len, apr_time_t expiry,
                         const atomic_int *stop);

#endif
