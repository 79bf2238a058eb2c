/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * oc_idle: see oc_idle.h. Called by oc_fetch in worker threads and by the refresher, which creates and closes the stock.
 * The lock is never held across anything that can block: a process that ends does not wait for its threads.
 */
#include "fetch/keepalive.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* A name is at most 253 bytes long. What does not fit is not kept. */
#define HOST_SIZE 256

typedef struct {
    int fd;
    apr_port_t port;
    apr_time_t since;
    char host[HOST_SIZE];
    char where[sizeof(((oc_connect_result_t *)0)->where)];
} oc_idle_entry_t;

struct oc_idle_t {
    pthread_mutex_t mutex;
    int is_closed;
    unsigned room;
    unsigned n;
    oc_idle_entry_t *entries; /* n of them, the one put first at the front */
};

oc_idle_t *oc_idle_create(unsigned room, apr_pool_t *pool)
{
    oc_idle_t *idle = apr_pcalloc(pool, sizeof(*idle));

    idle->room = room;
    idle->entries = apr_pcalloc(pool, room * sizeof(*idle->entries));
    (void)pthread_mutex_init(&idle->mutex, NULL); /* cannot fail without attributes */
    return idle;
}

/* Lock held, here and in the next two. The descriptor goes to the caller. */
static int idle_remove(oc_idle_t *idle, unsigned i)
{
    int fd = idle->entries[i].fd;

    idle->n--;
    memmove(&idle->entries[i], &idle->entries[i + 1], (idle->n - i) * sizeof(*idle->entries));
    return fd;
}

static void idle_drop_old(oc_idle_t *idle, apr_time_t now)
{
    while (idle->n > 0 && now - idle->entries[0].since > OC_IDLE_AGE)
        (void)close(idle_remove(idle, 0));
}

static int idle_is_peer(const oc_idle_entry_t *entry, const char *host, apr_port_t port)
{
    return entry->port == port && strcmp(entry->host, host) == 0;
}

/* Has the peer left it alone? A byte that nobody asked for would be taken for the beginning of the next answer. */
static int idle_is_silent(int fd)
{
    struct pollfd poll_fd = {fd, POLLIN, 0};

    return poll(&poll_fd, 1, 0) == 0;
}

int oc_idle_take(oc_idle_t *idle, const char *host, apr_port_t port, apr_time_t now, oc_connect_result_t *connection)
{
    int found = 0;
    unsigned i;

    memset(connection, 0, sizeof(*connection));
    connection->fd = -1;
    (void)pthread_mutex_lock(&idle->mutex);
    idle_drop_old(idle, now);
    for (i = idle->n; i > 0 && !found; i--) {
        if (!idle_is_peer(&idle->entries[i - 1], host, port))
            continue;
        memcpy(connection->where, idle->entries[i - 1].where, sizeof(connection->where));
        connection->fd = idle_remove(idle, i - 1);
        found = idle_is_silent(connection->fd);
        if (!found)
            (void)close(connection->fd);
    }
    (void)pthread_mutex_unlock(&idle->mutex);
    if (!found) {
        connection->where[0] = '\0';
        connection->fd = -1;
    }
    return found;
}

void oc_idle_put(oc_idle_t *idle, const char *host, apr_port_t port, apr_time_t now,
                 const oc_connect_result_t *connection)
{
    oc_idle_entry_t *entry;

    (void)pthread_mutex_lock(&idle->mutex);
    idle_drop_old(idle, now);
    if (idle->is_closed || idle->room == 0 || strlen(host) >= HOST_SIZE) {
        (void)close(connection->fd);
    }
    else {
        if (idle->n == idle->room)
            (void)close(idle_remove(idle, 0));
        entry = &idle->entries[idle->n++];
        entry->fd = connection->fd;
        entry->port = port;
        entry->since = now;
        memcpy(entry->host, host, strlen(host) + 1);
        memcpy(entry->where, connection->where, sizeof(entry->where));
    }
    (void)pthread_mutex_unlock(&idle->mutex);
}

void oc_idle_expire(oc_idle_t *idle, apr_time_t now)
{
    (void)pthread_mutex_lock(&idle->mutex);
    idle_drop_old(idle, now);
    (void)pthread_mutex_unlock(&idle->mutex);
}

void oc_idle_close(oc_idle_t *idle)
{
    (void)pthread_mutex_lock(&idle->mutex);
    idle->is_closed = 1;
    while (idle->n > 0)
        (void)close(idle_remove(idle, idle->n - 1));
    (void)pthread_mutex_unlock(&idle->mutex);
}
