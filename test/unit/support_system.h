/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What some tests need of the system, and what user emulation of another processor (build/compat.sh s390x) lacks. Each
 * probe is a few calls of the C library, without code of this module: test/unit/base/test_system.c runs them alone.
 */
#ifndef SUPPORT_SYSTEM_H
#define SUPPORT_SYSTEM_H

/** The C library creates robust mutexes; some do not where the kernel would not know of them. */
int system_creates_robust_mutexes(void);

/** The kernel hands over the robust mutex of a killed process. */
int system_has_robust_mutexes(void);

/** One process can wait for the mutex of another that inherits priority, as APR's do. */
int system_has_inheriting_mutexes(void);

/** The kernel releases the file lock of a killed process. */
int system_has_file_locks(void);

/** posix_spawn(3) returns the error of exec. */
int system_reports_exec(void);

/** seccomp can forbid every system call to a process. */
int system_confines(void);

/** /proc/self/status shows signals by the program's own numbers. */
int system_shows_signals(void);

/** Was OC_TEST_EMULATED set: may the system lack something? Otherwise a test that needs it fails. */
int system_is_emulated(void);

/** Leave the test out if the emulator lacks what it needs. */
#define SYSTEM_NEEDS(has, what)                                  \
    do {                                                         \
        if (system_is_emulated() && !(has)) {                    \
            print_message("left out, not emulated: " what "\n"); \
            skip();                                              \
        }                                                        \
    } while (0)

#endif
