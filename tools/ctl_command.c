/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Writes a command for the running server and watches the ledger and the cache's file for its effect: a command gets no
 * reply.
 */
#include "ctl_command.h"

#include "base/disk.h"
#include "cache/file.h"

#include <apr_strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define GLANCE (APR_USEC_PER_SEC / 10)

/* Two tools would overwrite each other's command. */
static apr_status_t take_turn(const char *path, apr_time_t deadline, apr_pool_t *pool, const char **problem)
{
    apr_status_t rv;

    while ((rv = oc_file_lock(path, pool, problem)) == APR_EBUSY && apr_time_now() < deadline)
        apr_sleep(GLANCE);
    return rv;
}

static void explain(const ctl_t *ctl, const char *path, apr_interval_time_t timeout)
{
    const char *folder = oc_disk_folder(path, ctl->pool);
    int seconds = (int)apr_time_sec(timeout);
    struct stat st;

    if (!oc_file_lock_holder(ctl->path, ctl->pool))
        ctl_say("the server stopped in the meantime");
    else if (geteuid() == 0 && stat(folder, &st) == 0 && !(st.st_mode & S_IXOTH))
        ctl_say("not done within %d s. The server's children must be able to read %s, but other users cannot enter the "
                "folder %s: chmod o+x",
                seconds, path, folder);
    else
        ctl_say("not done within %d s. See the server's error log; --timeout waits longer", seconds);
}

int ctl_command_run(const ctl_t *ctl, const ctl_stock_t *stock, oc_command_t *command, apr_interval_time_t timeout,
                    ctl_done_fn *done, void *data, int *is_done)
{
    const char *path = oc_command_path(ctl->path, ctl->pool), *problem = NULL;
    apr_time_t deadline = apr_time_now() + timeout;
    apr_pool_t *pool;
    apr_status_t rv;

    *is_done = 0;
    if (!stock->server)
        return ctl_trouble(ctl, "no server is running with the cache %s", ctl->path);
    apr_pool_create(&pool, ctl->pool);
    rv = take_turn(path, deadline, pool, &problem);
    command->number = apr_time_now();
    if (rv == APR_SUCCESS)
        rv = oc_command_leave(command, path, pool, &problem);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return ctl_trouble(ctl, "%s", rv == APR_EBUSY ? "another " CTL_PROGRAM " is waiting for the server" : problem);
    }
    while (!(*is_done = done(data)) && apr_time_now() < deadline && oc_file_lock_holder(ctl->path, pool))
        apr_sleep(GLANCE);
    if (!*is_done)
        explain(ctl, path, timeout);
    unlink(path);
    apr_pool_destroy(pool);
    return CTL_OK;
}
