/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * POST to the status page: refresh one certificate, or all, now. Off unless OCSPCacheStatusRefresh is on. The handler
 * calls it.
 *
 * A request must carry a token that only a page of this server holds, made for the same user less than an hour ago; and
 * where the browser names the origin of the request, it must be this site. So no other site can make an administrator's
 * browser request a refresh.
 */
#ifndef OC_STATUS_POST_H
#define OC_STATUS_POST_H

#include <httpd.h>

struct oc_status_request_t;

/** post_config of the second pass: the secret of the tokens, which survives graceful restarts, and the clock of "all".
 * Without random numbers or memory POST stays off, which is logged. */
void oc_status_post_post_config(apr_pool_t *pconf, server_rec *main_server);

/** Is POST on? */
int oc_status_post_is_on(void);

/** A token for a page that is sent now. NULL: POST is off. */
const char *oc_status_post_token(const request_rec *r, apr_time_t now, apr_pool_t *pool);

/** Answer a POST. @param problem out: a sentence, when the answer is an error @return the HTTP status; 303 has its
 * Location */
int oc_status_post(const struct oc_status_request_t *request, const char **problem);

#endif
