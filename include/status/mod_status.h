/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_mod_status: what an operator sees: the block in mod_status. Reads the arena like any other reader; asks nobody, changes nothing.
 */
#ifndef OC_STATUS_MOD_STATUS_H
#define OC_STATUS_MOD_STATUS_H

/** register_hooks: add the block to mod_status, where that is loaded. */
void oc_mod_status_register(void);

#endif
