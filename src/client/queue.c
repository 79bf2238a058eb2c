/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A pipe of keys. POSIX: a write of up to PIPE_BUF bytes, of which there are at least 512, is never divided.
 */
#include "client/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

struct oc_client_queue_t {
    int reader, writer;
};

static apr_status_t close_queue(void *data)
{
    oc_client_queue_t *queue = data;

    close(queue->reader);
    close(queue->writer);
    return APR_SUCCESS;
}

static int prepare(int file)
{
    return fcntl(file, F_SETFD, FD_CLOEXEC) == 0 && fcntl(file, F_SETFL, O_NONBLOCK) == 0;
}

apr_status_t oc_client_queue_create(oc_client_queue_t **out, apr_pool_t *pool)
{
    oc_client_queue_t *queue = apr_palloc(pool, sizeof(*queue));
    int ends[2];

    if (pipe(ends) != 0)
        return errno;
    queue->reader = ends[0];
    queue->writer = ends[1];
    apr_pool_cleanup_register(pool, queue, close_queue, apr_pool_cleanup_null);
    if (!prepare(queue->reader) || !prepare(queue->writer))
        return errno;
    *out = queue;
    return APR_SUCCESS;
}

void oc_client_queue_put(oc_client_queue_t *queue, const oc_client_key_t *key)
{
    while (write(queue->writer, key->bytes, sizeof(key->bytes)) < 0 && errno == EINTR)
        ;
}

int oc_client_queue_take(oc_client_queue_t *queue, oc_client_key_t *key, int milliseconds)
{
    struct pollfd waiting = {.fd = queue->reader, .events = POLLIN};

    if (read(queue->reader, key->bytes, sizeof(key->bytes)) == (ssize_t)sizeof(key->bytes))
        return 1;
    return milliseconds > 0 && poll(&waiting, 1, milliseconds) > 0
           && read(queue->reader, key->bytes, sizeof(key->bytes)) == (ssize_t)sizeof(key->bytes);
}
