/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The steps of an exchange with a responder, for an observer: `ocsp-cachectl probe`.
 *
 * oc_fetch() and oc_connect() report each step as it ends. The server has no observer, and does nothing for one.
 */
#ifndef OC_FETCH_TRACE_H
#define OC_FETCH_TRACE_H

#include "base/verdict.h"

#include <apr_time.h>

typedef enum {
    OC_STEP_LOOK_UP, /* what: the name; text: its addresses, separated by ", ", or the resolver's message */
    OC_STEP_CONNECT, /* once for each address tried. what: the address; text: "" or why there is no connection */
    OC_STEP_REQUEST, /* about to be sent. what: the method; text: the URL; size: bytes of the OCSPRequest */
    OC_STEP_HEAD,    /* of the answer, or the part received. text: as received, with line ends; size: its length */
    OC_STEP_ANSWER   /* how the attempt ended. text: "" or the details; size: bytes of the content */
} oc_step_kind_t;

/** All text is raw and valid during the call only: escape it to display it. */
typedef struct {
    oc_step_kind_t kind;
    oc_verdict_t verdict; /* OC_PENDING: the step succeeded; else why it failed */
    const char *what;
    const char *text; /* NUL-terminated */
    apr_size_t size;
    apr_time_t begun; /* on the clock of oc_deadline_now() */
    apr_time_t ended;
} oc_step_t;

typedef struct {
    void (*tell)(void *context, const oc_step_t *step); /* in the thread of the exchange; must not delay it */
    void *context;
} oc_trace_t;

#endif
