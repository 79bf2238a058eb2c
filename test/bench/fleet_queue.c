/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The queue of events. Those of later minutes are in a list for each minute, those of the current one in a heap, which
 * stays small and takes most of the time.
 */
#include "fleet_queue.h"

#include <stdlib.h>
#include <string.h>

static event_t *heap, *later;
static unsigned n_heap, minute;
static uint32_t *follower, first_of[N_MINUTES]; /* server + 1; 0: none */

void fleet_queue_open(unsigned servers)
{
    heap = malloc((servers + 1) * sizeof(*heap));
    later = malloc(servers * sizeof(*later));
    follower = malloc(servers * sizeof(*follower));
    if (!heap || !later || !follower)
        abort();
}

void fleet_queue_close(void)
{
    free(heap);
    free(later);
    free(follower);
}

void fleet_queue_rewind(void)
{
    n_heap = 0;
    minute = 0;
    memset(first_of, 0, sizeof(first_of));
}

static void heap_push(event_t event)
{
    unsigned i = n_heap++;

    for (; i > 0 && heap[(i - 1) / 2].at > event.at; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = event;
}

static event_t heap_pop(void)
{
    event_t first = heap[0], last = heap[--n_heap];
    unsigned i = 0, child;

    while ((child = 2 * i + 1) < n_heap) {
        if (child + 1 < n_heap && heap[child + 1].at < heap[child].at)
            child++;
        if (last.at <= heap[child].at)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}

void fleet_queue_push(apr_time_t at, uint32_t server, kind_t kind)
{
    event_t event = {at, server, kind};
    unsigned due = (unsigned)((at - BEGIN) / SEC(60));

    if (at >= END)
        return;
    if (due <= minute) {
        heap_push(event);
        return;
    }
    later[server] = event;
    follower[server] = first_of[due];
    first_of[due] = server + 1;
}

int fleet_queue_pop(event_t *event)
{
    uint32_t next;

    while (n_heap == 0) {
        if (++minute >= N_MINUTES)
            return 0;
        for (next = first_of[minute]; next != 0; next = follower[next - 1])
            heap_push(later[next - 1]);
        first_of[minute] = 0;
    }
    *event = heap_pop();
    return 1;
}
