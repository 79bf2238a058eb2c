/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status_style: the style sheet of the status page. The page lets itself be styled by this text alone (its hash stands in the header).
 */
#ifndef OC_STATUS_STYLE_H
#define OC_STATUS_STYLE_H

extern const char oc_status_style[];

#endif
