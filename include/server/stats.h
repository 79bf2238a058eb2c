/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_stats: what the server keeps account of beside its responses: the counters of its life (oc_counters), who is to be asked again
 * (oc_refresh_flags), and the ledger for tools (oc_ledger). None of it is needed to staple: trouble with it is a log line.
 */
#ifndef OC_SERVER_STATS_H
#define OC_SERVER_STATS_H

#include "ocsp/cert.h"
#include "ocsp/record.h"
#include "state/counters.h"
#include "state/refresh_flags.h"

#include <httpd.h>

/** post_config of the second pass, after the table of certificates is settled: find the counters, which are made once in the life of
 *  the server, and begin what belongs to this generation, in @a pconf. */
void oc_stats_open(apr_pool_t *pconf, server_rec *main_server);

/** Count a handshake. Handshake path. */
void oc_stats_handshake(const conn_rec *c, oc_counters_handshake_t what);

/** Count an attempt. Any thread. @param elapsed  how long the exchange took; < 0: there was none */
void oc_stats_exchange(oc_origin_t origin, oc_verdict_t verdict, apr_interval_time_t elapsed);

/** Enter how the last attempt for certificate @a ordinal ended. @param when  0: not known. Any thread of the child that refreshes. */
void oc_stats_enter(unsigned ordinal, const oc_cert_t *cert, const oc_note_t *note, apr_time_t when, server_rec *s);

/** For reports: NULL, when there was no memory or there is nothing to staple. */
const oc_counters_t *oc_stats_tally(void);
oc_refresh_flags_t *oc_stats_recall(void);

#endif
