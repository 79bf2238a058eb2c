/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_directives: the table of directives: our own, and those of mod_ssl that say how to staple, which are read along.
 *
 * httpd hands a directive to every module that declares it. mod_ssl goes on owning its directives: it checks them and reports
 * what is wrong with them; here they are only read, by its parsing rules.
 */
#ifndef OC_CONFIG_DIRECTIVES_H
#define OC_CONFIG_DIRECTIVES_H

#include <httpd.h>
#include <http_config.h>

extern const command_rec oc_directives[];

#endif
