/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Sums up the blocks that records take. Called for each certificate by `apachectl -t`, by the parent at a start, and by
 * a worker thread that finds the cache full.
 */
#include "cache/sizing.h"

#include "cache/block.h"
#include "cache/shm.h"

#define USUAL_DATA_LEN 2112 /* a response of 2 KiB, with the head of its record */
#define STEP 32768

void oc_sizing_add(oc_sizing_t *sizing, apr_size_t id_len, apr_size_t data_len)
{
    uint32_t blocks = data_len > 0 ? oc_block_count(id_len, data_len) : 0;

    sizing->records++;
    if (blocks == 0)
        sizing->unknown++;
    sizing->blocks += blocks;
    if (blocks > sizing->largest)
        sizing->largest = blocks;
}

/* Of one record that is not known yet. The identifier of a usual one has the length of a SHA-1. */
static uint32_t guessed(const oc_sizing_t *sizing)
{
    uint32_t known = sizing->records - sizing->unknown, usual = oc_block_count(20, USUAL_DATA_LEN);
    uint32_t average = known > 0 ? (sizing->blocks + known - 1) / known : 0;

    return average > usual ? average : usual;
}

/* A record is written before the one that it replaces is freed. */
static uint32_t needed(const oc_sizing_t *sizing)
{
    uint32_t each = sizing->unknown > 0 ? guessed(sizing) : 0;

    return sizing->blocks + sizing->unknown * each + (each > sizing->largest ? each : sizing->largest);
}

int oc_sizing_fits(const oc_sizing_t *sizing, apr_size_t size)
{
    return needed(sizing) <= oc_shm_blocks(size);
}

apr_size_t oc_sizing_recommended(const oc_sizing_t *sizing)
{
    return (oc_shm_size_for(needed(sizing)) + STEP - 1) / STEP * STEP;
}
