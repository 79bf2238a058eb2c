/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target: oc_ledger_load() over arbitrary contents. If the first byte is odd, a correct head precedes the rest,
 * and every entry whose last byte is odd gets a correct checksum, so the fuzzer does not have to find them.
 */
#include "fuzz.h"

#include "state/ledger.h"

#include <stdio.h>

#define LINE 64
#define LINES_MAX 1000

static const char *path;
static unsigned char head[LINE];
static apr_pool_t *pool;
static int fd;

static void set_stage(void)
{
    const char *problem;
    oc_ledger_t *ledger;

    pool = fuzz_pool();
    path = fuzz_file("ledger");
    require(oc_ledger_create(&ledger, path, LINES_MAX, pool, &problem) == APR_SUCCESS);
    fd = open(path, O_RDWR);
    require(fd >= 0 && read(fd, head, LINE) == LINE);
}

/* FNV-1a, as in the ledger. */
static void set_checksum(uint8_t *line)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    unsigned i;

    for (i = 0; i < LINE - 8; i++)
        sum = (sum ^ line[i]) * UINT64_C(0x100000001b3);
    memcpy(line + LINE - 8, &sum, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    off_t at = 0;
    apr_pool_t *scratch;
    apr_hash_t *entries;
    apr_hash_index_t *hi;
    const char *problem = NULL;
    uint8_t *bytes;
    apr_status_t rv;

    if (!pool)
        set_stage();
    if (size > (size_t)LINE * LINES_MAX)
        return 0;
    apr_pool_create(&scratch, pool);
    bytes = apr_pmemdup(scratch, data, size);
    if (size > 0 && bytes[0] % 2) {
        uint8_t *line;

        require(pwrite(fd, head, LINE, 0) == LINE);
        at = LINE;
        bytes++;
        size--;
        for (line = bytes; line + LINE <= bytes + size; line += LINE)
            if (line[LINE - 1] % 2)
                set_checksum(line);
    }
    require(pwrite(fd, bytes, size, at) == (ssize_t)size && ftruncate(fd, at + (off_t)size) == 0);

    rv = oc_ledger_load(&entries, path, scratch, &problem);
    require(rv == APR_SUCCESS || (rv == APR_EGENERAL && problem));
    require(apr_hash_count(entries) <= size / LINE);
    for (hi = apr_hash_first(scratch, entries); hi; hi = apr_hash_next(hi)) {
        const oc_ledger_entry_t *entry = apr_hash_this_val(hi);

        require(entry->last_attempt >= 0 && entry->note.due >= 0 && (unsigned)entry->note.verdict < OC_VERDICT_LIMIT);
        require(memcmp(apr_hash_this_key(hi), entry->id, OC_CERT_ID_LEN) == 0);
    }
    apr_pool_destroy(scratch);
    return 0;
}
