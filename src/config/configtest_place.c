/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The part of `apachectl -t` about where the server runs: in a chroot (ChrootDir), and with a responder that this very
 * server serves. It looks at files and listeners, and queries no name server.
 */
#include "configtest_parts.h"

#include "base/disk.h"
#include "config/inventory.h"
#include "fetch/url.h"
#include "server/module.h"
#include "server/settings.h"

#include <ap_listen.h>
#include <apr_strings.h>
#include <http_log.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unixd.h>

APLOG_USE_MODULE(ocsp_cache);

/* ---- ChrootDir ---- */

/* Do the children find the same there? A copy is enough of a program, not of a folder. */
static void check_inside(const char *what, const char *path, int is_program, server_rec *s, apr_pool_t *pool)
{
    const char *inside = apr_pstrcat(pool, ap_unixd_config.chroot_dir, path, NULL);
    struct stat ours, theirs;
    int is_there = stat(inside, &theirs) == 0;

    if (is_there && is_program)
        return;
    if (is_there && stat(path, &ours) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
        return;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                 "%s has no effect: the children run in ChrootDir, where %s is %s, and that is %s. %s", what, path,
                 inside, is_there ? "another folder" : "missing",
                 is_program ? "Copy the program there with all that it needs"
                            : "Mount the folder there (mount --bind)");
}

void oc_configtest_chroot(server_rec *main_server, apr_pool_t *pool)
{
    const oc_global_conf_t *conf = oc_settings_global();

    if (!ap_unixd_config.chroot_dir)
        return;
    if (conf->response_folder)
        check_inside("OCSPCacheResponseFolder", conf->response_folder, 0, main_server, pool);
    if (conf->notify)
        check_inside("OCSPCacheNotify", conf->notify[0], 1, main_server, pool);
    check_inside("`ocsp-cachectl refresh` or `import` with a running server",
                 oc_disk_folder(oc_argument_file(&conf->cache, pool), pool), 0, main_server, pool);
    if (access(apr_pstrcat(pool, ap_unixd_config.chroot_dir, "/etc/resolv.conf", NULL), R_OK) != 0)
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, main_server,
            "ChrootDir %s has no etc/resolv.conf: the children, which query the responders, may find no names. "
            "Create one there, with the libraries for name lookup, or name a responder by its address",
            ap_unixd_config.chroot_dir);
}

/* ---- a responder behind this server ---- */

static int is_name_of(const server_rec *s, const char *host)
{
    int i;

    if (s->server_hostname && strcasecmp(s->server_hostname, host) == 0)
        return 1;
    for (i = 0; s->names && i < s->names->nelts; i++)
        if (APR_ARRAY_IDX(s->names, i, const char *) && strcasecmp(APR_ARRAY_IDX(s->names, i, const char *), host) == 0)
            return 1;
    return 0;
}

static int is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

/* Does the URL lead to a port that this server listens on, by a name or an address of this server? */
static int is_own(const char *text, const apr_array_header_t *servers, apr_pool_t *pool)
{
    const ap_listen_rec *listener;
    oc_url_t url;
    int i, is_ours;

    if (oc_url_parse(&url, text, OC_URL_RESPONDER, pool))
        return 0;
    is_ours = is_loopback(url.host);
    for (i = 0; !is_ours && i < servers->nelts; i++)
        is_ours = is_name_of(APR_ARRAY_IDX(servers, i, const server_rec *), url.host);
    for (listener = ap_listeners; listener; listener = listener->next) {
        char *address = NULL;

        if (listener->bind_addr->port != url.port)
            continue;
        if (is_ours
            || (apr_sockaddr_ip_get(&address, listener->bind_addr) == APR_SUCCESS && strcmp(address, url.host) == 0))
            return 1;
    }
    return 0;
}

void oc_configtest_own_responder(oc_findings_t *findings, const apr_array_header_t *stapled,
                                 const apr_array_header_t *servers, apr_pool_t *pool)
{
    apr_interval_time_t wait = oc_settings_global()->must_staple_wait;
    int i, j;

    for (i = 0; i < stapled->nelts; i++) {
        const oc_listed_t *listed = APR_ARRAY_IDX(stapled, i, const oc_listed_t *);
        server_rec *first = APR_ARRAY_IDX(listed->servers, 0, server_rec *);
        oc_targets_t targets;

        if (!listed->cert->must_staple || wait == 0)
            continue;
        oc_settings_targets(first, listed->cert, &targets, pool);
        if (!targets.url || oc_settings_server(first)->proxy_url || !is_own(targets.url, servers, pool))
            continue;
        for (j = 0; j < listed->servers->nelts; j++)
            oc_findings_add(
                findings, APLOG_WARNING, APR_ARRAY_IDX(listed->servers, j, server_rec *), OC_ABOUT_CERTIFICATES,
                oc_inventory_name(listed, pool),
                apr_psprintf(pool,
                             "its responder, %s, is behind this server, which waits for it before it accepts "
                             "connections. Without a stored response each start takes longer by "
                             "OCSPCacheMustStapleWait, and no response is obtained. Set OCSPCacheMustStapleWait to 0, "
                             "or run the responder on another server",
                             targets.url));
    }
}
