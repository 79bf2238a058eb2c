/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Parses the argument of SSLStaplingCache, chooses the default file and size. It does not open the cache.
 */
#include "server/argument.h"

#include "base/selinux.h"
#include "cache/file.h"
#include "cache/shm.h"

#include <apr_strings.h>
#include <errno.h>
#include <http_config.h>
#include <http_core.h>
#include <http_main.h>
#include <mpm_common.h>

#ifndef OC_CACHE_DIR
#define OC_CACHE_DIR "/var/cache/apache2"
#endif

#define SIZE_DEFAULT 4194304
#define SIZE_MAX_BYTES (APR_INT64_C(1) << 36)
#define ACCEPTED_FORM "Write ocsp_cache, ocsp_cache:/path/to/file or ocsp_cache:/path/to/file(size in bytes)"

/* "path", "path(size)" or "(size)", with spaces and parentheses allowed in the path: as mod_socache_shmcb reads it. */
static const char *split(oc_argument_t *argument, const char *arg, apr_pool_t *pool)
{
    const char *open = strrchr(arg, '('), *close = open ? strrchr(open, ')') : NULL;
    apr_int64_t size;
    char *stop;

    if (!open) {
        if (*arg && arg[strlen(arg) - 1] == ')')
            return apr_psprintf(pool, "no opening parenthesis in '%s'. " ACCEPTED_FORM, arg);
        argument->path = *arg ? apr_pstrdup(pool, arg) : NULL;
        return NULL;
    }
    if (!close || close[1] != '\0')
        return apr_psprintf(pool, "no closing parenthesis at the end of '%s'. " ACCEPTED_FORM, arg);
    size = apr_strtoi64(open + 1, &stop, 10);
    if (stop != close || stop == open + 1)
        return apr_psprintf(pool, "the size '%.*s' in '%s' is not a number. " ACCEPTED_FORM, (int)(close - open - 1),
                            open + 1, arg);
    if (size < OC_SHM_SIZE_MIN || size >= SIZE_MAX_BYTES)
        return apr_psprintf(pool,
                            "the size %" APR_INT64_T_FMT
                            " in '%s' is out of range: it must be from %d to %" APR_INT64_T_FMT
                            " bytes. " ACCEPTED_FORM,
                            size, arg, OC_SHM_SIZE_MIN, SIZE_MAX_BYTES - 1);
    argument->size = (apr_size_t)size;
    argument->path = open > arg ? apr_pstrmemdup(pool, arg, (apr_size_t)(open - arg)) : NULL;
    return NULL;
}

/* The name of the default file differs between the servers of one machine: by their root and their PidFile. */
static const char *default_path(apr_pool_t *pool)
{
    const char *p, *root = ap_server_root ? ap_server_root : "", *pid = ap_pid_fname ? ap_pid_fname : "";
    unsigned hash = 5381;

    for (p = apr_pstrcat(pool, root, "\n", pid, NULL); *p; p++)
        hash = hash * 33 + (unsigned char)*p;
    return apr_psprintf(pool, OC_CACHE_DIR "/ocsp_cache-%08x", hash);
}

/* httpd 2.4's shmcb takes a relative path from ServerRoot, later ones from DefaultRuntimeDir; neither ever opens the
 * file. This one does, so a path that was meant for shmcb is taken from where its folder exists: DefaultRuntimeDir
 * first. NULL: no path. */
static const char *resolve(const char *path, apr_pool_t *pool)
{
    const char *at_run = ap_runtime_dir_relative(pool, path), *at_root = ap_server_root_relative(pool, path);

    if (at_run && at_root && !oc_file_has_folder(at_run, pool) && oc_file_has_folder(at_root, pool))
        return at_root;
    return at_run;
}

const char *oc_argument_parse(oc_argument_t *argument, const char *text, apr_pool_t *pool)
{
    const char *error;

    argument->path = NULL;
    argument->size = SIZE_DEFAULT;
    error = split(argument, text ? text : "", pool);
    if (error || !argument->path)
        return error;
    argument->path = resolve(argument->path, pool);
    return argument->path ? NULL : apr_psprintf(pool, "'%s' is not a valid path. " ACCEPTED_FORM, text);
}

const char *oc_argument_file(const oc_argument_t *argument, apr_pool_t *pool)
{
    return argument->path ? argument->path : default_path(pool);
}

static const char *advice(apr_status_t reason, const char *path, apr_pool_t *pool)
{
    const char *folder = ap_make_dirstr_parent(pool, path);

    if (APR_STATUS_IS_ENOENT(reason))
        return apr_psprintf(pool, "Create the folder (`mkdir -p %s`), or name a file in another one", folder);
    if (APR_STATUS_IS_ENOTDIR(reason))
        return "Name a file in a folder that exists";
    if (reason == EROFS)
        return "The file system is read-only: make it writable (in a systemd unit: ReadWritePaths=), or name a file on "
               "another one";
    if (APR_STATUS_IS_EACCES(reason) || reason == EPERM)
        return apr_psprintf(pool, "Let the user who starts the server write there%s, or name a file in another folder",
                            oc_selinux_is_on() ? apr_psprintf(pool, " (SELinux: `restorecon -Rv %s`)", folder) : "");
    if (APR_STATUS_IS_ENOSPC(reason))
        return "Free space on that disk, or name a file on another one";
    return reason == APR_EGENERAL ? NULL /* the problem's text has the advice */ : "Name a file in another folder";
}

const char *oc_argument_memory_only(const char *directive, const char *problem, apr_status_t reason, const char *path,
                                    apr_pool_t *pool)
{
    const char *text = advice(reason, path, pool);

    return apr_psprintf(pool, "%s: %s. The cache is kept in memory only, and is lost when the server stops%s%s",
                        directive, problem, text ? ". " : "", text ? text : "");
}
