/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Staple records and notes as numbers and bytes, and the decision whether a stored record still matches its response.
 * Handshakes decode; the refresher and ocsp-cachectl make and verify. The code must never believe a stored number that
 * decides something, and what a handshake calls must not lead to OpenSSL.
 *
 * The bytes never leave the machine, so they are in its own byte order, which the cache's file records.
 *
 *   word 0  version: 32 high | verdict: 32 low
 *   word 1  this_update    word 2  next_update    word 3  usable_until    word 4  fetched_at
 *   word 5  der_len        word 6  origin         word 7  usable_from
 *   words 8 to 11  binding
 *   then the DER
 */
#include "ocsp/record.h"

#include "base/timestamp.h"
#include "ocsp/x509.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

#define VERSION 2 /* 1 was that of 0.1.0 */
#define HEAD_WORDS 8
#define BINDING_AT 64

#define DUE_BITS 40
#define VERDICT_BITS 7
#define DUE_MAX ((UINT64_C(1) << DUE_BITS) - 1)

_Static_assert(BINDING_AT == HEAD_WORDS * sizeof(uint64_t), "the binding follows the words");
_Static_assert(BINDING_AT + OC_RECORD_BINDING_LEN == OC_RECORD_HEAD_LEN, "the binding ends the head");
_Static_assert(OC_VERDICT_LIMIT == 1 << VERDICT_BITS, "a verdict fits into its bits");

/* ---- bytes ---- */

apr_size_t oc_record_encode(const oc_record_t *record, unsigned char *bytes)
{
    uint64_t head[HEAD_WORDS] = {(uint64_t)VERSION << 32 | (uint32_t)record->verdict,
                                 (uint64_t)record->this_update,
                                 (uint64_t)record->next_update,
                                 (uint64_t)record->usable_until,
                                 (uint64_t)record->fetched_at,
                                 (uint64_t)record->der_len,
                                 (uint64_t)record->origin,
                                 (uint64_t)record->usable_from};

    memcpy(bytes, head, sizeof(head));
    memcpy(bytes + BINDING_AT, record->binding, OC_RECORD_BINDING_LEN);
    memcpy(bytes + OC_RECORD_HEAD_LEN, record->der, record->der_len);
    return OC_RECORD_HEAD_LEN + record->der_len;
}

static int has_valid_times(const oc_record_t *record)
{
    return oc_time_is_valid(record->this_update) && oc_time_is_valid(record->next_update)
           && oc_time_is_valid(record->usable_from) && oc_time_is_valid(record->usable_until)
           && oc_time_is_valid(record->fetched_at);
}

apr_status_t oc_record_decode(oc_record_t *record, const unsigned char *bytes, apr_size_t len)
{
    uint64_t head[HEAD_WORDS];

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
    record->usable_from = (apr_time_t)head[7];
    memcpy(record->binding, bytes + BINDING_AT, OC_RECORD_BINDING_LEN);
    record->der = bytes + OC_RECORD_HEAD_LEN;
    record->der_len = len - OC_RECORD_HEAD_LEN;
    return has_valid_times(record) ? APR_SUCCESS : APR_EINVAL;
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

/* ---- made from a response, and compared with it ---- */

int oc_record_make(oc_record_t *record, const oc_verify_result_t *result, const oc_cert_t *cert, oc_origin_t origin,
                   apr_time_t fetched_at)
{
    oc_class_t class = oc_verdict_class(result->verdict);

    memset(record, 0, sizeof(*record));
    if (class != OC_CLASS_TRUTH && class != OC_CLASS_RESPONDER_ERROR)
        return 0;
    record->verdict = result->verdict;
    record->this_update = result->this_update;
    record->next_update = result->next_update;
    record->usable_from = result->usable_from;
    record->usable_until = result->usable_until;
    record->fetched_at = fetched_at;
    record->origin = origin;
    memcpy(record->binding, cert->binding, sizeof(record->binding));
    record->der = result->der;
    record->der_len = result->der_len;
    return 1;
}

__attribute__((format(printf, 3, 4))) static int refuse(oc_verify_result_t *result, oc_verdict_t verdict,
                                                        const char *format, ...)
{
    va_list args;

    va_start(args, format);
    apr_vsnprintf(result->detail, sizeof(result->detail), format, args);
    va_end(args);
    result->verdict = verdict;
    result->usable_until = 0;
    return 0;
}

static int refuse_time(oc_verify_result_t *result, oc_verdict_t verdict, const char *which, apr_time_t time)
{
    char text[32];

    oc_x509_time_text(text, sizeof(text), time);
    return refuse(result, verdict, "%s %s", which, text);
}

/* Everything that the response itself contains. */
static int is_what_it_says(const oc_record_t *record, oc_verify_result_t *result)
{
    oc_class_t class = oc_verdict_class(result->verdict);

    if (class != OC_CLASS_TRUTH && class != OC_CLASS_RESPONDER_ERROR)
        return 0; /* the verdict and its detail say why */
    if (record->verdict != result->verdict)
        return refuse(result, OC_ALTERED, "it is stored as %s, but its response says %s",
                      oc_verdict_name(record->verdict), oc_verdict_name(result->verdict));
    if (record->this_update != result->this_update)
        return refuse_time(result, OC_ALTERED, "its thisUpdate is stored as", record->this_update);
    if (record->next_update != result->next_update)
        return refuse_time(result, OC_ALTERED, "its nextUpdate is stored as", record->next_update);
    if (record->der_len != result->der_len || memcmp(record->der, result->der, result->der_len) != 0)
        return refuse(result, OC_ALTERED, "it is stored with certificates that clients do not need");
    return 1;
}

/* Bound the times that no response contains by what response, settings and clock allow. */
static void bound_times(oc_record_t *record, const oc_verify_policy_t *policy, oc_verify_result_t *result)
{
    int is_truth = oc_verdict_class(record->verdict) == OC_CLASS_TRUTH;

    if (record->fetched_at > policy->now)
        record->fetched_at = policy->now;                        /* the clock has been set back since */
    if (record->fetched_at < record->this_update - policy->skew) /* both are >= 0 */
        record->fetched_at = record->this_update;
    /* With nextUpdate the end is the response's. Without it, and for an error, it was counted from when the response
     * was obtained, so it may be earlier than one counted from now. */
    if ((is_truth && result->next_update != 0) || record->usable_until > result->usable_until)
        record->usable_until = result->usable_until;
    result->usable_until = record->usable_until;
    record->usable_from = result->usable_from;
}

int oc_record_verify(oc_record_t *record, const oc_cert_t *cert, const oc_verify_policy_t *policy,
                     oc_verify_result_t *result, apr_pool_t *pool)
{
    oc_verify_subject_t subject;

    memset(result, 0, sizeof(*result));
    if (memcmp(record->binding, cert->binding, sizeof(record->binding)) != 0)
        return refuse(result, OC_NOT_OURS, "it was stored for another certificate or issuer");
    if (record->usable_until <= policy->now)
        return refuse_time(result, OC_EXPIRED, "it was usable until", record->usable_until);
    if (record->usable_from > policy->now)
        return refuse_time(result, OC_NOT_YET_VALID, "it is usable from", record->usable_from);
    if (oc_cert_subject(cert, &subject, pool) != APR_SUCCESS)
        return refuse(result, OC_OUT_OF_RESOURCES, "the issuer's certificate cannot be read");
    oc_verify_response(record->der, record->der_len, &subject, policy, result, pool);
    if (!is_what_it_says(record, result))
        return 0;
    /* The latest error without times prevails: one from the future would shut out the real ones. */
    if (record->this_update == 0 && record->fetched_at > policy->now)
        return refuse_time(result, OC_ALTERED, "it is stored as obtained at", record->fetched_at);
    bound_times(record, policy, result);
    return 1;
}

/* ---- notes ---- */

uint64_t oc_note_pack(const oc_note_t *note)
{
    uint64_t seconds = 0, verdict = (uint64_t)note->verdict, failures = note->failures;

    if (note->due > 0)
        seconds = (uint64_t)note->due / APR_USEC_PER_SEC + ((uint64_t)note->due % APR_USEC_PER_SEC != 0);
    if (seconds > DUE_MAX)
        seconds = DUE_MAX;
    if (failures > OC_NOTE_FAILURES_MAX)
        failures = OC_NOTE_FAILURES_MAX;
    return failures << (DUE_BITS + VERDICT_BITS) | (verdict % OC_VERDICT_LIMIT) << DUE_BITS | seconds;
}

oc_note_t oc_note_unpack(uint64_t word)
{
    oc_note_t note;

    note.due = apr_time_from_sec((apr_time_t)(word & DUE_MAX));
    note.verdict = (oc_verdict_t)(word >> DUE_BITS & (OC_VERDICT_LIMIT - 1));
    note.failures = (unsigned)(word >> (DUE_BITS + VERDICT_BITS) & OC_NOTE_FAILURES_MAX);
    return note;
}
