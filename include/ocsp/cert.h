/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A managed certificate: what is known of it before any responder is queried.
 *
 * Built once per configuration in the parent, from files that the administrator named, then only read: by every
 * thread of every child. It keeps no OpenSSL objects: a host with thousands of certificates needs little memory.
 */
#ifndef OC_OCSP_CERT_H
#define OC_OCSP_CERT_H

#include "ocsp/outline.h"
#include "ocsp/verify.h"

#include <apr_hash.h>
#include <apr_pools.h>

#define OC_CERT_ID_LEN 20   /* SHA-1 of the certificate, as mod_ssl hands it to its stapling hooks */
#define OC_CERT_HASH_LEN 32 /* SHA-256 */

/** A DER certificate that many managed certificates share. */
typedef struct {
    unsigned char hash[OC_CERT_HASH_LEN];
    const unsigned char *der;
    apr_size_t der_len;
} oc_issuer_t;

typedef struct {
    unsigned char id[OC_CERT_ID_LEN];
    unsigned char binding[OC_CERT_HASH_LEN]; /* SHA-256 over the certificate's and the issuer's DER: a stored response
                                                belongs to this pair and no other */
    const oc_issuer_t *issuer;
    /* The certificate's own issuer field, DER: what a CertID hashes (RFC 6960 section 4.1.1). The issuer's subject is
     * the same name (RFC 5280 section 7.1), but may be encoded in another string type. */
    const unsigned char *issuer_name;
    apr_size_t issuer_name_len;
    const unsigned char *serial_der; /* the serial as a DER INTEGER */
    apr_size_t serial_der_len;
    const char *serial; /* hexadecimal, upper case, as `openssl x509 -serial` prints it */

    /* RFC 2253, escaped: safe for a log line (not for HTML). A certificate without subject: "DNS:" and its first DNS
     * name. */
    const char *subject;

    /* The OCSP responders that the certificate names, in its order, each once: NULL-terminated, never NULL. Printable
     * ASCII without blanks: trimmed and percent-encoded, but of any scheme, also what is not a URL ("DirName:CN=x").
     * Which of them are queried is decided by oc_settings_targets(); oc_managed_t has the result. */
    const char *const *urls;

    apr_time_t not_before;
    apr_time_t not_after;
    int must_staple;    /* RFC 7633: status_request or status_request_v2 */
    int is_self_signed; /* by the names and key identifiers in it; the signature is not verified */
} oc_cert_t;

/** The issuers seen so far, so that each is stored once. Not for use by two threads at once. */
typedef struct oc_issuer_set_t oc_issuer_set_t;
oc_issuer_set_t *oc_issuer_set_create(apr_pool_t *pool);

/** No certificate will be parsed for a while: free OpenSSL's objects of the issuers. */
void oc_issuer_set_forget(oc_issuer_set_t *issuers);

/**
 * Parse @a pem: the certificate, then its issuer, as mod_ssl's prime hook gives it; what follows is ignored.
 * @param cert out, allocated from @a pool; NULL on failure
 * @param reason out, on failure: a phrase for the log, from @a pool
 * @return APR_SUCCESS; APR_EINVAL: not two PEM certificates, or the second did not issue the first.
 * Leaves OpenSSL's error queue as found.
 */
apr_status_t oc_cert_parse(oc_cert_t **cert, const char *pem, oc_issuer_set_t *issuers, apr_pool_t *pool,
                           const char **reason);

/** The first certificate of @a pem, which is the caller's to free; NULL: there is none. */
X509 *oc_cert_first(const char *pem);

/** The same for OpenSSL objects (the checks of `apachectl -t`, tests). @a issuer may be NULL: then cert->issuer is
 *  NULL, and the binding covers the certificate alone. */
apr_status_t oc_cert_from_x509(oc_cert_t **cert, X509 *x509, X509 *issuer, oc_issuer_set_t *issuers, apr_pool_t *pool,
                               const char **reason);

/** The URLs that were read last, for the next certificate, which has mostly the same. Zero it before the first. */
typedef struct {
    oc_bytes_t aia;
    const char *const *urls;
} oc_last_urls_t;

/** The same without issuer, binding and subject: a tenth of the work.
 *  @param last  NULL: @a pool will not live as long as the next certificate
 *  @return APR_EINVAL: parse the certificate with OpenSSL, which may accept it */
apr_status_t oc_cert_from_outline(oc_cert_t **cert, const oc_outline_t *outline, oc_last_urls_t *last,
                                  apr_pool_t *pool);

/** Fill in the subject, from its DER. @param der  the certificate's, for one without subject */
void oc_cert_name(oc_cert_t *cert, oc_bytes_t subject, oc_bytes_t der, apr_pool_t *pool);

/** The URL of the issuer's certificate (AIA caIssuers): printable ASCII from @a pool; NULL: the certificate names
 * none. */
const char *oc_cert_issuer_url(const X509 *x509, apr_pool_t *pool);

/** With which hash a CertID names the issuer (RFC 6960 section 4.1.1). */
typedef enum {
    OC_CERTID_SHA1, /* supported by every responder (RFC 5019 section 2.1.1) */
    OC_CERTID_SHA256
} oc_certid_hash_t;

/**
 * The DER of an OCSPRequest for @a cert: one CertID, no nonce, no signature.
 * @return APR_SUCCESS, the bytes allocated from @a pool; APR_EGENERAL when OpenSSL fails. Any thread.
 */
apr_status_t oc_cert_request(const oc_cert_t *cert, oc_certid_hash_t hash, const unsigned char **der,
                             apr_size_t *der_len, apr_pool_t *pool);

/**
 * Make the OpenSSL objects that oc_verify_response() needs; released with @a pool. Any thread.
 * @return APR_SUCCESS; APR_EGENERAL when OpenSSL cannot.
 */
apr_status_t oc_cert_subject(const oc_cert_t *cert, oc_verify_subject_t *subject, apr_pool_t *pool);

#endif
