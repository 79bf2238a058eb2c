/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target: the entry of a client certificate, after 8 bytes of note and 8 of clock. What is decoded encodes to
 * as many bytes, which mean the same; and every decision about it is one that exists.
 */
#include "fuzz.h"

#include "base/timestamp.h"
#include "client/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oc_client_answer_t answer;
    apr_pool_t *pool;
    oc_client_t client, again;
    unsigned char encoded[OC_CLIENT_LEN_MAX];
    uint64_t words[2];
    oc_note_t note;
    apr_time_t now;

    if (size < sizeof(words))
        return 0;
    memcpy(words, data, sizeof(words));
    data += sizeof(words);
    size -= sizeof(words);
    if (oc_client_decode(&client, data, size) != APR_SUCCESS)
        return 0;
    require(size <= OC_CLIENT_LEN_MAX && oc_client_encode(&client, encoded) == size);
    require(oc_client_decode(&again, encoded, size) == APR_SUCCESS && again.verdict == client.verdict);
    require(client.urls_len == 0 || client.urls[client.urls_len - 1] == '\0');

    note = oc_note_unpack(words[0]);
    now = (apr_time_t)(words[1] % (uint64_t)OC_TIME_MAX);
    answer = oc_client_decide(&client, &note, now, apr_time_from_sec(3600));
    require(oc_client_state_name(answer.state) && oc_client_source_name(answer.source));
    require(answer.state != OC_CLIENT_REVOKED || client.verdict == OC_REVOKED);
    (void)oc_client_is_paused(&client, &note, now);
    (void)oc_client_is_due(&client, &note, now, now);

    require(apr_pool_create(&pool, fuzz_pool()) == APR_SUCCESS);
    require(strlen(oc_client_serial(&client, pool)) <= 2 * OC_CLIENT_SERIAL_MAX);
    apr_pool_destroy(pool);
    return 0;
}
