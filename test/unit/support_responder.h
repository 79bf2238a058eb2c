/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A scripted TCP server in a thread of its own, on a port that the kernel chooses: each connection gets the next answer
 * of a list, byte for byte, and ends as the list says, or continues with the next request and answer. It serves one
 * connection at a time, and of HTTP it knows only where a request ends.
 */
#ifndef SUPPORT_RESPONDER_H
#define SUPPORT_RESPONDER_H

#include <pthread.h>
#include <stddef.h>

#define RESPONDER_ANSWERS 8

typedef enum {
    THEN_CLOSE, /* orderly */
    THEN_RESET, /* RST */
    THEN_HANG,  /* send nothing more until the client leaves */
    THEN_NEXT,  /* give the next answer to the next request on this connection, unless the client leaves */
    THEN_FLOOD  /* the body again and again until the client leaves */
} responder_end_t;

/** What one connection, or one request of it, gets. Members left out: nothing. */
typedef struct {
    const char *head; /* all of the head */
    const char *body;
    size_t body_len;
    int drip_us;  /* > 0: one byte at a time, with this pause; 0: all at once */
    size_t split; /* > 0: in two parts, the first this long */
    int unasked;  /* do not wait for the request: answer, or hang, at once */
    responder_end_t then;
} responder_answer_t;

typedef struct {
    int port;
    const responder_answer_t *answers;
    int count;
    int running;
    int listener;
    int quit[2]; /* a pipe: closed by responder_stop() */
    pthread_t thread;
    /* for the test, after responder_stop() */
    int connections;
    int used; /* answers */
    char request[RESPONDER_ANSWERS][8192];
    size_t request_len[RESPONDER_ANSWERS];
} responder_t;

/**
 * Listen on the loopback address of @a family (AF_INET, AF_INET6). Connections for which no answer is left are closed
 * at once.
 * @return 0; -1: this address family is not available. Any other failure ends the program.
 */
int responder_start(responder_t *responder, int family, const responder_answer_t *answers, int count);

/** End it in any state, and wait for it. Does nothing when it does not run. */
void responder_stop(responder_t *responder);

/** A port of 127.0.0.1 or [::1] on which nothing listens; it stays in use until @a fd is closed. */
int responder_dead_port(int family, int *fd);

/** An address that neither accepts nor refuses connections, as behind a firewall that drops packets. Close @a fds
 *  afterwards. @return its port on 127.0.0.1, or -1 where the kernel answers nevertheless. */
int responder_full_port(int fds[4]);

#endif
