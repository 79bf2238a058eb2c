/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the parts of the load client share. load.c reads the options and prints the result, load_run.c makes the
 * handshakes, load_client.c has client certificates, load_staple.c judges what was stapled, load_tally.c counts,
 * load_stream.c prints what happens.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include <openssl/ssl.h>

/* What one handshake was good for. With a client certificate: LOAD_GOOD, the answer to the request has status 200;
 * LOAD_ERROR, another; LOAD_FAILED, there is none. */
typedef enum {
    LOAD_GOOD,    /* a verified response that says good, within its times at the moment of receipt */
    LOAD_NONE,    /* nothing was stapled */
    LOAD_ERROR,   /* an OCSP error status: tryLater and the like */
    LOAD_WRONG,   /* anything else: a client that checks would have to reject it */
    LOAD_RESUMED, /* a resumed session: there the protocol staples nothing */
    LOAD_FAILED,  /* no handshake: refused, broken off, timed out */
    LOAD_OUTCOMES
} load_outcome_t;

extern const char *const load_outcome_names[LOAD_OUTCOMES];

typedef struct {
    struct sockaddr_storage address;
    socklen_t address_len;
    const char *host; /* a name; with several hosts a pattern with one %d */
    int n_hosts;
    const char *ca_file;
    const char *client; /* a file with certificate, chain and key; with several clients a pattern with one %d */
    int n_clients;
    int tls;        /* TLS1_2_VERSION or TLS1_3_VERSION */
    double rate;    /* arrivals per second; in a closed loop at most so many, 0: no limit */
    int concurrent; /* closed loop: connections at a time; 0: open loop */
    double seconds, timeout;
    int threads;
    int resume, ask, connect_only, until_good, stream;
} load_options_t;

/* ---- load_tally.c: counts and times of one thread. Times are nanoseconds from the intended start. */

enum { LOAD_SUB_BITS = 7, LOAD_BUCKETS = (64 - LOAD_SUB_BITS) << LOAD_SUB_BITS, LOAD_SECONDS_MAX = 3600 };

typedef struct {
    uint64_t count[LOAD_OUTCOMES];
    uint64_t longest; /* ns */
} load_second_t;

typedef struct {
    uint64_t outcome[LOAD_OUTCOMES];
    uint64_t started;              /* connections begun */
    uint64_t late_good;            /* not good, though the host had been stapled good before */
    uint64_t bucket[LOAD_BUCKETS]; /* of all handshakes but the failed: log-linear, at most 1 in 128 off */
    uint64_t sum, longest;
    load_second_t *second; /* by the second of the intended start; LOAD_SECONDS_MAX of them */
    char first_wrong[160], first_failed[160];
} load_tally_t;

load_tally_t *load_tally_create(void);
void load_tally_note(load_tally_t *tally, load_outcome_t outcome, uint64_t since_begin, uint64_t took);
void load_tally_add(load_tally_t *sum, const load_tally_t *one);
/* The time that `share` of the handshakes did not exceed, in ns; 0 when there were none. */
uint64_t load_tally_percentile(const load_tally_t *tally, double share);

/* ---- load_staple.c: each distinct response is verified once by libcrypto, its times at each receipt. Thread safe. */

typedef struct load_judge_t load_judge_t;

typedef struct {
    time_t until;  /* of a good response; otherwise 0 */
    char why[160]; /* for LOAD_WRONG and LOAD_FAILED; otherwise empty */
} load_detail_t;

load_judge_t *load_judge_create(const char *ca_file);
/* After a full handshake. `detail` starts as zeros. */
load_outcome_t load_judge_staple(load_judge_t *judge, SSL *ssl, load_detail_t *detail);
size_t load_judge_distinct(load_judge_t *judge);

/* ---- load_run.c: the handshakes. */

typedef struct {
    load_tally_t *tally;
    double seconds;              /* how long it took */
    double first_good, all_good; /* seconds until the first host, and every host, was stapled good; -1: never */
    int n_good;                  /* hosts that were stapled good */
    double cpu_seconds;          /* of this client */
    size_t distinct;             /* responses seen */
} load_result_t;

void load_run(const load_options_t *options, load_result_t *result);
uint64_t load_now(void);
/* The message and the reason, and exit status 2. */
__attribute__((noreturn, format(printf, 1, 2))) void load_die(const char *format, ...);

#endif
