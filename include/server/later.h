/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Work on the disk that no client may wait for.
 *
 * httpd reads its configuration anew between the moment when the old children stop accepting connections and the moment when the new
 * ones begin. A flush to a slow disk would keep clients out meanwhile. So the parent collects such work, and at a reload a process of
 * its own does it, with the parent's rights, while the new children already serve.
 */
#ifndef OC_SERVER_LATER_H
#define OC_SERVER_LATER_H

#include <httpd.h>

typedef struct {
    /** Do it. In the parent at the start of the server, else in a process of its own. */
    void (*work)(void *data, server_rec *s);
    /** The parent leaves it to that process. May be NULL. */
    void (*leave)(void *data);
} oc_later_t;

/** pre_config: forget what the last configuration collected. */
void oc_later_reset(apr_pool_t *pconf);

/** post_config: @a data has to stay until oc_later_run(). */
void oc_later_add(const oc_later_t *what, void *data);

/** Behind every post_config: do it all, in the order in which it was added. A process that is still busy with the last reload's work
 *  is killed: this one's work replaces it. The parent's end waits for the process for up to ten seconds. */
void oc_later_run(server_rec *s);

#endif
