/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The part of `apachectl -t` about the cache: files that cannot be used, responses that run out without being renewed,
 * and a size that is too small. Root reads what children wrote, so no ASN.1 of theirs is parsed here.
 */
#include "configtest_parts.h"

#include "base/disk.h"
#include "cache/file.h"
#include "cache/shm.h"
#include "config/inventory.h"
#include "server/cache_size.h"
#include "server/client_table.h"
#include "server/module.h"
#include "server/settings.h"
#include "state/reader.h"

#include <apr_strings.h>
#include <http_log.h>
#include <http_main.h>
#include <mpm_common.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unixd.h>

APLOG_USE_MODULE(ocsp_cache);

static int is_refreshed(const oc_listed_t *listed, apr_pool_t *pool)
{
    oc_targets_t targets;

    oc_settings_targets(APR_ARRAY_IDX(listed->servers, 0, server_rec *), listed->cert, &targets, pool);
    return targets.is_refreshed;
}

/* Why is it not renewed? The server records its last attempt in the ledger. */
static const char *cause(const oc_view_t *view, apr_pool_t *pool)
{
    const char *advice = oc_verdict_advice(view->last);

    if (view->failures == 0)
        return "A running server renews it much earlier, and a starting server queries the responder at once. `-t -D "
               "DUMP_OCSP_CACHE` shows when";
    return apr_pstrcat(pool, "The last attempt failed: ", oc_verdict_text(view->last), *advice ? ". " : "", advice,
                       NULL);
}

static void check_expiry(oc_findings_t *findings, const oc_listed_t *listed, const oc_view_t *view, const char *path,
                         apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    int i, is_over = view->usable_until <= now;
    const char *label, *text;

    if (!view->has_record || oc_verdict_class(view->verdict) != OC_CLASS_TRUTH || listed->cert->not_after <= now)
        return;
    if (!is_over && !oc_view_is_running_out(view, now, oc_settings_global()->expiry_warning))
        return;
    label = oc_inventory_name(listed, pool);
    text = apr_psprintf(pool, "the response stored in %s %s. %s", path,
                        is_over ? "has expired" : "expires soon (OCSPCacheExpiryWarning) and has not been renewed",
                        cause(view, pool));
    for (i = 0; i < listed->servers->nelts; i++)
        oc_findings_add(findings, APLOG_WARNING, APR_ARRAY_IDX(listed->servers, i, server_rec *), OC_ABOUT_CERTIFICATES,
                        label, text);
}

/* ---- files ---- */

typedef struct {
    const char *directive; /* that names it */
    const char *path;
    int is_default;   /* the directive leaves the place to this module */
    const char *loss; /* what happens after a reboot if the file is in memory */
} kept_t;

static void log_file(int level, const kept_t *file, server_rec *s, const char *text)
{
    ap_log_error(APLOG_MARK, level, 0, s, "%s: %s", file->directive, text);
}

/* Children that can write to the folder can remove or replace the file: one that is taken over could keep the responses
 * from being stored. A server that is not started by root has children with its own rights. */
static void check_folder(const kept_t *file, server_rec *s, apr_pool_t *pool)
{
    const char *folder = oc_disk_folder(file->path, pool), *who = NULL;
    struct stat st;

    if (geteuid() != 0 || stat(folder, &st) != 0)
        return;
    if (st.st_mode & S_IWOTH)
        who = "Every user";
    else if (st.st_uid != 0 && st.st_uid == ap_unixd_config.user_id)
        who = "The server's children, which own it,";
    else if ((st.st_mode & S_IWGRP) && st.st_gid == ap_unixd_config.group_id)
        who = "The server's children, by their group,";
    if (who)
        log_file(APLOG_WARNING, file, s,
                 apr_psprintf(pool,
                              "%s may write to the folder %s (mode %04o), and so remove the cache file. Name a file "
                              "in a folder that only root can write to",
                              who, folder, (unsigned)st.st_mode & 07777));
}

/* Does another server hold the file? The one with this configuration's PidFile is the one under test. */
static void check_holder(const kept_t *file, server_rec *s, apr_pool_t *pool)
{
    pid_t holder = oc_file_lock_holder(file->path, pool), own = 0;

    if (holder == 0 || (ap_read_pid(pool, ap_pid_fname, &own) == APR_SUCCESS && own == holder))
        return;
    log_file(APLOG_WARNING, file, s,
             apr_psprintf(pool,
                          "%s is in use by another running server (process %ld): this one will not start. Give each "
                          "server its own file",
                          file->path, (long)holder));
}

/* A reboot loses it: expected where the administrator has chosen the place, a surprise where the default lies there. */
static void check_volatile(const kept_t *file, server_rec *s, apr_pool_t *pool)
{
    if (oc_file_is_volatile(file->path, pool))
        log_file(file->is_default ? APLOG_WARNING : APLOG_NOTICE, file, s,
                 apr_psprintf(pool, "%s is in memory (tmpfs): %s", file->path, file->loss));
}

static void check_file(const kept_t *file, server_rec *s, apr_pool_t *pool)
{
    const char *problem = NULL;
    apr_status_t rv = oc_file_check(file->path, pool, &problem);

    if (APR_STATUS_IS_EACCES(rv) && geteuid() != 0)
        log_file(
            APLOG_WARNING, file, s,
            apr_psprintf(pool, "%s. This is not an error if root starts the server. Run the test as root", problem));
    else if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "%s",
                     oc_argument_memory_only(file->directive, problem, rv, file->path, pool));
    if (rv != APR_SUCCESS)
        return;
    check_folder(file, s, pool);
    check_holder(file, s, pool);
    check_volatile(file, s, pool);
}

void oc_configtest_files(server_rec *main_server, apr_pool_t *pool)
{
    const oc_argument_t *argument = &oc_settings_global()->cache;
    const kept_t responses = {"SSLStaplingCache", oc_argument_file(argument, pool), !argument->path,
                              "a reboot loses the responses, and clients then get no staple until the responders have "
                              "answered"};
    const kept_t clients = {"OCSPCacheClientFile", oc_client_table_path(), 0,
                            "a reboot loses what is known of clients, and the first contact with each then waits for "
                            "its responder"};

    if (oc_settings_global()->is_provider)
        check_file(&responses, main_server, pool);
    if (clients.path)
        check_file(&clients, main_server, pool);
}

/* ---- the responses in it ---- */

void oc_configtest_cache(oc_findings_t *findings, const apr_array_header_t *stapled, server_rec *main_server,
                         apr_pool_t *pool)
{
    const oc_global_conf_t *conf = oc_settings_global();
    oc_sizing_t sizing = {0};
    oc_reader_t reader;
    apr_pool_t *scratch;
    int i;

    oc_reader_load(&reader, oc_argument_file(&conf->cache, pool), oc_file_blocks_max(oc_shm_blocks(conf->cache.size)),
                   pool);
    apr_pool_create(&scratch, pool);
    for (i = 0; i < stapled->nelts; i++) {
        const oc_listed_t *listed = APR_ARRAY_IDX(stapled, i, const oc_listed_t *);
        oc_view_t view;

        apr_pool_clear(scratch);
        if (!is_refreshed(listed, scratch))
            continue;
        memset(&view, 0, sizeof(view));
        memcpy(view.id, listed->cert->id, OC_CERT_ID_LEN);
        oc_reader_fill(&reader, &view);
        check_expiry(findings, listed, &view, reader.path, pool);
        oc_sizing_add(&sizing, OC_CERT_ID_LEN, view.has_record ? OC_RECORD_HEAD_LEN + view.size : 0);
    }
    apr_pool_destroy(scratch);
    (void)oc_cache_size_log(&sizing, conf->cache.size, APLOG_WARNING, main_server);
}
