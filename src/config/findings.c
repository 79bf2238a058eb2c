/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Findings of `apachectl -t`, grouped: the same text is logged once, with the first hosts by name and the others as a
 * number.
 */
#include "findings.h"

#include "server/managed.h"
#include "server/module.h"

#include <apr_strings.h>
#include <http_log.h>

APLOG_USE_MODULE(ocsp_cache);

#define HOSTS_NAMED 3 /* of a finding; the others are counted */

typedef struct {
    int level;
    const char *text;
    const char *certificate; /* the first one; NULL: the finding is about hosts */
    const char *last;        /* the last one added: findings are added certificate by certificate */
    int n_certificates;
    server_rec *hosts[HOSTS_NAMED];
    apr_hash_t *all_hosts; /* server_rec * -> itself: a host may have several certificates */
} finding_t;

struct oc_findings_t {
    apr_pool_t *pool;
    apr_array_header_t *all; /* finding_t * */
    apr_hash_t *by_key;
};

oc_findings_t *oc_findings_create(apr_pool_t *pool)
{
    oc_findings_t *findings = apr_palloc(pool, sizeof(*findings));

    findings->pool = pool;
    findings->all = apr_array_make(pool, 8, sizeof(finding_t *));
    findings->by_key = apr_hash_make(pool);
    return findings;
}

static void add_host(finding_t *finding, server_rec *s, apr_pool_t *pool)
{
    unsigned n = apr_hash_count(finding->all_hosts);

    if (apr_hash_get(finding->all_hosts, &s, sizeof(s)))
        return;
    apr_hash_set(finding->all_hosts, apr_pmemdup(pool, &s, sizeof(s)), sizeof(s), s);
    if (n < HOSTS_NAMED)
        finding->hosts[n] = s;
}

void oc_findings_add(oc_findings_t *findings, int level, server_rec *s, oc_about_t about, const char *certificate,
                     const char *text)
{
    const char *key = apr_pstrcat(findings->pool, about == OC_ABOUT_CERTIFICATE ? certificate : "", "\n", text, NULL);
    finding_t *finding = apr_hash_get(findings->by_key, key, APR_HASH_KEY_STRING);

    if (!finding) {
        finding = apr_pcalloc(findings->pool, sizeof(*finding));
        finding->level = level;
        finding->text = text;
        finding->certificate = certificate;
        finding->all_hosts = apr_hash_make(findings->pool);
        apr_hash_set(findings->by_key, key, APR_HASH_KEY_STRING, finding);
        APR_ARRAY_PUSH(findings->all, finding_t *) = finding;
    }
    if (certificate && (!finding->last || strcmp(finding->last, certificate) != 0)) {
        finding->last = certificate;
        finding->n_certificates++;
    }
    add_host(finding, s, findings->pool);
}

static const char *hosts_of(const finding_t *finding, apr_pool_t *pool)
{
    const char *text = oc_managed_host(finding->hosts[0], pool);
    unsigned i, n = apr_hash_count(finding->all_hosts);

    for (i = 1; i < HOSTS_NAMED && i < n; i++)
        text = apr_pstrcat(pool, text, ", ", oc_managed_host(finding->hosts[i], pool), NULL);
    if (n > HOSTS_NAMED)
        text = apr_psprintf(pool, "%s and %u others", text, n - HOSTS_NAMED);
    return text;
}

void oc_findings_log(const oc_findings_t *findings)
{
    apr_pool_t *pool = findings->pool;
    int i;

    for (i = 0; i < findings->all->nelts; i++) {
        const finding_t *finding = APR_ARRAY_IDX(findings->all, i, const finding_t *);
        const char *which = "";

        if (finding->certificate)
            which = apr_pstrcat(pool, finding->certificate, ": ", NULL);
        if (finding->n_certificates > 1)
            which = apr_psprintf(pool, "%s and %d more: ", finding->certificate, finding->n_certificates - 1);
        ap_log_error(APLOG_MARK, finding->level, 0, finding->hosts[0], "%s: %s%s", hosts_of(finding, pool), which,
                     finding->text);
    }
}
