/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Threads that may still run when the process exits: in a name lookup, a file on a network, a computation. exit(3)
 * runs the clean-up of OpenSSL, APR and other modules, which frees what such a thread uses. So while one is left, the
 * process ends without it.
 */
#ifndef OC_BASE_LEFTOVER_H
#define OC_BASE_LEFTOVER_H

/** A thread begins, and has been joined. Any thread. */
void oc_leftover_add(void);
void oc_leftover_remove(void);

#endif
