/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The list behind TEST().
 */
#include "support_test.h"

#include <apr_general.h>
#include <signal.h>
#include <stdlib.h>

#define MAX_TESTS 256

static struct CMUnitTest tests[MAX_TESTS];
static size_t n_tests;

void test_register(const char *name, CMUnitTestFunction function, CMFixtureFunction setup, CMFixtureFunction teardown)
{
    if (n_tests == MAX_TESTS)
        abort();
    tests[n_tests++] = (struct CMUnitTest){name, function, setup, teardown, NULL};
}

void test_register_row(const char *name, CMUnitTestFunction function, const void *row)
{
    test_register(name, function, NULL, NULL);
    tests[n_tests - 1].initial_state = (void *)(uintptr_t)row;
}

int test_run(CMFixtureFunction group_setup, CMFixtureFunction group_teardown, CMFixtureFunction setup,
             CMFixtureFunction teardown)
{
    size_t i;
    int failed;

    (void)signal(SIGPIPE, SIG_IGN);
    if (apr_initialize() != APR_SUCCESS)
        return 2;
    for (i = 0; i < n_tests; i++) {
        if (!tests[i].setup_func && !tests[i].teardown_func) {
            tests[i].setup_func = setup;
            tests[i].teardown_func = teardown;
        }
    }
    failed = _cmocka_run_group_tests("tests", tests, n_tests, group_setup, group_teardown);
    apr_terminate();
    return failed;
}
