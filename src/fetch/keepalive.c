/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The stock, for fetch.c in worker threads and for the refresher, which creates and closes it. The lock must never be
 * held across anything that can block: a process that exits does not wait for its threads.
 */
#include "fetch/keepalive.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* A name is at most 253 bytes long. What does not fit is closed. */
#define HOST_SIZE 256

typedef struct {
    int fd;
    apr_port_t port;
    apr_time_t since;
    char host[HOST_SIZE];
    char where[sizeof(((oc_connect_result_t *)0)->where)];
} oc_keepalive_entry_t;

struct oc_keepalive_t {
    pthread_mutex_t mutex;
    int is_closed;
    unsigned room;
    unsigned n;
    oc_keepalive_entry_t *entries; /* n of them, the one put first at the front */
};

oc_keepalive_t *oc_keepalive_create(unsigned room, apr_pool_t *pool)
{
    oc_keepalive_t *keepalive = apr_pcalloc(pool, sizeof(*keepalive));

    keepalive->room = room;
    keepalive->entries = apr_pcalloc(pool, room * sizeof(*keepalive->entries));
    (void)pthread_mutex_init(&keepalive->mutex, NULL); /* cannot fail without attributes */
    return keepalive;
}

/* Lock held, here and in the next two. The descriptor goes to the caller. */
static int idle_remove(oc_keepalive_t *keepalive, unsigned i)
{
    int fd = keepalive->entries[i].fd;

    keepalive->n--;
    memmove(&keepalive->entries[i], &keepalive->entries[i + 1], (keepalive->n - i) * sizeof(*keepalive->entries));
    return fd;
}

static void idle_drop_old(oc_keepalive_t *keepalive, apr_time_t now)
{
    while (keepalive->n > 0 && now - keepalive->entries[0].since > OC_KEEPALIVE_AGE)
        (void)close(idle_remove(keepalive, 0));
}

static int idle_is_peer(const oc_keepalive_entry_t *entry, const char *host, apr_port_t port)
{
    return entry->port == port && strcmp(entry->host, host) == 0;
}

/* An unrequested byte would be taken for the beginning of the next answer. */
static int idle_is_silent(int fd)
{
    struct pollfd poll_fd = {fd, POLLIN, 0};

    return poll(&poll_fd, 1, 0) == 0;
}

int oc_keepalive_take(oc_keepalive_t *keepalive, const char *host, apr_port_t port, apr_time_t now,
                      oc_connect_result_t *connection)
{
    int found = 0;
    unsigned i;

    memset(connection, 0, sizeof(*connection));
    connection->fd = -1;
    (void)pthread_mutex_lock(&keepalive->mutex);
    idle_drop_old(keepalive, now);
    for (i = keepalive->n; i > 0 && !found; i--) {
        if (!idle_is_peer(&keepalive->entries[i - 1], host, port))
            continue;
        memcpy(connection->where, keepalive->entries[i - 1].where, sizeof(connection->where));
        connection->fd = idle_remove(keepalive, i - 1);
        found = idle_is_silent(connection->fd);
        if (!found)
            (void)close(connection->fd);
    }
    (void)pthread_mutex_unlock(&keepalive->mutex);
    if (!found) {
        connection->where[0] = '\0';
        connection->fd = -1;
    }
    return found;
}

void oc_keepalive_put(oc_keepalive_t *keepalive, const char *host, apr_port_t port, apr_time_t now,
                      const oc_connect_result_t *connection)
{
    oc_keepalive_entry_t *entry;

    (void)pthread_mutex_lock(&keepalive->mutex);
    idle_drop_old(keepalive, now);
    if (keepalive->is_closed || keepalive->room == 0 || strlen(host) >= HOST_SIZE) {
        (void)close(connection->fd);
    }
    else {
        if (keepalive->n == keepalive->room)
            (void)close(idle_remove(keepalive, 0));
        entry = &keepalive->entries[keepalive->n++];
        entry->fd = connection->fd;
        entry->port = port;
        entry->since = now;
        memcpy(entry->host, host, strlen(host) + 1);
        memcpy(entry->where, connection->where, sizeof(entry->where));
    }
    (void)pthread_mutex_unlock(&keepalive->mutex);
}

void oc_keepalive_expire(oc_keepalive_t *keepalive, apr_time_t now)
{
    (void)pthread_mutex_lock(&keepalive->mutex);
    idle_drop_old(keepalive, now);
    (void)pthread_mutex_unlock(&keepalive->mutex);
}

void oc_keepalive_close(oc_keepalive_t *keepalive)
{
    (void)pthread_mutex_lock(&keepalive->mutex);
    keepalive->is_closed = 1;
    while (keepalive->n > 0)
        (void)close(idle_remove(keepalive, keepalive->n - 1));
    (void)pthread_mutex_unlock(&keepalive->mutex);
}
