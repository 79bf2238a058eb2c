/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_trace: one exchange with a responder, step by step, for somebody who looks on: `ocsp-cachectl probe`.
 *
 * oc_fetch and oc_connect tell of each step as it ends. In the server nobody looks on, and nothing is done for it.
 */
#ifndef OC_FETCH_TRACE_H
#define OC_FETCH_TRACE_H

#include "base/verdict.h"

#include <apr_time.h>

typedef enum {
    OC_STEP_LOOK_UP, /* what: the name; text: its addresses, ", " between them, or what the resolver said */
    OC_STEP_CONNECT, /* once for each address that was tried. what: the address; text: "" or why there is no connection */
    OC_STEP_REQUEST, /* about to be sent. what: the method; text: the URL asked for; size: bytes of the OCSPRequest */
    OC_STEP_HEAD,    /* of the answer, or as much as came. text: as it came, line ends and all; size: its length */
    OC_STEP_ANSWER   /* how the attempt ended. text: "" or what exactly was wrong; size: bytes of the content */
} oc_step_kind_t;

/** All text is raw, and lives for the call only: who shows it escapes it. */
typedef struct {
    oc_step_kind_t kind;
    oc_verdict_t verdict; /* OC_PENDING: nothing to object to; else why the step failed */
    const char *what;
    const char *text; /* ends with a NUL */
    apr_size_t size;
    apr_time_t begun; /* on the clock of oc_deadline_now() */
    apr_time_t ended;
} oc_step_t;

typedef struct {
    void (*tell)(void *context, const oc_step_t *step); /* in the thread that asks; must not keep it waiting */
    void *context;
} oc_trace_t;

#endif
