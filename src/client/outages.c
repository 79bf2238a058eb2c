/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A list that only grows: a responder gets its place when it fails for the first time, and keeps it. All that is known
 * of it is one word, so that two queries that end at the same time cannot mix their results.
 */
#include "client/outages.h"

#include "client/client.h"

#include <stdatomic.h>

/* The word: how the responder fails, two flags, and the number of outages that are over. */
#define FAILING UINT64_C(0xff)   /* the verdict; 0: it answers */
#define IS_TOLD UINT64_C(0x100)  /* a failure has been logged */
#define IS_TRIED UINT64_C(0x200) /* a probe is under way */
#define ENDED_SHIFT 16

_Static_assert(OC_VERDICT_LIMIT <= FAILING + 1, "a verdict fits");

typedef struct {
    _Atomic uint64_t who; /* 0: free, as are all that follow */
    _Atomic uint64_t state;
} place_t;

struct oc_client_outages_t {
    place_t places[OC_CLIENT_OUTAGES];
};

oc_client_outages_t *oc_client_outages_create(apr_pool_t *pool)
{
    return apr_pcalloc(pool, sizeof(oc_client_outages_t));
}

/* @return NULL: it has no place, and @a wants_one is 0 or none is free */
static place_t *find(oc_client_outages_t *outages, uint64_t who, int wants_one)
{
    unsigned i;

    for (i = 0; i < OC_CLIENT_OUTAGES; i++) {
        place_t *place = &outages->places[i];
        uint64_t there = atomic_load(&place->who);

        if (there == 0) {
            if (!wants_one)
                return NULL;
            if (atomic_compare_exchange_strong(&place->who, &there, who))
                return place;
        }
        if (there == who)
            return place;
    }
    return NULL;
}

int oc_client_outages_begin(oc_client_outages_t *outages, const char *name, oc_client_trial_t *trial)
{
    uint64_t who = oc_client_host_id(name), state;
    place_t *place;

    *trial = (oc_client_trial_t){.who = who > 0 ? who : 1};
    place = find(outages, trial->who, 0);
    if (!place)
        return 1;
    state = atomic_load(&place->state);
    do {
        trial->failing = (oc_verdict_t)(state & FAILING);
        trial->n_ended = state >> ENDED_SHIFT;
        if (trial->failing == OC_PENDING)
            return 1;
        if (state & IS_TRIED)
            return 0;
    } while (!atomic_compare_exchange_weak(&place->state, &state, state | IS_TRIED));
    trial->is_probe = 1;
    return 1;
}

/* Whatever it says, it is there, and it was quick. */
static int is_answer(oc_verdict_t verdict, int http_status)
{
    return verdict != OC_STOPPED && verdict != OC_OUT_OF_RESOURCES && verdict != OC_URL_UNUSABLE
           && !oc_verdict_is_outage(verdict, http_status);
}

static int is_failure(oc_verdict_t verdict)
{
    return oc_verdict_class(verdict) == OC_CLASS_NO_ANSWER && verdict != OC_STOPPED && verdict != OC_URL_UNUSABLE;
}

/* @return the word without what is over: what @a over names */
static uint64_t end_outage(uint64_t state, uint64_t over)
{
    if (!(state & over))
        return state;
    return ((state >> ENDED_SHIFT) + 1) << ENDED_SHIFT | (state & IS_TOLD & ~over);
}

/* What is known when the query has ended, of what was known before. */
static uint64_t learn(uint64_t state, const oc_client_trial_t *trial, oc_verdict_t verdict, int http_status)
{
    int is_late = state >> ENDED_SHIFT != trial->n_ended;

    if (trial->is_probe && !is_late) /* else the flag is another probe's */
        state &= ~IS_TRIED;
    if (oc_verdict_class(verdict) == OC_CLASS_TRUTH)
        return end_outage(state, FAILING | IS_TOLD);
    if (is_answer(verdict, http_status))
        state = end_outage(state, FAILING);
    if (!is_failure(verdict) || is_late)
        return state;
    if (oc_verdict_is_outage(verdict, http_status) && !(state & FAILING))
        state |= (uint64_t)verdict;
    return state | IS_TOLD;
}

int oc_client_outages_end(oc_client_outages_t *outages, const oc_client_trial_t *trial, oc_verdict_t verdict,
                          int http_status)
{
    place_t *place = find(outages, trial->who, is_failure(verdict));
    uint64_t before, after;

    if (!place)
        return is_failure(verdict);
    before = atomic_load(&place->state);
    do
        after = learn(before, trial, verdict, http_status);
    while (!atomic_compare_exchange_weak(&place->state, &before, after));
    return ((before ^ after) & IS_TOLD) != 0;
}
