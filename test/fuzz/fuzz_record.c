/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target: oc_record and oc_note over arbitrary bytes. What is decoded lies within the input and encodes to the
 * same bytes.
 */
#include "fuzz.h"

#include "ocsp/record.h"

static void check_note(uint64_t word)
{
    oc_note_t note = oc_note_unpack(word), again = note;

    again = oc_note_unpack(oc_note_pack(&note));
    require(note.due >= 0 && (int)note.verdict >= 0 && note.verdict < OC_VERDICT_LIMIT);
    require(again.due == note.due && again.failures == note.failures && again.verdict == note.verdict);
    require(oc_verdict_name(note.verdict) && oc_verdict_text(note.verdict) && oc_verdict_advice(note.verdict));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oc_record_t record;
    unsigned char *encoded;
    uint64_t word;

    if (size >= sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        check_note(word);
    }
    if (oc_record_decode(&record, data, size) != APR_SUCCESS)
        return 0;
    require(record.der == data + OC_RECORD_HEAD_LEN && record.der_len == size - OC_RECORD_HEAD_LEN);
    require(oc_record_order(&record) >> 56 == (oc_verdict_class(record.verdict) == OC_CLASS_TRUTH ? 2 : 1));
    encoded = malloc(size);
    require(oc_record_encode(&record, encoded) == size && memcmp(encoded, data, size) == 0);
    free(encoded);
    return 0;
}
