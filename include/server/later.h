/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Disk work that must not delay clients.
 *
 * At a reload httpd reads its configuration after the old children stop accepting connections and before the new ones
 * begin. A flush to a slow disk would keep clients waiting. So the parent collects such work, and at a reload a
 * separate process does it, with the parent's rights, while the new children already serve.
 */
#ifndef OC_SERVER_LATER_H
#define OC_SERVER_LATER_H

#include <httpd.h>

typedef struct {
    /** Do it. In the parent at the start of the server, else in a separate process. */
    void (*work)(void *data, server_rec *s);
    /** In the parent, when that process does it: release what only the process needs. May be NULL. */
    void (*leave)(void *data);
} oc_later_t;

/** pre_config: discard the list of the last configuration, and kill a process that is still busy with its work: the new
 * configuration does all of it again. It must be dead before post_config prepares new files, because it would give
 * its own name to one of them. */
void oc_later_reset(apr_pool_t *pconf);

/** post_config: add work. @a data must stay valid until oc_later_run(). */
void oc_later_add(const oc_later_t *what, void *data);

/** After every post_config: do all work, in the order in which it was added. When the parent ends, it waits for the
 * process for up to ten seconds. */
void oc_later_run(server_rec *s);

#endif
