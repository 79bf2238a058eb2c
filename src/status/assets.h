/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The style sheet and the script of the status page, as the page carries them inline. The handler names their hashes in
 * the Content-Security-Policy, so the page runs and applies these texts alone.
 */
#ifndef OC_STATUS_ASSETS_H
#define OC_STATUS_ASSETS_H

extern const char oc_assets_style[];
extern const char oc_assets_script[];

#endif
