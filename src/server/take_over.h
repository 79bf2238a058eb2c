/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The first content of a new generation's arena: the records of the last generation, or those of the cache's file
 * (invariant 10).
 */
#ifndef OC_SERVER_TAKE_OVER_H
#define OC_SERVER_TAKE_OVER_H

#include "cache/shm.h"

#include <httpd.h>

typedef struct {
    const oc_shm_t *shm; /* the last generation's; NULL: there is none */
    const char *path;    /* of the file, read if there is no arena; NULL: there is none */
    int is_reported;     /* what is wrong with the file has been logged */
    int is_sized_later;  /* not an error here if records do not fit: oc_cache_size_check() reports the size that does */
    const char *directive; /* that names the file, for messages */
} oc_take_over_source_t;

/** Fill a new arena, which no other process has yet. Logs the result under @a name. */
void oc_take_over(oc_shm_t *shm, const oc_take_over_source_t *from, const char *name, server_rec *s, apr_pool_t *pool);

#endif
