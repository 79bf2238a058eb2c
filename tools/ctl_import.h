/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Verified responses to import into the cache, through the running server or, without one, into its file.
 */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include "ctl_judge.h"

typedef struct {
    const char *source; /* the file */
    ctl_case_t judged;
    const char *problem;  /* why it is rejected; NULL: it is not */
    int is_held;          /* the cache holds it already */
    const ctl_row_t *row; /* of its certificate; NULL: none is known */
} ctl_import_t;

/** Without a server: lock the file, and replace it by a fresh one with its records and these responses. Sets the
 *  problem of those that are rejected. @return CTL_OK; otherwise the file is unchanged, and the reason has been
 *  printed. */
int ctl_import_into_file(const ctl_t *ctl, const ctl_stock_t *stock, ctl_import_t **imports, int n);

#endif
