/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ctl_errand: ask something of the running server (oc_command.h), and wait until it is seen to be done.
 */
#ifndef CTL_ERRAND_H
#define CTL_ERRAND_H

#include "ctl_stock.h"

#include "state/command.h"

/** Is all done? Looks again at what the server writes. */
typedef int ctl_done_fn(void *data);

/**
 * Leave the command, wait until it is done or @a timeout is over, take it away again. One tool at a time: others wait for it.
 * @param command its number is set: nothing that the server did before that moment counts
 * @param is_done out: 1; 0: time is up; what may be the reason has been said
 * @return CTL_OK; else the command could not be left, and it has been said why.
 */
int ctl_errand_run(const ctl_t *ctl, const ctl_stock_t *stock, oc_command_t *command, apr_interval_time_t timeout,
                   ctl_done_fn *done, void *data, int *is_done);

#endif
