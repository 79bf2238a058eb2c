/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The certificates that the configuration names, read from their files as the user who runs `apachectl -t`.
 * A running server knows them from mod_ssl (server/managed.h).
 *
 * Each file is read once, however many hosts name it, and each issuer is parsed once, however many files hold it. Of
 * certificates that name the same key of the same issuer, and have the same certificates to look for it in, the
 * signature of one is verified.
 */
#ifndef OC_CONFIG_INVENTORY_H
#define OC_CONFIG_INVENTORY_H

#include "ocsp/cert.h"

#include <apr_tables.h>
#include <httpd.h>

typedef struct {
    const char *file;   /* from SSLCertificateFile: an absolute path, or a URI */
    oc_cert_t *cert;    /* NULL: status and problem give the reason; cert->issuer is NULL */
    oc_bytes_t subject; /* DER; at NULL: cert->subject is there; else it is, after oc_inventory_name() */
    int has_issuer;     /* can mod_ssl find the issuer's certificate, the one whose key verifies the signature? */
    const char *issuer_problem;  /* if not: "CN=X is needed; chain.pem holds CN=Y" */
    const char *issuer;          /* the issuer's name in the certificate; NULL where cert is */
    apr_status_t status;         /* APR_ENOTIMPL: a URI; APR_EINVAL: a file without a certificate; else the errno */
    const char *problem;         /* with APR_EINVAL: a phrase */
    const char *unread;          /* a file that may hold the issuer but cannot be read; NULL: none */
    apr_array_header_t *servers; /* server_rec *: the hosts that serve it, in the order of the configuration */
} oc_listed_t;

/** Fill in the subject of listed->cert, which costs as much as all the rest: only where something is reported.
 *  @return "certificate SUBJECT (serial SERIAL)", for a message */
const char *oc_inventory_name(const oc_listed_t *listed, apr_pool_t *pool);

/** All certificates of TLS hosts, in the order of the configuration: const oc_listed_t *. A file that two hosts use
 * with different chains is listed twice. Empty if this module does not staple at all. */
apr_array_header_t *oc_inventory_read(server_rec *main_server, apr_pool_t *pool);

/** The same, for @a servers only: server_rec *, in the order of the configuration. */
apr_array_header_t *oc_inventory_of(const apr_array_header_t *servers, apr_pool_t *pool);

/** Does this module staple for @a s? */
typedef int oc_inventory_staples_fn(const void *context, const server_rec *s);

/** Those of @a all that can be read and are stapled, each certificate once, with the hosts that staple it, and with the
 * issuer that one of these hosts has: const oc_listed_t *. */
apr_array_header_t *oc_inventory_stapled(const apr_array_header_t *all, oc_inventory_staples_fn *staples,
                                         const void *context, apr_pool_t *pool);

#endif
