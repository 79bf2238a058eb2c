/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl probe: reads the options, the certificate and its issuer, and has another process query the responder
 * or visit the server. Needs neither a cache nor a server, unless a host names the certificate. It must never parse an
 * answer with root's rights.
 */
#include "ctl_judge.h"
#include "ctl_probe.h"

#include "fetch/url.h"
#include "ocsp/issuer.h"
#include "ocsp/x509.h"

#include <apr_strings.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROBE_REVOKED 3 /* exit status: the certificate is revoked */

enum { OUT = 'o', TIMEOUT = 't', CHAIN = CTL_LONG, URL, PROXY, HASH, CONNECT, SERVERNAME };

/* ---- the certificate and its issuer ---- */

typedef struct {
    X509 *x509;
    const char *path;
} found_t;

/* Append the certificates of a PEM file, whatever else is in it. @return CTL_OK; else the reason has been printed. */
static int read_certificates(apr_array_header_t *found, const char *path, const probe_t *probe)
{
    static char no_passphrase[] = ""; /* given one, OpenSSL does not prompt for it on the terminal */
    BIO *bio = BIO_new_file(path, "r");
    int before = found->nelts, error = errno;
    char why[120];
    X509 *x509;

    if (!bio)
        return ctl_trouble(probe->ctl, "cannot open %s: %s", path, apr_strerror(error, why, sizeof(why)));
    while ((x509 = PEM_read_bio_X509_AUX(bio, NULL, NULL, no_passphrase)) != NULL) {
        found_t *one = apr_array_push(found);

        one->x509 = x509;
        one->path = path;
        oc_x509_keep(x509, probe->pool);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (found->nelts == before)
        return ctl_trouble(
            probe->ctl, "%s contains no certificate in PEM form (`openssl x509 -inform DER` converts from DER)", path);
    return CTL_OK;
}

static int take_subject(probe_t *probe)
{
    apr_array_header_t *found = apr_array_make(probe->pool, 4, sizeof(found_t));
    apr_array_header_t *others = apr_array_make(probe->pool, 4, sizeof(X509 *));
    const char *chain = probe->ctl->values[CHAIN], *problem = NULL;
    X509 *right;
    const found_t *all, *issuer = NULL;
    char subject[512];
    int i, status = read_certificates(found, probe->certificate_path, probe);

    if (status == CTL_OK && chain)
        status = read_certificates(found, chain, probe);
    if (status != CTL_OK)
        return status;
    all = (const found_t *)found->elts;
    for (i = 1; i < found->nelts; i++)
        APR_ARRAY_PUSH(others, X509 *) = all[i].x509;
    right = oc_issuer_choose(others, all[0].x509);
    for (i = 1; i < found->nelts && !issuer; i++)
        if (right == all[i].x509)
            issuer = &all[i];
    if (oc_cert_from_x509(&probe->cert, all[0].x509, issuer ? issuer->x509 : NULL, oc_issuer_set_create(probe->pool),
                          probe->pool, &problem)
        != APR_SUCCESS)
        return ctl_trouble(probe->ctl, "%s: %s", probe->certificate_path, problem);
    probe->issuer_url = oc_cert_issuer_url(all[0].x509, probe->pool);
    if (issuer) {
        oc_x509_subject(subject, sizeof(subject), issuer->x509);
        probe->issuer = apr_pstrdup(probe->pool, subject);
        probe->issuer_path = issuer->path;
    }
    else {
        const char *names = oc_issuer_names(others, all[0].x509, probe->pool);

        probe->issuer_gap = apr_pstrcat(
            probe->pool, "the certificate of the issuer is missing: ", oc_issuer_needed(all[0].x509, probe->pool),
            " is needed", *names ? "; the files hold " : "", names, NULL);
    }
    return CTL_OK;
}

/* ---- a host of the server ---- */

/* Of those that a certificate names. Where none can be queried, the first, which then fails as the module reports
 * it. */
static const char *first_usable(const char *const *urls, apr_pool_t *pool)
{
    const char *const *url;

    for (url = urls; *url; url++)
        if (!oc_fetch_url_problem(*url, pool))
            return *url;
    return *urls;
}

/* A word that is neither a file nor looks like a file's name. */
static int is_configured_host(const probe_t *probe)
{
    static const char *const endings[] = {".pem", ".crt", ".cer", ".cert", ".der", ".key"};
    const char *word = probe->certificate_path, *ending = strrchr(word, '.');
    unsigned i;

    for (i = 0; ending && i < sizeof(endings) / sizeof(endings[0]); i++)
        if (strcasecmp(ending, endings[i]) == 0)
            return 0;
    return !strchr(word, '/') && access(word, F_OK) != 0;
}

static int refuse_host(const probe_t *probe, const char *why)
{
    return ctl_trouble(probe->ctl, "there is no file %s. As a name of a certificate: %s", probe->certificate_path, why);
}

/* The manifest has what is needed of certificate and issuer; the certificate itself is not read. */
static int take_host(probe_t *probe)
{
    apr_array_header_t *rows;
    const oc_manifest_entry_t *entry;
    const unsigned char *p;
    ctl_stock_t stock;
    char subject[512];
    X509 *issuer;
    int status = ctl_stock_open(probe->ctl, &stock, &rows, 1);

    if (status != CTL_OK)
        return status;
    if (rows->nelts != 1)
        return refuse_host(probe, "several certificates match: name one by its serial or fingerprint");
    entry = APR_ARRAY_IDX(rows, 0, const ctl_row_t *)->entry;
    if (!entry)
        return refuse_host(probe,
                           "the server does not have its issuer's certificate: `apachectl -t` reports what to do");
    p = entry->cert->issuer->der;
    issuer = d2i_X509(NULL, &p, (long)entry->cert->issuer->der_len);
    if (!issuer)
        return refuse_host(probe, "the issuer's certificate in the manifest cannot be read");
    oc_x509_subject(subject, sizeof(subject), issuer);
    X509_free(issuer);
    probe->cert = (oc_cert_t *)(uintptr_t)entry->cert; /* only read */
    probe->issuer = apr_pstrdup(probe->pool, subject);
    probe->issuer_path = oc_manifest_path(probe->ctl->path, probe->pool);
    probe->urls = entry->urls;
    probe->url = first_usable(entry->urls, probe->pool);
    probe->url_from = "which the server queries";
    return CTL_OK;
}

/* ---- the command line ---- */

static int take_options(probe_t *probe)
{
    const ctl_t *ctl = probe->ctl;
    const char *hash = ctl->values[HASH], *problem = NULL;
    int status = ctl_duration(ctl, TIMEOUT, probe_defaults.responder_timeout, &probe->timeout);

    if (status != CTL_OK)
        return status;
    if (probe->timeout == 0)
        return ctl_usage(ctl, "--timeout: it must be longer than 0");
    probe->connect = ctl->values[CONNECT];
    probe->servername = ctl->values[SERVERNAME];
    if (probe->connect)
        return probe_connect_options(probe, ctl->values[URL] || ctl->values[PROXY] || hash);
    if (probe->servername)
        return ctl_usage(ctl, "--servername: only with --connect");
    if (ctl->arguments->nelts != 1)
        return ctl_usage(ctl, "name one file with a certificate, or one host of the server");
    probe->certificate_path = APR_ARRAY_IDX(ctl->arguments, 0, const char *);
    if (hash && strcmp(hash, "sha1") != 0 && strcmp(hash, "sha256") != 0)
        return ctl_usage(ctl, "--hash: '%s' is neither sha1 nor sha256", hash);
    probe->hash = hash && strcmp(hash, "sha256") == 0 ? OC_CERTID_SHA256 : OC_CERTID_SHA1;
    probe->proxy = ctl->values[PROXY];
    if (probe->proxy && !oc_fetch_proxy(probe->proxy, probe->pool, &problem))
        return ctl_usage(ctl, "--proxy: %s", problem);
    return CTL_OK;
}

/* ---- the command ---- */

/* What the process that queried passes to the one that may write files. */
typedef struct {
    apr_size_t len; /* 0: there is nothing that may be stapled */
    unsigned char der[OC_RESPONSE_MAX];
} copy_t;

typedef struct {
    probe_t probe;
    copy_t *copy;
    apr_array_header_t *given; /* X509 *: of --chain, where a server is visited */
} probing_t;

/* Without rights: the data that follows is untrusted. */
static int work(void *data)
{
    probing_t *probing = data;
    probe_t *probe = &probing->probe;

    if (probe->connect)
        probe_connect(probe, probing->given);
    else
        probe_query(probe);
    if (probe->connect)
        (ctl_is_json(probe->ctl) ? probe_tell_connection_json : probe_tell_connection)(probe);
    else
        (ctl_is_json(probe->ctl) ? probe_tell_json : probe_tell_outcome)(probe);
    if (oc_verdict_class(probe->verdict) == OC_CLASS_TRUTH) {
        memcpy(probing->copy->der, probe->fetched.der, probe->fetched.der_len);
        probing->copy->len = probe->fetched.der_len;
    }
    return probe->verdict == OC_GOOD ? CTL_OK : probe->verdict == OC_REVOKED ? PROBE_REVOKED : CTL_NO;
}

/* Only a verified response replaces the file. */
static int write_response(const ctl_t *ctl, const copy_t *copy, const char *path)
{
    apr_size_t len =
        *(const volatile apr_size_t *)&copy->len; /* once: processes that it started may still write there */
    apr_status_t rv;
    char why[120];

    if (len == 0 || len > sizeof(copy->der)) {
        ctl_say("%s is not changed: there is no response that could be stapled", path);
        return CTL_OK;
    }
    rv = ctl_write_file(ctl, path, copy->der, len);
    return rv == APR_SUCCESS ? CTL_OK
                             : ctl_trouble(ctl, "cannot write %s: %s", path, apr_strerror(rv, why, sizeof(why)));
}

/* Read with the user's rights, for the process without. */
static int read_given(probing_t *probing)
{
    probe_t *probe = &probing->probe;
    apr_array_header_t *found = apr_array_make(probe->pool, 4, sizeof(found_t));
    const char *chain = probe->ctl->values[CHAIN];
    int i, status = chain ? read_certificates(found, chain, probe) : CTL_OK;

    probing->given = apr_array_make(probe->pool, 4, sizeof(X509 *));
    for (i = 0; i < found->nelts; i++)
        APR_ARRAY_PUSH(probing->given, X509 *) = APR_ARRAY_IDX(found, i, found_t).x509;
    return status;
}

/* Choose the responder that is queried. */
static void take_url(probe_t *probe)
{
    if (probe->ctl->values[URL]) {
        probe->url = probe->ctl->values[URL];
        probe->url_from = "named with --url";
    }
    else if (!probe->url) {
        probe->urls = probe->cert->urls;
        probe->url = first_usable(probe->cert->urls, probe->pool);
        probe->url_from = "named in the certificate";
    }
}

static int run(ctl_t *ctl)
{
    probing_t probing = {.probe = {.ctl = ctl, .pool = ctl->pool, .detail = ""}};
    probe_t *probe = &probing.probe;
    int result, status = take_options(probe);

    if (status == CTL_OK)
        status = probe->connect              ? read_given(&probing)
                 : is_configured_host(probe) ? take_host(probe)
                                             : take_subject(probe);
    if (status != CTL_OK)
        return status;
    if (!probe->connect)
        take_url(probe);
    probing.copy = mmap(NULL, sizeof(*probing.copy), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (probing.copy == MAP_FAILED)
        return ctl_trouble(ctl, "out of memory");
    if (!probe->connect && !ctl_is_json(ctl))
        probe_tell_subject(probe);
    status = ctl_apart(ctl, work, &probing, &result);
    if (status == CTL_OK && ctl_has(ctl, OUT))
        status = write_response(ctl, probing.copy, ctl->values[OUT]);
    return status == CTL_OK ? result : status;
}

static const ctl_option_t options[] = {
    {"chain", CHAIN, "FILE", "PEM file with the issuer's certificate, if CERT does not contain it"},
    {"url", URL, "URL", "query this responder, instead of the one that the certificate names"},
    {"proxy", PROXY, "URL", "use this HTTP proxy, as SSLOCSPProxyURL does"},
    {"timeout", TIMEOUT, "DURATION", "limit for the whole exchange (default: 10s)"},
    {"hash", HASH, "HASH", "hash of the CertID: sha1 (default) or sha256"},
    {"connect", CONNECT, "HOST:PORT",
     "show what a client of this running server gets, instead of querying a responder"},
    {"servername", SERVERNAME, "NAME", "with --connect: the name that the client requests (default: HOST)"},
    {"out", OUT, "FILE", "write the response to this file, if it is good or revoked"},
    CTL_OPTIONS_END};

const ctl_command_t ctl_probe = {
    .name = "probe",
    .arguments = "[CERT|HOST]",
    .summary = "Query a certificate's responder now, and show each step",
    .help =
        "CERT is a PEM file as for SSLCertificateFile: the certificate, followed by its issuer's (or use --chain). A\n"
        "HOST selects the certificate that the server uses for it. The request, the connections and the verification\n"
        "are the module's own, but nothing is stored, and a CERT needs neither a server nor its configuration. What\n"
        "works here can be forbidden to the server's children by SELinux, a container or a chroot. When started by\n"
        "root, the command runs as the user nobody.\n\n"
        "With --connect, one TLS connection is made as a client makes it, and the staple is verified as the module\n"
        "verifies it. Whether the chain is trusted is not checked. The issuer is one that the server sends, or is in\n"
        "the file of --chain.\n\n"
        "Exit status: 0 good; 1 no usable answer, or no staple; 2 wrong usage, or a file cannot be read or written;\n"
        "3 revoked.\n",
    .options = options,
    .run = run};
