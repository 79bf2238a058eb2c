/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The certificates of the server, the stored response of each, and the results of the last attempts. Read from the
 * cache's file, the manifest and the ledger, without a lock, with the server running or stopped. ASN.1 that children
 * wrote is never parsed here.
 */
#ifndef CTL_STOCK_H
#define CTL_STOCK_H

#include "ctl.h"

#include "state/manifest.h"
#include "state/reader.h"

typedef struct {
    oc_view_t view;
    const oc_manifest_entry_t *entry; /* NULL: not one of the server's certificates, as far as is known */
    const oc_reader_record_t *stored; /* NULL: no response is stored */
} ctl_row_t;

typedef struct {
    oc_reader_t reader;
    const oc_manifest_t *manifest; /* NULL: there is none, and */
    const char *manifest_problem;  /* why */
    pid_t server;                  /* the process of the running server; 0: it does not run */
    apr_interval_time_t expiry_warning;
    apr_array_header_t
        *rows; /* ctl_row_t *: the server's certificates; without a manifest: the responses that are held */
    apr_array_header_t *unused; /* ctl_row_t *: held for certificates that no host uses */
} ctl_stock_t;

/** Find the cache and read it. @return CTL_OK; otherwise a message has been printed. */
int ctl_stock_load(ctl_t *ctl, ctl_stock_t *stock);

/**
 * The rows that the arguments of the command line name: by host ("www.example.org", with or without ":443";
 * "*.example.org" is a pattern), by serial, or by SHA-1 fingerprint. @param rows out: ctl_row_t *; all of them where
 * there are no arguments
 * @return CTL_OK; otherwise a message has been printed, with the hosts that are nearest.
 */
int ctl_stock_select(const ctl_t *ctl, const ctl_stock_t *stock, apr_array_header_t **rows);

/** Both. @param needs_manifest without one nothing can be verified: that is a failure */
int ctl_stock_open(ctl_t *ctl, ctl_stock_t *stock, apr_array_header_t **rows, int needs_manifest);

/** How a certificate is named in messages: host and serial. */
const char *ctl_row_label(const ctl_row_t *row, apr_pool_t *pool);

/** Write host, sha1 and serial: which certificate an object of JSON is about. NULL: null, as it is not known. */
void ctl_row_json(oc_json_t *json, const ctl_row_t *row, apr_pool_t *pool);

/** Begin the JSON document of a command on the standard output: its version, the cache, the server. The caller adds
 *  its own members, and ends it. */
void ctl_stock_json(oc_json_t *json, const ctl_t *ctl, const ctl_stock_t *stock);

/** Write the certificates of these rows, as the status page does. */
void ctl_stock_json_rows(oc_json_t *json, const char *key, const ctl_t *ctl, const ctl_stock_t *stock,
                         const apr_array_header_t *rows);

#endif
