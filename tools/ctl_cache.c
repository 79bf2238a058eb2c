/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Finds the cache that a command uses, and explains what to do if it cannot be read. Locks, creates and removes
 * nothing.
 */
#include "ctl.h"

#include "base/disk.h"
#include "cache/file.h"
#include "state/manifest.h"

#include <apr_env.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_user.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_cache(const char *path, apr_pool_t *pool)
{
    oc_file_load_t loaded;
    struct stat st;

    return stat(path, &st) == 0 && st.st_size > 0
           && oc_file_load(path, 0, NULL, NULL, &loaded, pool) == APR_SUCCESS; /* its head alone */
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

        if (!(dot && strcmp(dot, ".new") == 0) && is_cache(path, pool)) /* not one that is being written */
            APR_ARRAY_PUSH(paths, const char *) = path;
    }
    apr_dir_close(dir);
    qsort(paths->elts, (size_t)paths->nelts, sizeof(const char *), by_name);
    return paths;
}

/* Of several, those that have a manifest: a server writes one next to its cache. The table of client certificates
 * (OCSPCacheClientFile) is a file of the same kind and has none, nor has a copy. All of them where none has. */
static apr_array_header_t *prefer_served(apr_array_header_t *paths, apr_pool_t *pool)
{
    apr_array_header_t *served = apr_array_make(pool, paths->nelts, sizeof(const char *));
    struct stat st;
    int i;

    for (i = 0; i < paths->nelts; i++) {
        const char *path = APR_ARRAY_IDX(paths, i, const char *);

        if (stat(oc_manifest_path(path, pool), &st) == 0)
            APR_ARRAY_PUSH(served, const char *) = path;
    }
    return served->nelts > 0 ? served : paths;
}

static int find_in(ctl_t *ctl, const char *folder)
{
    apr_status_t rv;
    apr_array_header_t *paths = list_caches(folder, ctl->pool, &rv);
    char why[120];

    if (!paths)
        return ctl_trouble(ctl, "cannot look for a cache in %s: %s%s", folder, apr_strerror(rv, why, sizeof(why)),
                           ctl_become_owner(folder, ctl->pool));
    if (paths->nelts == 0)
        return ctl_trouble(ctl,
                           "%s contains no cache that you may read%s. Use --file with the file that SSLStaplingCache "
                           "names; `apachectl -t -D DUMP_OCSP_CACHE` prints it",
                           folder, ctl_become_owner(folder, ctl->pool));
    paths = prefer_served(paths, ctl->pool);
    if (paths->nelts > 1)
        return ctl_trouble(ctl, "%s contains several caches; name one of them with --file: %s", folder,
                           apr_array_pstrcat(ctl->pool, paths, ' '));
    ctl->path = APR_ARRAY_IDX(paths, 0, const char *);
    return CTL_OK;
}

int ctl_cache_find(ctl_t *ctl)
{
    const char *named = ctl->values['f'];
    char *variable = NULL;
    apr_finfo_t info;

    if (!named && apr_env_get(&variable, "OCSP_CACHE_FILE", ctl->pool) == APR_SUCCESS && *variable)
        named = variable;
    if (!named)
        return find_in(ctl, OC_CACHE_DIR);
    if (apr_stat(&info, named, APR_FINFO_TYPE, ctl->pool) == APR_SUCCESS && info.filetype == APR_DIR)
        return find_in(ctl, named);
    ctl->path = named;
    return CTL_OK;
}

const char *ctl_become_owner(const char *path, apr_pool_t *pool)
{
    struct stat st;
    char *name;

    if ((lstat(path, &st) != 0 && stat(oc_disk_folder(path, pool), &st) != 0) || st.st_uid == geteuid())
        return "";
    if (geteuid() == 0) /* it can read every file; what it refuses, the server refuses too */
        return "";
    if (st.st_uid == 0)
        return ". It belongs to root: run this as root, with sudo for example";
    if (apr_uid_name_get(&name, st.st_uid, pool) != APR_SUCCESS)
        return apr_psprintf(pool, ". It belongs to user %lu: run this as that user", (unsigned long)st.st_uid);
    return apr_psprintf(pool, ". It belongs to %s: run this as that user, with `sudo -u %s` for example", name, name);
}
