/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What other tests need of the system, without code of this module. A real system has it all; for an emulator the log
 * shows what it lacks, and those tests leave the same out.
 */
#include "support_system.h"
#include "support_test.h"

TEST(file_lock_of_a_killed_process)
{
    assert_true(system_has_file_locks());
}

TEST(creation_of_a_robust_mutex)
{
    SYSTEM_NEEDS(system_creates_robust_mutexes(), "creation of robust mutexes");
    assert_true(system_creates_robust_mutexes());
}

TEST(robust_mutex_of_a_killed_process)
{
    SYSTEM_NEEDS(system_has_robust_mutexes(), "robust mutexes");
    assert_true(system_has_robust_mutexes());
}

TEST(mutex_that_another_process_holds)
{
    SYSTEM_NEEDS(system_has_inheriting_mutexes(), "mutexes that inherit priority");
    assert_true(system_has_inheriting_mutexes());
}

TEST(error_of_exec)
{
    SYSTEM_NEEDS(system_reports_exec(), "posix_spawn that returns the error of exec");
    assert_true(system_reports_exec());
}

TEST(seccomp)
{
    SYSTEM_NEEDS(system_confines(), "seccomp");
    assert_true(system_confines());
}

TEST(signals_in_proc)
{
    SYSTEM_NEEDS(system_shows_signals(), "signals in /proc/self/status");
    assert_true(system_shows_signals());
}

TEST_MAIN(NULL, NULL, NULL, NULL)
