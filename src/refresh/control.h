/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_control: what the server does for ocsp-cachectl: it leaves a list of the certificates beside the cache's file, and the
 * child that refreshes looks for commands there.
 */
#ifndef OC_REFRESH_CONTROL_H
#define OC_REFRESH_CONTROL_H

#include "renew.h"

#include <httpd.h>

/** post_config, when the table of certificates is complete: write the manifest (oc_manifest.h), if the cache has a file. Trouble is one
 *  warning. */
void oc_control_post_config(apr_pool_t *pconf, server_rec *main_server);

/** Called for a job that is to be looked at again. */
typedef void oc_control_recall_fn(oc_job_t *job);

/** The child that refreshes, with the workers's lock held, as often as it likes: is there an command? One stat(2) a second. What it asks
 *  for is noted in the jobs (is_requested, import), and each is recalled. */
void oc_control_look(oc_job_t *jobs, unsigned n_jobs, oc_control_recall_fn *recall, apr_time_t now);

#endif
