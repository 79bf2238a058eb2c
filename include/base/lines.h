/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Text of "key value" lines and PEM blocks, the format of manifest and command: readable with a pager, and by OpenSSL.
 * Its first line has its kind and version. A value may hold any text: what is not printable ASCII is written as \xHH,
 * and so is a backslash.
 *
 * Pure, and bounded by the text it is given.
 */
#ifndef OC_BASE_LINES_H
#define OC_BASE_LINES_H

#include <apr_pools.h>
#include <openssl/bio.h>

/** A place in a text. */
typedef struct {
    const char *at;
    const char *end;
    unsigned number; /* of the last line read */
} oc_lines_t;

typedef struct {
    const char *key;          /* of a PEM block: its label, "CERTIFICATE" */
    const char *value;        /* "" where there is none; NULL: a PEM block */
    const unsigned char *der; /* what the PEM block holds */
    apr_size_t der_len;
} oc_line_t;

void oc_lines_begin(oc_lines_t *lines, const char *text, apr_size_t len);

/** Begin to read a text that oc_lines_create() began. @return 1; 0: it is not of this @a kind and version */
int oc_lines_open(oc_lines_t *lines, const char *text, apr_size_t len, const char *kind, apr_pool_t *pool);

/** Read the next line or PEM block; empty lines and those that begin with # are skipped. Strings and bytes are from
 *  @a pool. Leaves OpenSSL's error queue unchanged. @return 1; 0: the end; -1: it is neither; the next call continues
 *  after it */
int oc_lines_next(oc_lines_t *lines, oc_line_t *line, apr_pool_t *pool);

/** Read the PEM block @a label, which must come next; its bytes from @a pool. @return 1; 0: something else comes */
int oc_lines_next_pem(oc_lines_t *lines, const char *label, const unsigned char **der, apr_size_t *der_len,
                      apr_pool_t *pool);

/** Is it the line @a key, and not a PEM block? */
int oc_lines_is(const oc_line_t *line, const char *key);

/** A text that begins with its kind and version. @return NULL: out of memory */
BIO *oc_lines_create(const char *kind);

/** Free @a bio. @return what was written to it, from @a pool; NULL: it is NULL, or @a ok is 0 */
const char *oc_lines_finish(BIO *bio, int ok, apr_size_t *len, apr_pool_t *pool);

/** Write a line to @a bio. @return 1; 0: out of memory */
int oc_lines_put(BIO *bio, const char *key, const char *value);
int oc_lines_put_number(BIO *bio, const char *key, apr_int64_t value);
int oc_lines_put_hex(BIO *bio, const char *key, const unsigned char *bytes, apr_size_t len);
int oc_lines_put_pem(BIO *bio, const char *label, const unsigned char *der, apr_size_t der_len);

/** Read a value as a decimal number from 0 to @a max. @return 1; 0: it is something else */
int oc_lines_number(const char *value, apr_int64_t max, apr_int64_t *number);

#endif
