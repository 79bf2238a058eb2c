/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The configuration, with defaults filled in and checked: mod_ssl's directives for each vhost, the module's own
 * directives for the whole server. Written in the parent while the configuration is read (config/directives.c);
 * afterwards read-only, in every thread of every child.
 */
#ifndef OC_SERVER_SETTINGS_H
#define OC_SERVER_SETTINGS_H

#include "ocsp/cert.h"
#include "ocsp/schedule.h"
#include "server/argument.h"

#include <apr_hash.h>
#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>

#define OC_UNSET (-1)

/** The directives of one <VirtualHost>. OC_UNSET and NULL: not set. Intervals in microseconds. */
typedef struct oc_server_conf_t {
    int ssl_engine;                        /* SSLEngine is on */
    int use_stapling;                      /* SSLUseStapling */
    int return_errors;                     /* SSLStaplingReturnResponderErrors */
    int fake_try_later;                    /* SSLStaplingFakeTryLater */
    const char *with_unit;                 /* one of the following as written here, with a unit; NULL: none */
    apr_interval_time_t responder_timeout; /* SSLStaplingResponderTimeout */
    apr_interval_time_t standard_timeout;  /* SSLStaplingStandardCacheTimeout */
    apr_interval_time_t error_timeout;     /* SSLStaplingErrorCacheTimeout */
    apr_interval_time_t skew;              /* SSLStaplingResponseTimeSkew */
    apr_interval_time_t max_age;           /* SSLStaplingResponseMaxAge */
    const char *force_url;                 /* SSLStaplingForceURL */
    const char *proxy_url;                 /* SSLOCSPProxyURL */
    apr_array_header_t *certificate_files; /* SSLCertificateFile: const char * */
    const char *chain_file;                /* SSLCertificateChainFile */
    const char *ca_file;                   /* SSLCACertificateFile */
    const char *ca_path;                   /* SSLCACertificatePath */

    int staples; /* decided by oc_settings_check(): the hooks act for this server */

    const struct oc_server_conf_t *own; /* what this <VirtualHost> itself sets, nothing inherited */
} oc_server_conf_t;

/** The settings of the main server, for all hosts: our own directives. */
typedef struct {
    int is_provider;                 /* SSLStaplingCache names ocsp_cache */
    const char *cache_line;          /* the argument of the last SSLStaplingCache, which counts; NULL: there is none */
    const char *cache_replaced;      /* the argument of one before it that names ocsp_cache, if it differs; else NULL */
    oc_argument_t cache;             /* its argument after the name */
    int refresh;                     /* OCSPCacheRefresh */
    int workers;                     /* OCSPCacheWorkers: threads, */
    int workers_per_responder;       /* and how many of them one responder gets at most */
    int workers_grow;                /* it is not set: both grow with the number of certificates */
    apr_interval_time_t refresh_min; /* OCSPCacheRefreshInterval */
    apr_interval_time_t refresh_max;
    apr_interval_time_t must_staple_wait; /* OCSPCacheMustStapleWait */
    apr_interval_time_t expiry_warning;   /* OCSPCacheExpiryWarning; 0: never */
    oc_certid_hash_t certid_hash;         /* OCSPCacheCertIDHash */
    int status_refresh;                   /* OCSPCacheStatusRefresh */
    const char *response_folder;          /* OCSPCacheResponseFolder; NULL: none */
    const char *shared_prefix;            /* OCSPCacheSharedPrefix */
    apr_interval_time_t shared_timeout;   /* OCSPCacheSharedTimeout */
    const char *const *notify;            /* OCSPCacheNotify: the program's path, its arguments, NULL; NULL: none */
    apr_hash_t *responders;               /* OCSPCacheResponder: URL in the certificate -> URL to query */
    int checks_clients;                   /* mod_ocsp_client is loaded, and a host uses it */
    const char *written;                  /* one of our directives that is set, for a message; NULL: none */
    const char *ssl_written;              /* likewise, one of mod_ssl's stapling directives */
} oc_global_conf_t;

/** How to request one certificate's status, all defaults filled in. */
typedef struct {
    apr_interval_time_t timeout;
    apr_interval_time_t skew;
    apr_interval_time_t max_age;    /* 0: any */
    apr_interval_time_t open_ended; /* usable time of a response without nextUpdate */
    apr_interval_time_t error_keep; /* how long a responder's error may be stapled */
    oc_schedule_bounds_t bounds;
} oc_settings_t;

void *oc_settings_create_server(apr_pool_t *pool, server_rec *s);
void *oc_settings_merge_server(apr_pool_t *pool, void *base, void *add);

/** pre_config: discard the last configuration. */
void oc_settings_reset(apr_pool_t *pconf);

const oc_server_conf_t *oc_settings_server(const server_rec *s);
const oc_global_conf_t *oc_settings_global(void);

/** All of them in the order of the configuration, the main server first (httpd lists the others in reverse): server_rec
 * *. */
apr_array_header_t *oc_settings_servers(server_rec *main_server, apr_pool_t *pool);

/** Does it use TLS? As mod_ssl decides: SSLEngine; if that is not set, a certificate and a port with https. */
int oc_settings_is_tls(const server_rec *s);

/** The same, for the directives' setters. */
oc_global_conf_t *oc_settings_edit(void);

/** Does the module staple: SSLStaplingCache names our provider, and OCSPCacheRefresh is on. */
int oc_settings_is_active(void);

void oc_settings_resolve(const server_rec *s, oc_settings_t *settings);

/** Where queries about one certificate go. */
typedef struct {
    const char *const *urls; /* in the order in which they are queried: the next where one fails. NULL-terminated, never
                                NULL; empty: no responder can be queried. Each passes oc_fetch_url_problem(), so it
                                holds no password */
    const char *url;         /* the first of them, to show; NULL: there is none */
    const char *problem;     /* why there is none: a phrase for the log; NULL: there is one */
    const char *advice;      /* with a problem: a sentence with what to write */
    int is_expected;         /* with a problem: no responder is named, which is expected */
    const char *skipped;     /* those named that cannot be queried, while others can: "URL (why), ..."; NULL: nothing */
    int is_refreshed;        /* can a response be obtained: from a responder, or out of OCSPCacheResponseFolder? */
} oc_targets_t;

/**
 * Decide where queries go: to SSLStaplingForceURL alone, where that is set; else to the responders that the certificate
 * names, in its order, each replaced by what OCSPCacheResponder sets for just this URL. What cannot be queried (https,
 * ldap, a wrong URL) is left out, and a URL that results twice is queried once. Nothing can be queried through an
 * unusable SSLOCSPProxyURL, and nothing for a self-signed certificate: no CA vouches for it. All strings are from
 * @a pool, or live as long as the configuration or the certificate.
 */
void oc_settings_targets(const server_rec *s, const oc_cert_t *cert, oc_targets_t *targets, apr_pool_t *pool);

/** The policy for errors in a handshake: the defaults (Off, On) suit stapling clients. */
int oc_settings_returns_errors(const oc_server_conf_t *conf);
int oc_settings_fakes_try_later(const oc_server_conf_t *conf);

/** check_config: is everything present that the directives need? Also decides `staples` for every server, because
 * mod_ssl primes certificates before our post_config runs. @return OK, or HTTP_INTERNAL_SERVER_ERROR after an error
 * line that names what is missing. */
int oc_settings_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server);

#endif
