/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_note: see oc_note.h.
 */
#include "ocsp/note.h"

#define DUE_BITS 40
#define VERDICT_BITS 7
#define DUE_MAX ((UINT64_C(1) << DUE_BITS) - 1)

_Static_assert(OC_VERDICT_LIMIT == 1 << VERDICT_BITS, "a verdict fits into its bits");

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
