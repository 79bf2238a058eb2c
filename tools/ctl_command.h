/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Leave a command for the running server (state/command.h), and wait until its effect shows.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include "ctl_stock.h"

#include "state/command.h"

/** Is everything done? Reads again what the server writes. */
typedef int ctl_done_fn(void *data);

/**
 * Leave the command, wait until it is done or @a timeout is over, take it away again. One tool at a time: others wait
 * for it.
 * @param command its number is set: nothing that the server did before that moment counts
 * @param is_done out: 1; 0: the time is over, and the likely reason has been printed
 * @return CTL_OK; otherwise the command could not be left, and the reason has been printed.
 */
int ctl_command_run(const ctl_t *ctl, const ctl_stock_t *stock, oc_command_t *command, apr_interval_time_t timeout,
                    ctl_done_fn *done, void *data, int *is_done);

#endif
