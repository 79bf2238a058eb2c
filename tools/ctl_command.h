/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Sends a command to the running server (state/command.h), and waits for its effect.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include "ctl_stock.h"

#include "state/command.h"

/** Is everything done? Reads again what the server writes. */
typedef int ctl_done_fn(void *data);

/**
 * Write the command, wait until it is executed or @a timeout has elapsed, and remove it. One tool at a time: others
 * wait.
 * @param command its number is set: nothing that the server did before that moment counts
 * @param is_done out: 1; 0: the timeout has elapsed, and the likely reason has been printed
 * @return CTL_OK; otherwise the command could not be written, and the reason has been printed.
 */
int ctl_command_run(const ctl_t *ctl, const ctl_stock_t *stock, oc_command_t *command, apr_interval_time_t timeout,
                    ctl_done_fn *done, void *data, int *is_done);

#endif
