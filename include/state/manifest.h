/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which certificates the server staples for, in a file beside the cache's (`path.manifest`), for ocsp-cachectl: hosts,
 * whom to ask, and all that verifying a response takes: serial, the issuer's certificate, the settings.
 *
 * The parent writes it while it reads the configuration, and closes it: no child can ever change it. So a tool that
 * finds a response to be in order with it need not trust who brought the response. It holds no secret, but it is the
 * folder's owner's alone (0600) like the rest.
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
    const char *const *urls;  /* of the responders that are queried, in their order; NULL-terminated, never NULL */
    int is_refreshed;         /* can a response be obtained for it, from a responder or out of a file? */
    apr_interval_time_t skew; /* of oc_verify_policy_t */
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

/** The manifest of the cache's file @a cache_path. */
const char *oc_manifest_path(const char *cache_path, apr_pool_t *pool);

/** The text of a manifest; NULL: no memory. */
const char *oc_manifest_text(const oc_manifest_t *manifest, apr_size_t *len, apr_pool_t *pool);

/** Read such a text; everything in *manifest comes from @a pool. Lines with unknown keys are passed over.
 *  @return APR_SUCCESS; APR_EGENERAL: it is none, with *problem. */
apr_status_t oc_manifest_parse(oc_manifest_t **manifest, const char *text, apr_size_t len, apr_pool_t *pool,
                               const char **problem);

/** Write the manifest at @a path (temp and rename), if it says anything else than the one there. @return
 *  APR_SUCCESS; else why not, with *problem: what was there stays. */
apr_status_t oc_manifest_save(const oc_manifest_t *manifest, const char *path, apr_pool_t *pool, const char **problem);

/** @return APR_SUCCESS; APR_ENOENT; else why not, with *problem. Symlinks and other people's files are refused. */
apr_status_t oc_manifest_load(oc_manifest_t **manifest, const char *path, apr_pool_t *pool, const char **problem);

#endif
