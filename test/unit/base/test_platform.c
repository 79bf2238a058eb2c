/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * On Linux, where these tests run.
 */
#include "base/platform.h"
#include "support_test.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *own_name(void)
{
    static char name[64];
    FILE *file = fopen("/proc/thread-self/comm", "r");

    assert_non_null(file);
    assert_non_null(fgets(name, sizeof(name), file));
    (void)fclose(file);
    return name;
}

TEST(a_forked_process_has_its_name)
{
    char before[64];
    int status;
    pid_t child;

    strcpy(before, own_name());
    child = oc_platform_fork("ocsp-cache-test");
    assert_true(child >= 0);
    if (child == 0)
        _exit(strcmp(own_name(), "ocsp-cache-test\n") == 0 ? 0 : 1);
    assert_string_equal(own_name(), before);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Nothing but the grandchild has the pipe's other end: its end is the pipe's. */
TEST(a_process_ends_with_its_parent)
{
    struct pollfd fd = {.events = POLLIN};
    int ends[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (fork() == 0) {
            oc_platform_end_with_parent();
            (void)!write(ends[1], "", 1);
            for (;;)
                pause();
        }
        close(ends[1]);
        for (;;)
            pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fd.fd = ends[0];
    assert_int_equal(poll(&fd, 1, 10000), 1);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

TEST(a_file_system_in_memory)
{
    assert_int_equal(oc_platform_is_volatile("/proc"), 0);
    assert_int_equal(oc_platform_is_volatile("/nonexistent"), 0);
    if (access("/dev/shm", F_OK) != 0)
        skip();
    assert_int_equal(oc_platform_is_volatile("/dev/shm"), 1);
}

TEST_MAIN(NULL, NULL, NULL, NULL)
