/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A cache that is too small for the responses of all certificates: reported once, with one figure.
 */
#ifndef OC_SERVER_CACHE_SIZE_H
#define OC_SERVER_CACHE_SIZE_H

#include "cache/sizing.h"
#include "ocsp/record.h"

#include <httpd.h>

/** Log that SSLStaplingCache has too small a size, and which one is enough, if that is so. For `apachectl -t`, and
 * below. @return 1: logged */
int oc_cache_size_log(const oc_sizing_t *sizing, apr_size_t size, int level, server_rec *main_server);

/** post_config, when the table of certificates is settled: warn if their responses do not fit. */
void oc_cache_size_check(server_rec *main_server);

/** In a worker: @a record of @a cert did not fit. One line for all children of a generation. */
void oc_cache_size_full(const oc_cert_t *cert, const oc_record_t *record, server_rec *s);

#endif
