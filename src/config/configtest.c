/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What `apachectl -t` reports about certificates: expired, without an issuer, without a responder, Must-Staple without
 * stapling. It reads the administrator's own files, with the rights of the user who runs the test.
 */
#include "config/configtest.h"

#include "configtest_parts.h"
#include "config/inventory.h"
#include "ocsp/cert.h"
#include "ocsp/x509.h"
#include "server/managed.h"
#include "server/module.h"
#include "server/settings.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_log.h>
#include <unistd.h>

APLOG_USE_MODULE(ocsp_cache);

#define DEMAND ". It is a Must-Staple certificate (RFC 7633): clients reject it without a staple"

/* One certificate in one host. */
typedef struct {
    oc_findings_t *findings;
    apr_pool_t *pool;
    apr_pool_t *scratch; /* for what no finding refers to */
    const oc_cert_t *cert;
    const oc_listed_t *listed; /* NULL: `label` is set */
    int has_issuer;            /* this and the next three: as in oc_listed_t */
    const char *issuer_problem;
    const char *unread;
    const char *issuer;
    int is_alone;    /* no other certificate lacks this issuer */
    int is_supplied; /* another host staples for this certificate and has its issuer: mod_ssl then staples here, too */
    server_rec *s;
    const char *label;
    const char *demand;
} case_t;

static void report(const case_t *c, int level, oc_about_t about, const char *text)
{
    const char *label = c->listed ? oc_inventory_name(c->listed, c->pool) : c->label;

    oc_findings_add(c->findings, level, c->s, about, label, text);
}

static const char *date(apr_time_t time, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 32);

    oc_x509_time_text(text, 32, time);
    return text;
}

/* Its validity. @return 1: it has expired, and no other check matters */
static int check_dates(const case_t *c, apr_time_t now)
{
    if (c->cert->not_after <= now) {
        report(c, APLOG_WARNING, OC_ABOUT_CERTIFICATE,
               apr_psprintf(c->pool, "it expired on %s: nothing can be stapled for it. Renew it",
                            date(c->cert->not_after, c->pool)));
        return 1;
    }
    if (c->cert->not_before > now)
        report(c, APLOG_WARNING, OC_ABOUT_CERTIFICATE,
               apr_psprintf(c->pool,
                            "it is not valid before %s: clients reject it until then. Check this host's clock, or use "
                            "the previous certificate",
                            date(c->cert->not_before, c->pool)));
    return 0;
}

/* One line for all certificates without the same issuer; what was found instead is then logged for each at info. */
static void check_issuer(const case_t *c, int has_folder)
{
    const char *missing = c->is_alone ? c->issuer_problem : c->issuer;

    if (c->unread) {
        report(c, APLOG_WARNING, OC_ABOUT_CERTIFICATES,
               apr_psprintf(c->pool,
                            "the issuer's certificate may be in %s, which this user cannot read. Run the test as root",
                            c->unread));
        return;
    }
    if (!c->is_alone)
        report(c, APLOG_INFO, OC_ABOUT_CERTIFICATE,
               apr_pstrcat(c->pool, "the issuer's certificate is missing: ", c->issuer_problem, NULL));
    report(
        c, APLOG_WARNING, OC_ABOUT_CERTIFICATES,
        apr_pstrcat(c->pool, "nothing will be stapled: the issuer's certificate is missing: ", missing, c->demand,
                    ". Append the issuer's certificate to the one in SSLCertificateFile, or name its file in "
                    "SSLCertificateChainFile or SSLCACertificateFile",
                    has_folder ? " (SSLCACertificatePath does not hold it under its hash: see `openssl rehash`)" : "",
                    NULL));
}

/* No responder can be queried. That a certificate names none is expected; the other causes can be fixed. */
static void check_targets(const case_t *c, const oc_targets_t *targets)
{
    int is_warning = c->cert->must_staple || !targets->is_expected;

    report(
        c, is_warning ? APLOG_WARNING : APLOG_INFO, OC_ABOUT_CERTIFICATES,
        apr_pstrcat(c->pool,
                    targets->is_refreshed ? "stapled only from OCSPCacheResponseFolder: " : "nothing will be stapled: ",
                    targets->problem, c->demand, ". ", targets->advice, NULL));
}

static void check_certificate(const case_t *c)
{
    const oc_server_conf_t *conf = oc_settings_server(c->s);
    oc_targets_t targets;

    if (check_dates(c, apr_time_now()))
        return;
    oc_settings_targets(c->s, c->cert, &targets, c->scratch);
    if (!conf->staples) {
        if (c->cert->must_staple)
            report(c, APLOG_WARNING, OC_ABOUT_CERTIFICATE,
                   "SSLUseStapling is off" DEMAND ". Set `SSLUseStapling on` for this host");
    }
    else if (targets.problem && (!targets.is_expected || !targets.is_refreshed)) {
        check_targets(c, &targets);
    }
    else if (!c->has_issuer && c->is_supplied) {
        report(
            c, APLOG_INFO, OC_ABOUT_CERTIFICATES,
            "the issuer's certificate is missing in this host; that of another host with the same certificate is used");
    }
    else if (!c->has_issuer) {
        check_issuer(c, !!conf->ca_path);
    }
    else if (targets.skipped) {
        report(c, APLOG_INFO, OC_ABOUT_CERTIFICATES, apr_pstrcat(c->pool, "not queried: ", targets.skipped, NULL));
    }
}

static case_t make_case(oc_findings_t *findings, const oc_cert_t *cert, server_rec *s, apr_pool_t *pool)
{
    case_t c = {.findings = findings,
                .pool = pool,
                .scratch = pool,
                .cert = cert,
                .has_issuer = 1,
                .is_alone = 1,
                .s = s,
                .demand = cert->must_staple ? DEMAND : ""};

    return c;
}

/* A file without a certificate that can be checked: always reported. */
static void check_unread(oc_findings_t *findings, const oc_listed_t *listed, server_rec *s, apr_pool_t *pool)
{
    const char *text;
    char why[120];

    if (listed->status == APR_ENOTIMPL)
        text = apr_pstrcat(pool, listed->file, " is not a file; its certificate is not checked", NULL);
    else if (listed->status == APR_EINVAL)
        text =
            apr_pstrcat(pool, "nothing is checked for the certificate in ", listed->file, ": ", listed->problem, NULL);
    else
        text = apr_psprintf(pool, "the certificate is not checked: this user cannot read SSLCertificateFile: %s. %s",
                            apr_strerror(listed->status, why, sizeof(why)),
                            geteuid() == 0 ? listed->file : "Run the test as root");
    oc_findings_add(findings, listed->status == APR_ENOTIMPL ? APLOG_INFO : APLOG_WARNING, s, OC_ABOUT_HOST, NULL,
                    text);
}

/* The certificates whose issuer at least one stapling host has: id -> oc_listed_t *. */
static apr_hash_t *supplied_certificates(const apr_array_header_t *certificates, apr_pool_t *pool)
{
    apr_hash_t *supplied = apr_hash_make(pool);
    int i, j;

    for (i = 0; i < certificates->nelts; i++) {
        const oc_listed_t *listed = APR_ARRAY_IDX(certificates, i, const oc_listed_t *);

        for (j = 0; listed->cert && listed->has_issuer && j < listed->servers->nelts; j++)
            if (oc_settings_server(APR_ARRAY_IDX(listed->servers, j, server_rec *))->staples)
                apr_hash_set(supplied, listed->cert->id, OC_CERT_ID_LEN, listed);
    }
    return supplied;
}

/* How many certificates lack an issuer: its name -> unsigned *. */
static apr_hash_t *missing_issuers(const apr_array_header_t *certificates, apr_pool_t *pool)
{
    apr_hash_t *missing = apr_hash_make(pool);
    int i;

    for (i = 0; i < certificates->nelts; i++) {
        const oc_listed_t *listed = APR_ARRAY_IDX(certificates, i, const oc_listed_t *);
        unsigned *n;

        if (!listed->cert || listed->has_issuer || !listed->issuer)
            continue;
        n = apr_hash_get(missing, listed->issuer, APR_HASH_KEY_STRING);
        if (!n) {
            n = apr_pcalloc(pool, sizeof(*n));
            apr_hash_set(missing, listed->issuer, APR_HASH_KEY_STRING, n);
        }
        (*n)++;
    }
    return missing;
}

/* What is known of all certificates together. */
typedef struct {
    oc_findings_t *findings;
    const oc_mod_md_t *md;
    apr_hash_t *supplied; /* see supplied_certificates(); NULL: no issuer is missing */
    apr_hash_t *missing;  /* see missing_issuers() */
    apr_pool_t *scratch;  /* for one certificate */
} whole_t;

static void check_listed(const whole_t *whole, const oc_listed_t *listed, apr_pool_t *pool)
{
    const unsigned *lacking = listed->issuer ? apr_hash_get(whole->missing, listed->issuer, APR_HASH_KEY_STRING) : NULL;
    int i;

    for (i = 0; i < listed->servers->nelts; i++) {
        server_rec *s = APR_ARRAY_IDX(listed->servers, i, server_rec *);
        case_t c;

        if (!listed->cert) {
            check_unread(whole->findings, listed, s, pool);
            continue;
        }
        c = make_case(whole->findings, listed->cert, s, pool);
        c.listed = listed;
        c.scratch = whole->scratch;
        c.has_issuer = listed->has_issuer;
        c.issuer_problem = listed->issuer_problem;
        c.unread = listed->unread;
        c.issuer = listed->issuer;
        c.is_alone = !lacking || *lacking == 1;
        c.is_supplied = whole->supplied && apr_hash_get(whole->supplied, listed->cert->id, OC_CERT_ID_LEN);
        if (oc_mod_md_staples(whole->md, s))
            check_dates(&c, apr_time_now());
        else
            check_certificate(&c);
    }
}

/* Could every certificate be read? mod_md's are not in files that the configuration names. */
static int are_all_read(const apr_array_header_t *certificates)
{
    int i;

    for (i = 0; i < certificates->nelts; i++)
        if (!APR_ARRAY_IDX(certificates, i, const oc_listed_t *)->cert)
            return 0;
    return !ap_find_linked_module("mod_md.c");
}

/* Does any of them name a responder, or demand a staple, or is a response of it found elsewhere? */
static int can_staple(const apr_array_header_t *stapled, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < stapled->nelts; i++) {
        const oc_listed_t *listed = APR_ARRAY_IDX(stapled, i, const oc_listed_t *);
        oc_targets_t targets;

        oc_settings_targets(APR_ARRAY_IDX(listed->servers, 0, server_rec *), listed->cert, &targets, pool);
        if (!targets.is_expected || targets.is_refreshed || listed->cert->must_staple)
            return 1;
    }
    return 0;
}

/* What can be checked only where this module staples. */
static void check_stapling(oc_findings_t *findings, const apr_array_header_t *servers,
                           const apr_array_header_t *certificates, apr_pool_t *pool)
{
    server_rec *main_server = APR_ARRAY_IDX(servers, 0, server_rec *);
    oc_mod_md_t *md = oc_mod_md_read(pool);
    whole_t whole = {findings, md, NULL, missing_issuers(certificates, pool), NULL};
    const apr_array_header_t *stapled = oc_inventory_stapled(certificates, oc_mod_md_leaves_to_us, md, pool);
    int i;

    oc_configtest_directives(findings, md, servers, pool);
    if (apr_hash_count(whole.missing) > 0)
        whole.supplied = supplied_certificates(certificates, pool);
    apr_pool_create(&whole.scratch, pool);
    for (i = 0; i < certificates->nelts; i++) {
        apr_pool_clear(whole.scratch);
        check_listed(&whole, APR_ARRAY_IDX(certificates, i, const oc_listed_t *), pool);
    }
    apr_pool_destroy(whole.scratch);
    if (are_all_read(certificates)) {
        oc_configtest_responders(stapled, main_server, pool);
        if (stapled->nelts > 0 && !can_staple(stapled, pool))
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, main_server, OC_NOTHING_TO_STAPLE);
    }
    oc_configtest_own_responder(findings, stapled, servers, pool);
    oc_configtest_chroot(main_server, pool);
    oc_configtest_cache(findings, stapled, main_server, pool);
}

void oc_configtest_run(server_rec *main_server, const apr_array_header_t *certificates, apr_pool_t *pool)
{
    oc_findings_t *findings = oc_findings_create(pool);
    apr_array_header_t *servers = oc_settings_servers(main_server, pool);

    oc_configtest_files(main_server, pool);
    oc_configtest_switch(findings, servers);
    if (oc_settings_is_active())
        check_stapling(findings, servers, certificates, pool);
    oc_findings_log(findings);
}

void oc_configtest_unstapled(server_rec *s, const char *pem, apr_pool_t *pool)
{
    oc_findings_t *findings = oc_findings_create(pool);
    const char *reason = NULL;
    X509 *leaf = oc_cert_first(pem);
    oc_cert_t *cert = NULL;
    case_t c;

    if (leaf)
        (void)oc_cert_from_x509(&cert, leaf, NULL, NULL, pool, &reason);
    X509_free(leaf);
    if (!cert || !cert->must_staple)
        return;
    c = make_case(findings, cert, s, pool);
    c.label = apr_psprintf(pool, "certificate %s (serial %s)", cert->subject, cert->serial);
    check_certificate(&c);
    oc_findings_log(findings);
}
