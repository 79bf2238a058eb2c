/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A job: what the child that leads knows about one certificate. refresh.c hands jobs out, renew.c works on them in the
 * workers' threads.
 */
#ifndef OC_REFRESH_JOB_H
#define OC_REFRESH_JOB_H

#include "peers.h"
#include "base/handover.h"
#include "base/workers.h"
#include "fetch/keepalive.h"
#include "ocsp/record.h"
#include "server/managed.h"
#include "state/response_folder.h"

#include <stdint.h>

#define OC_RESPONDER_NAMES 3

/** What is warned of once per outage: the response is about to expire, and there is none. */
typedef enum { OC_OUTAGE_EXPIRING, OC_OUTAGE_EXPIRED, OC_OUTAGE_STAGES } oc_outage_stage_t;

/** What the child that leads knows about a responder, shared by its certificates. */
typedef struct {
    unsigned group;                             /* of the workers */
    unsigned n_certificates;                    /* that name it */
    unsigned n_named;                           /* certificates whose host is in the next field */
    const char *names[OC_RESPONDER_NAMES];      /* the first hosts with such a certificate; NULL: no more */
    atomic_uint posts;                          /* so many more queries go by POST alone, as GET fails; 0: GET first */
    atomic_uint n_ended;                        /* outages; this and what follows is of outage.c */
    atomic_uint n_affected;                     /* certificates, by the outage that lasts */
    _Atomic(uint64_t) warned[OC_OUTAGE_STAGES]; /* a bit for each verdict that has been logged as a warning */
} oc_responder_t;

/** What the lock of the workers guards. */
typedef struct {
    apr_time_t due;      /* when the job is to be handed out; written when its work ends */
    int is_due_again;    /* run it again when its work ends: a file may have arrived after it looked */
    int is_requested;    /* the responder is to be queried, due or not */
    oc_packet_t *import; /* that ocsp-cachectl brought; to be judged when the job is handed out; NULL: none */
} oc_job_guarded_t;

/** What has been logged, and sent to the program of OCSPCacheNotify. The worker's own. */
typedef struct {
    int expiring;                             /* the response held is about to expire */
    int expired;                              /* nothing valid is held */
    int revoked;                              /* the certificate is revoked */
    const oc_responder_t *affected_by;        /* whose outage counts this certificate; NULL: none */
    unsigned outage;                          /* the number of that outage, from 1 */
    int is_grouped;                           /* the failure is one of a responder that several certificates share */
    oc_verdict_t next_after;                  /* the next URL is queried after this failure */
    uint64_t failures[OC_VERDICT_LIMIT / 64]; /* since the last success: a bit for each verdict */
} oc_job_logged_t;

/** What belongs to the thread that works on the job. */
typedef struct {
    int is_forced;                  /* is_requested, taken when the job was handed out */
    oc_packet_t *import;            /* the same */
    int has_read_stored;            /* nothing is left to be read of what was stored before this child took the lead */
    unsigned turn;                  /* which of the URLs is queried: not 0 while the first has failed in this attempt */
    apr_interval_time_t time_left;  /* of the attempt's deadline, then */
    apr_interval_time_t pause;      /* that a failed responder requested (Retry-After), then */
    oc_note_t note;                 /* how the last attempt ended */
    apr_time_t wake;                /* when to be handed out again: at note.due, or to look for a file */
    apr_time_t usable_from;         /* of the valid response that is held (oc_job_is_covered) */
    apr_time_t usable_until;        /* the same; 0: none */
    apr_interval_time_t validity;   /* how long it was usable when it was obtained */
    oc_peers_t peers;               /* what other servers have, where OCSPCacheShared is set */
    oc_response_folder_seen_t seen; /* the file judged last, where OCSPCacheResponseFolder has one */
} oc_job_own_t;

struct oc_job_t;

/** A second exchange in parallel with one of the job's that hangs, while no valid response is stored (hedge.h). */
typedef struct {
    oc_task_t task; /* first: a hedge is a task too, of the kind OC_TASK_HEDGE */
    struct oc_job_t *job;
    _Atomic(apr_time_t) begun; /* of the job's exchange that may be hedged (oc_deadline_now); 0: there is none */
    _Atomic(apr_interval_time_t) timeout; /* of that exchange */
    atomic_uint turn;                     /* the URL that it queries */
    apr_time_t hedged;        /* `begun` of the exchange that was hedged last; not written while the task is queued */
    atomic_int is_called_off; /* a valid response is held: the hedge ends */
    oc_handover_t found;      /* the valid response that it obtained, for the job's thread */

    /* The hedge's thread writes these before it fills `found`; the thread that took that packet reads them. */
    unsigned queried;                     /* the URL */
    apr_interval_time_t elapsed, max_age; /* of its exchange */
} oc_hedge_t;

typedef enum { OC_TASK_JOB, OC_TASK_HEDGE } oc_task_kind_t;

/** One certificate in the child that refreshes. What is in none of the three structs is set when the child takes the
 *  lead, and only read afterwards. */
typedef struct oc_job_t {
    oc_task_t task; /* first: a job is a task */
    const oc_managed_t *managed;
    unsigned ordinal;            /* in oc_managed_all() */
    oc_responder_t **responders; /* of managed->targets.urls; one, where there is no URL */
    oc_keepalive_t *keepalive;   /* idle connections of all jobs */
    atomic_uint *n_hedgeable;    /* how many exchanges of all jobs may be hedged */
    oc_job_guarded_t guarded;
    oc_job_logged_t logged;
    oc_job_own_t own;
    oc_hedge_t hedge;
} oc_job_t;

/** Make a job for every certificate that can be refreshed, from @a pool. @return the number of groups of the workers:
 *  one for each responder ("host:port"), or for the proxy in front of several */
unsigned oc_jobs_make(oc_job_t **jobs, unsigned *n_jobs, oc_keepalive_t *keepalive, apr_pool_t *pool);

/** Free what the jobs own outside their pool. No thread works on one. */
void oc_jobs_clear(oc_job_t *jobs, unsigned n_jobs);

/** A valid response, @a record, is held from here on. */
void oc_job_hold(oc_job_t *job, const oc_record_t *record);

/** Is a valid response held at @a now? One obtained while the clock was ahead is not usable after it was set back. */
int oc_job_is_covered(const oc_job_t *job, apr_time_t now);

/** @a due, bounded by what is held and by how the last attempt ended (oc_schedule_clamp). */
apr_time_t oc_job_bound(const oc_job_t *job, apr_time_t due, apr_time_t now);

/** The responder that is queried, and its URL. */
static inline oc_responder_t *oc_job_responder(const oc_job_t *job)
{
    return job->responders[job->own.turn];
}

static inline const char *oc_job_url(const oc_job_t *job)
{
    return job->managed->targets.urls[job->own.turn];
}

/** The job's thread: an exchange that may be hedged begins now, and has ended. */
void oc_job_allow_hedge(oc_job_t *job, apr_interval_time_t timeout);
void oc_job_forbid_hedge(oc_job_t *job);

/** For jitter: uniform over 32 bits. */
uint32_t oc_job_random(void);

#endif
