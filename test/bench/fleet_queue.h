/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What happens next in test/bench/fleet.c. Each server waits for one event; one queue in a process.
 */
#ifndef FLEET_QUEUE_H
#define FLEET_QUEUE_H

#include <apr_time.h>

#include <stdint.h>

#define SEC(n) apr_time_from_sec(n)
#define HOUR SEC(3600)
#define DAY (24 * HOUR)
#define BEGIN SEC(1700000000)
#define SPAN_DAYS 7
#define END (BEGIN + SPAN_DAYS * DAY)
#define N_MINUTES (SPAN_DAYS * 1440)

typedef enum {
    LOOK,  /* what does the store have? */
    CLAIM, /* it had nothing: the claim arrives there */
    ANSWER /* the responder's answer, or its silence */
} kind_t;

typedef struct {
    apr_time_t at;
    uint32_t server;
    kind_t kind;
} event_t;

/* For so many servers, until fleet_queue_close(). */
void fleet_queue_open(unsigned servers);
void fleet_queue_close(void);

/* From BEGIN again; the queue is empty. */
void fleet_queue_rewind(void);

/* Not before the event taken last. What is behind END is forgotten. */
void fleet_queue_push(apr_time_t at, uint32_t server, kind_t kind);

/* The next one; 0: nothing happens any more. */
int fleet_queue_pop(event_t *event);

#endif
