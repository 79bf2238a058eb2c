/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Runs the collected work in a process forked from the parent, with the parent's rights and memory and without
 * listening sockets. It ends with the parent. It may wait for a mutex that a child holds, which the parent must not.
 * httpd reaps it.
 */
#include "server/later.h"

#include "base/platform.h"
#include "server/module.h"

#include <ap_listen.h>
#include <apr_thread_proc.h>
#include <errno.h>
#include <http_log.h>
#include <http_main.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

APLOG_USE_MODULE(ocsp_cache);

#define PROCESS_NAME "ocsp-cache-disk"
#define KILL_PATIENCE apr_time_from_msec(200)
#define END_PATIENCE apr_time_from_sec(10)
#define STEP apr_time_from_msec(10)

typedef struct {
    const oc_later_t *what;
    void *data;
} item_t;

/* The process, as registered with httpd. In its own pool, which is destroyed when httpd has reaped it. */
typedef struct {
    apr_proc_t proc;
    apr_pool_t *pool;
} apart_t;

static struct {
    apr_array_header_t *items; /* of item_t; in pconf */
    pid_t server;              /* the parent, which waits for the end of the work; 0: not started yet */
    apart_t *apart;            /* NULL: no process is known to be busy */
} later;

void oc_later_add(const oc_later_t *what, void *data)
{
    item_t *item = apr_array_push(later.items);

    item->what = what;
    item->data = data;
}

static void work_off(server_rec *s)
{
    int i;

    for (i = 0; i < later.items->nelts; i++) {
        item_t *item = &APR_ARRAY_IDX(later.items, i, item_t);

        item->what->work(item->data, s);
    }
}

static void leave_all(void)
{
    int i;

    for (i = 0; i < later.items->nelts; i++) {
        item_t *item = &APR_ARRAY_IDX(later.items, i, item_t);

        if (item->what->leave)
            item->what->leave(item->data);
    }
}

/* ---- the process ---- */

static void run_apart(pid_t parent, server_rec *s)
{
    oc_platform_end_with_parent();
    if (getppid() != parent)
        _exit(1);
    ap_close_listeners();
    work_off(s);
    _exit(0);
}

/* ---- the parent ---- */

/* httpd has reaped it. APR does not drop the registration of a process that ended, and would read it. */
static void on_end(int reason, void *data, int status)
{
    apart_t *apart = data;

    (void)status;
    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST)
        return;
    if (later.apart == apart)
        later.apart = NULL;
    apr_proc_other_child_unregister(apart);
    apr_pool_destroy(apart->pool);
}

/* @return 1: it has ended */
static int wait_for_end(apr_interval_time_t patience)
{
    apr_interval_time_t waited = 0;

    while (waitpid(later.apart->proc.pid, NULL, WNOHANG) == 0) {
        if (waited >= patience)
            return 0;
        apr_sleep(STEP);
        waited += STEP;
    }
    on_end(APR_OC_REASON_DEATH, later.apart, 0);
    return 1;
}

static apr_status_t end_with_server(void *data)
{
    (void)data;
    if (later.server == getpid() && later.apart && !wait_for_end(END_PATIENCE))
        kill(later.apart->proc.pid, SIGKILL); /* it must not run at the same time as the next server */
    return APR_SUCCESS;
}

static void register_apart(pid_t pid)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, ap_pglobal);
    later.apart = apr_pcalloc(pool, sizeof(*later.apart));
    later.apart->pool = pool;
    later.apart->proc.pid = pid;
    apr_proc_other_child_register(&later.apart->proc, on_end, later.apart, NULL, pool);
}

/* A process that hangs in a disk operation stays registered, so that httpd recognizes it when it ends. */
static void end_former(void)
{
    if (!later.apart)
        return;
    kill(later.apart->proc.pid, SIGKILL);
    (void)wait_for_end(KILL_PATIENCE);
    later.apart = NULL;
}

void oc_later_reset(apr_pool_t *pconf)
{
    end_former();
    later.items = apr_array_make(pconf, 4, sizeof(item_t));
}

void oc_later_run(server_rec *s)
{
    pid_t parent = getpid(), pid;

    if (later.server == 0) {
        later.server = parent;
        apr_pool_pre_cleanup_register(ap_pglobal, NULL, end_with_server);
        work_off(s);
        return;
    }
    if (later.items->nelts == 0)
        return;
    pid = oc_platform_fork(PROCESS_NAME); /* so that an operator never takes it for a child that serves */
    if (pid == 0)
        run_apart(parent, s);
    if (pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, errno, s,
                     "cannot start a process that writes the cache file: this reload waits for the disk");
        work_off(s);
        return;
    }
    leave_all();
    register_apart(pid);
}
