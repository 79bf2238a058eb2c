/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The certificates that this configuration staples for, each with the responders that can be queried for its status.
 *
 * The table is filled in the parent by mod_ssl's priming, once per certificate and vhost, and read-only from
 * post_config on.
 */
#ifndef OC_SERVER_MANAGED_H
#define OC_SERVER_MANAGED_H

#include "ocsp/cert.h"
#include "server/settings.h"

#include <apr_tables.h>

typedef struct {
    const oc_cert_t *cert;

    /* From here on decided by oc_managed_settle(). */
    apr_array_header_t *servers; /* server_rec *: all vhosts that serve it, in the order of the configuration */
    server_rec *server;          /* the first of them: its settings apply */
    const char *host;            /* that vhost, as "name:port" */
    oc_targets_t targets;        /* the responders to query, in their order: targets.urls */
    const char *url;             /* the first of them (targets.url); NULL: there is none to query */
    const char *responder; /* "host:port" of that URL (oc_fetch_responder): the unit of isolation; "": there is none */
    const char *proxy;     /* SSLOCSPProxyURL; NULL: none. It may hold a password: log proxy_host instead */
    const char *proxy_host;
    const char *label; /* for the log: host, subject, serial */
    oc_settings_t settings;

    const char
        *wanted_issuer; /* of a certificate that is never primed: the subject of the certificate that is missing */
} oc_managed_t;

/** Logged as one notice where no certificate names a responder and none demands a staple. */
#define OC_NOTHING_TO_STAPLE                                                                 \
    "no certificate of this server names an OCSP responder, so there is nothing to staple. " \
    "Many CAs no longer run one. This is not an error"

/** pre_config: begin an empty table in pconf. */
void oc_managed_reset(apr_pool_t *pconf);

/** A vhost serves a certificate. @param pem the certificate and its issuer, as mod_ssl's prime hook has them */
void oc_managed_add(server_rec *s, const char *id, apr_size_t id_len, const char *pem);

/** post_config: the table is complete: put it into the order of the configuration, and decide for each certificate
 * which responders are queried, and how. Logs why one cannot be stapled (at info where that is expected: its CA runs no
 * responder), and where vhosts differ. */
void oc_managed_settle(server_rec *main_server);

/** All of them: const oc_managed_t *. Never NULL after oc_managed_reset(). From oc_managed_settle() on each certificate
 * is where the host is that serves it first in the configuration, the main server before all others. mod_ssl does not
 * tell in which order one host names its certificates: those with an RSA key come first. */
const apr_array_header_t *oc_managed_all(void);

/** Can a response be obtained for it, from a responder or out of a file? */
int oc_managed_is_refreshed(const oc_managed_t *managed);

/**
 * post_config, before oc_managed_settle(): hosts that name a certificate whose issuer mod_ssl does not find there.
 * When it primed the certificate for another host, it staples in these, too.
 * @param servers  server_rec *
 * @return is the certificate with this id in the table?
 */
int oc_managed_add_supplied(const unsigned char *id, const apr_array_header_t *servers);

/** Was it primed and rejected, because it or its issuer cannot be used (logged)? */
int oc_managed_was_rejected(const unsigned char *id);

/**
 * post_config, before oc_managed_settle(): add a certificate of stapling hosts that mod_ssl did not prime, so that
 * reports show it. It is kept apart from oc_managed_all(): nothing can be queried, verified or stapled for it.
 * @param cert  without issuer; copied @param servers  server_rec *, in the order of the configuration @param wanted the
 * issuer's name
 */
void oc_managed_add_unprimed(const oc_cert_t *cert, const apr_array_header_t *servers, const char *wanted);

/** Those, in the order of the configuration: const oc_managed_t *. Never NULL after oc_managed_reset(). */
const apr_array_header_t *oc_managed_unprimed(void);

/** How many certificates of this vhost are in the table. */
unsigned oc_managed_count_of(const server_rec *s);

/** "name:port" of a vhost, as mod_ssl names it in its log. */
const char *oc_managed_host(const server_rec *s, apr_pool_t *pool);

/** All vhosts that serve it, in the order of the configuration, each name once: const char *. From post_config on. */
apr_array_header_t *oc_managed_hosts(const oc_managed_t *managed, apr_pool_t *pool);

#endif
