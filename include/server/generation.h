/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_generation: one cache in one generation of the server: its arena, its mutex and its file, from the parent's init to the
 * hand-over to the next generation.
 *
 * Generations live in the process pool, beyond the configuration that made them: a graceful restart clears the configuration
 * first and reads from the old arena afterwards, while old children still serve from it.
 */
#ifndef OC_SERVER_GENERATION_H
#define OC_SERVER_GENERATION_H

#include "base/lead.h"
#include "cache/shm.h"

#include <httpd.h>

typedef struct oc_generation_t oc_generation_t;

typedef struct {
    const char *consumer; /* who asked for the cache: what makes it the same cache in the next generation */
    const char *path;     /* NULL: in memory only */
    apr_size_t size;
    oc_shm_policy_t policy;
    int has_lead; /* one of the children has work to do on it: see oc_generation_lead() */
} oc_generation_spec_t;

/** pre_config: a new configuration is about to be read. */
void oc_generation_reset(void);

/** Is a server running in this process already? Then no trouble with a file may stop it (design: a log rotation is no reason
 *  to end a web site). */
int oc_generation_is_running(void);

/**
 * Begin a new generation, in the parent: create arena and mutex, take over what the last generation of the same cache holds,
 * else what its file holds. A fresh file is written later (server/later.h). Trouble with the file costs persistence and an error
 * line, no more, except at a cold start when another live server owns the file.
 * @param generation out: valid until oc_generation_settle() finds it replaced
 * @return APR_SUCCESS; APR_EBUSY: the file is another server's; else: no memory or no mutex. Logged.
 */
apr_status_t oc_generation_begin(oc_generation_t **generation, const oc_generation_spec_t *spec, server_rec *s);

/** Behind every post_config: end the caches that this configuration did not begin again; changes of the others are written to their
 *  files from here on. */
void oc_generation_settle(void);

/** child_init, before anything in the child stores: reopen the mutexes of this configuration's caches. */
void oc_generation_child_init(apr_pool_t *pchild, server_rec *s);

oc_shm_t *oc_generation_shm(const oc_generation_t *generation);

/** The arena of the generation before this one; NULL: there was none. In the parent, from post_config to the next one. */
const oc_shm_t *oc_generation_previous_shm(const oc_generation_t *generation);

/** NULL: in memory only, by choice or because of trouble. */
const char *oc_generation_path(const oc_generation_t *generation);

/**
 * Wait for the mutex and begin writing; when it returns APR_SUCCESS, end with oc_generation_unlock(). Blocks: for
 * children's own threads, never in a handshake; in the parent only while no child of this generation exists.
 * @return APR_SUCCESS; else the mutex failed (logged).
 */
apr_status_t oc_generation_lock(oc_generation_t *generation, server_rec *s);
void oc_generation_unlock(oc_generation_t *generation, server_rec *s);

/** Is this child of the generation that serves? One that drains leaves the refreshing to its successors at once. */
int oc_generation_is_current(void);

/** What one of the children holds while it has work to do on the cache; NULL: where the specification wants none. */
oc_lead_t *oc_generation_lead(const oc_generation_t *generation);

#endif
