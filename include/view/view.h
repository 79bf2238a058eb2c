/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One certificate as an operator sees it, with the two forms that all reports share: a row of a table and an object of
 * JSON. The status page, mod_status, `apachectl -t -D DUMP_OCSP_CACHE` and ocsp-cachectl fill this struct and print
 * through here, so they never disagree.
 *
 * Pure: no clock, no files, no OCSP parsing, no httpd. Strings may come from certificates: the printer escapes them.
 */
#ifndef OC_VIEW_VIEW_H
#define OC_VIEW_VIEW_H

#include "ocsp/cert.h"
#include "ocsp/record.h"
#include "view/json.h"

#include <apr_tables.h>

/** How urgently a certificate needs attention. Ordered: the worst is the highest. */
typedef enum {
    OC_ATTENTION_NONE,    /* stapled and renewed in time; or no responder, where nothing demands one */
    OC_ATTENTION_WARNING, /* attempts keep failing, or the response ends within the expiry warning, but a valid one is
                             stapled; or nothing is stapled, and clients do without */
    OC_ATTENTION_CRITICAL /* clients reject it: revoked; expired; or Must-Staple without a good response */
} oc_attention_t;

/** Unknown: NULL, 0. The strings belong to the caller that filled it in. No string holds a password. */
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
    int is_refreshed; /* can a response be obtained, from a responder or from a file? */
    int lacks_issuer; /* it could be, but the issuer's certificate is not configured: mod_ssl staples nothing for it */
    const char *issuer; /* the issuer's subject; NULL: unknown */

    int has_record; /* the next lines describe the response in the cache (oc_view_is_stapled) */
    oc_verdict_t verdict;
    oc_origin_t origin;
    apr_time_t this_update;
    apr_time_t next_update;
    apr_time_t usable_from;
    apr_time_t usable_until;
    apr_time_t fetched_at; /* the last success */
    apr_size_t size;       /* of the response, bytes */

    oc_verdict_t last;       /* of the last attempt; OC_PENDING: none yet, or not known */
    unsigned failures;       /* in a row */
    apr_time_t last_attempt; /* 0: none yet, or not known */
    apr_time_t next_request; /* 0: none, or not known */
} oc_view_t;

/** Fill in what the certificate contains; the strings stay the certificate's. */
void oc_view_take_cert(oc_view_t *view, const oc_cert_t *cert);

/** Fill in what the cache holds: the response's times, size and origin. */
void oc_view_take_record(oc_view_t *view, const oc_record_t *record);

/** Fill in when the last attempt ended; the record and the note come first. @param when  0: not known; if none has
 * failed since the response was obtained, it is that one */
void oc_view_take_attempt(oc_view_t *view, apr_time_t when);

/** Is a response held that may be stapled at @a now? */
int oc_view_is_stapled(const oc_view_t *view, apr_time_t now);

/** "good", "revoked", a responder's error (oc_verdict_name); "none": the cache holds nothing valid; "no-issuer": the
 * server does not know the issuer's certificate; "no-responder": expected, the certificate names none. Static. */
const char *oc_view_state(const oc_view_t *view, apr_time_t now);

/** Does a response with @a left to go end within @a limit, or, where it is usable for a short time, in the last quarter
 *  of its @a validity? The one rule of all reports, the log and `ocsp-cachectl check`. An ended one does not. */
int oc_view_is_ending(apr_interval_time_t left, apr_interval_time_t validity, apr_interval_time_t limit);

/** The same of the stapled response. */
int oc_view_is_running_out(const oc_view_t *view, apr_time_t now, apr_interval_time_t limit);

/** While a response is stapled that does not end soon, so many attempts in a row may find no working responder before
 *  that is a warning: about five minutes, with the default pauses. */
#define OC_VIEW_FAILURES_TOLERATED 6

/**
 * Does it need attention, and why?
 * @param expiry_warning  OCSPCacheExpiryWarning; 0: never for that reason
 * @param reason out: a sentence with what to do, static or from @a pool; "" for OC_ATTENTION_NONE
 */
oc_attention_t oc_view_attention(const oc_view_t *view, apr_time_t now, apr_interval_time_t expiry_warning,
                                 const char **reason, apr_pool_t *pool);

/** "none", "warning", "critical"; total, static. */
const char *oc_attention_name(oc_attention_t attention);

/** Counts changes to the documents that break readers (docs/manual/json.md describes them). */
#define OC_VIEW_JSON_VERSION 1

/** Begin a document: its object, with the members that all documents have. */
void oc_view_json_begin(oc_json_t *json, oc_json_sink_fn *sink, void *context, apr_time_t now);

/** Write the object of a certificate. Times are in seconds since 1970, null where unknown. */
void oc_view_json(oc_json_t *json, const char *key, const oc_view_t *view, apr_time_t now,
                  apr_interval_time_t expiry_warning, apr_pool_t *pool);

/** "3 d 4 h", "12 min", "8 s", "-" for 0, "2 h 5 min ago" for the past: the two largest units. */
const char *oc_view_span(apr_time_t when, apr_time_t now, apr_pool_t *pool);

/** How long until @a when: "3 d 4 h left", "ended 2 h ago", "-" for 0. From @a pool. */
const char *oc_view_left(apr_time_t when, apr_time_t now, apr_pool_t *pool);

/** "820 B", "39.5 KiB", "4 MiB": binary units, from @a pool. */
const char *oc_view_size(apr_size_t bytes, apr_pool_t *pool);

/** @a host without ":443", the usual port; other ports stay. From @a pool or @a host itself. */
const char *oc_view_host_text(const char *host, apr_pool_t *pool);

/** Does the subject add nothing to the host's name ("CN=www.example.com" for "www.example.com:443")? */
int oc_view_subject_is_host(const oc_view_t *view);

/** @a text with everything but printable ASCII escaped as \xHH: a subject must not control a terminal. NULL: "-". */
const char *oc_view_printable(const char *text, apr_pool_t *pool);

/**
 * Print a table of @a views (oc_view_t) for a terminal of @a width columns (0: any width): header and rows. Where the
 * columns do not fit, a row takes several lines, and long texts lose their middle. All text is printable.
 * @param print called for each line, with its line end
 */
typedef void oc_view_print_fn(void *context, const char *line);
void oc_view_table(const apr_array_header_t *views, apr_time_t now, unsigned width, oc_view_print_fn *print,
                   void *context, apr_pool_t *pool);

#endif
