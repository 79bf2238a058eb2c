/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The one writer of JSON: the status page, the dump and ocsp-cachectl write every document with it. It sets commas and
 * brackets, and escapes text. The output goes to a sink in pieces: a document of any size takes no memory beyond
 * oc_json_t. Pure: no pool, no files, no httpd.
 */
#ifndef OC_VIEW_JSON_H
#define OC_VIEW_JSON_H

#include <apr.h>
#include <apr_time.h>

/** Takes the next @a len bytes of the document; they are valid during the call only. */
typedef void oc_json_sink_fn(void *context, const char *bytes, apr_size_t len);

/** The state of the writer. At most 64 brackets are open at a time. */
typedef struct {
    oc_json_sink_fn *sink;
    void *context;
    apr_uint64_t arrays; /* a bit for each open bracket, the innermost lowest: 1: [, 0: { */
    int needs_comma;
    int needs_line;
    apr_size_t len;
    char buffer[1024];
} oc_json_t;

/** Begin a document. It is complete when the outermost bracket has been closed: nothing needs to be freed. */
void oc_json_begin(oc_json_t *json, oc_json_sink_fn *sink, void *context);

/* Each function below writes one value. @a key: its name in an object, of plain ASCII; NULL in an array, and for the
 * outermost value. */

/** {, up to the oc_json_end() for it. */
void oc_json_object(oc_json_t *json, const char *key);

/** [, up to the oc_json_end() for it. */
void oc_json_array(oc_json_t *json, const char *key);

/** Close the innermost bracket. The outermost one ends the document with a line end. */
void oc_json_end(oc_json_t *json);

/** @a text as a string; NULL: null. Everything but printable ASCII is escaped, and so are the characters of HTML's
 *  syntax, so that it is safe inside <script>; each byte of invalid UTF-8 becomes U+FFFD. */
void oc_json_string(oc_json_t *json, const char *key, const char *text);

void oc_json_integer(oc_json_t *json, const char *key, apr_int64_t number);
void oc_json_bool(oc_json_t *json, const char *key, int is_true);
void oc_json_null(oc_json_t *json, const char *key);

/** Whole seconds since 1970; 0: null, not known. */
void oc_json_time(oc_json_t *json, const char *key, apr_time_t time);

/** Seconds, with six decimals. */
void oc_json_seconds(oc_json_t *json, const char *key, apr_interval_time_t time);

/** Begin the next value, or the next end, on a new line. */
void oc_json_line(oc_json_t *json);

/** A sink that writes to a stream of stdio (FILE *), its context. */
void oc_json_to_stream(void *stream, const char *bytes, apr_size_t len);

#endif
