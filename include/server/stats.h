/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the server records apart from its responses: counters, requests to refresh a certificate, and the ledger, which
 * other programs read. Stapling needs none of it: an error here is only logged.
 */
#ifndef OC_SERVER_STATS_H
#define OC_SERVER_STATS_H

#include "ocsp/cert.h"
#include "ocsp/record.h"
#include "state/counters.h"
#include "state/refresh_flags.h"

#include <httpd.h>

/** post_config of the second pass, after the table of certificates is settled: find the counters, which are created
 * once in the life of the server, and create the rest for this generation, in @a pconf. */
void oc_stats_open(apr_pool_t *pconf, server_rec *main_server);

/** Count a handshake. Handshake path. */
void oc_stats_handshake(const conn_rec *c, oc_counters_handshake_t what);

/** Count an attempt. Any thread. @param elapsed  how long the exchange took; < 0: there was none */
void oc_stats_exchange(oc_origin_t origin, oc_verdict_t verdict, apr_interval_time_t elapsed);

/** Record the result of the last attempt for certificate @a ordinal. @param when  0: it was made before this child
 * took the lead. Any thread of the child that refreshes. */
void oc_stats_enter(unsigned ordinal, const oc_cert_t *cert, const oc_note_t *note, apr_time_t when, server_rec *s);

/** For reports. NULL: there was no memory, or this configuration staples nothing. */
const oc_counters_t *oc_stats_counters(void);
oc_refresh_flags_t *oc_stats_refresh_flags(void);

#endif
