/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the fuzz targets share. Each is a program of its own, so this header holds the functions themselves.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <apr_general.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** What libFuzzer and replay.c call. @return 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** End the program unless it is true: that is a finding. */
static inline void require(int truth)
{
    if (!truth)
        abort();
}

/** A pool for the whole run, made by the first call. */
static inline apr_pool_t *fuzz_pool(void)
{
    static apr_pool_t *pool;

    if (!pool)
        require(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS);
    return pool;
}

static char fuzz_folder[] = "/tmp/oc-fuzz-XXXXXX";
static const char *fuzz_path;

static inline void fuzz_clean_up(void)
{
    unlink(fuzz_path);
    rmdir(fuzz_folder);
}

/** The path of a file @a name in a folder of its own; both are removed at exit. */
static inline const char *fuzz_file(const char *name)
{
    require(mkdtemp(fuzz_folder) != NULL);
    fuzz_path = apr_pstrcat(fuzz_pool(), fuzz_folder, "/", name, NULL);
    atexit(fuzz_clean_up);
    return fuzz_path;
}

#endif
