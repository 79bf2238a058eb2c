/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the clients see, as it happens: --stream prints a line of JSON when a host's outcome or response changes, one
 * for each handshake that is wrong or failed, and one for each second. Times are seconds of CLOCK_MONOTONIC. The soak
 * test reads it.
 */
#include "load_conn.h"

#include <stdio.h>

void load_stream_note(load_conn_t *conn, load_outcome_t outcome, const load_detail_t *detail)
{
    load_host_t *host = conn->host;
    load_stream_t *stream = &conn->worker->run->stream;
    uint64_t now = load_now(), second = now / LOAD_SECOND;
    double took = (double)(now - conn->intended) / 1e6;
    int is_news = outcome == LOAD_WRONG || outcome == LOAD_FAILED || !host->is_streamed || outcome != host->last_outcome
                  || detail->until != host->last_until;

    pthread_mutex_lock(&conn->worker->run->mutex);
    if (stream->second && second != stream->second) {
        printf("{\"second\": %llu, \"n\": %u, \"longest_ms\": %.3f}\n", (unsigned long long)stream->second, stream->n,
               stream->longest);
        stream->n = 0;
        stream->longest = 0;
    }
    stream->second = second;
    if (outcome != LOAD_FAILED) {
        stream->n++;
        stream->longest = took > stream->longest ? took : stream->longest;
    }
    if (is_news) {
        printf(
            "{\"at\": %.4f, \"host\": \"%s\", \"outcome\": \"%s\", \"until\": %lld, \"ms\": %.3f, \"why\": \"%s\"}\n",
            (double)now / LOAD_SECOND, host->name, load_outcome_names[outcome], (long long)detail->until, took,
            detail->why);
    }
    if (outcome != LOAD_FAILED) {
        host->is_streamed = 1;
        host->last_outcome = outcome;
        host->last_until = detail->until;
    }
    fflush(stdout);
    pthread_mutex_unlock(&conn->worker->run->mutex);
}
