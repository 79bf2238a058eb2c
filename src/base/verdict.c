/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of verdicts. One row holds every text about one code, so that the log, the status page, the JSON and the
 * tests cannot disagree. A text must never claim what the code alone does not prove: which signer, which address and
 * which time is in the detail that accompanies a verdict.
 */
#include "base/verdict.h"

#include "base/selinux.h"

#include <stddef.h>

typedef struct {
    oc_class_t class;
    const char *name;
    const char *text;
    const char *advice;
} oc_verdict_row_t;

/* Advice that several rows give. */
#define ADVISE_WAIT                                                                                     \
    "The module retries automatically. If the error persists for hours, check whether the CA's status " \
    "page reports an outage."
#define ADVISE_PATH                                                                                        \
    "Check that this host can reach the responder (firewall, routing), or set SSLOCSPProxyURL to a proxy " \
    "that can."
#define ADVISE_TAMPERED                                                                                              \
    "Either something between this host and the CA alters responses (a proxy, a captive portal), or the "            \
    "responder is broken. Fetch the same response with `openssl ocsp` from another network and compare. If it is a " \
    "file in OCSPCacheResponseFolder, check the job that writes it."
#define ADVISE_CLOCKS                                                                             \
    "Compare this host's clock with a time server. If it is right, the responder's clock or its " \
    "publishing is wrong, which the CA has to fix."
#define ADVISE_NOT_A_RESPONDER                                                                         \
    "Check the URL in the certificate (openssl x509 -noout -ocsp_uri) or in SSLStaplingForceURL, and " \
    "whether a proxy or a captive portal answers in the responder's place."

static const char advise_path[] = ADVISE_PATH;
static const char advise_path_selinux[] = ADVISE_PATH " Under SELinux: setsebool -P httpd_can_network_connect 1.";

static const oc_verdict_row_t rows[OC_VERDICT_LIMIT] = {
    [OC_PENDING] = {OC_CLASS_PENDING, "pending", "the responder has not been queried yet", ""},

    [OC_GOOD] = {OC_CLASS_TRUTH, "good", "the certificate is good", ""},
    [OC_REVOKED] = {OC_CLASS_TRUTH, "revoked", "the certificate is revoked",
                    "Clients reject this certificate: install a new one with a new key, and find out why the "
                    "CA revoked it."},

    [OC_UNKNOWN] = {OC_CLASS_RESPONDER_ERROR, "unknown", "the responder does not know the certificate",
                    "Usual for a certificate issued minutes ago. Otherwise the responder does not serve this "
                    "issuer: check the URL in SSLStaplingForceURL, if it is set, and that the certificate "
                    "and its chain belong together."},
    [OC_MALFORMED_REQUEST] = {OC_CLASS_RESPONDER_ERROR, "malformed-request",
                              "the responder reported a malformed request",
                              "Check with `openssl ocsp` whether the URL leads to an OCSP responder and whether a "
                              "proxy rewrites requests."},
    [OC_INTERNAL_ERROR] = {OC_CLASS_RESPONDER_ERROR, "internal-error", "the responder reported an internal error",
                           ADVISE_WAIT},
    [OC_TRY_LATER] = {OC_CLASS_RESPONDER_ERROR, "try-later", "the responder asked to try again later", ADVISE_WAIT},
    [OC_SIG_REQUIRED] = {OC_CLASS_RESPONDER_ERROR, "signature-required", "the responder requires signed requests",
                         "The module does not sign requests: set SSLStaplingForceURL to a responder that answers "
                         "unsigned ones, or set SSLUseStapling Off for this host."},
    [OC_UNAUTHORIZED] = {OC_CLASS_RESPONDER_ERROR, "unauthorized",
                         "the responder is not authorized to answer for the certificate",
                         "Usual for a certificate issued minutes ago, or expired. Otherwise check that the URL (in "
                         "SSLStaplingForceURL, if it is set) belongs to the CA that issued it."},
    [OC_UNDEFINED_STATUS] = {OC_CLASS_RESPONDER_ERROR, "undefined-status",
                             "the responder answered with a status that RFC 6960 does not define",
                             ADVISE_NOT_A_RESPONDER},

    [OC_URL_UNUSABLE] = {OC_CLASS_NO_ANSWER, "url-unusable", "the responder's URL cannot be used",
                         "Set SSLStaplingForceURL to a responder of the form http://host[:port]/path, or set "
                         "SSLUseStapling Off for this host."},
    [OC_NAME_LOOKUP_FAILED] = {OC_CLASS_NO_ANSWER, "name-lookup-failed", "the responder's host name was not found",
                               "Check name resolution on this host (getent hosts <name>, /etc/resolv.conf, also inside "
                               "a chroot), or set SSLOCSPProxyURL to a proxy that resolves names."},
    [OC_CONNECT_FAILED] = {OC_CLASS_NO_ANSWER, "connect-failed", "no connection to the responder could be established",
                           advise_path},
    [OC_TIMED_OUT] = {OC_CLASS_NO_ANSWER, "timed-out", "the responder did not answer in time",
                      "Check that no firewall drops the packets. A slow connection may need SSLOCSPProxyURL or a "
                      "longer SSLStaplingResponderTimeout (no client waits for it)."},
    [OC_CONNECTION_LOST] = {OC_CLASS_NO_ANSWER, "connection-lost",
                            "the connection to the responder broke before the answer was complete",
                            "The module retries automatically. If the error persists, look for a proxy or a firewall "
                            "that closes connections to the responder."},
    [OC_HTTP_STATUS] =
        {OC_CLASS_NO_ANSWER, "http-status", "the responder answered with an HTTP error",
         "A 5xx status is usually temporary. 403, 404 and 407 mean a wrong URL (openssl x509 -noout -ocsp_uri, "
         "SSLStaplingForceURL) or a proxy that denies access (SSLOCSPProxyURL)."},
    [OC_HTTP_REDIRECT] = {OC_CLASS_NO_ANSWER, "http-redirect", "the responder redirects to another URL",
                          "Redirects are not followed. If the other URL is an http:// URL of the same CA, set "
                          "SSLStaplingForceURL to it. A captive portal redirects as well."},
    [OC_HTTP_MALFORMED] = {OC_CLASS_NO_ANSWER, "http-malformed", "the responder's answer is not valid HTTP",
                           ADVISE_NOT_A_RESPONDER},
    [OC_STOPPED] = {OC_CLASS_NO_ANSWER, "stopped", "the request was canceled because the server is stopping", ""},
    [OC_OUT_OF_RESOURCES] = {OC_CLASS_NO_ANSWER, "out-of-resources", "memory or file descriptors ran out",
                             "Check this host's free memory and the limit of open files of the httpd service (ulimit "
                             "-n, LimitNOFILE)."},
    [OC_FILE_UNREADABLE] = {OC_CLASS_NO_ANSWER, "file-unreadable", "the response file cannot be read",
                            "The user that the server's children run as (User, Group) must be able to enter "
                            "OCSPCacheResponseFolder and to read the files in it."},
    [OC_CACHE_FULL] =
        {OC_CLASS_NO_ANSWER, "cache-full", "a response was obtained, but the cache is full",
         "Give SSLStaplingCache a larger size; the error log and `apachectl -t` name one that is enough."},
    [OC_FILE_NOT_RENEWED] = {OC_CLASS_NO_ANSWER, "file-not-renewed", "the response file was not renewed in time",
                             "Check the job that writes the files in OCSPCacheResponseFolder."},

    [OC_CONTENT_TYPE] = {OC_CLASS_UNUSABLE, "content-type",
                         "the responder's answer is not of type application/ocsp-response", ADVISE_NOT_A_RESPONDER},
    [OC_TOO_LARGE] = {OC_CLASS_UNUSABLE, "too-large", "the response is larger than a staple may be",
                      "Inspect it with `openssl ocsp -resp_text`. If the responder includes a whole "
                      "certificate chain or answers for many certificates at once, its operator has to reduce "
                      "the response."},
    [OC_NOT_DER] = {OC_CLASS_UNUSABLE, "not-der", "the response is not one well-formed DER object", ADVISE_TAMPERED},
    [OC_NOT_BASIC] = {OC_CLASS_UNUSABLE, "not-basic", "the response is not a basic OCSP response of version 1",
                      ADVISE_NOT_A_RESPONDER},
    [OC_NOT_OURS] = {OC_CLASS_UNUSABLE, "not-ours", "the response is not for this certificate",
                     "Check that the issuer in the certificate file or chain is the one that issued the "
                     "certificate, and that SSLStaplingForceURL, if it is set, names that CA's responder. A "
                     "cache on the way may mix up responses."},
    [OC_SIGNER_MISSING] = {OC_CLASS_UNUSABLE, "signer-missing",
                           "the response does not contain the certificate of its signer",
                           "The responder has to include the certificate of its signer, or the issuer has to sign. If "
                           "the issuer was renewed, install the chain with the current issuer."},
    [OC_SIGNER_REFUSED] = {OC_CLASS_UNUSABLE, "signer-refused",
                           "the certificate that signed the response is not authorized to sign it",
                           "Only the issuer itself, or a certificate that the issuer signed directly and that has "
                           "the extended key usage OCSPSigning, may sign: have the responder's certificate reissued "
                           "that way, or install the right issuer in the chain."},
    [OC_SIGNER_EXPIRED] = {OC_CLASS_UNUSABLE, "signer-expired",
                           "the certificate that signed the response is outside its validity period",
                           "Check this host's clock first. If it is right, the responder needs a new signing "
                           "certificate."},
    [OC_SIGNATURE_BAD] = {OC_CLASS_UNUSABLE, "signature-bad", "the signature of the response is invalid",
                          ADVISE_TAMPERED},
    [OC_SIGNATURE_WEAK] = {OC_CLASS_UNUSABLE, "signature-weak",
                           "the response is signed with an algorithm or a key that some clients reject",
                           "Have the responder sign with SHA-256, SHA-384 or SHA-512 (openssl ocsp: -rmd sha256) and "
                           "an RSA key of at least 2048 bits or an EC key on P-256, P-384 or P-521; RSASSA-PSS only "
                           "with SHA-256 and a salt of 32 bytes."},
    [OC_CRITICAL_EXTENSION] = {OC_CLASS_UNUSABLE, "critical-extension",
                               "the response contains a critical extension that clients do not know",
                               "Clients must reject such a response (RFC 5280 section 4.2): the responder's operator "
                               "has to omit the extension or make it non-critical."},
    [OC_NOT_YET_VALID] = {OC_CLASS_UNUSABLE, "not-yet-valid", "the response is not valid yet", ADVISE_CLOCKS},
    [OC_EXPIRED] = {OC_CLASS_UNUSABLE, "expired", "the response has already expired",
                    "Compare this host's clock with a time server. If it is right, the responder or a cache "
                    "on the way returns old responses, which its operator has to fix."},
    [OC_TIMES_INVALID] = {OC_CLASS_UNUSABLE, "times-invalid", "the times in the response violate RFC 6960",
                          "The responder's operator has to fix them: times are whole seconds in UTC, and "
                          "nextUpdate does not precede thisUpdate."},
    [OC_TOO_OLD] =
        {OC_CLASS_UNUSABLE, "too-old", "the response is older than allowed",
         "If SSLStaplingResponseMaxAge is set, raise it above the interval at which this CA publishes. A "
         "response without nextUpdate is accepted for 15 days at most: the responder's operator has to publish a new "
         "one within that time."},
    [OC_CERTIFICATE_EXPIRED] = {OC_CLASS_UNUSABLE, "certificate-expired", "the certificate itself has expired",
                                "Renew the certificate and reload the server."},
    [OC_SUPERSEDED] = {OC_CLASS_UNUSABLE, "superseded", "a newer response is already in the cache",
                       "Harmless if occasional: the servers of one responder are not always in sync. The newer "
                       "response stays in use."},
    [OC_ALTERED] =
        {OC_CLASS_UNUSABLE, "altered", "the stored record does not match its response",
         "It is removed and a new response is fetched. Something other than this module wrote to the cache: check what "
         "else runs as the server's user (scripts, other modules) and who may write to the cache file."},
};

static const oc_verdict_row_t unknown_code = {OC_CLASS_UNUSABLE, "unknown-code", "unknown code",
                                              "The cache holds a state that this version of the module did not write. "
                                              "Delete the cache file and restart the server."};

static const oc_verdict_row_t *row_of(oc_verdict_t verdict)
{
    unsigned number =
        (unsigned)verdict; /* any number, from shared memory that may be damaged; a negative one is large */

    return number < OC_VERDICT_LIMIT && rows[number].name ? &rows[number] : &unknown_code;
}

oc_class_t oc_verdict_class(oc_verdict_t verdict)
{
    return row_of(verdict)->class;
}

int oc_verdict_is_outage(oc_verdict_t verdict, int http_status)
{
    switch (verdict) {
    case OC_NAME_LOOKUP_FAILED:
    case OC_CONNECT_FAILED:
    case OC_TIMED_OUT:
    case OC_CONNECTION_LOST:
        return 1;
    case OC_HTTP_STATUS:
        return http_status >= 500;
    default:
        return 0;
    }
}

const char *oc_verdict_name(oc_verdict_t verdict)
{
    return row_of(verdict)->name;
}

const char *oc_verdict_text(oc_verdict_t verdict)
{
    return row_of(verdict)->text;
}

const char *oc_verdict_advice(oc_verdict_t verdict)
{
    const char *advice = row_of(verdict)->advice;

    return advice == advise_path && oc_selinux_is_on() ? advise_path_selinux : advice;
}

oc_verdict_t oc_verdict_of_response_status(int ocsp_response_status)
{
    /* RFC 6960 section 4.2.1: 4 is not used; 0 is success, not an error. */
    switch (ocsp_response_status) {
    case 1:
        return OC_MALFORMED_REQUEST;
    case 2:
        return OC_INTERNAL_ERROR;
    case 3:
        return OC_TRY_LATER;
    case 5:
        return OC_SIG_REQUIRED;
    case 6:
        return OC_UNAUTHORIZED;
    default:
        return OC_UNDEFINED_STATUS;
    }
}
