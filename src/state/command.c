/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Writes and parses commands, and checks who sent them. The tool writes one as root; an unprivileged child reads it,
 * and must never act on a file that another user could have written.
 */
#include "state/command.h"

#include "base/disk.h"
#include "base/hex.h"
#include "base/lines.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIND "ocsp-cache-command"
#define LABEL "OCSP RESPONSE"

const char *oc_command_path(const char *cache_path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, cache_path, ".command", NULL);
}

const char *oc_command_text(const oc_command_t *command, apr_size_t *len, apr_pool_t *pool)
{
    BIO *bio = oc_lines_create(KIND);
    const char *text;
    int i, ok = bio && oc_lines_put_number(bio, "number", command->number)
                && (!command->is_for_all || oc_lines_put(bio, "refresh-all", ""));

    for (i = 0; ok && i < command->items->nelts; i++) {
        const oc_command_item_t *item = &APR_ARRAY_IDX(command->items, i, oc_command_item_t);

        ok = oc_lines_put_hex(bio, item->der ? "import" : "refresh", item->id, OC_CERT_ID_LEN)
             && (!item->der || oc_lines_put_pem(bio, LABEL, item->der, item->der_len));
    }
    text = oc_lines_finish(bio, ok && oc_lines_put(bio, "end", ""), len, pool);
    return text && *len <= OC_COMMAND_SIZE_MAX ? text : NULL;
}

static int take(oc_command_t *command, oc_lines_t *lines, const oc_line_t *line, apr_pool_t *pool)
{
    int is_import = oc_lines_is(line, "import");
    oc_command_item_t item = {{0}, NULL, 0};

    if (oc_lines_is(line, "number"))
        return oc_lines_number(line->value, APR_INT64_MAX, &command->number);
    if (oc_lines_is(line, "refresh-all"))
        return command->is_for_all = 1;
    if ((!is_import && !oc_lines_is(line, "refresh")) || !oc_hex_read(line->value, item.id, sizeof(item.id))
        || (is_import && !oc_lines_next_pem(lines, LABEL, &item.der, &item.der_len, pool)))
        return 0;
    APR_ARRAY_PUSH(command->items, oc_command_item_t) = item;
    return 1;
}

apr_status_t oc_command_parse(oc_command_t *command, const char *text, apr_size_t len, apr_pool_t *pool)
{
    oc_lines_t lines;
    oc_line_t line;

    memset(command, 0, sizeof(*command));
    command->items = apr_array_make(pool, 4, sizeof(oc_command_item_t));
    if (!oc_lines_open(&lines, text, len, KIND, pool))
        return APR_EINVAL;
    while (oc_lines_next(&lines, &line, pool) == 1) {
        if (oc_lines_is(&line, "end"))
            return command->number > 0 ? APR_SUCCESS : APR_EINVAL;
        if (!take(command, &lines, &line, pool))
            return APR_EINVAL;
    }
    return APR_EINVAL;
}

apr_status_t oc_command_leave(const oc_command_t *command, const char *path, apr_pool_t *pool, const char **problem)
{
    apr_size_t len = 0;
    const char *text = oc_command_text(command, &len, pool);

    return oc_disk_save(path, 0644, text, len, pool, problem);
}

/* A planted file could only cause queries to responders; still, only the owner may send one. */
static const char *refusal(const struct stat *st, uid_t owner)
{
    if (!S_ISREG(st->st_mode))
        return "it is not a regular file";
    if (st->st_uid != owner || (st->st_mode & (S_IWGRP | S_IWOTH)))
        return "users other than the owner of the cache file may write to it";
    return st->st_size > OC_COMMAND_SIZE_MAX ? "it is too large" : NULL;
}

static apr_status_t read_command(oc_command_t *command, int fd, uid_t owner, apr_pool_t *pool, const char **why)
{
    struct stat st;
    char *text;
    ssize_t got;

    if (fstat(fd, &st) != 0)
        return errno;
    *why = refusal(&st, owner);
    if (*why)
        return APR_EACCES;
    text = apr_palloc(pool, (apr_size_t)st.st_size + 1);
    got = oc_disk_read_at(fd, text, (size_t)st.st_size, 0);
    if (got < 0)
        return errno;
    *why = "it is incomplete, or of another version";
    return oc_command_parse(command, text, (apr_size_t)got, pool);
}

apr_status_t oc_command_look(oc_command_t *command, oc_command_box_t *box, apr_time_t now, apr_pool_t *pool,
                             const char **problem)
{
    const char *why = NULL;
    struct stat st;
    char text[120];
    apr_status_t rv;
    apr_interval_time_t age;
    int fd;

    if (lstat(box->path, &st) != 0)
        return APR_ENOENT;
    if (!oc_disk_restamp(&box->seen, &st))
        return APR_EEXIST;
    age = now - apr_time_from_sec(st.st_mtim.tv_sec);
    if (age > OC_COMMAND_AGE_MAX || age < -OC_COMMAND_AGE_MAX)
        return APR_ENOENT;

    fd = open(box->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return APR_ENOENT;
    rv = fd < 0 ? errno : read_command(command, fd, box->owner, pool, &why);
    if (fd >= 0)
        close(fd);
    if (rv != APR_SUCCESS)
        *problem = apr_psprintf(pool, "%s: %s", box->path, why ? why : apr_strerror(rv, text, sizeof(text)));
    return rv;
}
