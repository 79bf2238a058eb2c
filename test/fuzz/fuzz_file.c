/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Fuzz target: oc_file_load() over arbitrary contents, into an arena. If the first byte is odd, a correct head precedes
 * the rest of the input, so the fuzzer does not have to find it.
 */
#include "fuzz.h"

#include "cache/file.h"
#include "cache/shm.h"

#include <stdio.h>

#define HEAD 4096

static const char *path;
static unsigned char head[HEAD];
static apr_pool_t *pool;
static int fd;

static void set_stage(void)
{
    const char *problem;
    oc_file_t *file;

    pool = fuzz_pool();
    path = fuzz_file("cache");
    require(oc_file_create(&file, path, 100, pool, &problem) == APR_SUCCESS);
    require(oc_file_commit(file, &problem) == APR_SUCCESS);
    fd = open(path, O_RDWR);
    require(fd >= 0 && read(fd, head, HEAD) == HEAD);
}

typedef struct {
    oc_shm_t *shm;
    unsigned records;
    uint64_t serial;
} take_t;

static void take(void *context, const oc_entry_t *entry)
{
    take_t *t = context;
    oc_key_t key = {entry->kind, entry->id_len, entry->id};
    apr_status_t rv = oc_shm_put(t->shm, &key, entry, 0);

    require(rv == APR_SUCCESS || rv == APR_EEXIST || rv == APR_ENOSPC);
    require(entry->serial >= t->serial);
    t->serial = entry->serial;
    t->records++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    off_t at = 0;
    apr_pool_t *scratch;
    oc_shm_seed_t seed = {{1, 2}};
    oc_file_load_t loaded;
    const char *problem = NULL;
    take_t t = {NULL, 0, 0};
    apr_status_t rv;

    if (!pool)
        set_stage();
    if (size > 200000)
        return 0;
    if (size > 0 && data[0] % 2) {
        require(pwrite(fd, head, HEAD, 0) == HEAD);
        at = HEAD;
        data++;
        size--;
    }
    require(pwrite(fd, data, size, at) == (ssize_t)size && ftruncate(fd, at + (off_t)size) == 0);

    apr_pool_create(&scratch, pool);
    require(oc_shm_create(&t.shm, 65536, OC_SHM_KEEP_VALID, seed, scratch) == APR_SUCCESS);
    oc_shm_begin(t.shm);
    rv = oc_file_load(path, UINT32_MAX, take, &t, &loaded, scratch);
    oc_shm_end(t.shm);
    require(rv == APR_SUCCESS || (rv == APR_EGENERAL && loaded.problem));
    require(loaded.records == t.records);
    require(oc_file_check(path, scratch, &problem) == rv);
    apr_pool_destroy(scratch);
    return 0;
}
