/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The revocation status of client certificates, for mod_ocsp_client. That module has the directives and the callbacks
 * that need libssl; the table, its refresh and everything that libcrypto suffices for are here.
 *
 * The two meet by one optional function, so that neither is linked with the other.
 */
#ifndef OC_SERVER_CLIENT_SERVICE_H
#define OC_SERVER_CLIENT_SERVICE_H

#include "client/client.h"

#include <apr_optional.h>
#include <apr_tables.h>
#include <httpd.h>

typedef enum { OC_CLIENT_OFF, OC_CLIENT_SOFT, OC_CLIENT_HARD } oc_client_mode_t;

/** The settings of one virtual host that checks clients. Intervals in microseconds. */
typedef struct {
    server_rec *server;
    uint64_t id; /* oc_client_host_id() */
    oc_client_mode_t mode;
    apr_interval_time_t wait;
    apr_interval_time_t grace;
    apr_interval_time_t max_age; /* of a response without nextUpdate */
    const char *responder;       /* queried in place of those that certificates name; NULL: those */
} oc_client_host_t;

typedef struct {
    const apr_array_header_t *hosts; /* const oc_client_host_t *; those with a mode other than off */
    unsigned size;                   /* of the table, in clients */
    const char *path;                /* of the file that stores it; NULL: in memory only */
} oc_client_spec_t;

/** A client that a host has to decide about. */
typedef struct {
    const oc_client_host_t *host;
    oc_client_key_t key;
    X509 *cert, *issuer; /* NULL: not known, so it can be looked up, but not queried */
    unsigned lane;       /* any number that differs between threads, for counters */
} oc_client_contact_t;

/** What happened to clients, since the last reload. */
typedef enum {
    OC_CLIENT_COUNT_GOOD,
    OC_CLIENT_COUNT_REVOKED,
    OC_CLIENT_COUNT_UNKNOWN_PASSED,
    OC_CLIENT_COUNT_UNKNOWN_REFUSED,
    OC_CLIENT_COUNT_WAITED,   /* for an answer */
    OC_CLIENT_COUNT_NO_PLACE, /* did not wait, as too many threads do */
    OC_CLIENT_COUNT_QUERIES,  /* exchanges that ended, */
    OC_CLIENT_COUNT_FAILURES, /* and those without a usable response */
    OC_CLIENT_COUNT_LIMIT
} oc_client_count_t;

typedef struct {
    const char *version; /* OC_VERSION: both modules must be of the same */

    /** check_config: what this configuration needs. @a spec lives as long as the configuration.
     * @return NULL; else what is wrong with it, from @a pool */
    const char *(*configure)(const oc_client_spec_t *spec, apr_pool_t *pool);

    int (*is_tls)(const server_rec *s);    /* oc_settings_is_tls() */
    uint64_t (*host_id)(const char *name); /* oc_client_host_id() */
    const char *(*state_name)(oc_client_state_t state);
    const char *(*source_name)(oc_client_source_t source);
    int (*identify)(oc_client_key_t *key, const X509 *cert, const X509 *issuer); /* oc_client_identify() */

    /** Look the client up: no lock, no system call, no allocation. Notes that it came. */
    oc_client_answer_t (*look_up)(const oc_client_contact_t *contact);

    /** Look it up, and where an answer can still come, have the responder queried and wait for it: for host->wait at
     * most, and not at all while too many threads wait. */
    oc_client_answer_t (*obtain)(const oc_client_contact_t *contact);

    void (*count)(const oc_client_contact_t *contact, oc_client_count_t what);
} oc_client_service_t;

APR_DECLARE_OPTIONAL_FN(const oc_client_service_t *, oc_client_service, (void));

#endif
