/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The back-off of certificates that have no response survives a reload. A record takes its note along into the next
 * generation's cache; a certificate without a record has a note alone, which can be found only by the certificate's id.
 * Called by the parent in post_config.
 */
#ifndef OC_REFRESH_BACK_OFF_H
#define OC_REFRESH_BACK_OFF_H

#include <apr_pools.h>
#include <httpd.h>

/** Take over the notes of failed attempts, except for certificates whose query has changed (another responder, proxy or
 *  issuer): the administrator expects the effect of the change at once. */
void oc_back_off_take_over(server_rec *main_server, apr_pool_t *ptemp);

#endif
