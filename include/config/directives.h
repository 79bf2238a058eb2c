/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The table of directives: the module's own, and those of mod_ssl that configure stapling.
 *
 * httpd passes a directive to every module that declares it. mod_ssl still owns its directives: it checks them and
 * reports their errors. This module only reads them, by the same parsing rules.
 */
#ifndef OC_CONFIG_DIRECTIVES_H
#define OC_CONFIG_DIRECTIVES_H

#include <httpd.h>
#include <http_config.h>

extern const command_rec oc_directives[];

#endif
