/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One cache in one generation of the server: its arena, its mutex and its file, from init in the parent until the next
 * generation has taken over.
 *
 * Generations live in the process pool and outlive their configuration: a graceful restart clears the configuration
 * first and reads the old arena afterwards, while old children still serve from it.
 */
#ifndef OC_SERVER_GENERATION_H
#define OC_SERVER_GENERATION_H

#include "base/lead.h"
#include "cache/shm.h"

#include <apr_global_mutex.h>
#include <httpd.h>

typedef struct oc_generation_t oc_generation_t;

typedef struct {
    const char *consumer; /* the name given in init, which identifies the cache across generations */
    const char *path;     /* NULL: in memory only */
    apr_size_t size;
    oc_shm_policy_t policy;
    int has_lead;          /* one child at a time refreshes it: see oc_generation_lead() */
    const char *directive; /* that names the file, for messages */
} oc_generation_spec_t;

/** pre_config: a new configuration is about to be read. */
void oc_generation_reset(void);

/** Is a server already running in this process? Then no error with a file may stop it: a reload for log rotation must
 * not end a web site. */
int oc_generation_is_running(void);

/**
 * Begin a new generation, in the parent: create arena and mutex, and take over the records of the last generation of
 * the same cache, or those of its file. A new file is written later (server/later.h). An error with the file is logged
 * and the cache is in memory only, except at a cold start when another live server owns the file.
 * @param generation out: valid until oc_generation_settle() finds it replaced
 * @return APR_SUCCESS; APR_EBUSY: another server owns the file; else: no memory or no mutex. Logged.
 */
apr_status_t oc_generation_begin(oc_generation_t **generation, const oc_generation_spec_t *spec, server_rec *s);

/** After every post_config: end the caches that neither this configuration nor the last one began: children of the last
 * one still drain, and lock their mutexes. Changes of this one's are written to their files from here on. */
void oc_generation_settle(void);

/** child_init, before anything in the child stores: reopen the mutexes of this configuration's caches. */
void oc_generation_child_init(apr_pool_t *pchild, server_rec *s);

oc_shm_t *oc_generation_shm(const oc_generation_t *generation);

/** The arena of the last generation; NULL: there was none. In the parent, from post_config to the next one. */
const oc_shm_t *oc_generation_previous_shm(const oc_generation_t *generation);

/** Is the caller the first process of this generation to report that the cache is too small? True once. */
int oc_generation_reports_size(oc_generation_t *generation);

/** NULL: in memory only, by choice or because of an error. */
const char *oc_generation_path(const oc_generation_t *generation);

/**
 * Wait for the mutex and begin writing; after APR_SUCCESS, end with oc_generation_unlock(). Blocks: for worker threads
 * of children, never in a handshake; in the parent only while no child of this generation exists.
 * @return APR_SUCCESS; else the mutex failed (logged).
 */
apr_status_t oc_generation_lock(oc_generation_t *generation, server_rec *s);
void oc_generation_unlock(oc_generation_t *generation, server_rec *s);

/**
 * The same for a handshake: does not wait, and what is stored stays out of the file until another writer stores it
 * again. A record that makes room stays in the file until its block is written again.
 * @return APR_SUCCESS; APR_EBUSY: another writer has the mutex; else it failed (logged)
 */
apr_status_t oc_generation_lock_briefly(oc_generation_t *generation, server_rec *s);

/** In the parent: another mutex that children of this generation use. It lives as long as the writers' mutex: until the
 *  second reload, as children that drain after the first one still use it. httpd logs a failure. */
apr_status_t oc_generation_make_mutex(oc_generation_t *generation, apr_global_mutex_t **mutex, const char *instance,
                                      server_rec *s);

/** The lead, which the child that refreshes the cache holds; NULL: the specification has none. */
oc_lead_t *oc_generation_lead(const oc_generation_t *generation);

#endif
