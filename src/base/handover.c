/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The pointer decides who owns the packet; the flag alone wakes a waiting thread. Called by the workers' threads and by
 * the thread that leads.
 */
#include "base/handover.h"

#include <stdlib.h>
#include <string.h>

oc_packet_t *oc_packet_make(const unsigned char *bytes, apr_size_t len)
{
    oc_packet_t *packet = malloc(sizeof(*packet) + len);

    if (!packet)
        return NULL;
    packet->len = len;
    memcpy(packet->bytes, bytes, len);
    return packet;
}

void oc_handover_put(oc_handover_t *place, oc_packet_t *packet)
{
    if (!packet)
        return;
    free(atomic_exchange(&place->packet, packet));
    atomic_store(&place->is_full, 1);
}

oc_packet_t *oc_handover_take(oc_handover_t *place)
{
    atomic_store(&place->is_full, 0); /* first: a packet that comes now sets it again */
    return atomic_exchange(&place->packet, NULL);
}
