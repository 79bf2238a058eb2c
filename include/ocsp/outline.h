/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The fields of a certificate, as the bytes that they occupy in its DER.
 *
 * OpenSSL decodes the public key of every certificate that it parses, which takes it ten times as long as all the rest:
 * with thousands of certificates, most of the time of `apachectl -t`. A server's own certificate is identified, dated
 * and matched with its issuer without that key. The functions may leave errors in OpenSSL's queue: callers hold a mark.
 */
#ifndef OC_OCSP_OUTLINE_H
#define OC_OCSP_OUTLINE_H

#include "ocsp/bytes.h"

#include <openssl/x509.h>

/** Elements are with identifier and length, unless something else is noted. `at` is NULL where there is none. */
typedef struct {
    oc_bytes_t der;    /* the whole certificate */
    oc_bytes_t tbs;    /* what the signature covers */
    oc_bytes_t serial; /* these until subject: always there */
    oc_bytes_t algorithm;
    oc_bytes_t issuer;
    oc_bytes_t not_before, not_after;
    oc_bytes_t subject;
    oc_bytes_t aia, tls_feature; /* extensions */
    oc_bytes_t issuer_key_id;    /* content of the authority key identifier */
    oc_bytes_t signature;        /* content of the BIT STRING, without the count of unused bits */
} oc_outline_t;

/**
 * Find the fields of the certificate at @a der, which has to live as long as @a outline.
 * @return 1; 0: it is not of the form that nearly all certificates have (version 3, distinct issuer and subject, an
 * authority key identifier that is nothing but the key's), so parse it with OpenSSL
 */
int oc_outline_read(oc_outline_t *outline, const unsigned char *der, apr_size_t len);

/** The bits of the public key of the certificate at @a der, of any form, without the count of unused bits. @return `at`
 * NULL: not found, so parse it with OpenSSL */
oc_bytes_t oc_outline_key(const unsigned char *der, apr_size_t len);

/** Does it name @a issuer, with the very bytes of its subject, and the identifier of its key? And may that sign
 * certificates? Then X509_check_issued() agrees. Its signature is not verified. */
int oc_outline_names(const oc_outline_t *outline, X509 *issuer);

/** Does the key of @a issuer verify the signature? */
int oc_outline_is_signed_by(const oc_outline_t *outline, X509 *issuer);

#endif
