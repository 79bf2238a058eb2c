/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One connection of the load client, from connect() to close(), and what all of them share. Only for load_run.c,
 * load_conn.c and load_client.c.
 */
#ifndef LOAD_CONN_H
#define LOAD_CONN_H

#include "load.h"

#include <pthread.h>
#include <stdatomic.h>

#define LOAD_SECOND 1000000000u

typedef struct {
    char name[256];
    _Atomic uint64_t good_at; /* 0: not yet */
    X509 *verified;           /* the certificate whose chain was verified last; under load_run_t.mutex */
    int is_streamed;          /* the next three: what load_stream.c printed last; one thread streams */
    load_outcome_t last_outcome;
    time_t last_until;
} load_host_t;

typedef struct {
    uint64_t second; /* the one that is being counted; 0: none yet */
    unsigned n;
    double longest; /* ms */
} load_stream_t;

typedef struct load_identity_t load_identity_t;

typedef struct {
    const load_options_t *options;
    load_identity_t *identity; /* of each client; NULL: no client certificates */
    load_judge_t *judge;
    SSL_CTX *ctx;
    uint64_t begin, end; /* no connection begins after `end` */
    load_host_t *host;
    _Atomic int n_good;
    pthread_mutex_t mutex;
    load_stream_t stream;
} load_run_t;

typedef struct load_worker_t load_worker_t;

enum load_phase_t { LOAD_CONNECT, LOAD_HANDSHAKE, LOAD_REQUEST, LOAD_ANSWER, LOAD_CLOSE };

typedef struct load_conn_t {
    struct load_conn_t *prev, *next; /* all of a worker's, in the order of their deadlines */
    load_worker_t *worker;
    load_host_t *host;
    SSL *ssl;
    int fd;
    enum load_phase_t phase;
    uint64_t intended, deadline;
    uint64_t number; /* among all connections: whose turn it is of the clients */
} load_conn_t;

struct load_worker_t {
    load_run_t *run;
    pthread_t thread;
    int number, epoll, timer;
    int share;           /* closed loop: how many at a time */
    uint64_t n_arrived;  /* open loop: arrivals so far; the next one's time follows from it */
    uint64_t not_before; /* closed loop with a rate: the next one */
    uint64_t turn;       /* of the hosts */
    int active;
    load_conn_t list; /* its ends */
    load_tally_t *tally;
    SSL_SESSION **session; /* per host, the newest */
};

/* OpenSSL set up as the options say. */
SSL_CTX *load_conn_ctx(load_run_t *run);
/* Something happened on the connection's socket. The connection may be gone afterwards. */
void load_conn_advance(load_conn_t *conn);
/* Counts it as failed, and ends it. */
void load_conn_fail(load_conn_t *conn, const char *what, const char *why);
/* Counts it as what it is, and says good-bye. The connection may be gone afterwards. */
void load_conn_done(load_conn_t *conn, load_outcome_t outcome, const load_detail_t *detail);
/* Ends it: closed, out of its worker's list, freed. */
void load_conn_drop(load_conn_t *conn);
/* The certificates of all clients. */
load_identity_t *load_client_read(const load_options_t *options);
/* The certificate of a connection's client. */
void load_client_use(load_conn_t *conn);
/* The steps after the handshake. */
void load_client_request(load_conn_t *conn);
void load_client_answer(load_conn_t *conn);
/* Prints what is new, for --stream. */
void load_stream_note(load_conn_t *conn, load_outcome_t outcome, const load_detail_t *detail);

#endif
