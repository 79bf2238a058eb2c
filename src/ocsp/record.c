/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_record: see oc_record.h. The bytes never leave the machine, so they are in its own byte order; the cache's file says
 * which that is.
 *
 *   word 0  version: 32 high | verdict: 32 low
 *   word 1  this_update    word 2  next_update    word 3  usable_until    word 4  fetched_at
 *   word 5  der_len        word 6  origin         words 7 to 10  binding
 *   then the DER
 */
#include "ocsp/record.h"

#include <string.h>

#define VERSION 1
#define BINDING_AT 56

_Static_assert(BINDING_AT + OC_RECORD_BINDING_LEN == OC_RECORD_HEAD_LEN, "the binding ends the head");

apr_size_t oc_record_encode(const oc_record_t *record, unsigned char *bytes)
{
    uint64_t head[7] = {(uint64_t)VERSION << 32 | (uint32_t)record->verdict,
                        (uint64_t)record->this_update,
                        (uint64_t)record->next_update,
                        (uint64_t)record->usable_until,
                        (uint64_t)record->fetched_at,
                        (uint64_t)record->der_len,
                        (uint64_t)record->origin};

    memcpy(bytes, head, sizeof(head));
    memcpy(bytes + BINDING_AT, record->binding, OC_RECORD_BINDING_LEN);
    memcpy(bytes + OC_RECORD_HEAD_LEN, record->der, record->der_len);
    return OC_RECORD_HEAD_LEN + record->der_len;
}

apr_status_t oc_record_decode(oc_record_t *record, const unsigned char *bytes, apr_size_t len)
{
    uint64_t head[7];

    if (len < OC_RECORD_HEAD_LEN)
        return APR_EINVAL;
    memcpy(head, bytes, sizeof(head));
    if (head[0] >> 32 != VERSION || head[5] != len - OC_RECORD_HEAD_LEN || head[6] >= OC_ORIGIN_LIMIT)
        return APR_EINVAL;

    record->verdict = (oc_verdict_t)(uint32_t)head[0];
    record->this_update = (apr_time_t)head[1];
    record->next_update = (apr_time_t)head[2];
    record->usable_until = (apr_time_t)head[3];
    record->fetched_at = (apr_time_t)head[4];
    record->origin = (oc_origin_t)head[6];
    memcpy(record->binding, bytes + BINDING_AT, OC_RECORD_BINDING_LEN);
    record->der = bytes + OC_RECORD_HEAD_LEN;
    record->der_len = len - OC_RECORD_HEAD_LEN;
    return APR_SUCCESS;
}

const char *oc_origin_name(oc_origin_t origin)
{
    static const char *const names[OC_ORIGIN_LIMIT] = {"responder", "file", "shared"};

    return (unsigned)origin < OC_ORIGIN_LIMIT ? names[origin] : "unknown";
}

uint64_t oc_record_order(const oc_record_t *record)
{
    int is_truth = oc_verdict_class(record->verdict) == OC_CLASS_TRUTH;
    apr_time_t when = record->this_update ? record->this_update : record->fetched_at;
    uint64_t rank = is_truth ? 2 : 1;

    return rank << 56 | (when > 0 ? (uint64_t)apr_time_sec(when) & ((UINT64_C(1) << 56) - 1) : 0);
}
