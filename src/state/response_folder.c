/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Finds and reads the file of one certificate. Runs in worker threads of unprivileged children, with their rights. It
 * must never block on an entry (a FIFO) or fill the memory (a device, a huge file).
 */
#include "state/response_folder.h"

#include "base/hex.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static apr_status_t read_all(int fd, apr_size_t max_len, oc_response_file_t *file, apr_pool_t *pool)
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
    file->der = buffer;
    file->der_len = len;
    return APR_SUCCESS;
}

static int open_name(const char *folder, const char *name, oc_response_file_t *file, apr_pool_t *pool)
{
    file->path = apr_pstrcat(pool, folder, "/", name, ".der", NULL);
    return open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block the thread */
}

apr_status_t oc_response_folder_read(const char *folder, const oc_cert_t *cert, apr_size_t max_len,
                                     oc_response_folder_seen_t *seen, oc_response_file_t *file, apr_pool_t *pool)
{
    int fd = open_name(folder, oc_hex_print(cert->id, sizeof(cert->id), pool), file, pool), is_by_serial = 0, is_new;
    apr_status_t rv = APR_SUCCESS;
    struct stat st;

    if (fd < 0 && errno == ENOENT) {
        fd = open_name(folder, cert->serial, file, pool);
        is_by_serial = 1;
    }
    if (fd < 0)
        return errno;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return APR_EINVAL;
    }
    is_new = oc_disk_restamp(&seen->stamp, &st) || is_by_serial != seen->is_by_serial;
    seen->is_by_serial = is_by_serial;
    if (!is_new)
        rv = seen->is_anothers ? APR_ENOENT : APR_EEXIST;
    else
        rv = read_all(fd, max_len, file, pool);
    if (is_new && rv != APR_SUCCESS)
        memset(&seen->stamp, 0, sizeof(seen->stamp)); /* an error that passes must not hide the file */
    seen->is_anothers = seen->is_anothers && !is_new;
    close(fd);
    return rv;
}

int oc_response_folder_disown(oc_response_folder_seen_t *seen)
{
    return seen->is_anothers = seen->is_by_serial;
}

int oc_response_folder_has_changed(const char *folder, oc_disk_stamp_t *seen)
{
    struct stat st;

    return stat(folder, &st) == 0 && oc_disk_restamp(seen, &st);
}
