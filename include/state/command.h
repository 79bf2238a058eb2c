/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A command of ocsp-cachectl for the running server, in a file next to the cache's (`path.command`): query responders
 * now, or import these responses. The child that refreshes looks for it once a second and reads it with its own rights,
 * so its mode is 0644: it contains no secret. A command gets no reply: the tool watches the ledger and the cache's file
 * for its effect.
 *
 * Only the owner of the cache's file, usually root, may send commands. A command expires after OC_COMMAND_AGE_MAX, so
 * one that a killed tool left behind has no lasting effect. A child that takes over the lead reads it again; executing
 * it twice does no harm. A response that arrives this way is verified like any other.
 *
 *   ocsp-cache-command 1
 *   number N                          identifies it: when it was written, in microseconds
 *   refresh-all                       or
 *   refresh SHA-1                     of the certificate
 *   import SHA-1
 *   -----BEGIN OCSP RESPONSE-----
 *   end
 */
#ifndef OC_STATE_COMMAND_H
#define OC_STATE_COMMAND_H

#include "base/disk.h"
#include "ocsp/cert.h"

#include <apr_tables.h>

#define OC_COMMAND_SIZE_MAX (1 << 20) /* of the file: more responses take several commands */
#define OC_COMMAND_AGE_MAX apr_time_from_sec(60)

typedef struct {
    unsigned char id[OC_CERT_ID_LEN];
    const unsigned char *der; /* the response to import; NULL: query the responder */
    apr_size_t der_len;
} oc_command_item_t;

typedef struct {
    apr_time_t number;
    int is_for_all;            /* refresh all */
    apr_array_header_t *items; /* oc_command_item_t */
} oc_command_t;

/** Where the server looks for commands. */
typedef struct {
    const char *path;
    uid_t owner;          /* who may send them */
    oc_disk_stamp_t seen; /* of the last one; zeroed at first */
} oc_command_box_t;

/** The path of the command for the server with the cache's file @a cache_path. */
const char *oc_command_path(const char *cache_path, apr_pool_t *pool);

/** The text of a command; NULL: no memory, or longer than OC_COMMAND_SIZE_MAX. */
const char *oc_command_text(const oc_command_t *command, apr_size_t *len, apr_pool_t *pool);

/** Read such a text, everything from @a pool. @return APR_SUCCESS; APR_EINVAL: it is not a command, or incomplete. */
apr_status_t oc_command_parse(oc_command_t *command, const char *text, apr_size_t len, apr_pool_t *pool);

/** Write a command to @a path, in place of the last one. @return APR_SUCCESS; else why not, with *problem. */
apr_status_t oc_command_leave(const oc_command_t *command, const char *path, apr_pool_t *pool, const char **problem);

/**
 * Is there a command that was not seen yet? One stat(2) when there is none.
 * @return APR_SUCCESS; APR_ENOENT: none, or an expired one; APR_EEXIST: the one already seen; else, once for each
 *   command, why it is rejected, with *problem, from @a pool.
 */
apr_status_t oc_command_look(oc_command_t *command, oc_command_box_t *box, apr_time_t now, apr_pool_t *pool,
                             const char **problem);

#endif
