/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A slow or full disk, preloaded into httpd. $OC_TEST_DISK names a file of two 64-bit numbers, which is
 * mapped so that every process sees at once what the test writes: by how many milliseconds each write and flush is
 * late, and whether the disk is full. $OC_TEST_DISK_FOLDER is the folder whose files are concerned; it must have no
 * symbolic link in it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *settings; /* late_ms, is_full */
static const char *folder;

__attribute__((constructor)) static void map_settings(void)
{
    const char *name = getenv("OC_TEST_DISK");
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, 2 * sizeof(*settings), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (mapped != MAP_FAILED)
        settings = mapped;
    if (fd >= 0)
        close(fd);
    folder = getenv("OC_TEST_DISK_FOLDER");
}

static int is_concerned(int fd)
{
    char link[64], path[4096];
    ssize_t len;

    if (!settings || !folder || (settings[0] == 0 && settings[1] == 0))
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    return len > 0 && (size_t)len > strlen(folder) && strncmp(path, folder, strlen(folder)) == 0;
}

/* Waits as long as the disk is late. @return whether the disk has room */
static int use_disk(int fd)
{
    int before = errno;

    if (is_concerned(fd)) {
        struct timespec left = {(time_t)(settings[0] / 1000), (long)(settings[0] % 1000) * 1000000};

        while (nanosleep(&left, &left) != 0 && errno == EINTR)
            ;
        if (settings[1]) {
            errno = ENOSPC;
            return 0;
        }
    }
    errno = before;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t len)
{
    return use_disk(fd) ? REAL(write)(fd, bytes, len) : -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return use_disk(fd) ? REAL(pwrite)(fd, bytes, len, at) : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return use_disk(fd) ? REAL(pwrite64)(fd, bytes, len, at) : -1;
}

int ftruncate(int fd, off_t len)
{
    return use_disk(fd) ? REAL(ftruncate)(fd, len) : -1;
}

int ftruncate64(int fd, off64_t len)
{
    return use_disk(fd) ? REAL(ftruncate64)(fd, len) : -1;
}

int posix_fallocate(int fd, off_t at, off_t len)
{
    return use_disk(fd) ? REAL(posix_fallocate)(fd, at, len) : ENOSPC;
}

int posix_fallocate64(int fd, off64_t at, off64_t len)
{
    return use_disk(fd) ? REAL(posix_fallocate64)(fd, at, len) : ENOSPC;
}

/* A full disk flushes what it has. */
int fsync(int fd)
{
    use_disk(fd);
    return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    use_disk(fd);
    return REAL(fdatasync)(fd);
}
