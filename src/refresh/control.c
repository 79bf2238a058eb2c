/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the server does for ocsp-cachectl: the parent writes the manifest of its certificates; the child that refreshes
 * reads the commands of the tool, with its own rights. If either fails, stapling continues unchanged.
 */
#include "control.h"

#include "base/deadline.h"
#include "cache/shm.h"
#include "server/later.h"
#include "server/module.h"
#include "server/staples.h"
#include "state/manifest.h"

#include <http_log.h>
#include <stdlib.h>
#include <unistd.h>

APLOG_USE_MODULE(ocsp_cache);

#define LOOK_PAUSE apr_time_from_sec(1)

/* Set up in the parent, inherited; the last command seen is the leading child's own. */
static struct {
    server_rec *server;
    oc_command_box_t box; /* path: NULL: no commands are taken */
    apr_time_t next_look; /* on the clock of oc_deadline_now() */
} desk;

static apr_array_header_t *entries_of(const apr_array_header_t *certificates, apr_pool_t *pool)
{
    apr_array_header_t *entries = apr_array_make(pool, certificates->nelts, sizeof(oc_manifest_entry_t));
    int i;

    for (i = 0; i < certificates->nelts; i++) {
        const oc_managed_t *managed = APR_ARRAY_IDX(certificates, i, const oc_managed_t *);
        oc_manifest_entry_t *entry = apr_array_push(entries);

        entry->cert = managed->cert;
        entry->hosts = oc_managed_hosts(managed, pool);
        entry->urls = managed->targets.urls;
        entry->is_refreshed = oc_managed_is_refreshed(managed);
        entry->skew = managed->settings.skew;
        entry->max_age = managed->settings.max_age;
        entry->open_ended = managed->settings.open_ended;
        entry->error_keep = managed->settings.error_keep;
        entry->wanted_issuer = managed->wanted_issuer;
    }
    return entries;
}

static const oc_manifest_t *make_manifest(apr_pool_t *pool)
{
    oc_manifest_t *manifest = apr_palloc(pool, sizeof(*manifest));
    oc_shm_stats_t stats;

    oc_shm_stats(oc_staples_arena(), &stats);
    manifest->blocks = stats.blocks;
    manifest->expiry_warning = oc_settings_global()->expiry_warning;
    manifest->entries = entries_of(oc_managed_all(), pool);
    manifest->unprimed = entries_of(oc_managed_unprimed(), pool);
    return manifest;
}

static void write_manifest(void *data, server_rec *s)
{
    const char *path = oc_staples_path(), *problem = NULL;
    apr_pool_t *pool;

    (void)data;
    if (!path)
        return;
    apr_pool_create(&pool, NULL); /* freed below: none of it is needed later */
    if (oc_manifest_save(make_manifest(pool), oc_manifest_path(path, pool), pool, &problem) != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "%s. Stapling is not affected; ocsp-cachectl does not know the certificates", problem);
    apr_pool_destroy(pool);
}

static const oc_later_t WRITE_MANIFEST = {write_manifest, NULL};

void oc_control_post_config(apr_pool_t *pconf, server_rec *main_server)
{
    const char *path = oc_staples_path();

    memset(&desk, 0, sizeof(desk));
    if (!path)
        return;
    desk.server = main_server;
    desk.box.path = oc_command_path(path, pconf);
    desk.box.owner = geteuid(); /* of the cache's file */
    oc_later_add(&WRITE_MANIFEST, NULL);
}

/* ---- commands ---- */

static oc_job_t *find_job(oc_job_t *jobs, unsigned n_jobs, const unsigned char *id)
{
    unsigned i;

    for (i = 0; i < n_jobs; i++)
        if (memcmp(jobs[i].managed->cert->id, id, OC_CERT_ID_LEN) == 0)
            return &jobs[i];
    return NULL;
}

/* The worker runs after the command's memory is freed, so this is a copy. It replaces an import that no worker has
 * taken. */
static void set_import(oc_job_t *job, const oc_command_item_t *item)
{
    oc_packet_t *import = oc_packet_make(item->der, item->der_len);

    if (!import)
        return;
    free(job->guarded.import);
    job->guarded.import = import;
}

void oc_control_run(const oc_command_t *command, oc_job_t *jobs, unsigned n_jobs, oc_control_due_fn *make_due)
{
    unsigned i;
    int n;

    ap_log_error(APLOG_MARK, APLOG_INFO, 0, desk.server,
                 "ocsp-cachectl: command %" APR_TIME_T_FMT ": certificates: %d%s", command->number,
                 command->items->nelts, command->is_for_all ? ", and all are refreshed" : "");
    for (i = 0; command->is_for_all && i < n_jobs; i++) {
        jobs[i].guarded.is_requested = 1;
        make_due(&jobs[i]);
    }
    for (n = 0; n < command->items->nelts; n++) {
        const oc_command_item_t *item = &APR_ARRAY_IDX(command->items, n, oc_command_item_t);
        oc_job_t *job = find_job(jobs, n_jobs, item->id);

        if (!job)
            continue;
        if (item->der)
            set_import(job, item);
        else
            job->guarded.is_requested = 1;
        make_due(job);
    }
}

const oc_command_t *oc_control_look(apr_pool_t *pool)
{
    oc_command_t *command = apr_palloc(pool, sizeof(*command));
    apr_time_t now = oc_deadline_now();
    const char *problem = NULL;

    if (!desk.box.path || now < desk.next_look)
        return NULL;
    desk.next_look = now + LOOK_PAUSE;
    if (oc_command_look(command, &desk.box, apr_time_now(), pool, &problem) == APR_SUCCESS)
        return command;
    if (problem)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, desk.server, "a command of ocsp-cachectl is ignored: %s", problem);
    return NULL;
}
