/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_response_folder: see oc_response_folder.h. Runs in worker threads of unprivileged children, which read with their own rights.
 */
#include "state/response_folder.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Remember a state; was it another one? */
static int remember(oc_response_folder_seen_t *seen, const struct stat *st)
{
    oc_response_folder_seen_t now = {st->st_mtim.tv_sec, st->st_mtim.tv_nsec, st->st_ino, (uint64_t)st->st_size};
    int is_same = memcmp(seen, &now, sizeof(now)) == 0;

    *seen = now;
    return !is_same;
}

static apr_status_t read_all(int fd, apr_size_t max_len, const unsigned char **der, apr_size_t *der_len,
                             apr_pool_t *pool)
{
    unsigned char *buffer = apr_palloc(pool, max_len + 1);
    apr_size_t len = 0;

    while (len <= max_len) {
        ssize_t n = read(fd, buffer + len, max_len + 1 - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            break;
        len += (apr_size_t)n;
    }
    *der = buffer;
    *der_len = len;
    return APR_SUCCESS;
}

apr_status_t oc_response_folder_read(const char *folder, const char *serial, apr_size_t max_len,
                                     oc_response_folder_seen_t *seen, const char **path, const unsigned char **der,
                                     apr_size_t *der_len, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    struct stat st;
    int fd;

    *path = apr_pstrcat(pool, folder, "/", serial, ".der", NULL);
    fd = open(*path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold the thread up */
    if (fd < 0)
        return errno;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        rv = APR_EINVAL;
    else if (!remember(seen, &st))
        rv = APR_EEXIST;
    else
        rv = read_all(fd, max_len, der, der_len, pool);
    close(fd);
    return rv;
}

int oc_response_folder_has_changed(const char *folder, oc_response_folder_seen_t *seen)
{
    struct stat st;

    return stat(folder, &st) == 0 && remember(seen, &st);
}
