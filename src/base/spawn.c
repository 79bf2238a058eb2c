/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Runs programs for exec_queue.c. posix_spawn(3), not fork(2): between fork and exec a process with threads may take no
 * lock, and a large process would be copied first. It must never wait without a limit.
 */
#include "base/spawn.h"

#include "base/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAP apr_time_from_msec(20)
#define GRACE apr_time_from_msec(500) /* between SIGTERM and SIGKILL */
#define DEATH apr_time_from_sec(1)    /* a killed process that waits for a dead disk may never end: wait this long */

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    int error;

    sigemptyset(&none);
    sigfillset(&all);
    error =
        posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    return error != 0 ? error : posix_spawnattr_setpgroup(attributes, 0);
}

/* Where the C library cannot close the others, exec does: httpd, APR and this module set close-on-exec everywhere. */
static int set_descriptors(posix_spawn_file_actions_t *actions)
{
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    if (error == 0)
        error = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
#endif
    return error;
}

/* @return 0, or the errno */
static int start(pid_t *pid, const char *const *argv, const char *const *environment)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);

    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = set_attributes(&attributes);
        if (error == 0)
            error = set_descriptors(&actions);
        if (error == 0) /* it changes neither array, in spite of its declaration */
            error = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv,
                                (char *const *)(uintptr_t)environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Wait for the end of @a pid until @a deadline. @return OC_PENDING: it has ended; else why the wait is over */
static oc_verdict_t wait_for(pid_t pid, const oc_deadline_t *deadline, int *status)
{
    struct pollfd none = {.fd = -1};

    for (;;) {
        pid_t ended = waitpid(pid, status, WNOHANG);
        oc_verdict_t verdict;

        if (ended == pid || (ended < 0 && errno != EINTR))
            return OC_PENDING;
        verdict = oc_deadline_poll(deadline, &none, 1, oc_deadline_now() + NAP);
        if (verdict != OC_PENDING)
            return verdict;
    }
}

static int is_gone(pid_t pid, int number, apr_interval_time_t patience)
{
    oc_deadline_t deadline;
    int status;

    (void)kill(-pid, number);
    oc_deadline_start(&deadline, patience, NULL);
    return wait_for(pid, &deadline, &status) == OC_PENDING;
}

oc_spawn_end_t oc_spawn_run(const char *const *argv, const char *const *environment, apr_interval_time_t patience,
                            const atomic_int *stop, int *number)
{
    oc_deadline_t deadline;
    pid_t pid = 0;
    int status = 0;

    *number = start(&pid, argv, environment);
    if (*number != 0)
        return OC_SPAWN_NOT_STARTED;
    oc_deadline_start(&deadline, patience, stop);
    switch (wait_for(pid, &deadline, &status)) {
    case OC_PENDING:
        *number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
        return WIFSIGNALED(status) ? OC_SPAWN_SIGNALLED : OC_SPAWN_EXITED;
    case OC_STOPPED:
        if (!is_gone(pid, SIGTERM, GRACE)) /* nothing else would end it */
            (void)is_gone(pid, SIGKILL, DEATH);
        return OC_SPAWN_STOPPED;
    default:
        (void)is_gone(pid, SIGKILL, DEATH);
        return OC_SPAWN_TOO_SLOW;
    }
}
