/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_note: the refresher's memory of one certificate, packed into the one word that a cache slot keeps beside its record.
 *
 * It says how the last attempt ended and when the next one is due, so that a failed attempt need not touch the record, another
 * child can take over where one died, and a handshake can tell "the responder said tryLater" from "nobody answered".
 *
 *   63       47         40                                     0
 *   | failures | verdict | due: seconds since 1970, 40 bits      |
 */
#ifndef OC_OCSP_NOTE_H
#define OC_OCSP_NOTE_H

#include "base/verdict.h"

#include <apr_time.h>
#include <stdint.h>

typedef struct {
    apr_time_t due;       /* of the next attempt, to the second, rounded up; 0: now */
    unsigned failures;    /* in a row; saturates at OC_NOTE_FAILURES_MAX */
    oc_verdict_t verdict; /* of the last attempt */
} oc_note_t;

#define OC_NOTE_FAILURES_MAX 65535

/** Both are total and pure. A word from shared memory may be anything: what comes out is in range, and due is for
 *  oc_schedule_clamp() to judge. The word 0 reads as "never asked, due now". */
uint64_t oc_note_pack(const oc_note_t *note);
oc_note_t oc_note_unpack(uint64_t word);

#endif
