/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The writer of JSON: brackets and commas at every depth, text of any bytes, and documents much longer than its buffer.
 */
#include "support_test.h"

#include "view/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char written[1 << 20];
static apr_size_t len_written, pieces;

static void collect(void *context, const char *bytes, apr_size_t len)
{
    assert_ptr_equal(context, written);
    assert_in_range(len, 1, sizeof(written) - 1 - len_written);
    memcpy(written + len_written, bytes, len);
    len_written += len;
    written[len_written] = '\0';
    pieces++;
}

static void begin(oc_json_t *json)
{
    len_written = pieces = 0;
    written[0] = '\0';
    memset(json, 0xA5, sizeof(*json)); /* a writer on the stack */
    oc_json_begin(json, collect, written);
}

/* What one value is written as, in a list. */
static void assert_one(const char *literal)
{
    char expected[256];

    snprintf(expected, sizeof(expected), "[%s]\n", literal);
    assert_string_equal(written, expected);
}

static void assert_string(const char *text, const char *literal)
{
    oc_json_t json;

    begin(&json);
    oc_json_array(&json, NULL);
    oc_json_string(&json, NULL, text);
    oc_json_end(&json);
    assert_one(literal);
}

/* ---- brackets and commas ---- */

TEST(empty_documents)
{
    oc_json_t json;

    begin(&json);
    oc_json_object(&json, NULL);
    oc_json_end(&json);
    assert_string_equal(written, "{}\n");
    begin(&json);
    oc_json_array(&json, NULL);
    oc_json_end(&json);
    assert_string_equal(written, "[]\n");
}

TEST(commas_and_nesting)
{
    oc_json_t json;

    begin(&json);
    oc_json_object(&json, NULL);
    oc_json_integer(&json, "a", 1);
    oc_json_array(&json, "b");
    oc_json_array(&json, NULL);
    oc_json_end(&json);
    oc_json_object(&json, NULL);
    oc_json_string(&json, "c", "d");
    oc_json_null(&json, "e");
    oc_json_end(&json);
    oc_json_bool(&json, NULL, 1);
    oc_json_bool(&json, NULL, 0);
    oc_json_end(&json);
    oc_json_object(&json, "f");
    oc_json_end(&json);
    oc_json_integer(&json, "g", -2);
    oc_json_end(&json);
    assert_string_equal(written, "{\"a\":1,\"b\":[[],{\"c\":\"d\",\"e\":null},true,false],\"f\":{},\"g\":-2}\n");
}

TEST(lines)
{
    oc_json_t json;

    begin(&json);
    oc_json_array(&json, NULL);
    oc_json_line(&json);
    oc_json_integer(&json, NULL, 1);
    oc_json_line(&json);
    oc_json_array(&json, NULL);
    oc_json_integer(&json, NULL, 2);
    oc_json_end(&json);
    oc_json_line(&json);
    oc_json_end(&json);
    assert_string_equal(written, "[\n1,\n[2]\n]\n");
}

TEST(the_deepest_nesting)
{
    char expected[140] = "";
    oc_json_t json;
    int i;

    begin(&json);
    for (i = 0; i < 63; i++) {
        if (i % 3)
            oc_json_array(&json, i % 3 == 1 ? "k" : NULL);
        else
            oc_json_object(&json, NULL);
    }
    for (i = 62; i >= 0; i--) {
        oc_json_end(&json);
        strcat(expected, i % 3 ? "]" : "}");
    }
    strcat(expected, "\n");
    assert_string_equal(strpbrk(written, "]}"), expected);
}

/* ---- values ---- */

TEST(numbers_and_times)
{
    oc_json_t json;

    begin(&json);
    oc_json_array(&json, NULL);
    oc_json_integer(&json, NULL, INT64_MIN);
    oc_json_integer(&json, NULL, INT64_MAX);
    oc_json_time(&json, NULL, 0);
    oc_json_time(&json, NULL, apr_time_from_sec(1900000000) + 999999);
    oc_json_time(&json, NULL, -apr_time_from_sec(1));
    oc_json_seconds(&json, NULL, 0);
    oc_json_seconds(&json, NULL, 1234567);
    oc_json_seconds(&json, NULL, -1);
    oc_json_end(&json);
    assert_one("-9223372036854775808,9223372036854775807,null,1900000000,-1,0.000000,1.234567,-0.000001");
}

TEST(strings)
{
    assert_string(NULL, "null");
    assert_string("", "\"\"");
    assert_string("CN=www.example.org, O=Test", "\"CN=www.example.org, O=Test\"");
    assert_string("\"\\/", "\"\\u0022\\u005c/\"");
    assert_string("\x01\x1f\x7f\n\t", "\"\\u0001\\u001f\\u007f\\u000a\\u0009\"");
    assert_string("<script>&'", "\"\\u003cscript\\u003e\\u0026\\u0027\"");
    assert_string("\xC3\xA9\xE2\x80\xA8", "\"\\u00e9\\u2028\"");
    assert_string("\xF0\x9F\x98\x80", "\"\\ud83d\\ude00\"");
    assert_string("\xF4\x8F\xBF\xBF", "\"\\udbff\\udfff\"");
}

TEST(strings_that_are_not_utf8)
{
    assert_string("\xFF"
                  "a",
                  "\"\\ufffda\"");
    assert_string("\xC3", "\"\\ufffd\""); /* cut off */
    assert_string("\xE2\x80", "\"\\ufffd\\ufffd\"");
    assert_string("\xC3(", "\"\\ufffd(\"");          /* no continuation byte */
    assert_string("\x80", "\"\\ufffd\"");            /* only a continuation byte */
    assert_string("\xC0\xAF", "\"\\ufffd\\ufffd\""); /* overlong */
    assert_string("\xE0\x80\xAF", "\"\\ufffd\\ufffd\\ufffd\"");
    assert_string("\xED\xA0\x80", "\"\\ufffd\\ufffd\\ufffd\"");            /* a surrogate */
    assert_string("\xF4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* beyond Unicode */
    assert_string("\xC3\"", "\"\\ufffd\\u0022\"");                         /* cannot swallow the quote */
}

/* Every byte, alone and before a letter: printable ASCII leaves, without what would end the string or a tag. */
TEST(every_byte)
{
    unsigned byte;

    for (byte = 1; byte < 256; byte++) {
        const char text[] = {(char)byte, 'z', '\0'};
        oc_json_t json;
        apr_size_t i;

        begin(&json);
        oc_json_array(&json, NULL);
        oc_json_string(&json, NULL, text);
        oc_json_end(&json);
        assert_memory_equal(written, "[\"", 2);
        assert_string_equal(written + len_written - 4, "z\"]\n");
        for (i = 2; i < len_written - 3; i++) {
            assert_in_range(written[i], 0x20, 0x7E);
            assert_null(strchr("\"<>&'", written[i]));
        }
        assert_int_equal(written[2] == '\\', len_written > strlen("[\"?z\"]\n"));
    }
}

/* ---- documents longer than the buffer ---- */

TEST(pieces_join_wherever_the_buffer_ends)
{
    static char text[3000], expected[8192];
    apr_size_t first;

    for (first = 0; first < 40; first++) {
        oc_json_t json;
        apr_size_t i, at;

        memset(text, 'x', sizeof(text));
        for (i = first; i + 2 < sizeof(text); i += 41)
            memcpy(text + i, "\xC3\xA9", 2);
        text[sizeof(text) - 1] = '\0';
        begin(&json);
        oc_json_object(&json, NULL);
        oc_json_string(&json, "key", text);
        oc_json_integer(&json, "end", 1);
        oc_json_end(&json);
        at = (apr_size_t)snprintf(expected, sizeof(expected), "{\"key\":\"");
        for (i = 0; text[i]; i += text[i] == 'x' ? 1 : 2)
            at += (apr_size_t)snprintf(expected + at, sizeof(expected) - at, text[i] == 'x' ? "x" : "\\u00e9");
        snprintf(expected + at, sizeof(expected) - at, "\",\"end\":1}\n");
        assert_string_equal(written, expected);
        assert_in_range(pieces, 2, 8);
    }
}

TEST(a_stream_gets_the_same_bytes)
{
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    oc_json_t json;

    assert_non_null(stream);
    oc_json_begin(&json, oc_json_to_stream, stream);
    oc_json_object(&json, NULL);
    oc_json_string(&json, "a", "\x1b[31m");
    oc_json_end(&json);
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(text, "{\"a\":\"\\u001b[31m\"}\n");
    free(text);
}

TEST_MAIN(NULL, NULL, NULL, NULL)
