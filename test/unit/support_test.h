/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * TEST(name) { ... } defines a test of cmocka and registers it; TEST_MAIN() at the end of the file runs all of them in
 * their order in the file.
 */
#ifndef SUPPORT_TEST_H
#define SUPPORT_TEST_H

/* What cmocka.h needs to have been included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** A test with the fixtures of TEST_MAIN(). `state` may be used in it. */
#define TEST(name) TEST_WITH(name, NULL, NULL)

/** The same with fixtures of its own. */
#define TEST_WITH(name, setup, teardown)                           \
    static void name(void **state);                                \
    __attribute__((constructor)) static void register_##name(void) \
    {                                                              \
        test_register(#name, name, setup, teardown);               \
    }                                                              \
    static void name(__attribute__((unused)) void **state)

void test_register(const char *name, CMUnitTestFunction function, CMFixtureFunction setup, CMFixtureFunction teardown);

/** One row of a table as a test of its own: *state points at the row. */
void test_register_row(const char *name, CMUnitTestFunction function, const void *row);

/** Run the registered tests, between apr_initialize() and apr_terminate(), with SIGPIPE ignored as in httpd.
 *  @return what main() returns */
int test_run(CMFixtureFunction group_setup, CMFixtureFunction group_teardown, CMFixtureFunction setup,
             CMFixtureFunction teardown);

/** main(); each of the four may be NULL. */
#define TEST_MAIN(group_setup, group_teardown, setup, teardown)        \
    int main(void)                                                     \
    {                                                                  \
        return test_run(group_setup, group_teardown, setup, teardown); \
    }

#endif
