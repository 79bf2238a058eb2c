/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_connect: from a name to a connected socket: look up, then address after address, within a deadline.
 */
#ifndef OC_FETCH_CONNECT_H
#define OC_FETCH_CONNECT_H

#include "base/deadline.h"
#include "fetch/trace.h"

#include <apr_network_io.h>

#define OC_CONNECT_ADDRESSES 8 /* addresses tried of one name; more are left alone */

typedef struct {
    int fd;           /* connected, non-blocking, close-on-exec, the caller's to close; -1 on failure */
    char where[64];   /* the address reached, "192.0.2.1:80" or "[2001:db8::1]:80"; "" on failure */
    char detail[200]; /* on failure: each address and its errno in words; raw text, not yet escaped */
} oc_connect_result_t;

/**
 * Connect to @a host (a name, or an address without brackets). An address that neither answers nor refuses does not
 * hold up the next one: that is started after a second, or after its share of the time left where this is less, and the
 * first to answer wins (the idea of RFC 8305, without its sorting: the order is getaddrinfo's).
 * @return OC_PENDING: connected. OC_NAME_LOOKUP_FAILED, OC_CONNECT_FAILED (every address refused), OC_TIMED_OUT,
 *   OC_STOPPED, OC_OUT_OF_RESOURCES.
 * @param trace NULL, or who is told of the look-up and of each address
 * Touches neither OpenSSL nor APR. When the stop flag is found set after a blocking look-up, it does not return at all:
 * the process is on its way out, and has ceased to wait for this thread.
 */
oc_verdict_t oc_connect(const char *host, apr_port_t port, const oc_deadline_t *deadline, const oc_trace_t *trace,
                        oc_connect_result_t *result);

#endif
