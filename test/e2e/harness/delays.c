/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A slow machine, preloaded into httpd: how long forks, locks between processes, writes to a disk and looks into a
 * folder take, for how long a rename waits for another process that creates the same temporary file, and which
 * operations fail because the disk is full. $OC_TEST_DELAYS names a file of six 32-bit numbers of milliseconds and one
 * of a bit for each operation that fails; it is mapped, so that every process sees at
 * once what the test writes. The folder $OC_TEST_DELAYS_FOLDER alone is on that disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FORK, LOCK, WRITE, SYNC, LOOK, OVERTAKEN, FULL, KINDS };

enum { FULL_WRITE = 1, FULL_TRUNCATE = 2, FULL_SYNC = 4, FULL_RENAME = 8 }; /* slow.py has the same */

static const volatile int32_t *delays;
static const char *folder;

__attribute__((constructor)) static void map_delays(void)
{
    const char *name = getenv("OC_TEST_DELAYS");
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, KINDS * sizeof(*delays), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (mapped != MAP_FAILED)
        delays = mapped;
    if (fd >= 0)
        close(fd);
    folder = getenv("OC_TEST_DELAYS_FOLDER");
}

static void delay(int kind)
{
    int32_t ms = delays ? delays[kind] : 0;
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};
    int before = errno;

    while (ms > 0 && nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
    errno = before;
}

static int is_there(const char *path)
{
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_file_there(int fd)
{
    char name[64], path[4096];
    ssize_t len;

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    len = readlink(name, path, sizeof(path) - 1);
    if (len < 0)
        return 0;
    path[len] = '\0';
    return is_there(path);
}

/* @return 0, with errno: the disk is full */
static int use_disk(int fd, int kind, int full)
{
    int before = errno;

    if (!delays || (delays[kind] <= 0 && !(delays[FULL] & full)) || !is_file_there(fd)) {
        errno = before;
        return 1;
    }
    delay(kind);
    errno = delays[FULL] & full ? ENOSPC : before;
    return !(delays[FULL] & full);
}

/* ---- processes and locks ---- */

pid_t fork(void)
{
    pid_t (*real)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
    pid_t pid = real();

    if (pid == 0)
        delay(FORK);
    return pid;
}

int flock(int fd, int operation)
{
    if (operation & LOCK_EX)
        delay(LOCK);
    return (int)syscall(SYS_flock, fd, operation);
}

int semop(int id, struct sembuf *operations, size_t n)
{
    if (n > 0 && operations[0].sem_op < 0)
        delay(LOCK);
    return (int)syscall(SYS_semop, id, operations, n);
}

static int lock_file(int fd, int command, void *argument)
{
    if (command == F_SETLKW && ((struct flock *)argument)->l_type == F_WRLCK)
        delay(LOCK);
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, command);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return lock_file(fd, command, argument);
}

int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));

/* ---- the disk ---- */

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    return use_disk(fd, WRITE, FULL_WRITE) ? syscall(SYS_pwrite64, fd, bytes, len, offset) : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
    return use_disk(fd, WRITE, FULL_WRITE) ? syscall(SYS_pwrite64, fd, bytes, len, offset) : -1;
}

int ftruncate(int fd, off_t len)
{
    return use_disk(fd, WRITE, FULL_TRUNCATE) ? (int)syscall(SYS_ftruncate, fd, len) : -1;
}

int ftruncate64(int fd, off64_t len)
{
    return use_disk(fd, WRITE, FULL_TRUNCATE) ? (int)syscall(SYS_ftruncate, fd, len) : -1;
}

int stat(const char *path, struct stat *st)
{
    if (is_there(path))
        delay(LOOK);
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, 0);
}

int fsync(int fd)
{
    return use_disk(fd, SYNC, FULL_SYNC) ? (int)syscall(SYS_fsync, fd) : -1;
}

/* Waits until the name belongs to another file. */
static void be_overtaken(const char *name)
{
    const struct timespec step = {0, 200000};
    struct stat first, seen;
    int32_t steps = delays ? 5 * delays[OVERTAKEN] : 0;

    if (steps <= 0 || lstat(name, &first) != 0)
        return;
    while (steps-- > 0 && (lstat(name, &seen) != 0 || seen.st_ino == first.st_ino))
        nanosleep(&step, NULL);
}

int rename(const char *from, const char *to)
{
    if (is_there(from)) {
        delay(WRITE);
        be_overtaken(from);
        if (delays && delays[FULL] & FULL_RENAME) {
            errno = ENOSPC;
            return -1;
        }
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
