/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ctl: see ctl.h.
 */
#include "ctl.h"

#include "cache/file.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <errno.h>
#include <apr_lib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DURATION_MAX 1000000 /* of any unit */

int ctl_has(const ctl_t *ctl, int letter)
{
    return ctl->values[letter] != NULL;
}

int ctl_is_json(const ctl_t *ctl)
{
    return ctl_has(ctl, 'j');
}

void ctl_say(const char *format, ...)
{
    va_list args;

    (void)fputs(CTL_PROGRAM ": ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

static int is_plugin(const ctl_t *ctl)
{
    return ctl->command && ctl->command->is_plugin;
}

/* A monitoring system shows the first line of the standard output, and that alone. */
static int give_up(const ctl_t *ctl, const char *text, const char *hint)
{
    if (is_plugin(ctl)) {
        printf("OCSP UNKNOWN - %s\n", text);
        return CTL_UNKNOWN;
    }
    ctl_say("%s%s", text, hint);
    return CTL_TROUBLE;
}

int ctl_usage(const ctl_t *ctl, const char *format, ...)
{
    const char *text, *name = ctl->command ? ctl->command->name : "";
    va_list args;

    va_start(args, format);
    text = apr_pvsprintf(ctl->pool, format, args);
    va_end(args);
    return give_up(ctl, text,
                   apr_pstrcat(ctl->pool, "\nTry `" CTL_PROGRAM " ", name, *name ? " " : "", "--help`.", NULL));
}

int ctl_trouble(const ctl_t *ctl, const char *format, ...)
{
    const char *text;
    va_list args;

    va_start(args, format);
    text = apr_pvsprintf(ctl->pool, format, args);
    va_end(args);
    return give_up(ctl, text, "");
}

apr_status_t ctl_write_file(const ctl_t *ctl, const char *path, const void *bytes, apr_size_t len)
{
    /* With the same ending: in a folder of certificates, haproxy leaves alone what ends with ".ocsp", and loads all else. */
    const char *name = strrchr(path, '/') ? strrchr(path, '/') : path,
               *ending = strrchr(name, '.') ? strrchr(name, '.') : "";
    char *fresh = apr_pstrcat(ctl->pool, path, ".XXXXXX", ending, NULL);
    apr_status_t rv = APR_SUCCESS;
    apr_size_t done = 0;
    int fd = mkstemps(fresh, (int)strlen(ending));

    if (fd < 0)
        return errno;
    while (rv == APR_SUCCESS && done < len) {
        ssize_t n = write(fd, (const char *)bytes + done, len - done);

        if (n >= 0)
            done += (apr_size_t)n;
        else if (errno != EINTR)
            rv = errno;
    }
    if (rv == APR_SUCCESS && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
        rv = errno;
    close(fd);
    if (rv == APR_SUCCESS && rename(fresh, path) != 0)
        rv = errno;
    if (rv != APR_SUCCESS)
        unlink(fresh);
    return rv;
}

static const char *option_name(const ctl_t *ctl, int letter)
{
    const ctl_option_t *option = ctl->command->options;

    while (option->name && option->letter != letter)
        option++;
    return option->name ? option->name : "";
}

int ctl_duration(const ctl_t *ctl, int letter, apr_interval_time_t fallback, apr_interval_time_t *duration)
{
    static const struct {
        const char *name;
        apr_interval_time_t length;
    } units[] = {{"", APR_USEC_PER_SEC},          {"ms", 1000},
                 {"s", APR_USEC_PER_SEC},         {"m", 60 * APR_USEC_PER_SEC},
                 {"min", 60 * APR_USEC_PER_SEC},  {"h", 3600 * APR_USEC_PER_SEC},
                 {"d", 86400 * APR_USEC_PER_SEC}, {"w", 604800 * APR_USEC_PER_SEC}};
    const char *text = ctl->values[letter];
    apr_int64_t number;
    char *unit;
    unsigned i;

    *duration = fallback;
    if (!text)
        return CTL_OK;
    number = apr_strtoi64(text, &unit, 10);
    for (i = 0; apr_isdigit(*text) && number <= DURATION_MAX && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].name) == 0) {
            *duration = number * units[i].length;
            return CTL_OK;
        }
    }
    return ctl_usage(ctl, "--%s: '%s' is no duration: write a number and ms, s, min, h, d or w, as in 12h",
                     option_name(ctl, letter), text);
}

/* ---- which cache ---- */

static int is_cache(const char *path, apr_pool_t *pool)
{
    const char *problem;
    oc_file_load_t loaded;

    return oc_file_load(path, 0, NULL, NULL, &loaded, pool, &problem) == APR_SUCCESS; /* its head alone */
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The caches in a folder; NULL: it cannot be read, *rv says why. */
static apr_array_header_t *list_caches(const char *folder, apr_pool_t *pool, apr_status_t *rv)
{
    apr_array_header_t *paths = apr_array_make(pool, 4, sizeof(const char *));
    apr_finfo_t info;
    apr_dir_t *dir;

    *rv = apr_dir_open(&dir, folder, pool);
    if (*rv != APR_SUCCESS)
        return NULL;
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        const char *path = apr_pstrcat(pool, folder, "/", info.name, NULL), *dot = strrchr(info.name, '.');

        /* Not one that is being written, nor the lock, which is as empty as a cache may be. */
        if (!(dot && (strcmp(dot, ".new") == 0 || strcmp(dot, ".lock") == 0)) && is_cache(path, pool))
            APR_ARRAY_PUSH(paths, const char *) = path;
    }
    apr_dir_close(dir);
    qsort(paths->elts, (size_t)paths->nelts, sizeof(const char *), by_name);
    return paths;
}

static int find_in(ctl_t *ctl, const char *folder)
{
    apr_status_t rv;
    apr_array_header_t *paths = list_caches(folder, ctl->pool, &rv);
    char why[120];

    if (!paths)
        return ctl_trouble(ctl, "cannot look for a cache in %s: %s. Name the cache's file with --file", folder,
                           apr_strerror(rv, why, sizeof(why)));
    if (paths->nelts == 0)
        return ctl_trouble(ctl,
                           "there is no cache that you may read in %s. Name the file that SSLStaplingCache names with "
                           "--file; `apachectl -t -D DUMP_OCSP_CACHE` prints it",
                           folder);
    if (paths->nelts > 1)
        return ctl_trouble(ctl, "there are several caches in %s; name one of them with --file:\n  %s", folder,
                           apr_array_pstrcat(ctl->pool, paths, '\n'));
    ctl->path = APR_ARRAY_IDX(paths, 0, const char *);
    return CTL_OK;
}

int ctl_cache_find(ctl_t *ctl)
{
    const char *named = ctl->values['f'];
    apr_finfo_t info;

    if (!named)
        return find_in(ctl, OC_CACHE_DIR);
    if (apr_stat(&info, named, APR_FINFO_TYPE, ctl->pool) == APR_SUCCESS && info.filetype == APR_DIR)
        return find_in(ctl, named);
    ctl->path = named;
    return CTL_OK;
}
