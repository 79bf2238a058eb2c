/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Parses the argument of SSLStaplingCache, chooses the default file and size, and checks the file. It does not open the
 * cache.
 */
#include "server/argument.h"

#include "cache/file.h"
#include "cache/shm.h"
#include "server/module.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <mpm_common.h>
#include <unistd.h>

APLOG_USE_MODULE(ocsp_cache);

#ifndef OC_CACHE_DIR
#define OC_CACHE_DIR "/var/cache/apache2"
#endif

#define SIZE_DEFAULT 4194304
#define SIZE_MAX_BYTES (APR_INT64_C(1) << 36)
#define ACCEPTED_FORM "Write ocsp_cache, ocsp_cache:/path/to/file or ocsp_cache:/path/to/file(size in bytes)"

/* "path", "path(size)" or "(size)", with spaces and parentheses allowed in the path: as mod_socache_shmcb reads it. */
/* Split it, whatever the path is. */
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
                            " in '%s' is out of range: it has to be from %d to %" APR_INT64_T_FMT
                            " bytes. " ACCEPTED_FORM,
                            size, arg, OC_SHM_SIZE_MIN, SIZE_MAX_BYTES - 1);
    argument->size = (apr_size_t)size;
    argument->path = open > arg ? apr_pstrmemdup(pool, arg, (apr_size_t)(open - arg)) : NULL;
    return NULL;
}

/* The default file tells the servers of one machine apart: by their root and their PidFile. */
static const char *default_path(apr_pool_t *pool)
{
    const char *p, *root = ap_server_root ? ap_server_root : "", *pid = ap_pid_fname ? ap_pid_fname : "";
    unsigned hash = 5381;

    for (p = apr_pstrcat(pool, root, "\n", pid, NULL); *p; p++)
        hash = hash * 33 + (unsigned char)*p;
    return apr_psprintf(pool, OC_CACHE_DIR "/ocsp_cache-%08x", hash);
}

/* httpd 2.4's shmcb takes a relative path from ServerRoot, later ones from DefaultRuntimeDir; neither ever opens the
 * file. This one does, so a path that was written for shmcb is taken from where its folder is: DefaultRuntimeDir first.
 * NULL: no path. */
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

int oc_argument_check(const oc_argument_t *argument, server_rec *s, apr_pool_t *ptemp)
{
    const char *path = oc_argument_file(argument, ptemp), *problem = NULL;
    apr_status_t rv = oc_file_check(path, ptemp, &problem);

    if (rv == APR_SUCCESS && oc_file_is_volatile(path, ptemp))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "SSLStaplingCache: %s lies in memory (tmpfs) and is lost at a reboot; after one, clients get "
                     "no staple until the responders have answered. A folder like " OC_CACHE_DIR " lasts",
                     path);
    if (rv == APR_SUCCESS)
        return OK;
    if (APR_STATUS_IS_EACCES(rv) && geteuid() != 0 && ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "SSLStaplingCache: %s. This is no error if the server is started by root, as whom this test "
                     "does not run",
                     problem);
        return OK;
    }
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "SSLStaplingCache: %s. " ACCEPTED_FORM ", in a folder that exists",
                 problem);
    return HTTP_INTERNAL_SERVER_ERROR;
}
