/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The dump of the certificates and of the cache's file, as a table and as JSON. Root runs it most often, so it parses
 * no ASN.1 that children have written.
 */
#include "config/dump.h"

#include "mod_md.h"
#include "base/hex.h"
#include "cache/shm.h"
#include "config/inventory.h"
#include "server/managed.h"
#include "server/provider.h"
#include "server/settings.h"
#include "state/reader.h"
#include "view/view.h"

#include <apr_env.h>
#include <apr_strings.h>
#include <http_core.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

typedef struct {
    apr_pool_t *pool;
    apr_time_t now;
    int has_cache; /* 0: the configuration has no cache of this module, and the lists are empty */
    oc_reader_t reader;
    apr_array_header_t *problems; /* const char *: what cannot be read, and why */
    apr_array_header_t *views;    /* oc_view_t: the certificates of the configuration */
    apr_array_header_t *unused;   /* oc_view_t: records of certificates that the configuration does not name */
} dump_t;

/* ---- collecting ---- */

static oc_view_t view_of(const dump_t *dump, const oc_listed_t *listed)
{
    server_rec *first = APR_ARRAY_IDX(listed->servers, 0, server_rec *);
    apr_array_header_t *hosts = apr_array_make(dump->pool, listed->servers->nelts, sizeof(const char *));
    oc_targets_t targets;
    oc_view_t view;
    int i;

    for (i = 0; i < listed->servers->nelts; i++)
        APR_ARRAY_PUSH(hosts, const char *) =
            oc_managed_host(APR_ARRAY_IDX(listed->servers, i, server_rec *), dump->pool);
    oc_settings_targets(first, listed->cert, &targets, dump->pool);
    memset(&view, 0, sizeof(view));
    view.host = APR_ARRAY_IDX(hosts, 0, const char *);
    view.hosts = hosts;
    (void)oc_inventory_name(listed, dump->pool);
    oc_view_take_cert(&view, listed->cert);
    view.url = targets.url;
    view.urls = targets.urls;
    view.is_refreshed = targets.is_refreshed;
    view.lacks_issuer = view.is_refreshed && !listed->has_issuer && !listed->unread;
    view.issuer = listed->issuer;
    if (view.lacks_issuer)
        view.is_refreshed = 0;
    else
        oc_reader_fill(&dump->reader, &view);
    return view;
}

static void add_problem(dump_t *dump, const char *problem)
{
    APR_ARRAY_PUSH(dump->problems, const char *) = problem;
}

static void add_unread(dump_t *dump, const apr_array_header_t *all)
{
    char why[120];
    int i;

    for (i = 0; i < all->nelts; i++) {
        const oc_listed_t *listed = APR_ARRAY_IDX(all, i, const oc_listed_t *);

        if (listed->status == APR_ENOTIMPL)
            add_problem(dump,
                        apr_pstrcat(dump->pool, listed->file, " is not a file: its certificate is not listed", NULL));
        else if (listed->status == APR_EINVAL)
            add_problem(dump, apr_pstrcat(dump->pool, listed->file, ": ", listed->problem, NULL));
        else if (!listed->cert)
            add_problem(dump, apr_pstrcat(dump->pool, "cannot read ", listed->file, ": ",
                                          apr_strerror(listed->status, why, sizeof(why)), NULL));
    }
}

static void add_unused(dump_t *dump, const apr_array_header_t *stapled)
{
    apr_hash_t *used = apr_hash_make(dump->pool);
    int i;

    for (i = 0; i < stapled->nelts; i++) {
        const oc_cert_t *cert = APR_ARRAY_IDX(stapled, i, const oc_listed_t *)->cert;

        apr_hash_set(used, cert->id, OC_CERT_ID_LEN, cert);
    }
    for (i = 0; i < dump->reader.records->nelts; i++) {
        const oc_reader_record_t *record = APR_ARRAY_IDX(dump->reader.records, i, const oc_reader_record_t *);
        oc_view_t *view;

        if (apr_hash_get(used, record->id, OC_CERT_ID_LEN))
            continue;
        view = apr_array_push(dump->unused);
        memset(view, 0, sizeof(*view));
        memcpy(view->id, record->id, OC_CERT_ID_LEN);
        view->is_refreshed = 1;
        oc_reader_fill(&dump->reader, view);
    }
}

static void begin(dump_t *dump, apr_pool_t *pool)
{
    memset(dump, 0, sizeof(*dump));
    dump->pool = pool;
    dump->now = apr_time_now();
    dump->problems = apr_array_make(pool, 4, sizeof(const char *));
    dump->views = apr_array_make(pool, 16, sizeof(oc_view_t));
    dump->unused = apr_array_make(pool, 4, sizeof(oc_view_t));
}

static void collect(dump_t *dump, const apr_array_header_t *certificates)
{
    const oc_global_conf_t *conf = oc_settings_global();
    apr_array_header_t *stapled;
    apr_pool_t *pool = dump->pool;
    int i;

    dump->has_cache = 1;
    oc_reader_load(&dump->reader, oc_argument_file(&conf->cache, pool),
                   oc_file_blocks_max(oc_shm_blocks(conf->cache.size)), pool);
    if (dump->reader.status != APR_SUCCESS && dump->reader.status != APR_ENOENT)
        add_problem(dump, dump->reader.problem);
    if (dump->reader.ledger_status != APR_SUCCESS && dump->reader.ledger_status != APR_ENOENT)
        add_problem(dump, dump->reader.ledger_problem);

    stapled = oc_inventory_stapled(certificates, oc_mod_md_leaves_to_us, oc_mod_md_read(pool), pool);
    add_unread(dump, certificates);
    for (i = 0; i < stapled->nelts; i++)
        APR_ARRAY_PUSH(dump->views, oc_view_t) = view_of(dump, APR_ARRAY_IDX(stapled, i, const oc_listed_t *));
    add_unused(dump, stapled);
}

/* ---- as a table ---- */

/* The columns of the terminal; 0: there is none. */
static unsigned terminal_width(apr_pool_t *pool)
{
    struct winsize size;
    char *columns;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return apr_env_get(&columns, "COLUMNS", pool) == APR_SUCCESS ? (unsigned)strtoul(columns, NULL, 10) : 0;
}

static void print_line(void *context, const char *line)
{
    (void)context;
    printf("%s", line);
}

static void print_capacity(apr_size_t size)
{
    int kilobytes;

    printf("Size: %" APR_SIZE_T_FMT " bytes, room for\n", size);
    for (kilobytes = 1; kilobytes <= 4; kilobytes *= 2)
        printf("  %u certificates with responses of %d KiB\n",
               oc_shm_capacity(size, OC_CERT_ID_LEN, OC_RECORD_HEAD_LEN + (apr_size_t)kilobytes * 1024), kilobytes);
}

/* All rows of the table. Only the fingerprint of an unused record is known. */
static const apr_array_header_t *all_rows(const dump_t *dump)
{
    apr_array_header_t *rows = apr_array_append(dump->pool, dump->views, dump->unused);
    int i;

    for (i = dump->views->nelts; i < rows->nelts; i++) {
        oc_view_t *view = &APR_ARRAY_IDX(rows, i, oc_view_t);

        view->host = "(no host)";
        view->subject = apr_pstrcat(dump->pool, "SHA-1 ", oc_hex_print(view->id, sizeof(view->id), dump->pool), NULL);
    }
    return rows;
}

static void print_table(const dump_t *dump)
{
    const oc_global_conf_t *conf = oc_settings_global();
    uint32_t expired = 0;
    int i;

    if (!dump->has_cache) {
        printf("OCSP cache: none: %s\n", APR_ARRAY_IDX(dump->problems, 0, const char *));
        return;
    }
    printf("OCSP cache: %s\n", oc_view_printable(dump->reader.path, dump->pool));
    oc_view_table(all_rows(dump), dump->now, terminal_width(dump->pool), print_line, NULL, dump->pool);
    for (i = 0; i < dump->problems->nelts; i++)
        printf("Not read: %s\n", oc_view_printable(APR_ARRAY_IDX(dump->problems, i, const char *), dump->pool));
    for (i = 0; i < dump->reader.records->nelts; i++)
        expired += APR_ARRAY_IDX(dump->reader.records, i, const oc_reader_record_t *)->record.usable_until <= dump->now;
    if (dump->reader.status == APR_ENOENT)
        printf("No file yet: the server creates it when it starts\n");
    else if (dump->reader.status == APR_SUCCESS)
        printf("%d staples (%u expired), %u other records, %u damaged; %u of %u blocks\n", dump->reader.records->nelts,
               expired, dump->reader.others, dump->reader.damaged, dump->reader.blocks,
               oc_shm_blocks(conf->cache.size));
    print_capacity(conf->cache.size);
}

/* ---- as JSON ---- */

static void put_cache(oc_json_t *json, const dump_t *dump)
{
    if (!dump->has_cache) {
        oc_json_null(json, "cache");
        return;
    }
    oc_json_object(json, "cache");
    oc_json_string(json, "path", dump->reader.path);
    oc_json_integer(json, "size", (apr_int64_t)oc_settings_global()->cache.size);
    oc_json_integer(json, "used", (apr_int64_t)dump->reader.blocks * OC_BLOCK_SIZE);
    oc_json_integer(json, "records", dump->reader.records->nelts);
    oc_json_end(json);
}

static void put_problems(oc_json_t *json, const apr_array_header_t *problems)
{
    int i;

    oc_json_array(json, "problems");
    for (i = 0; i < problems->nelts; i++)
        oc_json_string(json, NULL, APR_ARRAY_IDX(problems, i, const char *));
    oc_json_end(json);
}

static void put_views(oc_json_t *json, const char *key, const dump_t *dump, const apr_array_header_t *views)
{
    apr_pool_t *pool;
    int i;

    oc_json_array(json, key);
    apr_pool_create(&pool, dump->pool);
    for (i = 0; i < views->nelts; i++) {
        apr_pool_clear(pool);
        oc_json_line(json);
        oc_view_json(json, NULL, &APR_ARRAY_IDX(views, i, oc_view_t), dump->now, oc_settings_global()->expiry_warning,
                     pool);
    }
    apr_pool_destroy(pool);
    oc_json_end(json);
}

static void print_json(const dump_t *dump)
{
    oc_json_t json;

    oc_view_json_begin(&json, oc_json_to_stream, stdout, dump->now);
    put_cache(&json, dump);
    put_problems(&json, dump->problems);
    put_views(&json, "certificates", dump, dump->views);
    put_views(&json, "unused", dump, dump->unused);
    oc_json_end(&json);
}

void oc_dump(const apr_array_header_t *certificates, apr_pool_t *pool)
{
    int is_json = ap_exists_config_define("DUMP_OCSP_CACHE_JSON");
    dump_t dump;

    if (!is_json && !ap_exists_config_define("DUMP_OCSP_CACHE"))
        return;
    begin(&dump, pool);
    if (oc_settings_global()->is_provider)
        collect(&dump, certificates);
    else
        add_problem(&dump, "SSLStaplingCache does not name " OC_PROVIDER_NAME);
    if (is_json)
        print_json(&dump);
    else
        print_table(&dump);
}
