/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The part of the leading child's duty that concerns client certificates: it queries for clients that wait, and renews
 * responses before they expire, for clients that still come. Called by the thread that leads.
 */
#ifndef OC_REFRESH_CLIENT_REFRESH_H
#define OC_REFRESH_CLIENT_REFRESH_H

#include <httpd.h>

/** As the functions of oc_leader_duty_t. All of them do nothing where no client is checked. */
void oc_client_refresh_tick(server_rec *s);
unsigned oc_client_refresh_wind_up(void);
apr_interval_time_t oc_client_refresh_patience(void);

/** How long clients may still wait, after a reload. */
apr_interval_time_t oc_client_refresh_wait(void);
void oc_client_refresh_end(server_rec *s);

#endif
