/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_cachectl: what the server does for ocsp-cachectl: it leaves a list of the certificates beside the cache's file.
 */
#ifndef OC_CACHECTL_H
#define OC_CACHECTL_H

#include <httpd.h>

/** post_config, when the table of certificates is complete: write the roster (oc_roster.h), if the cache has a file. Trouble is one
 *  warning. */
void oc_cachectl_post_config(server_rec *main_server);

#endif
