/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target: oc_command_parse() over arbitrary text. A command that it accepts is the same after it is written and
 * read again.
 */
#include "fuzz.h"

#include "state/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *scratch;
    const char *text, *again;
    apr_size_t len = 0, again_len = 0;
    oc_command_t command;

    apr_pool_create(&scratch, fuzz_pool());
    if (size < OC_COMMAND_SIZE_MAX / 2
        && oc_command_parse(&command, (const char *)data, size, scratch) == APR_SUCCESS) {
        require((text = oc_command_text(&command, &len, scratch)) != NULL);
        require(oc_command_parse(&command, text, len, scratch) == APR_SUCCESS);
        require((again = oc_command_text(&command, &again_len, scratch)) != NULL);
        require(len == again_len && memcmp(text, again, len) == 0);
    }
    apr_pool_destroy(scratch);
    return 0;
}
