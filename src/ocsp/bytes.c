/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads DER element by element. Called for responses, which are hostile, and for certificates. Must never read beyond
 * the bytes that it is given.
 */
#include "ocsp/bytes.h"

#include <openssl/asn1.h>

oc_bytes_t oc_bytes_take(oc_bytes_t *rest, int identifier)
{
    const unsigned char *p = rest->at;
    oc_bytes_t content = {NULL, 0};
    long len;
    int tag, class;

    if (rest->len == 0 || *p != identifier || (ASN1_get_object(&p, &len, &tag, &class, (long)rest->len) & 0x81) != 0)
        return content;
    content.at = p;
    content.len = (apr_size_t)len;
    rest->len -= (apr_size_t)(p + len - rest->at);
    rest->at = p + len;
    return content;
}
