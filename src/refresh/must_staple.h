/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_must_staple: certificates that clients refuse without a staple (RFC 7633). While nothing valid is held for one, a starting
 * server's children let no client in, for a bounded time.
 */
#ifndef OC_REFRESH_MUST_STAPLE_H
#define OC_REFRESH_MUST_STAPLE_H

#include <apr_pools.h>

/** post_config: the time that OCSPCacheMustStapleWait grants begins, for however many children. */
void oc_must_staple_begin(void);

/** child_init: return when every such certificate can be stapled, the time is over, or the child is to end. */
void oc_must_staple_wait(apr_pool_t *pchild);

/** The one child that refreshes, now and then: when the time is over, say so of each that still cannot. Once. */
void oc_must_staple_report(apr_pool_t *pool);

#endif
