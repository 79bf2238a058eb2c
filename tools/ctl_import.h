/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ctl_import: responses that were verified come into the cache: by the running server, or, without one, into its file.
 */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include "ctl_judge.h"

typedef struct {
    const char *source; /* the file */
    ctl_case_t judged;
    const char *problem;  /* why it is not taken; NULL: it is to be taken, or was */
    int is_held;          /* it was there already */
    const ctl_row_t *row; /* of its certificate; NULL: none is known */
} ctl_import_t;

/** Without a server: keep others off the file, and write a fresh one with all that it holds and these. Sets problem where one is not
 *  taken. @return CTL_OK; else the file is as it was, and it has been said why. */
int ctl_import_into_file(const ctl_t *ctl, const ctl_stock_t *stock, ctl_import_t **imports, int n);

#endif
