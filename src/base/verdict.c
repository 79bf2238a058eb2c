/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_verdict: the table of result codes. One row holds everything that is ever said about a code, so that the log, the
 * status page, the JSON and the tests cannot disagree. It must never say something that the code alone does not
 * prove: which signer, which address, which time is the business of the detail that travels beside a verdict.
 */
#include "base/verdict.h"

#include <stddef.h>

typedef struct {
    oc_class_t class;
    const char *name;
    const char *text;
    const char *advice;
} oc_verdict_row_t;

/* Advice that more than one row gives. */
#define ADVISE_WAIT "Asked again automatically; if it goes on for hours, the CA's status page may know of an outage."
#define ADVISE_PATH                                                                               \
    "Check that this host may reach the responder (firewall, routing), or name the way out with " \
    "SSLOCSPProxyURL; under SELinux: setsebool -P httpd_can_network_connect 1."
#define ADVISE_TAMPERED                                                                                                \
    "Something between this host and the CA may be altering answers (a proxy, a captive portal), or the responder is " \
    "broken: fetch the same response with `openssl ocsp` from another network and compare."
#define ADVISE_CLOCKS                                                                               \
    "Compare this host's clock with a time server; when it is right, the responder's clock or its " \
    "publishing is wrong, which the CA has to mend."
#define ADVISE_NOT_A_RESPONDER                                                                                 \
    "Check the URL in the certificate (openssl x509 -noout -ocsp_uri) or in SSLStaplingForceURL, and whether " \
    "a proxy or a captive portal answers in the responder's place."

static const oc_verdict_row_t rows[OC_VERDICT_LIMIT] = {
    [OC_PENDING] = {OC_CLASS_PENDING, "pending", "the responder has not been asked yet", ""},

    [OC_GOOD] = {OC_CLASS_TRUTH, "good", "the certificate is good", ""},
    [OC_REVOKED] =
        {OC_CLASS_TRUTH, "revoked", "the certificate is revoked",
         "Clients refuse this certificate from now on: install a new one with a new key, and find out why the "
         "CA revoked it."},

    [OC_UNKNOWN] =
        {OC_CLASS_RESPONDER_ERROR, "unknown", "the responder does not know the certificate",
         "Usual for a certificate issued minutes ago; later it means that the responder does not serve this "
         "issuer: check the URL in SSLStaplingForceURL, if one is set, and that certificate and chain belong "
         "together."},
    [OC_MALFORMED_REQUEST] =
        {OC_CLASS_RESPONDER_ERROR, "malformed-request", "the responder called the request malformed",
         "Check with `openssl ocsp` whether the URL leads to an OCSP responder and whether a proxy "
         "on the way rewrites requests."},
    [OC_INTERNAL_ERROR] = {OC_CLASS_RESPONDER_ERROR, "internal-error", "the responder reported an internal error",
                           ADVISE_WAIT},
    [OC_TRY_LATER] = {OC_CLASS_RESPONDER_ERROR, "try-later", "the responder asked to try again later", ADVISE_WAIT},
    [OC_SIG_REQUIRED] =
        {OC_CLASS_RESPONDER_ERROR, "signature-required", "the responder demands signed requests",
         "Requests are never signed here: point SSLStaplingForceURL to a responder that answers unsigned "
         "ones, or switch SSLUseStapling off for this host."},
    [OC_UNAUTHORIZED] = {OC_CLASS_RESPONDER_ERROR, "unauthorized",
                         "the responder is not authorised to answer for the certificate",
                         "Usual for a certificate issued minutes ago or expired; otherwise check that the URL (in "
                         "SSLStaplingForceURL, if one is set) is the one of the CA that issued it."},
    [OC_UNDEFINED_STATUS] = {OC_CLASS_RESPONDER_ERROR, "undefined-status",
                             "the responder answered with a status that RFC 6960 does not define",
                             ADVISE_NOT_A_RESPONDER},

    [OC_URL_UNUSABLE] = {OC_CLASS_NO_ANSWER, "url-unusable", "the responder's URL cannot be used",
                         "Name a responder of the form http://host[:port]/path with SSLStaplingForceURL, or switch "
                         "SSLUseStapling off for this host."},
    [OC_NAME_LOOKUP_FAILED] =
        {OC_CLASS_NO_ANSWER, "name-lookup-failed", "the responder's host name was not found",
         "Check name resolution on this host (getent hosts <name>, /etc/resolv.conf, also inside a "
         "chroot), or let SSLOCSPProxyURL name a proxy that resolves names."},
    [OC_CONNECT_FAILED] = {OC_CLASS_NO_ANSWER, "connect-failed", "no connection to the responder was possible",
                           ADVISE_PATH},
    [OC_TIMED_OUT] =
        {OC_CLASS_NO_ANSWER, "timed-out", "the responder did not answer in time",
         "Check that a firewall does not swallow the packets; a slow way out may need SSLOCSPProxyURL or a "
         "longer SSLStaplingResponderTimeout (no client ever waits for it)."},
    [OC_CONNECTION_LOST] = {OC_CLASS_NO_ANSWER, "connection-lost",
                            "the connection to the responder broke before the answer was complete",
                            "Asked again automatically; if it goes on, look for a proxy or firewall that cuts "
                            "connections to the responder."},
    [OC_HTTP_STATUS] = {OC_CLASS_NO_ANSWER, "http-status", "the responder answered with an HTTP error",
                        "5xx usually passes; 403, 404 and 407 mean a wrong URL (openssl x509 -noout -ocsp_uri, "
                        "SSLStaplingForceURL) or a proxy that refuses (SSLOCSPProxyURL)."},
    [OC_HTTP_REDIRECT] =
        {OC_CLASS_NO_ANSWER, "http-redirect", "the responder redirects elsewhere",
         "Redirects are not followed: set SSLStaplingForceURL to where it points if that is an http:// "
         "URL of the same CA; a captive portal redirects too."},
    [OC_HTTP_MALFORMED] = {OC_CLASS_NO_ANSWER, "http-malformed", "what the responder sent is not HTTP",
                           ADVISE_NOT_A_RESPONDER},
    [OC_STOPPED] = {OC_CLASS_NO_ANSWER, "stopped", "the request was broken off because the server is stopping", ""},
    [OC_OUT_OF_RESOURCES] = {OC_CLASS_NO_ANSWER, "out-of-resources", "memory or file descriptors ran out",
                             "Look at this host's free memory and at the limit of open files of the httpd service "
                             "(ulimit -n, LimitNOFILE)."},
    [OC_FILE_UNREADABLE] =
        {OC_CLASS_NO_ANSWER, "file-unreadable", "the response's file cannot be read",
         "The user that the server's children run as (User, Group) must be able to read the files in "
         "OCSPCacheResponseFolder and to enter the folder."},
    [OC_CACHE_FULL] = {OC_CLASS_NO_ANSWER, "cache-full", "a response came, but the cache is full",
                       "Give SSLStaplingCache a larger size; the line logged before this one names it."},
    [OC_FILE_NOT_RENEWED] = {OC_CLASS_NO_ANSWER, "file-not-renewed", "the response's file was not renewed in time",
                             "Look at the job that writes the files in OCSPCacheResponseFolder."},

    [OC_CONTENT_TYPE] = {OC_CLASS_UNUSABLE, "content-type",
                         "the responder's answer is not of type application/ocsp-response", ADVISE_NOT_A_RESPONDER},
    [OC_TOO_LARGE] = {OC_CLASS_UNUSABLE, "too-large", "the response is larger than a staple may be",
                      "Look at it with `openssl ocsp -resp_text`: a responder that sends a whole certificate chain or "
                      "answers for many certificates at once is for its operator to trim."},
    [OC_NOT_DER] = {OC_CLASS_UNUSABLE, "not-der", "the response is not one well-formed DER object", ADVISE_TAMPERED},
    [OC_NOT_BASIC] = {OC_CLASS_UNUSABLE, "not-basic", "the response is not a basic OCSP response of version 1",
                      ADVISE_NOT_A_RESPONDER},
    [OC_NOT_OURS] =
        {OC_CLASS_UNUSABLE, "not-ours", "the response does not speak of this certificate",
         "Check that the issuer in the certificate file or chain is the one that issued the certificate, and "
         "that SSLStaplingForceURL, if set, names that CA's responder; a cache on the way may mix up answers."},
    [OC_SIGNER_MISSING] = {OC_CLASS_UNUSABLE, "signer-missing",
                           "the response is signed by somebody whose certificate it does not carry",
                           "The responder has to send its signer's certificate along, or the issuer has to sign; if "
                           "the issuer was renewed, install the chain with the issuer that signs now."},
    [OC_SIGNER_REFUSED] =
        {OC_CLASS_UNUSABLE, "signer-refused", "the response is signed by a certificate that is not entitled to it",
         "Only the issuer itself, or a certificate that the issuer signed directly and that bears the "
         "extended key usage OCSPSigning, may sign: have the responder's certificate reissued that way, "
         "or install the right issuer in the chain."},
    [OC_SIGNER_EXPIRED] = {OC_CLASS_UNUSABLE, "signer-expired",
                           "the certificate that signed the response is outside its validity",
                           "The responder needs a new signing certificate; check this host's clock first."},
    [OC_SIGNATURE_BAD] = {OC_CLASS_UNUSABLE, "signature-bad", "the signature of the response is wrong",
                          ADVISE_TAMPERED},
    [OC_SIGNATURE_WEAK] =
        {OC_CLASS_UNUSABLE, "signature-weak",
         "the response is signed with an algorithm or key too weak to prove anything",
         "Clients refuse such signatures: have the responder sign with SHA-256 or better (openssl ocsp: "
         "-rmd sha256) and a key of at least 2048 bits RSA or 224 bits EC."},
    [OC_CRITICAL_EXTENSION] =
        {OC_CLASS_UNUSABLE, "critical-extension", "the response contains a critical extension that clients do not know",
         "Clients must refuse such a response (RFC 5280 section 4.2): the responder's operator has to "
         "leave the extension out or make it non-critical."},
    [OC_NOT_YET_VALID] = {OC_CLASS_UNUSABLE, "not-yet-valid", "the response comes from the future", ADVISE_CLOCKS},
    [OC_EXPIRED] =
        {OC_CLASS_UNUSABLE, "expired", "the response has already expired",
         "Compare this host's clock with a time server; when it is right, the responder or a cache on the way "
         "hands out old responses, which its operator has to mend."},
    [OC_TIMES_INVALID] =
        {OC_CLASS_UNUSABLE, "times-invalid", "the times in the response contradict RFC 6960",
         "The responder's operator has to mend it: times are whole seconds in UTC, and nextUpdate does not "
         "precede thisUpdate."},
    [OC_TOO_OLD] =
        {OC_CLASS_UNUSABLE, "too-old", "the response is older than is allowed",
         "Raise SSLStaplingResponseMaxAge, if it is set, above the interval at which this CA publishes; a "
         "response without nextUpdate has to be made anew within 15 days, by whoever operates the responder."},
    [OC_CERTIFICATE_EXPIRED] = {OC_CLASS_UNUSABLE, "certificate-expired", "the certificate itself has expired",
                                "Renew the certificate and reload the server."},
    [OC_SUPERSEDED] = {OC_CLASS_UNUSABLE, "superseded", "a newer response is already in the cache",
                       "Harmless now and then (a responder's farm is not always in step); the newer response stays in "
                       "use."},
};

static const oc_verdict_row_t unknown_code = {
    OC_CLASS_UNUSABLE, "unknown-code", "unknown code",
    "The cache holds a state that this version of the module did not write: delete the cache file and restart."};

static const oc_verdict_row_t *row_of(oc_verdict_t verdict)
{
    /* The number may come from shared memory that another process scribbled on; as unsigned a negative one is large. */
    unsigned number = (unsigned)verdict;
    return number < OC_VERDICT_LIMIT && rows[number].name != NULL ? &rows[number] : &unknown_code;
}

oc_class_t oc_verdict_class(oc_verdict_t verdict)
{
    return row_of(verdict)->class;
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
    return row_of(verdict)->advice;
}

oc_verdict_t oc_verdict_of_response_status(int ocsp_response_status)
{
    /* RFC 6960 section 4.2.1. 4 is "not used"; 0 is success, no error to be translated: asking for it is undefined too.
     */
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
