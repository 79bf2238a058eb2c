/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ctl_judge: OCSP responses are taken apart in a process of their own. Responders and the server's children made them, and who
 * runs the tool is root most often: so the process that parses them has no rights, and what it says is read as a stranger's word.
 */
#ifndef CTL_JUDGE_H
#define CTL_JUDGE_H

#include "ctl_stock.h"

#include "ocsp/verify.h"

/**
 * Run @a work in a process of its own; where this one is root's, as the user "nobody". Its standard output is this one's.
 * @param status out: what @a work returned
 * @return CTL_OK; else it was not begun or did not end well, and that has been said.
 */
typedef int ctl_apart_fn(void *data);
int ctl_apart(const ctl_t *ctl, ctl_apart_fn *work, void *data, int *status);

/** A response, and what is thought of it. */
typedef struct {
    const unsigned char *der;
    apr_size_t der_len;
    const oc_manifest_entry_t
        *entry; /* whose response it should be; NULL: to be found among those of the manifest, by the serial */
    oc_verify_result_t result; /* out; OC_NOT_OURS where none is found */
} ctl_case_t;

/** Judge @a n responses at ctl->now, apart. Ends with CTL_OK, or it has been said why not. @param stock has a manifest */
int ctl_judge(const ctl_t *ctl, const ctl_stock_t *stock, ctl_case_t *cases, int n);

/** "good", or "the signature is wrong: DETAIL", for a message. */
const char *ctl_judge_text(const oc_verify_result_t *result, apr_pool_t *pool);

#endif
