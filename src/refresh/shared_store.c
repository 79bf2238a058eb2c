/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Calls the socache provider in threads of its own, as no provider has a deadline that the module can set: apr_memcache
 * waits for an answer without limit, and mod_socache_redis of httpd 2.4 passes microseconds to apr_redis, which expects
 * seconds, so that five seconds become eight days. Such a call cannot be interrupted. So each call has its own memory,
 * which a thread may still use long after the caller has stopped waiting.
 */
#include "refresh/shared_store.h"

#include "base/deadline.h"
#include "base/workers.h"
#include "fleet/breaker.h"
#include "fleet/entry.h"
#include "server/module.h"
#include "server/mutex.h"
#include "server/provider.h"
#include "server/settings.h"

#include <ap_provider.h>
#include <ap_socache.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_log.h>
#include <stdlib.h>
#include <unistd.h>

APLOG_USE_MODULE(ocsp_cache);

#define CONSUMER "ocsp-shared" /* the provider's name for this module; redis and memcache begin their keys with it */
#define NAME_MAX_LEN 112       /* twice that and the consumer is what memcached takes */
#define THREADS 4              /* so many may hang at a time; then the store is not used until one returns */
#define KEEP_MAX apr_time_from_sec(29 * 86400) /* memcached reads more than 30 days as a date */
#define KEEP_MIN apr_time_from_sec(2)          /* providers round down to whole seconds and reject 0 */
#define STOP_PATIENCE apr_time_from_msec(100)

/* One call of the provider. */
typedef struct {
    oc_task_t task; /* first: a call is a task */
    oc_breaker_call_t about;
    int is_abandoned; /* its caller has stopped waiting: done() frees it. Under the workers' lock */
    apr_status_t status;
    apr_time_t expiry;
    unsigned len; /* of data; of a get: its size before */
    char name[NAME_MAX_LEN];
    unsigned char data[];
} call_t;

/* Set up in the parent, inherited; the workers and what their lock guards belong to the child that refreshes. */
static struct {
    const char *name;
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
    apr_pool_t *pool; /* the instance's */
    int is_ready;
    server_rec *server;
    server_rec *quiet;         /* for the provider's own messages: it would log each failure */
    apr_global_mutex_t *mutex; /* for providers that need one; else NULL */
    oc_workers_t *workers;

    /* Under the workers' lock. */
    oc_breaker_t breaker;
    int has_logged_size;
} store;

static uint64_t self; /* kept across graceful restarts: no server waits for its own claim */

/* ---- the parent ---- */

void oc_shared_store_reset(void)
{
    memset(&store, 0, sizeof(store));
}

typedef struct {
    apr_pool_t *pool;
    pid_t parent;
} lasting_t;

/* The parent opens no connections, so it can free the pool before httpd unloads the provider. */
static apr_status_t destroy_in_parent(void *data)
{
    lasting_t *lasting = data;

    if (getpid() == lasting->parent && !store.workers)
        apr_pool_destroy(lasting->pool);
    return APR_SUCCESS;
}

/* A pool that no child destroys. Connections come and go below it, in several threads: so its allocator has a mutex, as
 * that of httpd's own pools has. */
static apr_pool_t *create_lasting_pool(apr_pool_t *pconf)
{
    apr_allocator_t *allocator = NULL;
    apr_thread_mutex_t *mutex = NULL;
    apr_pool_t *pool = NULL;
    lasting_t *lasting;

    if (apr_allocator_create(&allocator) != APR_SUCCESS)
        return NULL;
    if (apr_pool_create_unmanaged_ex(&pool, NULL, allocator) != APR_SUCCESS
        || apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return NULL;
    apr_allocator_owner_set(allocator, pool);
    apr_allocator_mutex_set(allocator, mutex);
    apr_pool_tag(pool, "ocsp_cache_shared");
    lasting = apr_palloc(pool, sizeof(*lasting));
    lasting->pool = pool;
    lasting->parent = getpid();
    apr_pool_pre_cleanup_register(pconf, lasting, destroy_in_parent);
    return pool;
}

/* The pool of the instance. apr_reslist aborts when it is destroyed while a connection is in use, as at the exit of a
 * child in which a thread hangs: so providers of that kind get a lasting pool. Those that need a mutex work on this
 * machine's files and memory, and get httpd's; apr_dbm keeps its permanent data in the topmost pool above its own. */
static apr_pool_t *choose_pool(apr_pool_t *pconf)
{
    return store.provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE ? pconf : create_lasting_pool(pconf);
}

static const char *known_providers(apr_pool_t *pool)
{
    const apr_array_header_t *names =
        ap_list_provider_names(pool, AP_SOCACHE_PROVIDER_GROUP, AP_SOCACHE_PROVIDER_VERSION);
    const char *list = "";
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, ap_list_provider_names_t).provider_name;

        if (strcmp(name, OC_PROVIDER_NAME) != 0 && strcmp(name, AP_SOCACHE_DEFAULT_PROVIDER) != 0)
            list = apr_pstrcat(pool, list, *list ? ", " : "", name, NULL);
    }
    return *list ? list : "none";
}

const char *oc_shared_store_create(const char *argument, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    const char *colon = strchr(argument, ':'), *error;
    const char *name = colon ? apr_pstrmemdup(ptemp, argument, (apr_size_t)(colon - argument)) : argument;

    if (strcmp(name, OC_PROVIDER_NAME) == 0)
        return "this is the server's own cache, which is not shared with other servers. Name a store, as in "
               "redis:host:6379";
    oc_shared_store_reset();
    if (strcmp(name, "memcached") == 0)
        return apr_psprintf(ptemp, "httpd calls the provider for memcached \"memcache\": write memcache%s",
                            colon ? colon : ":host:11211");
    store.provider = ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name, AP_SOCACHE_PROVIDER_VERSION);
    if (!store.provider)
        return apr_psprintf(ptemp,
                            "there is no socache provider '%s' (known: %s). Load its module: LoadModule "
                            "socache_%s_module modules/mod_socache_%s.so, or `a2enmod socache_%s`",
                            name, known_providers(ptemp), name, name, name);
    store.pool = choose_pool(pconf);
    if (!store.pool)
        return "out of memory";
    error = store.provider->create(&store.instance, colon ? colon + 1 : NULL, ptemp, store.pool);
    if (error)
        return error;
    store.name = apr_pstrdup(store.pool, argument);
    return NULL;
}

static server_rec *make_quiet(server_rec *s, apr_pool_t *pool)
{
    server_rec *quiet = apr_pmemdup(pool, s, sizeof(*s));

    if (APLOG_IS_LEVEL(s, APLOG_TRACE1))
        return s;
    quiet->log.level = APLOG_EMERG;
    quiet->log.module_levels = NULL;
    return quiet;
}

/* The mutex cannot be pconf's: a reload would destroy it while children that drain call the provider. */
void oc_shared_store_init(oc_generation_t *generation, server_rec *main_server)
{
    struct ap_socache_hints hints = {OC_FLEET_ENTRY_NAME_LEN, OC_FLEET_ENTRY_HEAD_LEN + 2048, apr_time_from_sec(300)};
    apr_status_t rv = APR_SUCCESS;

    if (!store.name)
        return;
    store.server = main_server;
    store.quiet = make_quiet(main_server, store.pool);
    if (store.provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE)
        rv = oc_generation_make_mutex(generation, &store.mutex, CONSUMER, main_server);
    if (rv == APR_SUCCESS)
        rv = store.provider->init(store.instance, CONSUMER, &hints, main_server, store.pool);
    store.is_ready = rv == APR_SUCCESS;
    if (self == 0)
        (void)apr_generate_random_bytes((unsigned char *)&self, sizeof(self));
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, main_server,
                     "OCSPCacheShared %s: the provider cannot be initialized; this server obtains each response itself",
                     store.name);
    /* The instance is never destroyed: a dbm would delete its file, which other servers use. */
}

void oc_shared_store_child_init(apr_pool_t *pchild)
{
    if (store.is_ready && store.mutex)
        oc_mutex_child_init(&store.mutex, store.server, pchild);
}

const char *oc_shared_store_provider(void)
{
    return store.is_ready ? store.name : NULL;
}

uint64_t oc_shared_store_self(void)
{
    return self;
}

/* ---- in the store's own threads ---- */

static apr_status_t call_provider(const char *name, int is_put, apr_time_t expiry, unsigned char *data, unsigned *len,
                                  apr_pool_t *pool)
{
    const unsigned char *id = (const unsigned char *)name;
    unsigned id_len = (unsigned)strlen(name);
    apr_status_t rv = store.mutex ? apr_global_mutex_lock(store.mutex) : APR_SUCCESS;

    if (rv != APR_SUCCESS)
        return rv;
    if (is_put)
        rv = store.provider->store(store.instance, store.quiet, id, id_len, expiry, data, *len, pool);
    else
        rv = store.provider->retrieve(store.instance, store.quiet, id, id_len, data, len, pool);
    if (store.mutex)
        (void)apr_global_mutex_unlock(store.mutex);
    return rv;
}

/* mod_socache_redis and mod_socache_memcache return "not found" also when no server of theirs is alive. A general error
 * may concern the store or one key, and mod_socache_dbm returns it instead of "not found". Storing an entry shows
 * whether the store works. */
static apr_status_t probe(apr_pool_t *pool)
{
    unsigned char data[] = "alive";
    unsigned len = sizeof(data) - 1;
    const char *name = apr_pstrcat(pool, oc_settings_global()->shared_prefix, ":probe", NULL);

    return call_provider(name, 1, apr_time_now() + apr_time_from_sec(60), data, &len, pool);
}

static void work(oc_task_t *task, const atomic_int *stop, apr_pool_t *pool)
{
    call_t *call = (call_t *)(void *)task;
    apr_pool_t *own = NULL; /* with its own allocator: memory for data of any size is freed at once */
    apr_status_t rv = apr_pool_create_unmanaged(&own), proof;

    (void)stop;
    (void)pool;
    if (rv == APR_SUCCESS)
        rv = call_provider(call->name, call->about.is_put, call->expiry, call->data, &call->len, own);
    if (!call->about.is_put && ((rv == APR_NOTFOUND && call->about.is_trial) || rv == APR_EGENERAL)) {
        proof = probe(own);
        call->about.is_alive = proof == APR_SUCCESS;
        if (proof != APR_SUCCESS)
            rv = proof;
    }
    call->status = rv;
    if (own)
        apr_pool_destroy(own);
}

static void done(oc_task_t *task)
{
    call_t *call = (call_t *)(void *)task;

    if (call->is_abandoned)
        free(call);
}

void oc_shared_store_start(void)
{
    unsigned n_threads = store.mutex ? 1 : THREADS;
    apr_status_t rv;

    if (!store.is_ready || store.workers)
        return;
    memset(&store.breaker, 0, sizeof(store.breaker));
    store.has_logged_size = 0;
    rv = oc_workers_start(&store.workers, n_threads, 1, n_threads, work, done);
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, store.server, "cannot start a thread for the shared store %s",
                     store.name);
}

unsigned oc_shared_store_stop(void)
{
    oc_workers_t *workers = store.workers;
    unsigned left = workers ? oc_workers_stop(workers, STOP_PATIENCE) : 0;

    if (left == 0)
        store.workers = NULL;
    if (workers && left == 0)
        oc_workers_destroy(workers);
    return left;
}

/* ---- the refresher's threads ---- */

static void log_change(oc_breaker_state_t state, apr_status_t rv, apr_interval_time_t timeout)
{
    char reason[160] = "it answers with an error";

    if (rv == APR_TIMEUP)
        apr_snprintf(reason, sizeof(reason), "it does not answer within %" APR_TIME_T_FMT " ms",
                     apr_time_as_msec(timeout));
    else if (rv == APR_NOTFOUND)
        apr_cpystrn(reason, "none of its servers answers", sizeof(reason));
    else if (rv != APR_EGENERAL)
        apr_strerror(rv, reason, sizeof(reason));

    if (state == OC_BREAKER_UP)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, store.server, "the shared store %s works again", store.name);
    else if (state == OC_BREAKER_READ_ONLY)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, store.server,
                     "the shared store %s accepts no responses: %s. Those in it are still used; each server queries "
                     "the responders itself. Check whether it is full, or a read-only replica",
                     store.name, reason);
    else
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, store.server,
            "the shared store %s cannot be used: %s. Responders are queried without it, and it is tried again from "
            "time to time. Check that it runs, and that this server may connect to it",
            store.name, reason);
}

static call_t *make_call(const char *name, apr_size_t size)
{
    call_t *call = calloc(1, sizeof(*call) + size);

    if (call) {
        apr_cpystrn(call->name, name, sizeof(call->name));
        call->len = (unsigned)size;
    }
    return call;
}

/* @return the call's status; APR_EAGAIN: not called. *call is NULL if a thread of the store owns it. */
static apr_status_t run(call_t **call, const atomic_int *stop)
{
    apr_interval_time_t timeout = oc_settings_global()->shared_timeout;
    apr_status_t waited, rv = APR_EAGAIN;
    oc_breaker_state_t state;
    oc_breaker_call_t about;
    int is_news = 0;

    oc_workers_lock(store.workers);
    if (oc_breaker_may_call(&store.breaker, &(*call)->about, oc_deadline_now())) {
        about = (*call)->about;
        oc_workers_submit(store.workers, &(*call)->task);
        waited = oc_workers_await(store.workers, &(*call)->task, timeout, stop);
        rv = waited == APR_SUCCESS ? (*call)->status : atomic_load(stop) ? APR_EINTR : APR_TIMEUP;
        if (waited == APR_SUCCESS) /* else the store's thread may be writing it */
            about.is_alive = (*call)->about.is_alive;
        is_news = oc_breaker_conclude(&store.breaker, &about, rv, oc_deadline_now());
        if (waited == APR_EBUSY) {
            (*call)->is_abandoned = 1;
            *call = NULL;
        }
    }
    state = store.breaker.state;
    oc_workers_unlock(store.workers);
    if (is_news)
        log_change(state, rv, timeout);
    return rv;
}

apr_status_t oc_shared_store_get(const char *name, const unsigned char **data, apr_size_t *len, apr_size_t max,
                                 const atomic_int *stop, apr_pool_t *pool)
{
    call_t *call = store.workers && !atomic_load(stop) ? make_call(name, max) : NULL;
    apr_status_t rv = call ? run(&call, stop) : APR_NOTFOUND;

    if (rv == APR_SUCCESS && call) {
        *len = call->len;
        *data = apr_pmemdup(pool, call->data, call->len);
    }
    free(call);
    if (rv == APR_SUCCESS)
        return rv;
    return oc_breaker_is_about_size(rv) ? APR_ENOSPC : APR_NOTFOUND;
}

/* Once, as it is permanent: a dbm never has room for such an entry. */
static void log_size(apr_size_t len)
{
    int is_news;

    oc_workers_lock(store.workers);
    is_news = !store.has_logged_size;
    store.has_logged_size = 1;
    oc_workers_unlock(store.workers);
    if (is_news)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, store.server,
                     "the shared store %s has no room for an entry of %" APR_SIZE_T_FMT
                     " bytes: responses like this one are not shared (a dbm takes some 900 bytes)",
                     store.name, len);
}

void oc_shared_store_put(const char *name, const unsigned char *data, apr_size_t len, apr_time_t expiry,
                         const atomic_int *stop)
{
    apr_time_t now = apr_time_now();
    call_t *call = NULL;
    apr_status_t rv;

    if (store.workers && !atomic_load(stop) && expiry - now >= KEEP_MIN)
        call = make_call(name, len);
    if (!call)
        return;
    memcpy(call->data, data, len);
    call->about.is_put = 1;
    call->expiry = expiry - now > KEEP_MAX ? now + KEEP_MAX : expiry;
    rv = run(&call, stop);
    free(call);
    if (oc_breaker_is_about_size(rv))
        log_size(len);
}
