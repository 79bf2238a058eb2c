/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Bytes as hexadecimal digits and back, in one form everywhere: two upper-case digits a byte, nothing between them.
 */
#ifndef OC_BASE_HEX_H
#define OC_BASE_HEX_H

#include <apr_pools.h>

/** Write @a len bytes as 2 * @a len digits and a zero byte to @a text. @return @a text */
char *oc_hex_put(char *text, const unsigned char *bytes, apr_size_t len);

/** The same, from @a pool. */
const char *oc_hex_print(const unsigned char *bytes, apr_size_t len, apr_pool_t *pool);

/** Read exactly 2 * @a len digits of either case. @return 1; 0: @a text is something else, and @a bytes is untouched */
int oc_hex_read(const char *text, unsigned char *bytes, apr_size_t len);

/** The value of a digit of either case; -1: it is not one. */
int oc_hex_digit(char c);

#endif
