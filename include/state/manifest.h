/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which certificates the server staples for, in a file next to the cache's (`path.manifest`), for ocsp-cachectl: the
 * hosts, the responders, and what is needed to verify a response: serial, issuer's certificate, settings.
 *
 * The parent writes it while it reads the configuration, and closes it, so no child can change it. A tool that verifies
 * a response with it does not have to trust the source of the response. It holds no secret, but has mode 0600 like the
 * cache's other files.
 *
 *   ocsp-cache-manifest 1
 *   cache-blocks 8192         expiry-warning, certificates: see below
 *   issuer SHA-256
 *   -----BEGIN CERTIFICATE-----      each issuer once
 *   certificate SHA-1         then a line for each fact, with the issuer's SHA-256 or "wanted-issuer NAME", and "end"
 */
#ifndef OC_STATE_MANIFEST_H
#define OC_STATE_MANIFEST_H

#include "ocsp/cert.h"

#include <apr_tables.h>

typedef struct {
    const oc_cert_t *cert;           /* with its issuer; urls is empty */
    const apr_array_header_t *hosts; /* const char *: "name:port", at least one */
    const char *const *urls;         /* of the responders to query, in order; NULL-terminated, never NULL */
    int is_refreshed;                /* can a response be obtained, from a responder or a file? */
    apr_interval_time_t skew;        /* of oc_verify_policy_t */
    apr_interval_time_t max_age;
    apr_interval_time_t open_ended;
    apr_interval_time_t error_keep;
    const char *wanted_issuer; /* of an unprimed certificate: the name of its issuer */
} oc_manifest_entry_t;

typedef struct {
    uint32_t blocks;                    /* of the cache */
    apr_interval_time_t expiry_warning; /* OCSPCacheExpiryWarning */
    apr_array_header_t *entries;        /* oc_manifest_entry_t */
    apr_array_header_t
        *unprimed; /* the same, for certificates whose issuer the server does not know: cert->issuer is NULL and
                                     cert->binding is 0. Nothing is stapled for them, which reports must show */
} oc_manifest_t;

/** The path of the manifest for the cache's file @a cache_path. */
const char *oc_manifest_path(const char *cache_path, apr_pool_t *pool);

/** The text of a manifest; NULL: no memory. */
const char *oc_manifest_text(const oc_manifest_t *manifest, apr_size_t *len, apr_pool_t *pool);

/** Read such a text; everything in *manifest comes from @a pool. Lines with unknown keys are ignored. @return
 *  APR_SUCCESS; APR_EGENERAL: it is not a manifest, with *problem. */
apr_status_t oc_manifest_parse(oc_manifest_t **manifest, const char *text, apr_size_t len, apr_pool_t *pool,
                               const char **problem);

/** Write the manifest at @a path (temp and rename), unless the existing one is identical. @return APR_SUCCESS; else
 *  why not, with *problem, and the existing file is unchanged. */
apr_status_t oc_manifest_save(const oc_manifest_t *manifest, const char *path, apr_pool_t *pool, const char **problem);

/** @return APR_SUCCESS; APR_ENOENT; else why not, with *problem. Symlinks and files of other users are refused. */
apr_status_t oc_manifest_load(oc_manifest_t **manifest, const char *path, apr_pool_t *pool, const char **problem);

#endif
