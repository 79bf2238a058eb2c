/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * File access as root in the parent, and reading and writing in children and tools. It must never follow a symbolic
 * link.
 */
#include "base/disk.h"

#include <apr_strings.h>
#include <apr_user.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

apr_status_t oc_disk_fail(apr_status_t rv, const char *what, const char *path, apr_pool_t *pool, const char **problem)
{
    char why[120];

    *problem = apr_psprintf(pool, "cannot %s %s: %s", what, path, apr_strerror(rv, why, sizeof(why)));
    return rv;
}

apr_status_t oc_disk_refuse(const char *path, const char *why, apr_pool_t *pool, const char **problem)
{
    *problem = apr_psprintf(pool, "%s %s", path, why);
    return APR_EGENERAL;
}

apr_status_t oc_disk_keep(apr_status_t rv, apr_pool_t *pool, const char **problem)
{
    if (rv == APR_EGENERAL)
        *problem = apr_pstrcat(pool, *problem, "; it is not changed. Remove it, or name another file", NULL);
    return rv;
}

/* "user www-data", or "user 33" where the name is not known. */
static const char *user_name(uid_t uid, apr_pool_t *pool)
{
    char *name;

    return apr_uid_name_get(&name, uid, pool) == APR_SUCCESS ? apr_pstrcat(pool, "user ", name, NULL)
                                                             : apr_psprintf(pool, "user %lu", (unsigned long)uid);
}

const char *oc_disk_folder(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return slash == path ? "/" : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
}

/* O_NONBLOCK: a FIFO must not block. */
apr_status_t oc_disk_open_own(const char *path, int *fd, off_t *size, apr_pool_t *pool, const char **problem)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        if (errno == ELOOP)
            return oc_disk_refuse(path, "is a symbolic link", pool, problem);
        return errno == ENOENT ? APR_ENOENT : oc_disk_fail(errno, "open", path, pool, problem);
    }
    if (fstat(*fd, &st) != 0) {
        int error = errno;

        close(*fd);
        return oc_disk_fail(error, "read", path, pool, problem);
    }
    if (!S_ISREG(st.st_mode)) {
        close(*fd);
        return oc_disk_refuse(path, "is not a regular file", pool, problem);
    }
    if (st.st_uid != geteuid()) {
        close(*fd);
        return oc_disk_refuse(path, apr_pstrcat(pool, "belongs to ", user_name(st.st_uid, pool), NULL), pool, problem);
    }
    *size = st.st_size;
    return APR_SUCCESS;
}

apr_status_t oc_disk_create(const char *path, int *fd, apr_pool_t *pool, const char **problem)
{
    unlink(path); /* O_EXCL then ensures that the file is ours and not a symbolic link */
    *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return *fd < 0 ? oc_disk_fail(errno, "create", path, pool, problem) : APR_SUCCESS;
}

int oc_disk_restamp(oc_disk_stamp_t *stamp, const struct stat *st)
{
    oc_disk_stamp_t now = {st->st_mtim.tv_sec, st->st_mtim.tv_nsec, st->st_ino, (uint64_t)st->st_size};
    int is_same = memcmp(stamp, &now, sizeof(now)) == 0;

    *stamp = now;
    return !is_same;
}

ssize_t oc_disk_read_at(int fd, void *buffer, size_t len, off_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, (char *)buffer + done, len - done, offset + (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

apr_status_t oc_disk_write_at(int fd, const void *buffer, size_t len, off_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pwrite(fd, (const char *)buffer + done, len - done, offset + (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0) /* a file system that neither writes nor fails: tried again, it might never end */
            return EIO;
        done += (size_t)n;
    }
    return APR_SUCCESS;
}

apr_status_t oc_disk_load(const char *path, apr_size_t max, const char **text, apr_size_t *len, apr_pool_t *pool,
                          const char **problem)
{
    char *buffer;
    off_t size = 0;
    ssize_t got;
    int fd;
    apr_status_t rv = oc_disk_open_own(path, &fd, &size, pool, problem);

    if (rv != APR_SUCCESS)
        return rv;
    if (size > (off_t)max) {
        close(fd);
        return oc_disk_refuse(path, "is too large", pool, problem);
    }
    buffer = apr_palloc(pool, (apr_size_t)size + 1);
    got = oc_disk_read_at(fd, buffer, (size_t)size, 0);
    rv = got < 0 ? errno : APR_SUCCESS;
    close(fd);
    if (rv != APR_SUCCESS)
        return oc_disk_fail(rv, "read", path, pool, problem);
    buffer[got] = '\0';
    *text = buffer;
    *len = (apr_size_t)got;
    return APR_SUCCESS;
}

/* To the disk, before the rename makes it the file. */
static apr_status_t fill(int fd, mode_t mode, const char *text, apr_size_t len)
{
    apr_status_t rv = oc_disk_write_at(fd, text, len, 0);

    if (rv == APR_SUCCESS && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
        rv = errno;
    return rv;
}

apr_status_t oc_disk_save(const char *path, mode_t mode, const char *text, apr_size_t len, apr_pool_t *pool,
                          const char **problem)
{
    const char *fresh = apr_pstrcat(pool, path, ".new", NULL), *old = NULL;
    apr_size_t old_len = 0;
    apr_status_t rv;
    struct stat st;
    int fd;

    if (!text)
        return oc_disk_fail(APR_ENOMEM, "write", path, pool, problem);
    rv = oc_disk_load(path, len, &old, &old_len, pool, problem);
    if (rv == APR_SUCCESS && old_len == len && memcmp(old, text, len) == 0)
        return APR_SUCCESS;
    if (rv == APR_EGENERAL && (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid()))
        return oc_disk_keep(rv, pool, problem); /* but not because it was longer */
    rv = oc_disk_create(fresh, &fd, pool, problem);
    if (rv != APR_SUCCESS)
        return rv;
    rv = fill(fd, mode, text, len);
    close(fd);
    if (rv == APR_SUCCESS && rename(fresh, path) != 0)
        rv = errno;
    if (rv == APR_SUCCESS)
        return rv;
    unlink(fresh);
    return oc_disk_fail(rv, "write", path, pool, problem);
}
