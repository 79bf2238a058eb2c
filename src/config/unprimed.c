/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Certificates of stapling hosts that mod_ssl does not prime. mod_ssl logs only the file of each. Here one warning for
 * each missing issuer names the first hosts, and a line at info names each certificate.
 */
#include "config/unprimed.h"

#include "mod_md.h"
#include "config/inventory.h"
#include "server/managed.h"
#include "server/module.h"
#include "server/settings.h"

#include <apr_strings.h>
#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

#define NAMES_MAX 3

/* Certificates that lack the same issuer. */
typedef struct {
    const char *issuer;
    server_rec *first;
    const char *names; /* of the first certificates */
    unsigned n;
    unsigned must_staple;
} group_t;

/* The hosts with fewer primed certificates than files. A file that is named twice is read once more than needed, with
 * no other effect. */
static apr_array_header_t *incomplete_hosts(server_rec *main_server, apr_pool_t *pool)
{
    const apr_array_header_t *servers = oc_settings_servers(main_server, pool);
    apr_array_header_t *incomplete = apr_array_make(pool, 0, sizeof(server_rec *));
    int i;

    for (i = 0; i < servers->nelts; i++) {
        server_rec *s = APR_ARRAY_IDX(servers, i, server_rec *);
        const oc_server_conf_t *conf = oc_settings_server(s);

        if (conf->staples && oc_settings_is_tls(s) && (unsigned)conf->certificate_files->nelts > oc_managed_count_of(s))
            APR_ARRAY_PUSH(incomplete, server_rec *) = s;
    }
    return incomplete;
}

static void add_to_group(apr_hash_t *groups, apr_array_header_t *order, const oc_listed_t *listed, const char *host,
                         apr_pool_t *pool)
{
    group_t *group = apr_hash_get(groups, listed->issuer, APR_HASH_KEY_STRING);

    if (!group) {
        group = apr_pcalloc(pool, sizeof(*group));
        group->issuer = listed->issuer;
        group->first = APR_ARRAY_IDX(listed->servers, 0, server_rec *);
        group->names = "";
        apr_hash_set(groups, group->issuer, APR_HASH_KEY_STRING, group);
        APR_ARRAY_PUSH(order, group_t *) = group;
    }
    if (group->n < NAMES_MAX)
        group->names = apr_pstrcat(pool, group->names, *group->names ? ", " : "", host, " (certificate ",
                                   listed->cert->subject, ", serial ", listed->cert->serial, ")", NULL);
    group->n++;
    group->must_staple += listed->cert->must_staple != 0;
}

static void log_group(const group_t *group, apr_pool_t *pool)
{
    ap_log_error(
        APLOG_MARK, APLOG_WARNING, 0, group->first,
        "nothing is stapled for %s%s: mod_ssl does not find the certificate of the issuer, \"%s\"%s. Append the "
        "issuer's certificate to the one in SSLCertificateFile, or name its file in SSLCertificateChainFile or "
        "SSLCACertificateFile",
        group->names, group->n > NAMES_MAX ? apr_psprintf(pool, " and %u more", group->n - NAMES_MAX) : "",
        group->issuer, group->must_staple ? ". Clients reject a Must-Staple certificate without a staple" : "");
}

/* Would a response be obtained, or is one demanded? The issuer of a self-signed certificate, for example, is not
 * missed. */
static int is_missed(const server_rec *s, const oc_cert_t *cert, apr_pool_t *pool)
{
    oc_targets_t targets;

    oc_settings_targets(s, cert, &targets, pool);
    return cert->must_staple || targets.is_refreshed;
}

static void take(const apr_array_header_t *stapled, apr_pool_t *pool)
{
    apr_array_header_t *order = apr_array_make(pool, 4, sizeof(group_t *));
    apr_hash_t *groups = apr_hash_make(pool);
    int i;

    for (i = 0; i < stapled->nelts; i++) {
        const oc_listed_t *listed = APR_ARRAY_IDX(stapled, i, const oc_listed_t *);
        server_rec *first = APR_ARRAY_IDX(listed->servers, 0, server_rec *);
        const char *host = oc_managed_host(first, pool), *name;

        if (oc_managed_add_supplied(listed->cert->id, listed->servers)
            || (listed->has_issuer && !oc_managed_was_rejected(listed->cert->id)))
            continue;
        name = oc_inventory_name(listed, pool);
        oc_managed_add_unprimed(listed->cert, listed->servers, listed->issuer);
        if (listed->has_issuer || !is_missed(first, listed->cert, pool)) /* a rejected one is logged already */
            continue;
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, first, "%s: %s: mod_ssl does not find its issuer", host, name);
        add_to_group(groups, order, listed, host, pool);
    }
    for (i = 0; i < order->nelts; i++)
        log_group(APR_ARRAY_IDX(order, i, const group_t *), pool);
}

void oc_unprimed_find(server_rec *main_server, apr_pool_t *pconf)
{
    apr_array_header_t *hosts;
    apr_pool_t *pool;

    if (!oc_settings_is_active())
        return;
    apr_pool_create(&pool, pconf);
    hosts = incomplete_hosts(main_server, pool);
    if (hosts->nelts > 0)
        take(oc_inventory_stapled(oc_inventory_of(hosts, pool), oc_mod_md_leaves_to_us, oc_mod_md_read(pool), pool),
             pool);
    apr_pool_destroy(pool);
}
