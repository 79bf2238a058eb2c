/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One query to a responder, or one visit to a server, shown step by step. ctl_probe_query.c sends the query, with the
 * module's own code; ctl_probe_connect.c visits the server; ctl_probe_step.c takes the steps; ctl_probe_tell.c prints
 * text and ctl_probe_json.c JSON, with the words of ctl_probe_advice.c.
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
    const char *issuer_url;  /* from the certificate: where to obtain it; NULL: not stated */
    const char *issuer_gap;  /* where `issuer` is NULL: a sentence about it */
    const char *url;         /* the responder that is queried; NULL: none is named */
    const char *url_from;    /* where it is named */
    const char *const *urls; /* all responders that are named; NULL: --url names the one */
    const char *proxy;
    apr_interval_time_t timeout;
    oc_certid_hash_t hash;
    const char *connect;    /* --connect: the server that is visited; NULL: a responder is queried */
    const char *servername; /* for SNI; NULL: none */
    const char *address;    /* that was reached; NULL: none */
    const char *protocol;   /* of TLS; NULL: the handshake failed */
    const char *text;       /* --connect: the result in words */
    apr_time_t begun;       /* on the clock of oc_deadline_now() */

    apr_array_header_t *steps; /* of probe_keep_step(); NULL: none yet */
    apr_interval_time_t ahead; /* how far the responder's clock is ahead, by its Date header; 0: in sync, or unknown */
    oc_step_kind_t last_step;  /* the one that failed, if one did */
    const char *name;          /* how it ended: the verdict's name, "issuer-missing" or "no-responder" */
    oc_verdict_t verdict;      /* OC_PENDING: no responder could be queried */
    const char *detail;        /* "" or what exactly */
    oc_fetch_result_t fetched; /* zero: no query was sent */
    oc_verify_result_t verified; /* zero: there was nothing to verify */
    const char *signer;          /* who signed the response; NULL: no trusted signer */
    apr_time_t earliest, latest; /* when the module would query again; 0: it would not */
} probe_t;

/** The server's default settings. */
typedef struct {
    apr_interval_time_t responder_timeout, standard_timeout, error_timeout, skew, refresh_min, refresh_max, retry_min;
} probe_defaults_t;
extern const probe_defaults_t probe_defaults;

/** Query the responder, and verify the answer. As the module, it does not query a responder if it could not staple the
 *  response. Sets how it ended, and all that is known of the response. */
void probe_query(probe_t *probe);

/** Verify probe->fetched as the module does. Sets verdict, detail, verified and signer. */
void probe_verify(probe_t *probe, const oc_verify_subject_t *subject);

/** --connect: is the command line right? @param queries  an option for a responder was given
 *  @return CTL_OK; otherwise a message has been printed. */
int probe_connect_options(const probe_t *probe, int queries);

/** Visit the server, and verify its staple. Sets all that is known of it; cert is NULL where it sent none.
 *  @param given  X509 *: further candidates for the issuer. For a process that does nothing else: ignores SIGPIPE. */
void probe_connect(probe_t *probe, const apr_array_header_t *given);

/** Print what the server sent, and the result. */
void probe_tell_connection(const probe_t *probe);
void probe_tell_connection_json(const probe_t *probe);

/** How a step is named in the output. */
const char *probe_step_name(oc_step_kind_t kind);

/** "2026-01-31T12:00:00Z (in 3 d 4 h)" */
const char *probe_date(const probe_t *probe, apr_time_t when);

/** What the result means, in words. */
const char *probe_text(const probe_t *probe);

/** What to do about it, as a sentence; "": nothing. */
const char *probe_advice(const probe_t *probe);

/** Further facts about this certificate, responder and host: const char *, sentences. */
apr_array_header_t *probe_hints(const probe_t *probe);

/** Print the certificate and the responder. */
void probe_tell_subject(const probe_t *probe);

/** Take a step of the exchange that has ended, for an oc_trace_t; @a context is the probe_t. */
void probe_take_step(void *context, const oc_step_t *step);

/** Print a step. @param lines of a head, the status line first; NULL: it is another step */
void probe_tell_step(const probe_t *probe, const oc_step_t *step, const apr_array_header_t *lines);

/** Print the result, and what to do. */
void probe_tell_outcome(const probe_t *probe);

/** Keep a step for the JSON. @param lines as above, in the probe's pool */
void probe_keep_step(probe_t *probe, const oc_step_t *step, const apr_array_header_t *lines);

/** Print all of it as JSON. */
void probe_tell_json(const probe_t *probe);

#endif
