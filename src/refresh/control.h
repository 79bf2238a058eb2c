/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the server does for ocsp-cachectl: it writes the manifest of the certificates next to the cache file, and the
 * child that refreshes looks for commands there.
 */
#ifndef OC_REFRESH_CONTROL_H
#define OC_REFRESH_CONTROL_H

#include "job.h"
#include "state/command.h"

#include <httpd.h>

/** post_config, when the table of certificates is complete: write the manifest (state/manifest.h), if the cache has a
 *  file. A failure is logged as a warning. */
void oc_control_post_config(apr_pool_t *pconf, server_rec *main_server);

/** Called for a job that is to be handed out at once. */
typedef void oc_control_due_fn(oc_job_t *job);

/** The thread that leads, without the workers' lock, as the folder may be on a network and hang: look for a command,
 *  with one stat(2) a second. @return NULL: there is none; else from @a pool */
const oc_command_t *oc_control_look(apr_pool_t *pool);

/** With the workers' lock held: what @a command requests is written to the jobs (is_requested, import), and @a make_due
 *  is called for each of them. */
void oc_control_run(const oc_command_t *command, oc_job_t *jobs, unsigned n_jobs, oc_control_due_fn *make_due);

#endif
