/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Probes of the system: see support_system.h.
 */
#include "support_system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int system_is_emulated(void)
{
    return getenv("OC_TEST_EMULATED") != NULL;
}

/* Runs @a take in a child that then kills itself. @return 1: it had taken what it should */
static int killed_after(int (*take)(void *), void *what)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (take(what) == 0)
            (void)raise(SIGKILL);
        _exit(1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status);
}

/* What APR's mutexes are, or with PTHREAD_PRIO_NONE those of the module. @return 0, or an error */
static int init_mutex(pthread_mutex_t *mutex, int protocol)
{
    pthread_mutexattr_t attr;
    int error;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setprotocol(&attr, protocol);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    error = pthread_mutex_init(mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    return error;
}

int system_creates_robust_mutexes(void)
{
    pthread_mutex_t mutex;

    return init_mutex(&mutex, PTHREAD_PRIO_NONE) == 0;
}

static int take_mutex(void *mutex)
{
    return pthread_mutex_lock(mutex);
}

int system_has_robust_mutexes(void)
{
    pthread_mutex_t *mutex = mmap(NULL, sizeof(*mutex), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int has;

    if (mutex == MAP_FAILED)
        return 0;
    has = init_mutex(mutex, PTHREAD_PRIO_NONE) == 0 && killed_after(take_mutex, mutex)
          && pthread_mutex_trylock(mutex) == EOWNERDEAD;
    if (has)
        pthread_mutex_unlock(mutex); /* or this thread's list of robust mutexes would lead to memory that is unmapped */
    munmap(mutex, sizeof(*mutex));
    return has;
}

/* In a process of its own: the C library ends it where the kernel does not know the holder. */
static void wait_for_holder(pthread_mutex_t *mutex)
{
    pid_t holder = fork();

    if (holder == 0) {
        pthread_mutex_lock(mutex);
        usleep(200000);
        pthread_mutex_unlock(mutex);
        _exit(0);
    }
    while (pthread_mutex_trylock(mutex) == 0) {
        pthread_mutex_unlock(mutex);
        usleep(1000);
    }
    _exit(pthread_mutex_lock(mutex) == 0 ? 0 : 1);
}

int system_has_inheriting_mutexes(void)
{
    pthread_mutex_t *mutex = mmap(NULL, sizeof(*mutex), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child;
    int status, has = 0;

    if (mutex == MAP_FAILED)
        return 0;
    if (init_mutex(mutex, PTHREAD_PRIO_INHERIT) == 0) {
        child = fork();
        if (child == 0)
            wait_for_holder(mutex);
        has = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    munmap(mutex, sizeof(*mutex));
    return has;
}

static int take_file(void *fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(*(int *)fd, F_SETLK, &whole);
}

int system_has_file_locks(void)
{
    FILE *file = tmpfile();
    int fd, has;

    if (!file)
        return 0;
    fd = fileno(file);
    has = killed_after(take_file, &fd) && take_file(&fd) == 0;
    (void)fclose(file);
    return has;
}

int system_reports_exec(void)
{
    char name[] = "/nonexistent/program", *argv[] = {name, NULL}, *none[] = {NULL};
    pid_t child = 0;
    int error = posix_spawn(&child, name, NULL, NULL, argv, none);

    if (error == 0)
        (void)waitpid(child, NULL, 0);
    return error == ENOENT;
}

int system_confines(void)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(1);
        syscall(SYS_getppid);
        syscall(SYS_exit, 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* The emulator gives the signals above 32 other numbers. */
static int shows_ignored(int number)
{
    unsigned long long ignored = 0;
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];

    (void)signal(number, SIG_IGN);
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "SigIgn: %llx", &ignored) == 1)
            break;
    return (int)(ignored >> (number - 1) & 1);
}

int system_shows_signals(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(shows_ignored(SIGRTMIN) ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
