/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The issuers' certificates in the files that the configuration names: behind the server's certificate in
 * SSLCertificateFile, in SSLCertificateChainFile, SSLCACertificateFile and SSLCACertificatePath: where mod_ssl looks.
 *
 * Each file is read once, and each chain and issuer is parsed once, however many files hold it. For the parent, while
 * it reads the configuration.
 */
#ifndef OC_SERVER_ISSUER_FILES_H
#define OC_SERVER_ISSUER_FILES_H

#include "ocsp/bytes.h"
#include "server/settings.h"

#include <openssl/x509.h>

typedef struct oc_issuer_files_t oc_issuer_files_t;

/** Everything that is read is freed with @a pool. */
oc_issuer_files_t *oc_issuer_files_create(apr_pool_t *pool);

/**
 * Read a PEM file of a server's certificate.
 * @param leaf out: the DER of the first certificate, which may be followed by OpenSSL's trust settings; the next call
 * overwrites it
 * @param extra out: the others, const array of X509 *: one object for each certificate, however many files hold it
 * @return APR_SUCCESS; APR_EINVAL: no certificate is in it; else the errno
 */
apr_status_t oc_issuer_files_read(oc_issuer_files_t *files, const char *path, oc_bytes_t *leaf,
                                  const apr_array_header_t **extra);

typedef struct {
    X509 *issuer; /* whose key verifies the certificate's signature; NULL: it is not there. Lives as long as the pool */
    int is_plausible;    /* does mod_ssl find one, or a namesake? Only then does it prime the certificate */
    const char *unread;  /* a file that may hold the issuer and cannot be read; NULL: all could be */
    const char *problem; /* without an issuer: "CN=X is needed; chain.pem holds CN=Y" */
} oc_issuer_found_t;

/** Find the issuer of @a leaf, which the host of @a conf serves. @param file  contains it
 *  @param extra  the other certificates in that file */
void oc_issuer_files_find(oc_issuer_files_t *files, const oc_server_conf_t *conf, X509 *leaf, const char *file,
                          const apr_array_header_t *extra, oc_issuer_found_t *found);

#endif
