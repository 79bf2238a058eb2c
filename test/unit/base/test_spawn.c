/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Real programs: what they get, how they end, and that no wait for them is unbounded.
 */
#include "base/spawn.h"

#include "support_cache_file.h"
#include "support_system.h"
#include "support_test.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONG apr_time_from_sec(60)

static const char *const NOTHING[] = {NULL};

static oc_spawn_end_t shell(const char *script, apr_interval_time_t patience, int *number)
{
    const char *argv[] = {"/bin/sh", "-c", script, "sh", cache_in_folder("other"), NULL};

    return oc_spawn_run(argv, NOTHING, patience, NULL, number);
}

TEST(status_and_signal)
{
    int number = -1;

    assert_int_equal(shell("exit 0", LONG, &number), OC_SPAWN_EXITED);
    assert_int_equal(number, 0);
    assert_int_equal(shell("exit 7", LONG, &number), OC_SPAWN_EXITED);
    assert_int_equal(number, 7);
    assert_int_equal(shell("kill -USR1 $$", LONG, &number), OC_SPAWN_SIGNALLED);
    assert_int_equal(number, SIGUSR1);
}

TEST(not_executable)
{
    const char *argv[] = {cache_path, NULL};
    int number = 0;

    SYSTEM_NEEDS(system_reports_exec(), "posix_spawn that returns the error of exec");
    assert_int_equal(oc_spawn_run(argv, NOTHING, LONG, NULL, &number), OC_SPAWN_NOT_STARTED);
    assert_int_equal(number, ENOENT);
    cache_write_text(cache_path, "#!/bin/sh\n"); /* mode 0644 */
    assert_int_equal(oc_spawn_run(argv, NOTHING, LONG, NULL, &number), OC_SPAWN_NOT_STARTED);
    assert_int_equal(number, EACCES);
}

/* No shell expands arguments or variables. */
TEST(arguments_and_environment_are_unchanged)
{
    static const char *const ENVIRONMENT[] = {"A=$(id) `id` ; <b> \"q\" 'q' \\ | & *", "B=", NULL};
    const char *argv[] = {"/bin/sh",
                          "-c",
                          "printf '[%s]' \"$A\" \"${B-unset}\" \"${HOME-unset}\" \"$2\" > \"$1\"",
                          "sh",
                          cache_in_folder("other"),
                          "; exit 3",
                          NULL};
    int number = -1;

    assert_int_equal(setenv("HOME", "/root", 1), 0);
    assert_int_equal(oc_spawn_run(argv, ENVIRONMENT, LONG, NULL, &number), OC_SPAWN_EXITED);
    assert_int_equal(number, 0);
    assert_string_equal(cache_read_text("other"), "[$(id) `id` ; <b> \"q\" 'q' \\ | & *][][unset][; exit 3]");
}

TEST(descriptors)
{
    int fd = open("/dev/zero", O_RDONLY), number = -1, high; /* without O_CLOEXEC */

    assert_int_not_equal(fd, -1);
    high = fcntl(fd, F_DUPFD, 500);
    assert_int_not_equal(high, -1);
    assert_int_equal(shell("for f in /proc/self/fd/*; do test ! -e $f || readlink $f; done > \"$1\"", LONG, &number),
                     OC_SPAWN_EXITED);
    assert_non_null(strstr(cache_read_text("other"), "/dev/null"));
    assert_null(strstr(cache_read_text("other"), "/dev/zero"));
    close(high);
    close(fd);
    assert_int_equal(shell("read line", LONG, &number), OC_SPAWN_EXITED);
    assert_int_equal(number, 1); /* the end of /dev/null */
}

/* The calling thread has all signals blocked, and the process ignores some. */
TEST(signals_are_default)
{
    unsigned long long blocked = 1, ignored = 1,
                       own = 3ULL << 31; /* 32 and 33 belong to the C library, which ignores them */
    sigset_t all, before;
    int number = -1;

    SYSTEM_NEEDS(system_shows_signals(), "signals in /proc/self/status");
    sigfillset(&all);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    assert_int_equal(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status > \"$1\"", LONG, &number), OC_SPAWN_EXITED);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(sscanf(cache_read_text("other"), "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & ~own, 0);
}

/* The script has a child of its own, which stops writing. */
TEST(too_slow_is_killed_with_its_children)
{
    int number = -1;
    pid_t pid;

    assert_int_equal(
        shell("trap '' TERM; sleep 60 & echo $! > \"$1\"; wait; sleep 60", apr_time_from_msec(300), &number),
        OC_SPAWN_TOO_SLOW);
    pid = (pid_t)atoi(cache_read_text("other"));
    assert_true(pid > 1);
    while (kill(pid, 0) == 0) { /* until init or a subreaper has reaped it */
        char name[64], state_of = 'Z';
        FILE *stat = fopen(apr_psprintf(cache_pool, "/proc/%d/stat", (int)pid), "r");

        if (stat && fscanf(stat, "%*d %63s %c", name, &state_of) != 2)
            state_of = 'Z';
        if (stat)
            fclose(stat);
        if (state_of == 'Z')
            break;
        usleep(1000);
    }
}

/* Until the program has written its number. */
static const char *ready;
static atomic_int is_ready;

static void *stop_when_ready(void *data)
{
    struct stat st;

    (void)data;
    while (stat(ready, &st) != 0 || st.st_size == 0)
        usleep(1000);
    atomic_store(&is_ready, 1);
    return NULL;
}

TEST(stop_ends_the_wait)
{
    const char *argv[] = {"/bin/sleep", "60", NULL};
    atomic_int stop = 1;
    int number = -1;

    assert_int_equal(oc_spawn_run(argv, NOTHING, LONG, &stop, &number), OC_SPAWN_STOPPED);
    assert_int_equal(number, 0);
}

/* Otherwise it would outlive the server. */
TEST(stop_kills_a_program_that_ignores_sigterm)
{
    const char *argv[] = {"/bin/sh", "-c", "trap '' TERM; echo $$ > \"$0\"; while :; do sleep 1; done",
                          cache_in_folder("other"), NULL};
    pthread_t thread;
    int number = -1;
    char text[16] = "";
    int fd;

    ready = argv[3];
    atomic_store(&is_ready, 0);
    assert_int_equal(pthread_create(&thread, NULL, stop_when_ready, NULL), 0);
    assert_int_equal(oc_spawn_run(argv, NOTHING, LONG, &is_ready, &number), OC_SPAWN_STOPPED);
    pthread_join(thread, NULL);
    fd = open(ready, O_RDONLY);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    assert_int_equal(kill((pid_t)atoi(text), 0), -1);
    assert_int_equal(errno, ESRCH);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_folder_setup, cache_folder_teardown)
