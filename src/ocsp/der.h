/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The one encoding that clients of every kind read alike.
 */
#ifndef OC_OCSP_DER_H
#define OC_OCSP_DER_H

/** What the bytes are: clients do more with the signer's certificate than with the rest of a response. */
typedef enum { OC_DER_RESPONSE, OC_DER_CERTIFICATE } oc_der_kind_t;

/**
 * Are the @a length bytes at @a der the only encoding of what they contain, all the way down to, not into, the strings,
 * with OIDs that GnuTLS can read? Only for what OpenSSL has parsed, and only where every BOOLEAN is Extension.critical.
 */
int oc_der_is_canonical(const unsigned char *der, long length, oc_der_kind_t kind);

#endif
