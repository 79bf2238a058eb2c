/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl verify: is the cache's file whole?
 */
#include "ctl.h"

#include "oc_file.h"
#include "oc_record.h"

#include <stdio.h>

#define BLOCKS_MAX (1U << 21) /* 1 GiB: no more is read, however far somebody stretched the file */

typedef struct {
    unsigned unreadable; /* whole records that hold something else than a staple */
} verify_t;

static void look(void *context, const oc_entry_t *entry)
{
    verify_t *verify = context;
    oc_record_t record;

    if (oc_record_decode(&record, entry->data, entry->data_len) != APR_SUCCESS)
        verify->unreadable++;
}

static int run(ctl_t *ctl)
{
    verify_t verify = {0};
    oc_file_load_t loaded;
    const char *problem = "there is no such file";
    int status = ctl_cache_find(ctl);

    if (status != CTL_OK)
        return status;
    if (oc_file_load(ctl->path, BLOCKS_MAX, look, &verify, &loaded, ctl->pool, &problem) != APR_SUCCESS)
        return ctl_trouble(ctl, "%s: %s", ctl->path, problem);
    status = loaded.damaged || verify.unreadable || loaded.is_other_layout ? CTL_NO : CTL_OK;
    printf("%s: records: %u, damaged: %u, unreadable: %u%s\n", ctl->path, loaded.records, loaded.damaged,
           verify.unreadable, loaded.is_other_layout ? "; written by another version: the server begins anew" : "");
    return status;
}

static const ctl_option_t options[] = {CTL_OPTIONS_END};

const ctl_command_t ctl_verify = {.name = "verify",
                                  .arguments = "",
                                  .summary = "Check the cache's file: its framing and checksums",
                                  .help = "",
                                  .options = options,
                                  .run = run};
