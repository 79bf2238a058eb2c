/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_view: one certificate as an operator sees it, and the two forms in which all our tools print it: a row of a table and an
 * object of JSON. The status page, mod_status, `apachectl -t -D DUMP_OCSP_CACHE` and ocsp-cachectl all fill this struct and print
 * through here, so that they never disagree.
 *
 * Pure: no clock, no files, no OCSP parsing, no httpd. Strings may come out of certificates: whoever prints escapes.
 */
#ifndef OC_VIEW_VIEW_H
#define OC_VIEW_VIEW_H

#include "ocsp/cert.h"
#include "ocsp/record.h"

#include <apr_tables.h>

/** How much a certificate wants somebody to act. Ordered: the worst is the highest. */
typedef enum {
    OC_ATTENTION_NONE, /* stapled and renewed in time; or nothing to staple by its nature (no responder) */
    OC_ATTENTION_WARNING, /* attempts fail, or the response runs out within the expiry warning, but something valid is stapled;
                             or nothing is stapled, and clients do without */
    OC_ATTENTION_CRITICAL /* clients refuse it now: revoked; expired; or a Must-Staple certificate without a staple */
} oc_attention_t;

/** Unknown: NULL, 0. The strings belong to whoever filled it in. No string holds a password: URLs come from oc_url_public(). */
typedef struct {
    const char *host;                /* "name:port" of the vhost that comes first */
    const apr_array_header_t *hosts; /* const char *: all of them; NULL: unknown */
    unsigned char id[OC_CERT_ID_LEN];
    const char *subject;
    const char *serial;      /* hexadecimal, as `openssl x509 -serial` has it */
    const char *url;         /* of the responder that is queried first; NULL: there is none */
    const char *const *urls; /* of all responders, in the order of queries: NULL-terminated; NULL: unknown */
    apr_time_t not_after;    /* of the certificate */
    int must_staple;
    int is_refreshed; /* can anything be had for it, from a responder or from a file? */

    int has_record; /* the next lines are of what is held; has_record && usable_until > now: it is stapled */
    oc_verdict_t verdict;
    oc_origin_t origin;
    apr_time_t this_update;
    apr_time_t next_update;
    apr_time_t usable_until;
    apr_time_t fetched_at; /* the last success */
    apr_size_t size;       /* of the response, bytes */

    oc_verdict_t last;       /* of the last attempt; OC_PENDING: none yet, or not known */
    unsigned failures;       /* in a row */
    apr_time_t last_attempt; /* 0: none yet, or not known */
    apr_time_t next_request; /* 0: none, or not known */
} oc_view_t;

/** "good", "revoked", a responder's error (oc_verdict_name); "none": nothing valid is held; "no-responder": by its nature. Static. */
const char *oc_view_state(const oc_view_t *view, apr_time_t now);

/** Is what is stapled valid for less than @a limit? As in the log, of a short validity the last quarter counts. */
int oc_view_is_running_out(const oc_view_t *view, apr_time_t now, apr_interval_time_t limit);

/**
 * Does it want somebody to act, and why?
 * @param expiry_warning  OCSPCacheExpiryWarning; 0: never for that reason
 * @param reason out: a sentence with what to do, static or from @a pool; "" for OC_ATTENTION_NONE
 */
oc_attention_t oc_view_attention(const oc_view_t *view, apr_time_t now, apr_interval_time_t expiry_warning,
                                 const char **reason, apr_pool_t *pool);

/** "none", "warning", "critical"; total, static. */
const char *oc_attention_name(oc_attention_t attention);

/** One object of JSON, without a line end (docs/mod_ocsp_cache.md, "JSON", describes it; OC_VIEW_JSON_VERSION counts changes that
 *  break readers). Times in seconds since 1970 and null where unknown. ASCII: everything else is escaped. */
#define OC_VIEW_JSON_VERSION 1
const char *oc_view_json(const oc_view_t *view, apr_time_t now, apr_interval_time_t expiry_warning, apr_pool_t *pool);

/** A JSON string literal of @a text, quotes included; NULL: null. What is not printable ASCII is escaped, and what HTML gives a
 *  meaning to; what is no UTF-8 becomes U+FFFD. So it may stand inside of <script>. */
const char *oc_view_json_string(const char *text, apr_pool_t *pool);

/** "3 d 4 h", "12 min", "8 s", "-" for 0, "2 h 5 min ago" for the past: the two largest units are as much as anybody reads. */
const char *oc_view_span(apr_time_t when, apr_time_t now, apr_pool_t *pool);

/** @a text, what is not printable ASCII escaped as \xHH: a certificate's subject must not steer a terminal. NULL: "-". */
const char *oc_view_printable(const char *text, apr_pool_t *pool);

/**
 * A table of @a views (oc_view_t), for @a width columns of a terminal (0: as wide as it wants to be): header and rows. Where the
 * columns do not fit beside each other, a row takes several lines, and long texts lose their middle. All text is printable.
 * @param print called for each line, which ends with a line end
 */
typedef void oc_view_print_fn(void *context, const char *line);
void oc_view_table(const apr_array_header_t *views, apr_time_t now, unsigned width, oc_view_print_fn *print,
                   void *context, apr_pool_t *pool);

#endif
