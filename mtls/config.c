/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The directives of mod_ocsp_client, their defaults, and the set-up of the service that mod_ocsp_cache offers. In the
 * parent, while the configuration is read.
 */
#include "mtls.h"

#include "version.h"
#include "base/duration.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>

APLOG_USE_MODULE(ocsp_client);

#define SIZE_MIN 100
#define SIZE_MAX_CLIENTS 10000000
#define WAIT_MAX apr_time_from_sec(60)
#define DURATION_MAX (APR_TIME_C(30) * 86400 * APR_USEC_PER_SEC)

static const struct {
    oc_client_mode_t mode;
    apr_interval_time_t wait, grace, client_max_age;
    unsigned size;
} defaults = {
    .mode = OC_CLIENT_OFF,
    .wait = apr_time_from_msec(500),
    .grace = APR_TIME_C(3600) * APR_USEC_PER_SEC,
    .client_max_age = APR_TIME_C(60) * APR_USEC_PER_SEC,
    .size = 100000,
};

/* The settings of the whole server, in pconf, and what follows from a configuration. */
static struct {
    oc_client_spec_t spec;
    const char *written; /* a directive of the whole server that is set; NULL: none */
    const oc_client_service_t *service;
    int verifies_in_directory;
} global;

void oc_mtls_reset(apr_pool_t *pconf)
{
    memset(&global, 0, sizeof(global));
    global.spec.size = defaults.size;
    global.spec.hosts = apr_array_make(pconf, 4, sizeof(oc_client_host_t *));
}

int oc_mtls_is_active(void)
{
    return global.spec.hosts && global.spec.hosts->nelts > 0;
}

int oc_mtls_verifies_in_directory(void)
{
    return global.verifies_in_directory;
}

const char *oc_mtls_written(void)
{
    return global.written;
}

const oc_client_service_t *oc_mtls_service(void)
{
    return global.service;
}

/* ---- structures ---- */

void *oc_mtls_create_server(apr_pool_t *pool, server_rec *s)
{
    oc_mtls_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    (void)s;
    conf->mode = conf->verify_client = OC_UNSET;
    conf->wait = conf->grace = conf->max_age = OC_UNSET;
    return conf;
}

#define MERGED(field) (add->field != OC_UNSET ? add->field : base->field)

void *oc_mtls_merge_server(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    const oc_mtls_conf_t *base = base_conf, *add = add_conf;
    oc_mtls_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    conf->mode = MERGED(mode);
    conf->wait = MERGED(wait);
    conf->grace = MERGED(grace);
    conf->max_age = MERGED(max_age);

    conf->verify_client = MERGED(verify_client);
    conf->responder = add->responder ? add->responder : base->responder;
    conf->ocsp_enable = add->ocsp_enable ? add->ocsp_enable : base->ocsp_enable;
    conf->has_own_settings = add->has_own_settings;
    return conf;
}

/* ---- setters ---- */

static oc_mtls_conf_t *conf_of(cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config, &ocsp_client_module);
}

static const char *set_mode(cmd_parms *cmd, void *dummy, const char *arg)
{
    oc_mtls_conf_t *conf = conf_of(cmd);

    (void)dummy;
    if (strcasecmp(arg, "off") == 0)
        conf->mode = OC_CLIENT_OFF;
    else if (strcasecmp(arg, "soft") == 0)
        conf->mode = OC_CLIENT_SOFT;
    else if (strcasecmp(arg, "hard") == 0)
        conf->mode = OC_CLIENT_HARD;
    else
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is none of off, soft (a client whose status is not known is let in) and hard (it "
                            "is refused)",
                            cmd->cmd->name, arg);
    return NULL;
}

/* cmd->info is the offset of the field. */
static const char *set_duration(cmd_parms *cmd, void *dummy, const char *arg)
{
    apr_size_t field = (apr_size_t)cmd->info;
    int is_wait = field == APR_OFFSETOF(oc_mtls_conf_t, wait);
    apr_interval_time_t max = is_wait ? WAIT_MAX : DURATION_MAX, duration;

    (void)dummy;
    if (!oc_duration_parse(arg, max, &duration))
        return apr_psprintf(cmd->pool, "%s: '%s' is not a time from 0 to %s. Write " OC_DURATION_FORM, cmd->cmd->name,
                            arg, is_wait ? "60s" : "30d");
    *(apr_interval_time_t *)(void *)((char *)conf_of(cmd) + field) = duration;
    conf_of(cmd)->has_own_settings = 1;
    return NULL;
}

static const char *set_client_responder(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;

    conf_of(cmd)->responder = arg;
    conf_of(cmd)->has_own_settings = 1;
    return NULL;
}

static const char *set_size(cmd_parms *cmd, void *dummy, const char *arg)
{
    apr_int64_t size;
    char *end;

    (void)dummy;
    size = apr_strtoi64(arg, &end, 10);
    if (end == arg || *end != '\0' || size < SIZE_MIN || size > SIZE_MAX_CLIENTS)
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number of clients from %d to %d", cmd->cmd->name, arg,
                            SIZE_MIN, SIZE_MAX_CLIENTS);
    global.spec.size = (unsigned)size;
    global.written = cmd->cmd->name;
    return ap_check_cmd_context(cmd, GLOBAL_ONLY);
}

static const char *set_file(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;
    global.spec.path = ap_server_root_relative(cmd->pool, arg);
    global.written = cmd->cmd->name;
    if (!global.spec.path)
        return apr_psprintf(cmd->pool, "%s: '%s' is not a path", cmd->cmd->name, arg);
    return ap_check_cmd_context(cmd, GLOBAL_ONLY);
}

/* ---- mod_ssl's directives ---- */

static const char *word_of(cmd_parms *cmd, const char *args)
{
    return ap_getword_conf(cmd->pool, &args);
}

static const char *read_verify_client(cmd_parms *cmd, void *dummy, const char *args)
{
    const char *word = word_of(cmd, args);
    int verify = strcasecmp(word, "none") == 0 || strcasecmp(word, "off") == 0 || strcmp(word, "0") == 0
                     ? OC_VERIFY_NONE
                 : strcasecmp(word, "optional_no_ca") == 0 || strcmp(word, "3") == 0 ? OC_VERIFY_NO_CA
                                                                                     : OC_VERIFY_CA;

    (void)dummy;
    if (!cmd->path)
        conf_of(cmd)->verify_client = verify;
    else if (verify != OC_VERIFY_NONE)
        global.verifies_in_directory = 1;
    return NULL;
}

static const char *read_ocsp_enable(cmd_parms *cmd, void *dummy, const char *args)
{
    const char *word = word_of(cmd, args);

    (void)dummy;
    conf_of(cmd)->ocsp_enable =
        strcasecmp(word, "off") == 0
            ? ""
            : apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
    return NULL;
}

/* ---- check_config ---- */

static apr_interval_time_t written_or(apr_interval_time_t written, apr_interval_time_t otherwise)
{
    return written != OC_UNSET ? written : otherwise;
}

/* httpd gives a virtual host without a directive of this module the structure of the main server. */
static oc_mtls_conf_t *own_conf(server_rec *s, const server_rec *main_server, apr_pool_t *pconf)
{
    oc_mtls_conf_t *conf = ap_get_module_config(s->module_config, &ocsp_client_module);

    if (s == main_server || conf != oc_mtls_conf(main_server))
        return conf;
    conf = apr_pmemdup(pconf, conf, sizeof(*conf));
    conf->has_own_settings = 0;
    ap_set_module_config(s->module_config, &ocsp_client_module, conf);
    return conf;
}

static void settle_host(server_rec *s, const server_rec *main_server, apr_pool_t *pconf)
{
    oc_mtls_conf_t *conf = own_conf(s, main_server, pconf);

    conf->host.server = s;
    conf->host.mode = conf->mode == OC_UNSET ? defaults.mode : (oc_client_mode_t)conf->mode;
    conf->host.wait = written_or(conf->wait, defaults.wait);
    conf->host.grace = written_or(conf->grace, defaults.grace);
    conf->host.max_age = written_or(conf->max_age, defaults.client_max_age);
    if (conf->host.max_age == 0)
        conf->host.max_age = defaults.client_max_age;
    conf->host.responder = conf->responder;
    if (conf->host.mode != OC_CLIENT_OFF && global.service->is_tls(s))
        APR_ARRAY_PUSH((apr_array_header_t *)global.spec.hosts, oc_client_host_t *) = &conf->host;
}

static int refuse(server_rec *s, const char *problem)
{
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "mod_ocsp_client: %s", problem);
    return HTTP_INTERNAL_SERVER_ERROR;
}

int oc_mtls_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    APR_OPTIONAL_FN_TYPE(oc_client_service) *find = APR_RETRIEVE_OPTIONAL_FN(oc_client_service);
    const char *problem;
    server_rec *s;

    (void)plog;
    if (!ap_find_linked_module("mod_ocsp_cache.c") || !find)
        return refuse(main_server, "mod_ocsp_cache is not loaded, which obtains the status of client certificates. "
                                   "Load it too (LoadModule ocsp_cache_module, or `a2enmod ocsp_cache`)");
    global.service = find();
    if (strcmp(global.service->version, OC_VERSION) != 0)
        return refuse(main_server, "mod_ocsp_cache is of another version. Install both modules from one package, and "
                                   "restart the server");
    for (s = main_server; s; s = s->next)
        settle_host(s, main_server, pconf);
    problem = oc_mtls_is_active() ? global.service->configure(&global.spec, ptemp) : NULL;
    return problem ? refuse(main_server, problem) : OK;
}

/* ---- the table ---- */

#define FIELD(name) ((void *)APR_OFFSETOF(oc_mtls_conf_t, name))

/* A directive of mod_ssl: allowed everywhere and with any arguments, so that every error is mod_ssl's. */
#define READ(name, read) \
    AP_INIT_RAW_ARGS(name, read, NULL, RSRC_CONF | OR_ALL, "a directive of mod_ssl, which this module reads")

const command_rec oc_mtls_directives[] = {
    AP_INIT_TAKE1("OCSPCacheClient", set_mode, NULL, RSRC_CONF,
                  "off, soft or hard: refuse revoked client certificates; hard: refuse those with unknown status too"),
    AP_INIT_TAKE1("OCSPCacheClientWait", set_duration, FIELD(wait), RSRC_CONF,
                  "how long the first contact with a client may wait for its status; 0: no wait"),
    AP_INIT_TAKE1("OCSPCacheClientGrace", set_duration, FIELD(grace), RSRC_CONF,
                  "how long after its nextUpdate a good status counts while the responder fails"),
    AP_INIT_TAKE1("OCSPCacheClientMaxAge", set_duration, FIELD(max_age), RSRC_CONF,
                  "how long a response without nextUpdate counts"),
    AP_INIT_TAKE1("OCSPCacheClientResponder", set_client_responder, NULL, RSRC_CONF,
                  "the URL of the responder to query in place of those that client certificates name"),
    AP_INIT_TAKE1("OCSPCacheClientSize", set_size, NULL, RSRC_CONF, "for how many clients there is room in memory"),
    AP_INIT_TAKE1("OCSPCacheClientFile", set_file, NULL, RSRC_CONF,
                  "a file that stores what is known of clients, with their serial numbers"),

    READ("SSLVerifyClient", read_verify_client),
    READ("SSLOCSPEnable", read_ocsp_enable),
    {.name = NULL}};
