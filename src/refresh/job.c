/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Makes the jobs, and has what several units of the workers' threads do with one. Called by the thread that leads, and
 * by the thread that works on the job.
 */
#include "job.h"

#include "base/deadline.h"
#include "fetch/fetch.h"

#include <apr_general.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* The responders of the jobs, each with its group of the workers. A proxy that hangs must take up no more threads than
 * one responder, and none of a responder that other hosts query directly. */
typedef struct {
    apr_pool_t *pool;
    apr_hash_t *by_name;       /* "host:port", behind a proxy "host:port host:port" -> oc_responder_t */
    apr_hash_t *group_by_name; /* "host:port" that is connected to -> oc_responder_t, any of the group */
    unsigned n_groups;
} responders_t;

static unsigned find_group(responders_t *responders, const char *name, const oc_responder_t *responder)
{
    const oc_responder_t *other = apr_hash_get(responders->group_by_name, name, APR_HASH_KEY_STRING);

    if (other)
        return other->group;
    apr_hash_set(responders->group_by_name, name, APR_HASH_KEY_STRING, responder);
    return responders->n_groups++;
}

static oc_responder_t *find_responder(responders_t *responders, const char *name, const char *proxy)
{
    const char *way = proxy ? apr_pstrcat(responders->pool, proxy, " ", name, NULL) : name;
    oc_responder_t *responder = apr_hash_get(responders->by_name, way, APR_HASH_KEY_STRING);

    if (responder)
        return responder;
    responder = apr_pcalloc(responders->pool, sizeof(*responder));
    responder->group = find_group(responders, proxy ? proxy : name, responder);
    apr_hash_set(responders->by_name, way, APR_HASH_KEY_STRING, responder);
    return responder;
}

static void add_certificate(oc_responder_t *responder, const char *host)
{
    unsigned i = 0;

    responder->n_certificates++;
    while (i < OC_RESPONDER_NAMES && responder->names[i] && strcmp(responder->names[i], host) != 0)
        i++;
    if (i < OC_RESPONDER_NAMES) {
        responder->names[i] = host;
        responder->n_named++;
    }
}

/* Several URLs of a certificate may name one responder: it is one certificate of that. */
static void add_to_each(oc_responder_t **found, int n, const char *host)
{
    int i, j;

    for (i = 0; i < n; i++) {
        for (j = 0; found[j] != found[i]; j++)
            ;
        if (j == i)
            add_certificate(found[i], host);
    }
}

static oc_responder_t **responders_of(const oc_managed_t *managed, responders_t *responders)
{
    const char *const *urls = managed->targets.urls;
    oc_responder_t **found;
    int i, n = 0;

    while (urls[n])
        n++;
    found = apr_palloc(responders->pool, (apr_size_t)(n + 1) * sizeof(oc_responder_t *));
    found[0] = find_responder(responders, managed->responder, managed->proxy_host);
    for (i = 1; i < n; i++)
        found[i] = find_responder(responders, oc_fetch_responder(urls[i], responders->pool), managed->proxy_host);
    add_to_each(found, n > 0 ? n : 1, managed->host);
    return found;
}

unsigned oc_jobs_make(oc_job_t **jobs, unsigned *n_jobs, oc_keepalive_t *keepalive, apr_pool_t *pool)
{
    const apr_array_header_t *all = oc_managed_all();
    responders_t responders = {pool, apr_hash_make(pool), apr_hash_make(pool), 0};
    atomic_uint *n_hedgeable = apr_pcalloc(pool, sizeof(*n_hedgeable));
    int i;

    *jobs = apr_pcalloc(pool, (apr_size_t)all->nelts * sizeof(oc_job_t));
    *n_jobs = 0;
    for (i = 0; i < all->nelts; i++) {
        const oc_managed_t *managed = APR_ARRAY_IDX(all, i, const oc_managed_t *);
        oc_job_t *job = &(*jobs)[*n_jobs];

        if (!oc_managed_is_refreshed(managed))
            continue;
        job->managed = managed;
        job->ordinal = (unsigned)i;
        job->keepalive = keepalive;
        job->n_hedgeable = n_hedgeable;
        job->responders = responders_of(managed, &responders);
        job->task.group = job->responders[0]->group;
        job->hedge.task.kind = OC_TASK_HEDGE;
        job->hedge.job = job;
        ++*n_jobs;
    }
    return responders.n_groups;
}

void oc_jobs_clear(oc_job_t *jobs, unsigned n_jobs)
{
    unsigned i;

    for (i = 0; i < n_jobs; i++) {
        free(jobs[i].guarded.import);
        free(jobs[i].own.import);
        free(oc_handover_take(&jobs[i].hedge.found));
    }
}

void oc_job_allow_hedge(oc_job_t *job, apr_interval_time_t timeout)
{
    atomic_store(&job->hedge.turn, job->own.turn);
    atomic_store(&job->hedge.timeout, timeout);
    if (atomic_exchange(&job->hedge.begun, oc_deadline_now()) == 0)
        atomic_fetch_add(job->n_hedgeable, 1);
}

void oc_job_forbid_hedge(oc_job_t *job)
{
    if (atomic_exchange(&job->hedge.begun, 0) != 0)
        atomic_fetch_sub(job->n_hedgeable, 1);
}

uint32_t oc_job_random(void)
{
    uint32_t number = 0;

    (void)apr_generate_random_bytes((unsigned char *)&number, sizeof(number)); /* 0 only costs the jitter */
    return number;
}

int oc_job_is_covered(const oc_job_t *job, apr_time_t now)
{
    return job->own.usable_from <= now && now < job->own.usable_until;
}

apr_time_t oc_job_bound(const oc_job_t *job, apr_time_t due, apr_time_t now)
{
    apr_time_t usable_until = oc_job_is_covered(job, now) ? job->own.usable_until : 0;

    return oc_schedule_clamp(due, now, usable_until, job->own.note.failures, &job->managed->settings.bounds);
}

void oc_job_hold(oc_job_t *job, const oc_record_t *record)
{
    job->own.usable_from = record->usable_from;
    job->own.usable_until = record->usable_until;
    job->own.validity = record->usable_until - record->fetched_at;
    oc_peers_hold(&job->own.peers, record);
    job->logged.expiring = job->logged.expired = 0;
    memset(job->logged.failures, 0, sizeof(job->logged.failures));
}
