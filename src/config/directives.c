/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The setters of the module's own directives, which check every value, and the readers of mod_ssl's directives, which
 * follow mod_ssl's rules and report no errors.
 */
#include "config/directives.h"

#include "base/duration.h"
#include "fetch/fetch.h"
#include "fetch/url.h"
#include "fleet/entry.h"
#include "refresh/shared_store.h"
#include "server/module.h"
#include "server/provider.h"
#include "server/settings.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <stdlib.h>

#define WORKERS_MAX 64
#define DURATION_MAX (APR_TIME_C(30) * 86400 * APR_USEC_PER_SEC)

/* ---- mod_ssl's directives ---- */

static oc_server_conf_t *conf_of(cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config, &ocsp_cache_module);
}

/* The first word of a directive of mod_ssl. NULL: there is none, which mod_ssl reports in its own words, or the
 * directive is in a <Directory>, where it configures client certificates. */
static const char *first_word(cmd_parms *cmd, const char **args)
{
    const char *word = ap_getword_conf(cmd->pool, args);

    if (*word == '\0' || cmd->path)
        return NULL;
    oc_settings_edit()->ssl_written = cmd->cmd->name;
    return word;
}

/* The same, where mod_ssl rejects a second word. */
static const char *only_word(cmd_parms *cmd, const char *args)
{
    const char *word = first_word(cmd, &args);

    return *args == '\0' ? word : NULL;
}

static void *field_of(cmd_parms *cmd)
{
    return (char *)conf_of(cmd) + (apr_size_t)cmd->info;
}

/* The last one counts, for mod_ssl too. The same line in two files is usual: a2enmod's and the site's. */
static const char *read_stapling_cache(cmd_parms *cmd, void *dummy, const char *args)
{
    const char *arg = cmd->server->is_virtual ? NULL : only_word(cmd, args); /* mod_ssl rejects it in a host */
    oc_global_conf_t *global = oc_settings_edit();
    apr_size_t len = strlen(OC_PROVIDER_NAME);
    int was_provider = global->is_provider;

    (void)dummy;
    if (!arg)
        return NULL;
    global->is_provider = strncmp(arg, OC_PROVIDER_NAME, len) == 0 && (arg[len] == ':' || arg[len] == '\0');
    if (was_provider && strcmp(arg, global->cache_line) != 0)
        global->cache_replaced = global->cache_line;
    else if (global->cache_replaced && strcmp(arg, global->cache_replaced) == 0)
        global->cache_replaced = NULL;
    global->cache_line = arg;
    if (global->is_provider) /* the provider reports errors in the argument */
        (void)oc_argument_parse(&global->cache, arg[len] == ':' ? arg + len + 1 : NULL, cmd->pool);
    return NULL;
}

/* cmd->info is the offset of the field in oc_server_conf_t, here and below. */
static const char *read_flag(cmd_parms *cmd, void *dummy, const char *args)
{
    const char *arg = first_word(cmd, &args); /* httpd ignores what follows a flag */

    (void)dummy;
    if (arg && (strcasecmp(arg, "on") == 0 || strcasecmp(arg, "off") == 0)) /* else mod_ssl rejects it */
        *(int *)field_of(cmd) = strcasecmp(arg, "on") == 0;
    return NULL;
}

/* Plain seconds, by atoi() as in mod_ssl: "1h" is one second there, and must not be an hour here. */
static const char *read_seconds(cmd_parms *cmd, void *dummy, const char *args)
{
    const char *arg = only_word(cmd, args);
    int seconds = arg ? atoi(arg) : -1; /* NOLINT(cert-err34-c): to mod_ssl anything that is not a number is 0 */

    (void)dummy;
    if (arg && arg[strspn(arg, "-0123456789")])
        conf_of(cmd)->with_unit = apr_pstrcat(cmd->pool, cmd->cmd->name, " ", arg, NULL);
    if (seconds >= 0) /* else mod_ssl rejects it */
        *(apr_interval_time_t *)field_of(cmd) = apr_time_from_sec(seconds);
    return NULL;
}

static const char *read_string(cmd_parms *cmd, void *dummy, const char *args)
{
    const char *arg = only_word(cmd, args);

    (void)dummy;
    if (arg)
        *(const char **)field_of(cmd) = arg;
    return NULL;
}

static const char *read_engine(cmd_parms *cmd, void *dummy, const char *args)
{
    const char *arg = only_word(cmd, args);

    (void)dummy;
    if (arg)
        conf_of(cmd)->ssl_engine = strcasecmp(arg, "off") != 0; /* on, optional */
    return NULL;
}

static const char *read_certificate(cmd_parms *cmd, void *dummy, const char *args)
{
    const char *arg = only_word(cmd, args);

    (void)dummy;
    if (arg)
        APR_ARRAY_PUSH(conf_of(cmd)->certificate_files, const char *) = arg;
    return NULL;
}

/* ---- the module's own directives ---- */

static const char *begin_own(cmd_parms *cmd)
{
    oc_settings_edit()->written = cmd->cmd->name;
    return ap_check_cmd_context(cmd, GLOBAL_ONLY);
}

static const char *set_refresh(cmd_parms *cmd, void *dummy, int flag)
{
    (void)dummy;
    oc_settings_edit()->refresh = flag ? 1 : 0;
    return begin_own(cmd);
}

static const char *parse_workers(cmd_parms *cmd, const char *arg, int *workers)
{
    char *end;
    apr_int64_t n = apr_strtoi64(arg, &end, 10);

    if (end == arg || *end || n < 1 || n > WORKERS_MAX)
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number from 1 to %d", cmd->cmd->name, arg, WORKERS_MAX);
    *workers = (int)n;
    return NULL;
}

static const char *set_workers(cmd_parms *cmd, void *dummy, const char *all, const char *per_responder)
{
    const char *error = parse_workers(cmd, all, &oc_settings_edit()->workers);

    (void)dummy;
    oc_settings_edit()->workers_per_responder = OC_UNSET; /* an earlier line may have set it */
    if (!error && per_responder)
        error = parse_workers(cmd, per_responder, &oc_settings_edit()->workers_per_responder);
    return error ? error : begin_own(cmd);
}

static const char *parse_duration(cmd_parms *cmd, const char *arg, apr_interval_time_t min, apr_interval_time_t max,
                                  apr_interval_time_t *duration)
{
    if (!oc_duration_parse(arg, APR_INT64_MAX, duration))
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a duration. Write " OC_DURATION_FORM ". Without a unit: seconds",
                            cmd->cmd->name, arg);
    if (*duration < min || *duration > max)
        return apr_psprintf(cmd->pool, "%s: '%s' is out of range: it must be from %s to %s%s", cmd->cmd->name, arg,
                            min == 0 ? "0" : oc_duration_text(min, arg, cmd->pool),
                            oc_duration_text(max, arg, cmd->pool),
                            arg[strspn(arg, "0123456789")] ? "" : ". Without a unit: seconds");
    return NULL;
}

static const char *set_refresh_interval(cmd_parms *cmd, void *dummy, const char *min, const char *max)
{
    const char *error = parse_duration(cmd, min, APR_USEC_PER_SEC, DURATION_MAX, &oc_settings_edit()->refresh_min);

    (void)dummy;
    oc_settings_edit()->refresh_max = OC_UNSET; /* an earlier line may have set it */
    if (!error && max)
        error = parse_duration(cmd, max, APR_USEC_PER_SEC, DURATION_MAX, &oc_settings_edit()->refresh_max);
    if (!error && max && oc_settings_edit()->refresh_min > oc_settings_edit()->refresh_max)
        error = apr_psprintf(cmd->pool, "%s: the shortest interval, %s, is longer than the longest, %s", cmd->cmd->name,
                             min, max);
    return error ? error : begin_own(cmd);
}

static const char *set_must_staple_wait(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *error = parse_duration(cmd, arg, 0, apr_time_from_sec(60), &oc_settings_edit()->must_staple_wait);

    (void)dummy;
    return error ? error : begin_own(cmd);
}

static const char *set_expiry_warning(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *error = parse_duration(cmd, arg, 0, DURATION_MAX, &oc_settings_edit()->expiry_warning);

    (void)dummy;
    return error ? error : begin_own(cmd);
}

static const char *set_certid_hash(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;
    if (strcasecmp(arg, "sha1") == 0)
        oc_settings_edit()->certid_hash = OC_CERTID_SHA1;
    else if (strcasecmp(arg, "sha256") == 0)
        oc_settings_edit()->certid_hash = OC_CERTID_SHA256;
    else
        return apr_psprintf(cmd->pool, "%s: '%s' is neither sha1 nor sha256", cmd->cmd->name, arg);
    return begin_own(cmd);
}

static const char *set_status_refresh(cmd_parms *cmd, void *dummy, int flag)
{
    (void)dummy;
    oc_settings_edit()->status_refresh = flag ? 1 : 0;
    return begin_own(cmd);
}

static const char *set_responder(cmd_parms *cmd, void *dummy, const char *named, const char *queried)
{
    const char *problem = oc_fetch_url_problem(queried, cmd->temp_pool);

    (void)dummy;
    if (problem)
        return apr_psprintf(cmd->pool, "%s: %s cannot be queried: %s", cmd->cmd->name,
                            oc_url_public(queried, cmd->pool), problem);
    apr_hash_set(oc_settings_edit()->responders, named, APR_HASH_KEY_STRING, queried);
    return begin_own(cmd);
}

static const char *set_response_folder(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *path = ap_server_root_relative(cmd->pool, arg);

    (void)dummy;
    if (!path || !ap_is_directory(cmd->temp_pool, path))
        return apr_psprintf(cmd->pool, "%s: %s is not a folder", cmd->cmd->name, path ? path : arg);
    oc_settings_edit()->response_folder = path;
    return begin_own(cmd);
}

static const char *set_shared(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *error = begin_own(cmd);

    (void)dummy;
    if (error)
        return error;
    error = oc_shared_store_create(arg, cmd->pool, cmd->temp_pool);
    return error ? apr_psprintf(cmd->pool, "%s: '%s': %s", cmd->cmd->name, arg, error) : NULL;
}

static const char *set_shared_prefix(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *problem = oc_fleet_entry_prefix_problem(arg);

    (void)dummy;
    if (problem)
        return apr_psprintf(cmd->pool, "%s: '%s' is not a valid prefix: %s", cmd->cmd->name, arg, problem);
    oc_settings_edit()->shared_prefix = arg;
    return begin_own(cmd);
}

static const char *set_shared_timeout(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *error =
        parse_duration(cmd, arg, apr_time_from_msec(10), apr_time_from_sec(30), &oc_settings_edit()->shared_timeout);

    (void)dummy;
    return error ? error : begin_own(cmd);
}

static const char *set_notify(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    const char **words = apr_pcalloc(cmd->pool, ((apr_size_t)argc + 1) * sizeof(*words));

    (void)dummy;
    if (argc == 0)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": the path of a program is missing, or 'none'", NULL);
    memcpy((void *)words, argv, (apr_size_t)argc * sizeof(*words));
    if (argc == 1 && strcasecmp(argv[0], "none") == 0) {
        oc_settings_edit()->notify = NULL;
        return begin_own(cmd);
    }
    words[0] = ap_server_root_relative(cmd->pool, argv[0]);
    if (!words[0])
        return apr_psprintf(cmd->pool, "%s: '%s' is not a path", cmd->cmd->name, argv[0]);
    oc_settings_edit()->notify = words;
    return begin_own(cmd);
}

/* ---- the table ---- */

#define FIELD(name) ((void *)APR_OFFSETOF(oc_server_conf_t, name))

/* A directive of mod_ssl: allowed everywhere and with any arguments, so that every error is mod_ssl's. */
#define READ(name, read, info) \
    AP_INIT_RAW_ARGS(name, read, info, RSRC_CONF | OR_ALL, "a directive of mod_ssl, which this module reads")

const command_rec oc_directives[] = {
    AP_INIT_FLAG(
        "OCSPCacheRefresh", set_refresh, NULL, RSRC_CONF,
        "On: fetch and verify OCSP responses in the background; Off: only act as a cache for mod_ssl's own stapling"),
    AP_INIT_TAKE12("OCSPCacheWorkers", set_workers, NULL, RSRC_CONF,
                   "maximum number of concurrent requests, and of those to one responder; 1 to 64"),
    AP_INIT_TAKE12("OCSPCacheRefreshInterval", set_refresh_interval, NULL, RSRC_CONF,
                   "shortest and longest time between two successful requests for one certificate"),
    AP_INIT_TAKE1("OCSPCacheMustStapleWait", set_must_staple_wait, NULL, RSRC_CONF,
                  "how long a starting server waits for the first response for a Must-Staple certificate; 0: no wait"),
    AP_INIT_TAKE1("OCSPCacheExpiryWarning", set_expiry_warning, NULL, RSRC_CONF,
                  "warn when a response that has not been renewed expires within this time; 0: never"),
    AP_INIT_TAKE1("OCSPCacheCertIDHash", set_certid_hash, NULL, RSRC_CONF,
                  "hash that identifies the issuer in requests: sha1 or sha256"),
    AP_INIT_FLAG("OCSPCacheStatusRefresh", set_status_refresh, NULL, RSRC_CONF,
                 "On: the status page (SetHandler ocsp-cache-status) has buttons that refresh responses"),
    AP_INIT_TAKE2("OCSPCacheResponder", set_responder, NULL, RSRC_CONF,
                  "a responder's URL as certificates name it, and the URL to query instead"),
    AP_INIT_TAKE1("OCSPCacheResponseFolder", set_response_folder, NULL, RSRC_CONF,
                  "a folder into which another program puts responses, as SHA1.der or SERIAL.der"),
    AP_INIT_TAKE_ARGV(
        "OCSPCacheNotify", set_notify, NULL, RSRC_CONF,
        "a program, and its arguments, to run on events, such as a revoked certificate or an expired response"),

    AP_INIT_TAKE1(
        "OCSPCacheShared", set_shared, NULL, RSRC_CONF,
        "a store that several servers share, as a socache provider: redis:host:port, memcache:host:port, ..."),
    AP_INIT_TAKE1("OCSPCacheSharedPrefix", set_shared_prefix, NULL, RSRC_CONF,
                  "the fleet's name within the shared store: servers with the same prefix share responses"),
    AP_INIT_TAKE1("OCSPCacheSharedTimeout", set_shared_timeout, NULL, RSRC_CONF,
                  "timeout of one request to the shared store"),

    READ("SSLStaplingCache", read_stapling_cache, NULL),
    READ("SSLEngine", read_engine, NULL),
    READ("SSLCertificateFile", read_certificate, NULL),
    READ("SSLUseStapling", read_flag, FIELD(use_stapling)),
    READ("SSLStaplingReturnResponderErrors", read_flag, FIELD(return_errors)),
    READ("SSLStaplingFakeTryLater", read_flag, FIELD(fake_try_later)),
    READ("SSLStaplingResponderTimeout", read_seconds, FIELD(responder_timeout)),
    READ("SSLStaplingStandardCacheTimeout", read_seconds, FIELD(standard_timeout)),
    READ("SSLStaplingErrorCacheTimeout", read_seconds, FIELD(error_timeout)),
    READ("SSLStaplingResponseTimeSkew", read_seconds, FIELD(skew)),
    READ("SSLStaplingResponseMaxAge", read_seconds, FIELD(max_age)),
    READ("SSLStaplingForceURL", read_string, FIELD(force_url)),
    READ("SSLOCSPProxyURL", read_string, FIELD(proxy_url)),
    READ("SSLCertificateChainFile", read_string, FIELD(chain_file)),
    READ("SSLCACertificateFile", read_string, FIELD(ca_file)),
    READ("SSLCACertificatePath", read_string, FIELD(ca_path)),
    {.name = NULL}};
