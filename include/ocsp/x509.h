/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The contents of OpenSSL's certificate objects, as numbers to compute with and text that is safe in a log line.
 *
 * Called for certificates and responses alike; judges no certificate. The text is printable ASCII, whatever the
 * certificate contains, and always terminated. It is not safe for HTML. May leave errors in OpenSSL's queue: callers
 * hold a mark.
 */
#ifndef OC_OCSP_X509_H
#define OC_OCSP_X509_H

#include <apr_pools.h>
#include <apr_time.h>
#include <openssl/x509.h>

/** @a pool, when it ends, frees @a x509, which it owns from now on. */
void oc_x509_keep(X509 *x509, apr_pool_t *pool);

/**
 * A certificate's time (UTCTime or GeneralizedTime). A time before 1970 is returned as 0: no caller needs to know how
 * long ago. Years up to 9999 fit.
 * @return 1; 0 when @a asn1 is not a valid time, and then *time is 0
 */
int oc_x509_time(apr_time_t *time, const ASN1_TIME *asn1);

/**
 * The same for the times of a response. RFC 6960 section 4.2.2 takes their form from RFC 5280 section 4.1.2.5.2,
 * YYYYMMDDHHMMSSZ and nothing else; OpenSSL would also read fractions and offsets, Firefox and Go do not.
 * @return 1; 0 for any other form and for a time before 1970, and then *time is 0
 */
int oc_x509_strict_time(apr_time_t *time, const ASN1_GENERALIZEDTIME *asn1);

/** @a name as RFC 2253 writes it, everything but printable ASCII escaped; cut off where @a buf ends. "" for an empty
 *  name. */
void oc_x509_name(char *buf, apr_size_t size, const X509_NAME *name);

/** Who a certificate is for: its subject name; where that is empty (CAs leave it so since browsers read only the
 *  subjectAltName), "DNS:" and the first DNS name; else "(no name)". */
void oc_x509_subject(char *buf, apr_size_t size, const X509 *x509);

/** The serial number in upper-case hexadecimal, two digits per byte, as `openssl x509 -serial` prints it. */
void oc_x509_serial(char *buf, apr_size_t size, const ASN1_INTEGER *serial);

/** RFC 3339 in UTC, whole seconds: "2026-01-31T12:00:00Z". */
void oc_x509_time_text(char *buf, apr_size_t size, apr_time_t time);

#endif
