/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The settings of the vhosts and of the server: defaults, merging, checks, and what follows from them for a
 * certificate.
 */
#include "server/settings.h"

#include "fetch/fetch.h"
#include "fetch/url.h"

#include "server/generation.h"
#include "server/module.h"
#include "server/provider.h"

#include <ap_listen.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <unistd.h>

APLOG_USE_MODULE(ocsp_cache);

#define REPLACING_FILES 3 /* mod_ssl: CERTKEYS_IDX_MAX + 1 */

/* The defaults. The first five are mod_ssl's own, except return_errors: errors in a staple make
 * strict clients fail, so they are sent only if the administrator enables them. */
static const struct {
    apr_interval_time_t responder_timeout, standard_timeout, error_timeout, skew;
    int return_errors, fake_try_later;
    int refresh, workers, workers_per_responder, status_refresh;
    apr_interval_time_t refresh_min, refresh_max, must_staple_wait, expiry_warning, retry_min;
    oc_certid_hash_t certid_hash;
    const char *shared_prefix;
    apr_interval_time_t shared_timeout;
} defaults = {
    .responder_timeout = APR_TIME_C(10) * APR_USEC_PER_SEC,
    .standard_timeout = APR_TIME_C(3600) * APR_USEC_PER_SEC,
    .error_timeout = APR_TIME_C(600) * APR_USEC_PER_SEC,
    .skew = APR_TIME_C(300) * APR_USEC_PER_SEC,
    .return_errors = 0,
    .fake_try_later = 1,
    .refresh = 1,
    .workers = 16,
    .workers_per_responder = 8,
    .refresh_min = APR_TIME_C(300) * APR_USEC_PER_SEC,
    .refresh_max = APR_TIME_C(86400) * APR_USEC_PER_SEC,
    .must_staple_wait = APR_TIME_C(5) * APR_USEC_PER_SEC,
    .expiry_warning = APR_TIME_C(86400) * APR_USEC_PER_SEC,
    .certid_hash = OC_CERTID_SHA1,
    .status_refresh = 0,
    .shared_prefix = "ocsp",
    .shared_timeout = APR_TIME_C(1) * APR_USEC_PER_SEC,
    .retry_min = APR_TIME_C(5) * APR_USEC_PER_SEC,
};

static oc_global_conf_t *global; /* in pconf; oc_settings_reset() makes a new one for each configuration */

/* ---- structures ---- */

void oc_settings_reset(apr_pool_t *pconf)
{
    global = apr_pcalloc(pconf, sizeof(*global));
    global->refresh = OC_UNSET;
    global->workers = OC_UNSET;
    global->workers_per_responder = OC_UNSET;
    global->refresh_min = OC_UNSET;
    global->refresh_max = OC_UNSET;
    global->must_staple_wait = OC_UNSET;
    global->expiry_warning = OC_UNSET;
    global->certid_hash = defaults.certid_hash;
    global->status_refresh = defaults.status_refresh;
    global->shared_prefix = defaults.shared_prefix;
    global->shared_timeout = defaults.shared_timeout;
    global->responders = apr_hash_make(pconf);
}

void *oc_settings_create_server(apr_pool_t *pool, server_rec *s)
{
    oc_server_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    (void)s;
    conf->ssl_engine = OC_UNSET;
    conf->use_stapling = OC_UNSET;
    conf->return_errors = OC_UNSET;
    conf->fake_try_later = OC_UNSET;
    conf->responder_timeout = OC_UNSET;
    conf->standard_timeout = OC_UNSET;
    conf->error_timeout = OC_UNSET;
    conf->skew = OC_UNSET;
    conf->max_age = OC_UNSET;
    conf->certificate_files = apr_array_make(pool, 0, sizeof(const char *));
    conf->own = conf;
    return conf;
}

/* As mod_ssl's modssl_ctx_cfg_merge_certkeys_array(): the first files of a host replace those that it inherits, each
 * the one at its place, so that a host with a file of its own does not serve the one outside of it. What is inherited
 * beyond them stays, and the host's further files follow. */
static apr_array_header_t *merge_certificate_files(apr_pool_t *pool, const apr_array_header_t *base,
                                                   const apr_array_header_t *add)
{
    apr_array_header_t *files = apr_array_make(pool, base->nelts + add->nelts, sizeof(const char *));
    int i;

    for (i = 0; i < add->nelts && i < REPLACING_FILES; i++)
        APR_ARRAY_PUSH(files, const char *) = APR_ARRAY_IDX(add, i, const char *);
    for (; i < base->nelts; i++)
        APR_ARRAY_PUSH(files, const char *) = APR_ARRAY_IDX(base, i, const char *);
    for (i = REPLACING_FILES; i < add->nelts; i++)
        APR_ARRAY_PUSH(files, const char *) = APR_ARRAY_IDX(add, i, const char *);
    return files;
}

#define MERGED(field) (add->field != OC_UNSET ? add->field : base->field)

void *oc_settings_merge_server(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    const oc_server_conf_t *base = base_conf, *add = add_conf;
    oc_server_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    conf->ssl_engine = MERGED(ssl_engine);
    conf->use_stapling = MERGED(use_stapling);
    conf->return_errors = MERGED(return_errors);
    conf->fake_try_later = MERGED(fake_try_later);
    conf->responder_timeout = MERGED(responder_timeout);
    conf->standard_timeout = MERGED(standard_timeout);
    conf->error_timeout = MERGED(error_timeout);
    conf->skew = MERGED(skew);
    conf->max_age = MERGED(max_age);
    conf->force_url = add->force_url ? add->force_url : base->force_url;
    conf->proxy_url = add->proxy_url ? add->proxy_url : base->proxy_url;
    conf->certificate_files = merge_certificate_files(pool, base->certificate_files, add->certificate_files);
    conf->chain_file = add->chain_file ? add->chain_file : base->chain_file;
    conf->ca_file = add->ca_file ? add->ca_file : base->ca_file;
    conf->ca_path = add->ca_path ? add->ca_path : base->ca_path;
    conf->own = add;
    return conf;
}

const oc_server_conf_t *oc_settings_server(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &ocsp_cache_module);
}

apr_array_header_t *oc_settings_servers(server_rec *main_server, apr_pool_t *pool)
{
    apr_array_header_t *servers = apr_array_make(pool, 16, sizeof(server_rec *));
    server_rec *s, **all;
    int i;

    for (s = main_server; s; s = s->next)
        APR_ARRAY_PUSH(servers, server_rec *) = s;
    all = (server_rec **)(void *)servers->elts;
    for (i = 1; i < servers->nelts - i; i++) {
        s = all[i];
        all[i] = all[servers->nelts - i];
        all[servers->nelts - i] = s;
    }
    return servers;
}

/* httpd itself decides this only when it opens the ports. */
static int listens_for_https(const server_rec *s)
{
    const char *protocol = ap_get_server_protocol((server_rec *)s);
    const server_addr_rec *address;
    const ap_listen_rec *listener;

    if (protocol)
        return strcmp(protocol, "https") == 0;
    for (address = s->addrs; address; address = address->next)
        for (listener = ap_listeners; listener; listener = listener->next)
            if (listener->bind_addr->port == address->host_port && listener->protocol)
                return strcmp(listener->protocol, "https") == 0;
    return 0;
}

int oc_settings_is_tls(const server_rec *s)
{
    const oc_server_conf_t *conf = oc_settings_server(s);

    if (conf->ssl_engine == OC_UNSET)
        return conf->certificate_files->nelts > 0 && listens_for_https(s);
    return conf->ssl_engine;
}

oc_global_conf_t *oc_settings_edit(void)
{
    return global;
}

const oc_global_conf_t *oc_settings_global(void)
{
    return global;
}

int oc_settings_is_active(void)
{
    return global && global->is_provider && global->refresh;
}

static apr_interval_time_t written_or(apr_interval_time_t written, apr_interval_time_t otherwise)
{
    return written != OC_UNSET ? written : otherwise;
}

void oc_settings_resolve(const server_rec *s, oc_settings_t *settings)
{
    const oc_server_conf_t *conf = oc_settings_server(s);
    apr_interval_time_t retry_max = written_or(conf->error_timeout, defaults.error_timeout);

    settings->timeout = written_or(conf->responder_timeout, defaults.responder_timeout);
    if (settings->timeout == 0)
        settings->timeout = defaults.responder_timeout; /* mod_ssl: no timeout; nothing here may wait forever */
    settings->skew = written_or(conf->skew, defaults.skew);
    settings->max_age = written_or(conf->max_age, 0);
    settings->open_ended = written_or(conf->standard_timeout, defaults.standard_timeout);
    if (settings->open_ended == 0)
        settings->open_ended = defaults.standard_timeout;
    /* Until the next attempt has ended, so that a client that gets errors gets one at any moment. */
    settings->error_keep = retry_max + settings->timeout + defaults.retry_min;

    settings->bounds.max = global->refresh_max;
    if (conf->standard_timeout > 0)
        settings->bounds.max = conf->standard_timeout;
    settings->bounds.min = global->refresh_min < settings->bounds.max ? global->refresh_min : settings->bounds.max;
    settings->bounds.retry_max = retry_max > 0 ? retry_max : defaults.retry_min;
    settings->bounds.retry_min = defaults.retry_min;
    if (settings->bounds.retry_min > settings->bounds.retry_max)
        settings->bounds.retry_min = settings->bounds.retry_max;
}

/* ---- responders ---- */

static int contains(const apr_array_header_t *urls, const char *url)
{
    int i;

    for (i = 0; i < urls->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(urls, i, const char *), url) == 0)
            return 1;
    return 0;
}

/* Divide the named URLs into those that can be queried and, as text, those that cannot. */
static const apr_array_header_t *usable_urls(const char *const *named, int is_forced, const char **unusable,
                                             apr_pool_t *pool)
{
    apr_array_header_t *urls = apr_array_make(pool, 2, sizeof(const char *));

    *unusable = NULL;
    for (; *named; named++) {
        const char *mapped = is_forced ? NULL : apr_hash_get(global->responders, *named, APR_HASH_KEY_STRING);
        const char *url = mapped ? mapped : *named, *problem = oc_fetch_url_problem(url, pool);

        if (problem)
            *unusable = apr_pstrcat(pool, *unusable ? *unusable : "", *unusable ? ", " : "", oc_url_public(url, pool),
                                    " (", problem, ")", NULL);
        else if (!contains(urls, url))
            APR_ARRAY_PUSH(urls, const char *) = url;
    }
    APR_ARRAY_PUSH(urls, const char *) = NULL;
    return urls;
}

/* A self-signed certificate, such as that of a host which has no other yet. If it is configured as a CA too, it is its
 * own issuer, and is treated as any other. */
static void expect_nothing(oc_targets_t *targets)
{
    static const char *const none[] = {NULL};

    *targets = (oc_targets_t){.urls = none,
                              .problem = "the certificate is self-signed, so no CA reports its status",
                              .advice = "Install one from a CA, or set `SSLUseStapling off` for this host",
                              .is_expected = 1};
}

void oc_settings_targets(const server_rec *s, const oc_cert_t *cert, oc_targets_t *targets, apr_pool_t *pool)
{
    static const char *const none[] = {NULL};
    const oc_server_conf_t *conf = oc_settings_server(s);
    const char *const forced[] = {conf->force_url, NULL};
    const char *unusable, *proxy_problem = NULL;
    const apr_array_header_t *urls =
        usable_urls(conf->force_url ? forced : cert->urls, conf->force_url != NULL, &unusable, pool);

    if (cert->is_self_signed && !cert->issuer) {
        expect_nothing(targets);
        return;
    }
    memset(targets, 0, sizeof(*targets));
    targets->urls = (const char *const *)(const void *)urls->elts;
    targets->skipped = unusable;
    if (!targets->urls[0] && unusable) {
        targets->problem = apr_pstrcat(pool, "the responder cannot be queried: ", unusable, NULL);
        targets->advice = "Name another responder with SSLStaplingForceURL. If the certificate names only an https "
                          "URL, the same URL with http usually works";
    }
    else if (!targets->urls[0]) {
        targets->problem = "the certificate names no OCSP responder";
        targets->advice = "Many CAs no longer run one. If this CA does, name it with SSLStaplingForceURL";
        targets->is_expected = 1;
    }
    else if (conf->proxy_url && !oc_fetch_proxy(conf->proxy_url, pool, &proxy_problem)) {
        targets->problem =
            apr_pstrcat(pool, "the proxy that SSLOCSPProxyURL names cannot be used: ", proxy_problem, NULL);
        targets->advice = "Write http://[user:password@]host[:port]";
        targets->urls = none;
    }
    if (targets->problem)
        targets->skipped = NULL;
    targets->url = targets->urls[0];
    targets->is_refreshed = targets->url || global->response_folder;
}

int oc_settings_returns_errors(const oc_server_conf_t *conf)
{
    return conf->return_errors != OC_UNSET ? conf->return_errors : defaults.return_errors;
}

int oc_settings_fakes_try_later(const oc_server_conf_t *conf)
{
    return conf->fake_try_later != OC_UNSET ? conf->fake_try_later : defaults.fake_try_later;
}

/* ---- checks ---- */

static void fill_in_defaults(void)
{
    if (global->refresh == OC_UNSET)
        global->refresh = defaults.refresh;
    global->workers_grow = global->workers == OC_UNSET;
    if (global->workers_grow)
        global->workers = defaults.workers;
    if (global->workers_per_responder == OC_UNSET)
        global->workers_per_responder = defaults.workers_per_responder;
    global->expiry_warning = written_or(global->expiry_warning, defaults.expiry_warning);
    global->refresh_min = written_or(global->refresh_min, defaults.refresh_min);
    global->refresh_max = written_or(global->refresh_max, defaults.refresh_max);
    global->must_staple_wait = written_or(global->must_staple_wait, defaults.must_staple_wait);
}

/* Our declarations make httpd accept mod_ssl's directives even without mod_ssl: that must be reported. */
static int check_neighbours(server_rec *s)
{
    const char *directive = global->ssl_written ? global->ssl_written : global->written;

    if (directive && !ap_find_linked_module("mod_ssl.c")) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s,
                     "%s is set, but mod_ssl is not loaded: nothing can be stapled. Load it (LoadModule ssl_module, or "
                     "`a2enmod ssl`)",
                     directive);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

/* Does the program for events exist? A running server continues without: it may be installed later. */
static int check_notify(server_rec *s, apr_pool_t *ptemp)
{
    const char *path = global->notify ? global->notify[0] : NULL;
    int is_running = oc_generation_is_running();
    apr_status_t rv = APR_SUCCESS;
    apr_finfo_t info;

    if (!path)
        return OK;
    rv = apr_stat(&info, path, APR_FINFO_TYPE, ptemp);
    if (rv == APR_SUCCESS && info.filetype != APR_REG)
        rv = APR_EACCES;
    if (rv == APR_SUCCESS && access(path, X_OK) != 0)
        rv = errno;
    if (rv == APR_SUCCESS)
        return OK;
    ap_log_error(
        APLOG_MARK, is_running ? APLOG_WARNING : APLOG_EMERG, rv, s,
        "OCSPCacheNotify: %s is not an executable program. Give its full path, and make it executable (chmod a+x)",
        path);
    return is_running ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

int oc_settings_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    server_rec *s;
    int rv;

    (void)pconf;
    (void)plog;
    fill_in_defaults();
    rv = check_neighbours(main_server);
    if (rv == OK && global->refresh_min > global->refresh_max) {
        ap_log_error(
            APLOG_MARK, APLOG_EMERG, 0, main_server,
            "OCSPCacheRefreshInterval: the shortest interval is longer than the longest, which is 24h by default");
        rv = HTTP_INTERNAL_SERVER_ERROR;
    }
    if (rv == OK)
        rv = check_notify(main_server, ptemp);
    if (rv != OK)
        return rv;

    if (global->written && !global->is_provider && !global->checks_clients)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                     "%s has no effect: SSLStaplingCache does not name " OC_PROVIDER_NAME
                     ". Write `SSLStaplingCache " OC_PROVIDER_NAME "` outside of any <VirtualHost>",
                     global->written);
    if (global->cache_replaced)
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, main_server,
            "SSLStaplingCache %s has no effect: a later SSLStaplingCache %s overrides it. Remove one of the two",
            global->cache_replaced, global->cache_line);
    for (s = main_server; s; s = s->next) {
        oc_server_conf_t *conf = ap_get_module_config(s->module_config, &ocsp_cache_module);

        conf->staples = oc_settings_is_active() && conf->use_stapling == 1;
    }
    return OK;
}
