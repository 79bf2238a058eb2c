/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * OCSP stapling for Apache httpd from a shared-memory cache, which SSLStaplingCache names and which is refreshed in the
 * background. This file is the table of contents: the hooks, in the order in which httpd calls them. ARCHITECTURE.md
 * has the design.
 */
#include "version.h"
#include "config/configtest.h"
#include "config/directives.h"
#include "config/dump.h"
#include "config/inventory.h"
#include "config/unprimed.h"
#include "refresh/leader.h"
#include "refresh/refresh.h"
#include "refresh/shared_store.h"
#include "server/cache_size.h"
#include "server/client_service.h"
#include "server/later.h"
#include "server/managed.h"
#include "server/module.h"
#include "server/mutex.h"
#include "server/provider.h"
#include "server/settings.h"
#include "server/ssl_hooks.h"
#include "server/stats.h"
#include "status/client_list.h"
#include "status/handler.h"
#include "status/mod_status.h"
#include "status/post.h"

#include <dlfcn.h>
#include <ap_mpm.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mpm_common.h>

/* A reload that removes this module leaves mod_ssl with a pointer into it, because mod_ssl never resets its stapling
 * cache. So the code must stay mapped. This is -z nodelete for builds by a plain apxs command. */
static void stay_mapped(void)
{
    Dl_info info;

    if (dladdr(&ocsp_cache_module, &info) && info.dli_fname)
        (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

static void test_config(apr_pool_t *pconf, server_rec *main_server)
{
    const apr_array_header_t *certificates;
    apr_pool_t *pool;

    apr_pool_create(&pool, pconf);
    certificates = oc_inventory_read(main_server, pool);
    oc_configtest_run(main_server, certificates, pool);
    oc_dump(certificates, pool);
    apr_pool_destroy(pool);
}

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    oc_settings_reset(pconf);
    oc_managed_reset(pconf);
    oc_provider_reset();
    oc_shared_store_reset();
    oc_client_table_reset();
    oc_later_reset(pconf);
    return oc_mutex_register(pconf) == APR_SUCCESS ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

/* Called for each certificate of each TLS vhost, stapling or not. */
static int prime(server_rec *s, apr_pool_t *pool, const char *id, apr_size_t id_len, const char *pem)
{
    int rv = oc_ssl_hooks_prime(s, pool, id, id_len, pem);

    if (rv == DECLINED && oc_settings_is_active() && ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG)
        oc_configtest_unstapled(s, pem, pool);
    return rv;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    int rv;

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK; /* the first of two passes: mod_ssl has not begun a cache, and httpd discards the results */
    rv = oc_client_table_post_config(pconf, main_server);
    if (rv != OK)
        return rv;
    oc_unprimed_find(main_server, pconf);
    rv = oc_refresh_post_config(pconf, main_server);
    oc_cache_size_check(main_server);
    oc_stats_open(pconf, main_server);
    oc_status_post_post_config(pconf, main_server);
    oc_mod_status_post_config(pconf);
    return rv;
}

/* After every consumer's post_config: only then is it known which caches this configuration uses again. */
static int settle(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    (void)pconf;
    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    oc_provider_settle();
    oc_later_run(main_server);
    return OK;
}

/* Before other modules: one of them may start a thread that stores. */
static void open_child(apr_pool_t *pchild, server_rec *main_server)
{
    oc_provider_child_init(pchild, main_server);
}

/* After all other modules: the refresher must not run in a child that is not complete. */
static void start_child(apr_pool_t *pchild, server_rec *main_server)
{
    (void)main_server;
    oc_refresh_child_init(pchild);
}

#if AP_MODULE_MAGIC_AT_LEAST(20120211, 110) /* 2.4.49; before it, a child that ends by itself finishes no work */
#define HAS_CHILD_STOPPING
static void stop_child(apr_pool_t *pchild, int is_graceful)
{
    (void)pchild;
    oc_leader_child_stopping(is_graceful);
}
#endif

static int pre_connection(conn_rec *c, void *socket)
{
    (void)socket;
    if (!c->master) /* not a stream of HTTP/2 */
        oc_leader_count_connection();
    return OK;
}

static void register_hooks(apr_pool_t *pconf)
{
    static const char *const mod_md[] = {"mod_md.c", NULL}; /* mod_md's stapling takes precedence */
    static const char *const mod_ssl[] = {"mod_ssl.c", NULL};

    stay_mapped();
    oc_provider_register(pconf);
    oc_client_service_register();
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(oc_settings_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_test_config(test_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_ssl_ocsp_prime_hook(prime, mod_md, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, mod_ssl, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(settle, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_child_init(open_child, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_child_init(start_child, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_pre_connection(pre_connection, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_ssl_ocsp_get_resp_hook(oc_ssl_hooks_get_resp, mod_md, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_read_request(oc_ssl_hooks_tell_request, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(oc_status_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(oc_client_list_handler, NULL, NULL, APR_HOOK_MIDDLE);
    oc_mod_status_register();
#ifdef HAS_CHILD_STOPPING
    ap_hook_child_stopping(stop_child, NULL, NULL, APR_HOOK_MIDDLE);
#endif
}

AP_DECLARE_MODULE(ocsp_cache) = {
    STANDARD20_MODULE_STUFF,
    NULL, /* per-directory configuration: none */
    NULL,
    oc_settings_create_server,
    oc_settings_merge_server,
    oc_directives,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
