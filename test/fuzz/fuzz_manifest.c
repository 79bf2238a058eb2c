/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target: oc_manifest_parse() over arbitrary text. A manifest that it accepts is the same after it is written and
 * read again.
 */
#include "fuzz.h"

#include "state/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *scratch;
    const char *problem = NULL, *text, *again;
    apr_size_t len = 0, again_len = 0;
    oc_manifest_t *manifest;

    apr_pool_create(&scratch, fuzz_pool());
    if (oc_manifest_parse(&manifest, (const char *)data, size, scratch, &problem) == APR_SUCCESS) {
        require((text = oc_manifest_text(manifest, &len, scratch)) != NULL);
        require(oc_manifest_parse(&manifest, text, len, scratch, &problem) == APR_SUCCESS);
        require((again = oc_manifest_text(manifest, &again_len, scratch)) != NULL);
        require(len == again_len && memcmp(text, again, len) == 0);
    }
    else {
        require(problem != NULL);
    }
    apr_pool_destroy(scratch);
    return 0;
}
