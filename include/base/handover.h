/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Bytes that one thread leaves for another: the response that a hedge obtained, or that a tool imports. No lock, no
 * pool: the threads share none.
 */
#ifndef OC_BASE_HANDOVER_H
#define OC_BASE_HANDOVER_H

#include <apr.h>
#include <stdatomic.h>

/** From malloc(): the holder frees it. */
typedef struct {
    apr_size_t len;
    unsigned char bytes[];
} oc_packet_t;

/** A place for one packet. Zero it before first use. */
typedef struct {
    _Atomic(oc_packet_t *) packet;
    atomic_int is_full; /* set after the packet is there: for a thread that waits in oc_deadline_poll() */
} oc_handover_t;

/** A copy. @return NULL: there is no memory */
oc_packet_t *oc_packet_make(const unsigned char *bytes, apr_size_t len);

/** Leave @a packet, which may be NULL: nothing. It replaces one that has not been taken. */
void oc_handover_put(oc_handover_t *place, oc_packet_t *packet);

/** Take what is there; of several threads, one gets it. @return NULL: nothing */
oc_packet_t *oc_handover_take(oc_handover_t *place);

#endif
