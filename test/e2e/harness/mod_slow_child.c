/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Every other child takes long in child_init, between the first and the last module. Compiled by a test, never
 * installed.
 *
 *   SlowChild MILLISECONDS
 */
#include <httpd.h>

#include <apr_time.h>
#include <http_config.h>
#include <stdlib.h>
#include <unistd.h>

static int milliseconds;

static const char *set(cmd_parms *cmd, void *dummy, const char *argument)
{
    (void)cmd;
    (void)dummy;
    milliseconds = atoi(argument);
    return NULL;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    (void)pchild;
    (void)s;
    if (getpid() % 2 == 0)
        apr_sleep(apr_time_from_msec(milliseconds));
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
}

static const command_rec directives[] = {AP_INIT_TAKE1("SlowChild", set, NULL, RSRC_CONF, "milliseconds"),
                                         {.name = NULL}};

AP_DECLARE_MODULE(slow_child) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, directives, register_hooks, AP_MODULE_FLAG_NONE,
};
