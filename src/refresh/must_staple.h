/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Certificates that clients reject without a staple (RFC 7633). While no valid response is stored for one of them, the
 * children of a starting server accept no connections, for a limited time.
 */
#ifndef OC_REFRESH_MUST_STAPLE_H
#define OC_REFRESH_MUST_STAPLE_H

#include <apr_pools.h>

/** post_config: the time of OCSPCacheMustStapleWait begins, for all children. */
void oc_must_staple_begin(void);

/** child_init: return when every such certificate can be stapled, the time is over, or the child is to end. */
void oc_must_staple_wait(apr_pool_t *pchild);

/** Called repeatedly by the child that refreshes: when the time is over, log each certificate that has no staple yet.
 *  Once. */
void oc_must_staple_report(apr_pool_t *pool);

#endif
