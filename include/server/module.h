/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The module record, which the other units need for their configuration and log level, and the oldest versions of httpd
 * and OpenSSL that this module can be built with.
 */
#ifndef OC_SERVER_MODULE_H
#define OC_SERVER_MODULE_H

#include <ap_mmn.h>
#include <httpd.h>
#include <http_config.h>
#include <openssl/opensslv.h>

#if !AP_MODULE_MAGIC_AT_LEAST(20120211, 105)
#error "mod_ocsp_cache needs httpd 2.4.48 or later: earlier ones lack the stapling hooks (ap_hook_ssl_ocsp_prime_hook)"
#endif

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "mod_ocsp_cache needs OpenSSL 3.0 or later"
#endif

extern module AP_MODULE_DECLARE_DATA ocsp_cache_module;

#endif
