/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_job: what the refreshing child knows of one certificate. oc_refresh hands jobs out, oc_renew works on them.
 */
#ifndef OC_REFRESH_JOB_H
#define OC_REFRESH_JOB_H

#include "peers.h"
#include "base/workers.h"
#include "fetch/keepalive.h"
#include "ocsp/note.h"
#include "server/managed.h"
#include "state/response_folder.h"

/** What the refreshing child has learnt of a responder; its certificates share it. */
typedef struct {
    unsigned group;        /* the workers's */
    atomic_int wants_post; /* it did not answer GET */
} oc_responder_t;

/** A response that ocsp-cachectl brought; from malloc(). */
typedef struct {
    apr_size_t len;
    unsigned char der[];
} oc_brought_t;

/** One certificate as the refreshing child sees it. What the workers's lock guards is said; the rest belongs to the thread that
 *  works on the job. */
typedef struct {
    oc_task_t task; /* first: a job is a task */
    const oc_managed_t *managed;
    unsigned ordinal; /* in oc_managed_all() */
    oc_responder_t *responder;
    oc_keepalive_t *keepalive; /* connections that wait for their next exchange, of all jobs together */
    apr_time_t due;            /* under the workers's lock: written when the work ends, read by the refresher */
    int is_recalled;       /* likewise: while it was at work, a file may have come, or somebody wished for an answer */
    int is_wished;         /* likewise: somebody wishes that the responder be asked, due or not */
    int is_forced;         /* the same, taken along when the job was handed out */
    oc_brought_t *brought; /* likewise: to be judged when the job is handed out; NULL: none */
    oc_brought_t *import;  /* the same, taken along */
    oc_note_t note;        /* how the last attempt ended */
    apr_time_t wake;       /* when to be called again: at note.due, or to look for a file */
    apr_time_t usable_until;              /* of the true response that is held; 0: none */
    apr_interval_time_t validity;         /* how long it was usable when it came */
    oc_peers_t peers;                     /* what other servers have, where OCSPCacheShared is written */
    int has_warned;                       /* that it runs out */
    int has_told_end;                     /* that it ran out */
    uint64_t told[OC_VERDICT_LIMIT / 64]; /* the kinds of failure told since then, a bit each */
    int has_told_revoked;                 /* that the certificate is revoked */
    oc_response_folder_seen_t seen;       /* the file judged last, where OCSPCacheResponseFolder has one */
    int has_looked;                       /* what was kept from before has been verified again */
} oc_job_t;

#endif
