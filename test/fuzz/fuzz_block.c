/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target for cache/block.h: arbitrary blocks. Reads stay in bounds and end; what is read as whole can be written
 * and read again. The input is an array of blocks; after a record was written into its middle, the remaining bytes
 * overwrite words: so a fuzzer gets past the checksum.
 */
#include "fuzz.h"

#include "cache/block.h"

static unsigned char copied[OC_BLOCK_DATA_MAX], copied_again[OC_BLOCK_DATA_MAX];

static void write_again(const oc_entry_t *entry)
{
    static oc_block_t fresh[OC_BLOCK_CHAIN_MAX];
    uint32_t chain[OC_BLOCK_CHAIN_MAX], i, n = oc_block_count(entry->id_len, entry->data_len);
    oc_key_t key = {entry->kind, entry->id_len, entry->id};
    oc_entry_t again = {.data = copied_again, .data_cap = sizeof(copied_again)};

    require(n >= 1 && n <= OC_BLOCK_CHAIN_MAX);
    for (i = 0; i < n; i++)
        chain[i] = n - 1 - i;
    oc_block_write(fresh, chain, n, &key, entry);
    require(oc_block_read(fresh, n, n - 1, &key, &again) == APR_SUCCESS);
    require(again.data_len == entry->data_len && again.expiry == entry->expiry && again.order == entry->order
            && again.serial == entry->serial && memcmp(copied, copied_again, entry->data_len) == 0);
}

static void read_all(const oc_block_t *blocks, uint32_t n)
{
    uint32_t chain[OC_BLOCK_CHAIN_MAX], head;

    for (head = 0; head <= n; head++) {
        oc_entry_t entry = {.data = copied, .data_cap = sizeof(copied)};

        require(oc_block_chain(blocks, n, head, chain) <= OC_BLOCK_CHAIN_MAX);
        if (oc_block_read(blocks, n, head, NULL, &entry) == APR_SUCCESS)
            write_again(&entry);
    }
}

/* A record over the first blocks, whose id and data are the blocks' own bytes. */
static void write_record(oc_block_t *blocks, uint32_t n, const uint8_t *bytes, size_t size)
{
    uint32_t chain[OC_BLOCK_CHAIN_MAX], i;
    apr_uint16_t id_len = (apr_uint16_t)(bytes[0] + 1);
    size_t len = (size - 300) / 2;
    oc_key_t key = {bytes[1], id_len, bytes + 2};
    oc_entry_t entry = {.expiry = bytes[2], .order = bytes[3], .serial = (uint64_t)bytes[4] + 1};

    entry.data = (unsigned char *)(uintptr_t)(bytes + 300); /* only read */
    entry.data_len = len < sizeof(copied) ? len : sizeof(copied);
    if (oc_block_count(id_len, entry.data_len) > n)
        return;
    for (i = 0; i < n && i < OC_BLOCK_CHAIN_MAX; i++)
        chain[i] = n - 1 - i;
    oc_block_write(blocks, chain, oc_block_count(id_len, entry.data_len), &key, &entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t n = (uint32_t)(size / OC_BLOCK_SIZE);
    size_t at = n * (size_t)OC_BLOCK_SIZE;
    oc_block_t *blocks;

    if (n == 0 || n > 300)
        return 0;
    blocks = malloc(at);
    memcpy(blocks, data, at);
    read_all(blocks, n);
    if (at < size) {
        write_record(blocks, n, data, at);
        for (; at + 4 <= size; at += 4) { /* block, word, what to do with it */
            oc_word_t *word = &blocks[data[at] % n].word[data[at + 1] % OC_BLOCK_WORDS];

            oc_word_store(word, oc_word_load(word) + ((uint64_t)(data[at + 2] - 128) << data[at + 3] % 64));
        }
        read_all(blocks, n);
    }
    free(blocks);
    return 0;
}
