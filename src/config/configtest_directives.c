/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The part of `apachectl -t` about directives: a stapling directive that has no effect where it is set, which is never
 * what the administrator intended.
 */
#include "configtest_parts.h"

#include "config/inventory.h"
#include "fetch/url.h"
#include "server/module.h"
#include "server/provider.h"
#include "server/settings.h"

#include <apr_strings.h>
#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

#define URLS_NAMED 3

static void warn(oc_findings_t *findings, server_rec *s, const char *text)
{
    oc_findings_add(findings, APLOG_WARNING, s, OC_ABOUT_HOST, NULL, text);
}

/* What is written in this section itself. A virtual host without any directive of this module's table has no
 * configuration of its own: httpd gives it that of the main server. NULL: nothing is written */
static const oc_server_conf_t *written_in(const apr_array_header_t *servers, const server_rec *s)
{
    const oc_server_conf_t *conf = oc_settings_server(s);

    return s->is_virtual && conf == oc_settings_server(APR_ARRAY_IDX(servers, 0, const server_rec *)) ? NULL
                                                                                                      : conf->own;
}

/* "SSLStaplingForceURL, ... have no effect: ": the directives set in this section itself that need stapling; NULL:
 * none.
 * @param own  from written_in(), not NULL @param is_tls 0: SSLUseStapling has no effect either */
static const char *idle_directives(const oc_server_conf_t *own, int is_tls, apr_pool_t *pool)
{
    const struct {
        const char *name;
        int is_written;
    } all[] = {
        {"SSLUseStapling", !is_tls && own->use_stapling == 1},
        {"SSLStaplingReturnResponderErrors", own->return_errors != OC_UNSET},
        {"SSLStaplingFakeTryLater", own->fake_try_later != OC_UNSET},
        {"SSLStaplingResponderTimeout", own->responder_timeout != OC_UNSET},
        {"SSLStaplingStandardCacheTimeout", own->standard_timeout != OC_UNSET},
        {"SSLStaplingErrorCacheTimeout", own->error_timeout != OC_UNSET},
        {"SSLStaplingResponseTimeSkew", own->skew != OC_UNSET},
        {"SSLStaplingResponseMaxAge", own->max_age != OC_UNSET},
        {"SSLStaplingForceURL", !!own->force_url},
    };
    const char *text = NULL;
    unsigned i, n = 0;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (!all[i].is_written)
            continue;
        text = text ? apr_pstrcat(pool, text, ", ", all[i].name, NULL) : all[i].name;
        n++;
    }
    return text ? apr_pstrcat(pool, text, n > 1 ? " have" : " has", " no effect: ", NULL) : NULL;
}

/* Does any host that this module staples for take SSLStaplingFakeTryLater from @a s and return errors? */
static int is_faking(const apr_array_header_t *servers, const oc_mod_md_t *md, const server_rec *s)
{
    int i;

    for (i = 0; i < servers->nelts; i++) {
        const server_rec *host = APR_ARRAY_IDX(servers, i, const server_rec *);
        const oc_server_conf_t *own = written_in(servers, host);

        if ((host == s || (!s->is_virtual && (!own || own->fake_try_later == OC_UNSET)))
            && oc_mod_md_leaves_to_us(md, host) && oc_settings_returns_errors(oc_settings_server(host)))
            return 1;
    }
    return 0;
}

/* Values that this module does not support. */
static void check_values(oc_findings_t *findings, const oc_mod_md_t *md, const apr_array_header_t *servers,
                         server_rec *s, apr_pool_t *pool)
{
    const oc_server_conf_t *own = written_in(servers, s);
    apr_interval_time_t least = oc_settings_global()->refresh_min;

    if (!own)
        return;
    if (own->with_unit)
        warn(findings, s,
             apr_pstrcat(pool, own->with_unit,
                         ": mod_ssl's directives take a number of seconds and ignore the unit. Write the number alone",
                         NULL));
    if (own->fake_try_later == 1 && !is_faking(servers, md, s))
        warn(findings, s,
             "SSLStaplingFakeTryLater On has no effect: errors, and so a generated tryLater, are stapled only with "
             "SSLStaplingReturnResponderErrors On. Set that as well, or remove SSLStaplingFakeTryLater");
    if (own->responder_timeout == 0)
        warn(findings, s,
             "SSLStaplingResponderTimeout 0 has no effect: there is no unlimited wait, so the default applies. Remove "
             "it, "
             "or set a number of seconds");
    if (own->standard_timeout == 0)
        warn(findings, s, "SSLStaplingStandardCacheTimeout 0 has no effect: the default applies. Remove it");
    else if (own->standard_timeout > 0 && own->standard_timeout < least)
        warn(findings, s,
             apr_psprintf(pool,
                          "SSLStaplingStandardCacheTimeout is shorter than the shortest interval of "
                          "OCSPCacheRefreshInterval, %" APR_TIME_T_FMT
                          " s, which then has no effect: responders are queried every %" APR_TIME_T_FMT
                          " s. Raise the former, or lower the latter",
                          apr_time_sec(least), apr_time_sec(own->standard_timeout)));
}

/* A host with SSLUseStapling on, for which mod_md staples. */
static void check_md(oc_findings_t *findings, const oc_mod_md_t *md, server_rec *s, const char *idle, apr_pool_t *pool)
{
    if (!oc_mod_md_manages(md, s))
        warn(findings, s,
             "mod_md staples for this host, which it does not manage: MDStapling is on, and MDStapleOthers is not off. "
             "This module does not staple here. To have it do so, set `MDStapleOthers off`");
    else if (idle)
        warn(findings, s,
             apr_pstrcat(pool, idle, "mod_md staples for this host, which it manages (MDStapling on). Remove them",
                         NULL));
    else
        oc_findings_add(findings, APLOG_INFO, s, OC_ABOUT_HOST, NULL,
                        "mod_md staples for this host, which it manages (MDStapling on); this module does not");
}

static void check_host(oc_findings_t *findings, const oc_mod_md_t *md, const apr_array_header_t *servers, server_rec *s,
                       apr_pool_t *pool)
{
    const oc_server_conf_t *conf = oc_settings_server(s);
    int is_tls = oc_settings_is_tls(s);
    const oc_server_conf_t *own = written_in(servers, s);
    const char *idle = own ? idle_directives(own, is_tls, pool) : NULL;

    if (conf->ssl_engine == 1 && conf->certificate_files->nelts == 0 && oc_mod_md_manages(md, s))
        oc_findings_add(findings, APLOG_INFO, s, OC_ABOUT_HOST, NULL,
                        "its certificate comes from mod_md, not from a file, and is not checked");
    if (!is_tls) {
        if (idle)
            warn(findings, s,
                 apr_pstrcat(pool, idle,
                             "SSLEngine is not on here. Switch it on, or remove the directives without effect", NULL));
    }
    else if (!conf->staples) {
        if (idle)
            warn(findings, s,
                 apr_pstrcat(pool, idle,
                             "SSLUseStapling is not on here. Switch it on, or remove the directives without effect",
                             NULL));
    }
    else if (oc_mod_md_staples(md, s)) {
        check_md(findings, md, s, idle, pool);
    }
    else {
        check_values(findings, md, servers, s, pool);
    }
}

void oc_configtest_switch(oc_findings_t *findings, const apr_array_header_t *servers)
{
    int i;

    for (i = 0; !oc_settings_global()->cache_line && i < servers->nelts; i++) {
        server_rec *s = APR_ARRAY_IDX(servers, i, server_rec *);

        if (oc_settings_is_tls(s) && oc_settings_server(s)->use_stapling == 1)
            warn(findings, s,
                 "SSLUseStapling is on, but SSLStaplingCache is missing: mod_ssl does not start without it (AH01958). "
                 "Write `SSLStaplingCache " OC_PROVIDER_NAME "` outside of any <VirtualHost>");
    }
}

/* The URLs that OCSPCacheResponder can replace: URL -> itself. */
static apr_hash_t *named_urls(const apr_array_header_t *stapled, const char **list, apr_pool_t *pool)
{
    apr_hash_t *named = apr_hash_make(pool);
    int i, j;

    *list = "";
    for (i = 0; i < stapled->nelts; i++) {
        const oc_listed_t *listed = APR_ARRAY_IDX(stapled, i, const oc_listed_t *);
        const server_rec *first = APR_ARRAY_IDX(listed->servers, 0, const server_rec *);

        for (j = 0; !oc_settings_server(first)->force_url && listed->cert->urls[j]; j++) {
            const char *url = listed->cert->urls[j];

            if (apr_hash_get(named, url, APR_HASH_KEY_STRING))
                continue;
            apr_hash_set(named, url, APR_HASH_KEY_STRING, url);
            if (apr_hash_count(named) <= URLS_NAMED)
                *list = apr_pstrcat(pool, *list, **list ? ", " : "", oc_url_public(url, pool), NULL);
        }
    }
    if (apr_hash_count(named) > URLS_NAMED)
        *list = apr_psprintf(pool, "%s and %u more", *list, apr_hash_count(named) - URLS_NAMED);
    return named;
}

void oc_configtest_responders(const apr_array_header_t *stapled, server_rec *main_server, apr_pool_t *pool)
{
    apr_hash_t *responders = oc_settings_global()->responders, *named;
    apr_hash_index_t *hi;
    const char *list;

    if (stapled->nelts == 0 || apr_hash_count(responders) == 0)
        return;
    named = named_urls(stapled, &list, pool);
    for (hi = apr_hash_first(pool, responders); hi; hi = apr_hash_next(hi)) {
        const char *url = apr_hash_this_key(hi);

        if (!apr_hash_get(named, url, APR_HASH_KEY_STRING))
            ap_log_error(
                APLOG_MARK, APLOG_WARNING, 0, main_server,
                "OCSPCacheResponder %s has no effect: no certificate names this URL%s%s. Write the URL exactly "
                "as the certificates name it, or remove the line",
                oc_url_public(url, pool), *list ? "; they name " : "", list);
    }
}

void oc_configtest_directives(oc_findings_t *findings, const oc_mod_md_t *md, const apr_array_header_t *servers,
                              apr_pool_t *pool)
{
    server_rec *main_server = APR_ARRAY_IDX(servers, 0, server_rec *);
    int i, n_tls = 0, n_staple = 0, is_set = 0;

    for (i = 0; i < servers->nelts; i++) {
        server_rec *s = APR_ARRAY_IDX(servers, i, server_rec *);

        n_tls += oc_settings_is_tls(s);
        is_set |= oc_settings_server(s)->use_stapling != OC_UNSET;
        n_staple += oc_settings_is_tls(s) && oc_settings_server(s)->staples;
        if (s->is_virtual)
            check_host(findings, md, servers, s, pool);
    }
    if (n_staple > 0)
        check_values(findings, md, servers, main_server, pool);
    else if (n_tls > 0 && !is_set)
        warn(findings, main_server,
             "SSLUseStapling is not set anywhere, so nothing is stapled. Set `SSLUseStapling on`");
}
