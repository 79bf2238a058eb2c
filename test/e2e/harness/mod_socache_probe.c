/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Lets test_socache.py call any socache provider as a module of httpd does. Compiled by the test, never installed.
 *
 *   SocacheProbe NAME PROVIDER [ARGUMENT]      an instance, initialised under the consumer's name NAME
 *   SetHandler socache-probe                   /?cache=NAME&op=...: one call, or a loop of calls, answered in JSON
 *
 * An id is `id`, repeated up to `idlen` bytes. A value is made of its number `seed` and its length `len`, so that
 * a reader can tell whether it is intact: see make_value(). If a provider requires a mutex around its calls,
 * it gets one.
 */
#include <ap_provider.h>
#include <ap_socache.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <httpd.h>
#include <mod_status.h>
#include <util_mutex.h>

#include <stdlib.h>
#include <unistd.h>

#ifndef PROBE_LATE
#define PROBE_LATE 0
#endif
#define MUTEX_TYPE "socache-probe"
#define ROOM_MAX 70000
#define CANARY 0xa5
#define N_KEYS 64 /* of the loops */

typedef struct {
    const char *name;
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
} cache_t;

static apr_array_header_t *caches; /* of cache_t */
static apr_global_mutex_t *mutex;

/* ---- values ---- */

static unsigned char value_byte(unsigned seed, unsigned i)
{
    return (unsigned char)(seed * 7 + i * 31 + i / 256);
}

static void make_value(unsigned char *data, unsigned len, unsigned seed)
{
    unsigned i;

    for (i = 0; i < len; i++)
        data[i] = value_byte(seed, i);
}

static int is_value(const unsigned char *data, unsigned len, unsigned seed)
{
    unsigned i;

    for (i = 0; i < len; i++)
        if (data[i] != value_byte(seed, i))
            return 0;
    return 1;
}

/* ---- the request's arguments ---- */

static const char *argument(request_rec *r, const char *name)
{
    apr_size_t n = strlen(name);
    const char *p = r->args, *end;

    while (p && !(strncmp(p, name, n) == 0 && p[n] == '=')) {
        p = strchr(p, '&');
        p = p ? p + 1 : NULL;
    }
    if (!p)
        return NULL;
    end = strchr(p, '&');
    return end ? apr_pstrmemdup(r->pool, p + n + 1, (apr_size_t)(end - p) - n - 1) : p + n + 1;
}

static apr_int64_t number(request_rec *r, const char *name, apr_int64_t otherwise)
{
    const char *text = argument(r, name);

    return text ? apr_atoi64(text) : otherwise;
}

typedef struct {
    const unsigned char *bytes;
    unsigned len;
} bytes_t;

static bytes_t the_id(request_rec *r)
{
    const char *text = argument(r, "id");
    bytes_t id = {(const unsigned char *)"", 0};
    unsigned i, n = text ? (unsigned)strlen(text) : 0;
    unsigned char *bytes;

    if (n == 0)
        return id;
    id.len = (unsigned)number(r, "idlen", n);
    bytes = apr_palloc(r->pool, id.len + 1);
    for (i = 0; i < id.len; i++)
        bytes[i] = (unsigned char)text[i % n];
    id.bytes = bytes;
    return id;
}

static const char *status_name(apr_status_t rv, apr_pool_t *pool)
{
    return rv == APR_SUCCESS    ? "ok"
           : rv == APR_NOTFOUND ? "not found"
           : rv == APR_ENOSPC   ? "no space"
           : rv == APR_EINVAL   ? "invalid"
                                : apr_psprintf(pool, "%d", rv);
}

/* ---- calls ---- */

static void lock(const cache_t *cache)
{
    if (cache->provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE)
        apr_global_mutex_lock(mutex);
}

static void unlock(const cache_t *cache)
{
    if (cache->provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE)
        apr_global_mutex_unlock(mutex);
}

/* Parameters: seed, len, ttl (microseconds from now, may be negative). */
static void do_store(request_rec *r, const cache_t *cache)
{
    unsigned len = (unsigned)number(r, "len", 0);
    unsigned char *data = apr_palloc(r->pool, len + 1);
    bytes_t id = the_id(r);
    apr_status_t rv;

    make_value(data, len, (unsigned)number(r, "seed", 0));
    lock(cache);
    rv = cache->provider->store(cache->instance, r->server, id.bytes, id.len,
                                apr_time_now() + number(r, "ttl", apr_time_from_sec(600)), data, len, r->pool);
    unlock(cache);
    ap_rprintf(r, "{\"rv\": \"%s\"}\n", status_name(rv, r->pool));
}

/* Parameters: seed and len of the value that is expected, room. What the provider leaves in a buffer that it was given
 * no more than `room` bytes of: "touched" is how many of them it wrote at most, "overrun" whether it wrote behind them.
 */
static void do_retrieve(request_rec *r, const cache_t *cache)
{
    unsigned room = (unsigned)number(r, "room", ROOM_MAX - 100), len = room, touched, i;
    unsigned char *buffer = apr_palloc(r->pool, ROOM_MAX);
    bytes_t id = the_id(r);
    apr_status_t rv;
    int overrun = 0;

    memset(buffer, CANARY, ROOM_MAX);
    lock(cache);
    rv = cache->provider->retrieve(cache->instance, r->server, id.bytes, id.len, buffer, &len, r->pool);
    unlock(cache);
    for (touched = room; touched > 0 && buffer[touched - 1] == CANARY; touched--)
        ;
    for (i = room; i < ROOM_MAX; i++)
        overrun |= buffer[i] != CANARY;
    ap_rprintf(r, "{\"rv\": \"%s\", \"overrun\": %s, ", status_name(rv, r->pool), overrun ? "true" : "false");
    if (rv == APR_SUCCESS)
        ap_rprintf(r, "\"len\": %u, \"whole\": %s}\n", len,
                   len <= room && is_value(buffer, len, (unsigned)number(r, "seed", 0)) ? "true" : "false");
    else
        ap_rprintf(r, "\"touched\": %s}\n", touched ? "true" : "false");
}

static void do_remove(request_rec *r, const cache_t *cache)
{
    bytes_t id = the_id(r);
    apr_status_t rv;

    lock(cache);
    rv = cache->provider->remove(cache->instance, r->server, id.bytes, id.len, r->pool);
    unlock(cache);
    ap_rprintf(r, "{\"rv\": \"%s\"}\n", status_name(rv, r->pool));
}

/* Store a value that expires within `ttl` microseconds and read it until it is gone. A read that finds it must have
 * begun before the expiry, one that does not must have ended at or after it: "early" and "late" count those that break
 * this. */
static void do_expire(request_rec *r, const cache_t *cache)
{
    unsigned char data[8], buffer[8];
    unsigned len, found = 0, early = 0, late = 0;
    bytes_t id = the_id(r);
    apr_time_t expiry = apr_time_now() + number(r, "ttl", 50000), before, after;
    apr_status_t rv;

    make_value(data, sizeof(data), 1);
    lock(cache);
    rv = cache->provider->store(cache->instance, r->server, id.bytes, id.len, expiry, data, sizeof(data), r->pool);
    unlock(cache);
    while (rv == APR_SUCCESS) {
        len = sizeof(buffer);
        lock(cache);
        before = apr_time_now();
        rv = cache->provider->retrieve(cache->instance, r->server, id.bytes, id.len, buffer, &len, r->pool);
        after = apr_time_now();
        unlock(cache);
        found += rv == APR_SUCCESS;
        late += rv == APR_SUCCESS && before >= expiry;
        early += rv != APR_SUCCESS && after < expiry;
        if (before > expiry + apr_time_from_sec(5))
            break;
    }
    ap_rprintf(r, "{\"rv\": \"%s\", \"seen\": %s, \"early\": %u, \"late\": %u}\n", status_name(rv, r->pool),
               found ? "true" : "false", early, late);
}

typedef struct {
    request_rec *r;
    unsigned n, stop_at, bad;
    int print;
} walk_t;

/* Ids are "kNN"; the value's seed is NN. Ids of other forms are counted, and their values not looked at. */
static apr_status_t visit(ap_socache_instance_t *instance, server_rec *s, void *userctx, const unsigned char *id,
                          unsigned int idlen, const unsigned char *data, unsigned int datalen, apr_pool_t *pool)
{
    walk_t *walk = userctx;

    (void)instance;
    (void)s;
    (void)pool;
    walk->bad += id[idlen] != '\0' || data[datalen] != '\0';
    if (id[0] == 'k')
        walk->bad += !is_value(data, datalen, (unsigned)atoi((const char *)id + 1));
    if (walk->print)
        ap_rprintf(walk->r, "%s[\"%s\", %u]", walk->n ? ", " : "", ap_escape_html(walk->r->pool, (const char *)id),
                   datalen);
    return ++walk->n == walk->stop_at ? APR_EINCOMPLETE : APR_SUCCESS;
}

/* Parameter stop: after how many entries the iterator asks to stop. */
static void do_iterate(request_rec *r, const cache_t *cache)
{
    walk_t walk = {r, 0, (unsigned)number(r, "stop", 0), 0, 1};
    apr_status_t rv;

    ap_rputs("{\"entries\": [", r);
    lock(cache);
    rv = cache->provider->iterate(cache->instance, r->server, &walk, visit, r->pool);
    unlock(cache);
    ap_rprintf(r, "], \"bad\": %u, \"rv\": \"%s\"}\n", walk.bad,
               rv == APR_EINCOMPLETE ? "as the iterator said" : status_name(rv, r->pool));
}

static void do_status(request_rec *r, const cache_t *cache)
{
    lock(cache);
    cache->provider->status(cache->instance, r, (int)number(r, "short", 0) ? AP_STATUS_SHORT : 0);
    unlock(cache);
}

/* ---- loops, for requests that run at the same time ---- */

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

/* Store and remove for `ms` milliseconds. The header is sent at once: then the client knows that a child has begun. */
static void do_write(request_rec *r, const cache_t *cache)
{
    apr_time_t end = apr_time_now() + number(r, "ms", 500) * 1000;
    unsigned state = (unsigned)getpid(), stored = 0, failed = 0, key, len;
    unsigned char *data = apr_palloc(r->pool, ROOM_MAX);
    apr_status_t rv;
    char id[16];

    ap_rflush(r);
    while (apr_time_now() < end) {
        key = next_random(&state) % N_KEYS;
        len = next_random(&state) % 3000;
        apr_snprintf(id, sizeof(id), "k%04u", key);
        make_value(data, len, key);
        lock(cache);
        if (next_random(&state) % 8 == 0)
            rv = cache->provider->remove(cache->instance, r->server, (unsigned char *)id, 5, r->pool);
        else
            rv = cache->provider->store(cache->instance, r->server, (unsigned char *)id, 5,
                                        apr_time_now() + apr_time_from_sec(600), data, len, r->pool);
        unlock(cache);
        stored += rv == APR_SUCCESS;
        failed += rv != APR_SUCCESS && rv != APR_NOTFOUND;
    }
    ap_rprintf(r, "{\"pid\": %d, \"done\": %u, \"bad\": %u}\n", (int)getpid(), stored, failed);
}

/* Retrieve, or iterate, for `ms` milliseconds while others write; every value must be whole. Header as above. */
static void do_read(request_rec *r, const cache_t *cache)
{
    apr_time_t end = apr_time_now() + number(r, "ms", 500) * 1000;
    unsigned state = (unsigned)getpid(), found = 0, bad = 0, key, len;
    unsigned char *buffer = apr_palloc(r->pool, ROOM_MAX);
    int walks = number(r, "walk", 0) != 0;
    apr_pool_t *pool;
    apr_status_t rv;
    char id[16];

    ap_rflush(r);
    apr_pool_create(&pool, r->pool);
    while (apr_time_now() < end) {
        walk_t walk = {r, 0, 0, 0, 0};

        key = next_random(&state) % N_KEYS;
        len = ROOM_MAX;
        apr_snprintf(id, sizeof(id), "k%04u", key);
        lock(cache);
        if (walks)
            rv = cache->provider->iterate(cache->instance, r->server, &walk, visit, pool);
        else
            rv = cache->provider->retrieve(cache->instance, r->server, (unsigned char *)id, 5, buffer, &len, pool);
        unlock(cache);
        found += walks ? walk.n : rv == APR_SUCCESS;
        bad += walks ? walk.bad + (rv != APR_SUCCESS) : rv == APR_SUCCESS && !is_value(buffer, len, key);
        bad += rv != APR_SUCCESS && rv != APR_NOTFOUND;
        apr_pool_clear(pool);
    }
    ap_rprintf(r, "{\"pid\": %d, \"done\": %u, \"bad\": %u}\n", (int)getpid(), found, bad);
}

static const struct {
    const char *name;
    void (*run)(request_rec *r, const cache_t *cache);
} operations[] = {{"store", do_store},     {"retrieve", do_retrieve}, {"remove", do_remove}, {"expire", do_expire},
                  {"iterate", do_iterate}, {"status", do_status},     {"write", do_write},   {"read", do_read}};

static int handler(request_rec *r)
{
    const char *name, *op;
    unsigned i;
    int c;

    if (!r->handler || strcmp(r->handler, "socache-probe") != 0)
        return DECLINED;
    name = argument(r, "cache");
    op = argument(r, "op");
    ap_set_content_type(r, "text/plain");
    for (c = 0; name && op && c < caches->nelts; c++) {
        const cache_t *cache = &APR_ARRAY_IDX(caches, c, cache_t);

        for (i = 0; strcmp(cache->name, name) == 0 && i < sizeof(operations) / sizeof(operations[0]); i++) {
            if (strcmp(operations[i].name, op) == 0) {
                operations[i].run(r, cache);
                return OK;
            }
        }
    }
    return HTTP_BAD_REQUEST;
}

/* ---- configuration, in the hooks in which mod_ssl does the same ---- */

static const char *add_cache(cmd_parms *cmd, void *dummy, const char *name, const char *provider, const char *arg)
{
    cache_t *cache = apr_array_push(caches);
    const char *error;

    (void)dummy;
    cache->name = name;
    cache->provider = ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, provider, AP_SOCACHE_PROVIDER_VERSION);
    if (!cache->provider)
        return apr_psprintf(cmd->pool, "SocacheProbe: no provider %s", provider);
    error = cache->provider->create(&cache->instance, arg, cmd->temp_pool, cmd->pool);
    return error ? apr_pstrcat(cmd->pool, "SocacheProbe: ", error, NULL) : NULL;
}

static apr_status_t destroy_all(void *server)
{
    int c;

    for (c = 0; c < caches->nelts; c++) {
        const cache_t *cache = &APR_ARRAY_IDX(caches, c, cache_t);

        if (cache->instance)
            cache->provider->destroy(cache->instance, server);
    }
    return APR_SUCCESS;
}

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    caches = apr_array_make(pconf, 4, sizeof(cache_t));
    return ap_mutex_register(pconf, MUTEX_TYPE, NULL, APR_LOCK_DEFAULT, 0) == APR_SUCCESS ? OK
                                                                                          : HTTP_INTERNAL_SERVER_ERROR;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    int c;

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    if (ap_global_mutex_create(&mutex, NULL, MUTEX_TYPE, NULL, s, pconf, 0) != APR_SUCCESS)
        return HTTP_INTERNAL_SERVER_ERROR;
    apr_pool_cleanup_register(pconf, s, destroy_all, apr_pool_cleanup_null);
    for (c = 0; c < caches->nelts; c++) {
        const cache_t *cache = &APR_ARRAY_IDX(caches, c, cache_t);

        if (cache->provider->init(cache->instance, cache->name, NULL, s, pconf) != APR_SUCCESS)
            return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    if (apr_global_mutex_child_init(&mutex, apr_global_mutex_lockfile(mutex), pchild) != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "socache probe: no mutex in this child");
}

static const command_rec commands[] = {
    AP_INIT_TAKE23("SocacheProbe", add_cache, NULL, RSRC_CONF, "name, provider, argument of the provider"), {0}};

static void register_hooks(apr_pool_t *pconf)
{
    static const char *const ocsp_cache[] = {"mod_ocsp_cache.c", NULL};

    (void)pconf;
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    if (PROBE_LATE) /* a consumer may begin its cache before or behind the provider's own post_config */
        ap_hook_post_config(post_config, ocsp_cache, NULL, APR_HOOK_LAST);
    else
        ap_hook_post_config(post_config, NULL, ocsp_cache, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(socache_probe) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, register_hooks,
                                    AP_MODULE_FLAG_NONE};
