/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * From a name to a connected socket: look up, then try address after address, within a deadline.
 */
#ifndef OC_FETCH_CONNECT_H
#define OC_FETCH_CONNECT_H

#include "base/deadline.h"
#include "fetch/trace.h"

#include <apr_network_io.h>

#define OC_CONNECT_ADDRESSES 8 /* addresses tried of one name; further ones are not */

typedef struct {
    int fd;           /* connected, non-blocking, close-on-exec; the caller closes it; -1 on failure */
    char where[64];   /* the address reached, "192.0.2.1:80" or "[2001:db8::1]:80"; "" on failure */
    char detail[200]; /* on failure: each address and its error message; raw text, not escaped */
} oc_connect_result_t;

/**
 * Connect to @a host (a name, or an address without brackets). An address that neither answers nor refuses does not
 * delay the next one for long: that is started after a second, or after its share of the remaining time where this is
 * less. The first that answers wins (RFC 8305, without its sorting: the order is that of getaddrinfo).
 * @return OC_PENDING: connected. OC_NAME_LOOKUP_FAILED, OC_CONNECT_FAILED (every address refused), OC_TIMED_OUT,
 *   OC_STOPPED, OC_OUT_OF_RESOURCES.
 * @param trace NULL, or an observer of the lookup and of each address
 * Does not call APR. When the stop flag is set after a blocking lookup, it does not return at all: the process is
 * exiting, and no longer waits for this thread.
 */
oc_verdict_t oc_connect(const char *host, apr_port_t port, const oc_deadline_t *deadline, const oc_trace_t *trace,
                        oc_connect_result_t *result);

#endif
