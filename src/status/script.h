/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_status_script: what the status page does where scripts run: renew itself, filter while one types, sort and turn pages without loading anew. The page
 * runs this text alone (its hash stands in the header).
 */
#ifndef OC_STATUS_SCRIPT_H
#define OC_STATUS_SCRIPT_H

extern const char oc_status_script[];

#endif
