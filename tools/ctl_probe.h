/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ctl_probe: one request to a responder, told step by step. ctl_probe.c asks, with the module's own code;
 * ctl_probe_tell.c tells, to people or as JSON, and knows what can be done where it failed.
 */
#ifndef CTL_PROBE_H
#define CTL_PROBE_H

#include "ctl.h"

#include "fetch/fetch.h"
#include "ocsp/cert.h"
#include "ocsp/schedule.h"
#include "ocsp/verify.h"

typedef struct {
    ctl_t *ctl;
    apr_pool_t *pool;
    oc_cert_t *cert;
    const char *certificate_path;
    const char *issuer; /* its subject; NULL: it is not there */
    const char *issuer_path;
    const char *issuer_url;  /* where the certificate says that it is to be had; NULL: it does not say */
    const char *issuer_gap;  /* where `issuer` is NULL: a sentence about it */
    const char *url;         /* the responder that is queried; NULL: none is named */
    const char *url_from;    /* who named it */
    const char *const *urls; /* all responders that are named; NULL: --url names the one */
    const char *proxy;
    apr_interval_time_t timeout;
    oc_certid_hash_t hash;
    apr_time_t begun; /* on the clock of oc_deadline_now() */

    int has_colours;
    apr_array_header_t *steps; /* for JSON: const char *, an object each */
    apr_interval_time_t
        ahead;                /* how far the responder's clock is ahead, by its Date header; 0: in step, or not known */
    oc_step_kind_t last_step; /* the one that failed, if one did */
    const char *name;         /* how it ended: the verdict's name, "issuer-missing" or "no-responder" */
    oc_verdict_t verdict;     /* OC_PENDING: nobody could be asked */
    const char *detail;       /* "" or what exactly */
    oc_fetch_result_t fetched;   /* zero: nobody was asked */
    oc_verify_result_t verified; /* zero: there was nothing to verify */
    const char *signer;          /* who signed the response; NULL: nobody whom one could believe */
    apr_time_t earliest, latest; /* when the module would ask again; 0: it would not */
} probe_t;

/** Whom and what it is about. */
void probe_tell_subject(const probe_t *probe);

/** A step of the exchange has ended; @a context is the probe_t. */
void probe_tell_step(void *context, const oc_step_t *step);

/** How it ended, and what can be done. */
void probe_tell_outcome(const probe_t *probe);

/** All of it, as one object. */
void probe_tell_json(const probe_t *probe);

#endif
