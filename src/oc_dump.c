/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_dump: see oc_dump.h. Most often run by root: it parses no ASN.1 of what children have written.
 */
#include "oc_dump.h"

#include "oc_cert.h"
#include "oc_config.h"
#include "oc_file.h"
#include "oc_provider.h"
#include "oc_record.h"
#include "oc_shm.h"

#include <apr_strings.h>
#include <http_core.h>
#include <stdio.h>

typedef struct {
    apr_time_t now;
    uint32_t blocks;
    uint32_t staples;
    uint32_t others; /* records of mod_ssl's own stapling */
    uint32_t expired;
} summary_t;

static void print_record(void *context, const oc_entry_t *entry)
{
    summary_t *summary = context;
    char until[APR_RFC822_DATE_LEN];
    oc_record_t record;
    int i;

    summary->blocks += oc_block_count(entry->id_len, entry->data_len);
    if (entry->kind != OC_KIND_STAPLE || oc_record_decode(&record, entry->data, entry->data_len) != APR_SUCCESS) {
        summary->others++;
        return;
    }
    summary->staples++;
    summary->expired += record.usable_until <= summary->now;
    for (i = 0; i < entry->id_len; i++)
        printf("%02X", entry->id[i]);
    apr_rfc822_date(until, record.usable_until);
    printf("  %-12s %6" APR_SIZE_T_FMT " bytes  until %s%s\n", oc_verdict_name(record.verdict), record.der_len, until,
           record.usable_until <= summary->now ? " (expired)" : "");
}

static void print_capacity(apr_size_t size)
{
    int kilobytes;

    printf("Size: %" APR_SIZE_T_FMT " bytes; holds", size);
    for (kilobytes = 1; kilobytes <= 4; kilobytes *= 2)
        printf("%s %u certificates with responses of %d kB", kilobytes > 1 ? "," : "",
               oc_shm_capacity(size, OC_CERT_ID_LEN, OC_RECORD_HEAD_LEN + (apr_size_t)kilobytes * 1024), kilobytes);
    printf("\n");
}

void oc_dump(apr_pool_t *pconf, server_rec *s)
{
    const oc_global_conf_t *conf = oc_config_global();
    summary_t summary = {apr_time_now(), 0, 0, 0, 0};
    const char *path, *problem = NULL;
    oc_file_load_t loaded;
    apr_status_t rv;

    (void)s;
    if (!ap_exists_config_define("DUMP_OCSP_CACHE"))
        return;
    if (!conf->is_provider) {
        printf("OCSP cache: none: SSLStaplingCache does not name " OC_PROVIDER_NAME "\n");
        return;
    }
    path = oc_argument_file(&conf->cache, pconf);
    printf("OCSP cache: %s\n", path);
    print_capacity(conf->cache.size);
    printf("Certificate (SHA-1)                       Response\n");
    rv = oc_file_load(path, oc_file_blocks_max(oc_shm_blocks(conf->cache.size)), print_record, &summary, &loaded, pconf,
                      &problem);
    if (rv == APR_ENOENT)
        printf("No file yet: it is made when the server starts\n");
    else if (rv != APR_SUCCESS)
        printf("%s\n", problem);
    else
        printf("%u staples (%u expired), %u other records, %u damaged; %u of %u blocks\n", summary.staples,
               summary.expired, summary.others, loaded.damaged, summary.blocks, oc_shm_blocks(conf->cache.size));
}
