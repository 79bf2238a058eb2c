/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Verifies OCSP responses in a separate process. They come from responders and from the server's children, and the tool
 * usually runs as root: so that process has no rights, and its results are checked for range.
 */
#ifndef CTL_JUDGE_H
#define CTL_JUDGE_H

#include "ctl_stock.h"

#include "ocsp/subject.h"

/**
 * Run @a work in a separate process, as the user "nobody" if this one is root's. It has the same standard output.
 * @param status out: what @a work returned
 * @return CTL_OK; otherwise it could not be started, could not become that user or ended abnormally, and the reason
 *  has been printed.
 */
typedef int ctl_apart_fn(void *data);
int ctl_apart(const ctl_t *ctl, ctl_apart_fn *work, void *data, int *status);

/** A response and the verdict on it. */
typedef struct {
    const unsigned char *der; /* in, out: of an import, the bytes to store, which may be fewer than those in the file */
    apr_size_t der_len;
    const oc_reader_record_t *stored; /* a stored record: all its fields must match the response; NULL: an import */
    const oc_manifest_entry_t
        *entry;                /* the expected certificate; NULL: find it in the manifest, by serial and issuer */
    oc_verify_result_t result; /* out; OC_NOT_OURS where none is found */
} ctl_case_t;

/** The case of a row that has a record and an entry in the manifest. */
ctl_case_t ctl_case_of(const ctl_row_t *row);

/** Have the row of a case that was judged show the reason in place of a record that is refused, although it could be
 *  stapled: so a record that the server's children forged is not displayed as valid. view.verdict and the times stay
 *  what the record claims. */
void ctl_judge_take(const ctl_t *ctl, ctl_row_t *row, const ctl_case_t *one);

/** Judge the records of all rows that could be stapled, and have the rows take the results. @return CTL_OK; otherwise
 *  the reason has been printed. */
int ctl_judge_rows(const ctl_t *ctl, const ctl_stock_t *stock, const apr_array_header_t *rows);

/** Judge @a n responses at ctl->now, in a separate process. @param stock has a manifest @return CTL_OK; otherwise
 *  the reason has been printed. */
int ctl_judge(const ctl_t *ctl, const ctl_stock_t *stock, ctl_case_t *cases, int n);

/** "good", or "the signature is wrong: DETAIL", for a message. */
const char *ctl_judge_text(const oc_verify_result_t *result, apr_pool_t *pool);

#endif
