/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Hexadecimal digits: every byte there and back, either case, and nothing else.
 */
#include "base/hex.h"

#include "support_test.h"

#include <string.h>

static apr_pool_t *pool;

static int set_up(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) == APR_SUCCESS ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

TEST(every_byte_there_and_back)
{
    unsigned char bytes[256], back[256];
    unsigned i;

    for (i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    assert_true(oc_hex_read(oc_hex_print(bytes, sizeof(bytes), pool), back, sizeof(back)));
    assert_memory_equal(back, bytes, sizeof(bytes));
}

TEST(upper_case_without_separators)
{
    assert_string_equal(oc_hex_print((const unsigned char *)"\x0a\xbc\xff", 3, pool), "0ABCFF");
    assert_string_equal(oc_hex_print((const unsigned char *)"", 0, pool), "");
}

TEST(either_case_is_read)
{
    unsigned char bytes[2];

    assert_true(oc_hex_read("aBCd", bytes, 2));
    assert_memory_equal(bytes, "\xab\xcd", 2);
}

TEST(anything_else_leaves_the_bytes_untouched)
{
    static const char *const others[] = {"",
                                         "abc",
                                         "abcde",
                                         "ab:cd",
                                         "0xab",
                                         "abcg",
                                         "ab d",
                                         "ab\xb0"
                                         "d",
                                         "-1ab",
                                         "G@ab"};
    unsigned i;

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        unsigned char bytes[2] = {1, 2};

        assert_false(oc_hex_read(others[i], bytes, 2));
        assert_memory_equal(bytes, "\x01\x02", 2);
    }
}

TEST_MAIN(NULL, NULL, set_up, tear_down)
