/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The thread of the scripted responder. Every wait of it ends when responder_stop() is called.
 */
#include "support_responder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(int fine, const char *what)
{
    if (!fine) {
        perror(what);
        abort();
    }
}

/* Wait until @a fd is ready. 0: responder_stop() was called. */
static int ready(const responder_t *responder, int fd, short events, int timeout_ms)
{
    struct pollfd fds[2] = {{fd, events, 0}, {responder->quit[0], POLLIN, 0}};

    while (poll(fds, 2, timeout_ms) < 0 && errno == EINTR) {
    }
    return fds[1].revents == 0;
}

static void nap(const responder_t *responder, int us)
{
    if (us < 1000) {
        struct timespec pause = {0, us * 1000L};

        (void)nanosleep(&pause, NULL);
        return;
    }
    (void)ready(responder, -1, 0, us / 1000);
}

/* 0: the client is gone, or responder_stop() was called. */
static int send_all(const responder_t *responder, int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n;

        if (!ready(responder, fd, POLLOUT, -1)) {
            return 0;
        }
        n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return 0;
        }
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 1;
}

static int send_slowly(const responder_t *responder, int fd, const char *data, size_t len, int drip_us)
{
    for (; len > 0; data++, len--) {
        if (!send_all(responder, fd, data, 1)) {
            return 0;
        }
        nap(responder, drip_us);
    }
    return 1;
}

/* The whole request is there: its head, and as much body as the head says. */
static int request_is_whole(const char *request, size_t len)
{
    const char *end = strstr(request, "\r\n\r\n");
    const char *length = strcasestr(request, "\r\nContent-Length:");

    if (!end) {
        return 0;
    }
    end += 4;
    if (!length || length > end) {
        return 1;
    }
    return len - (size_t)(end - request) >= strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
}

static int read_request(responder_t *responder, int fd, int i)
{
    char *request = responder->request[i];
    size_t size = sizeof(responder->request[i]) - 1;

    while (!request_is_whole(request, responder->request_len[i])) {
        ssize_t n;

        if (responder->request_len[i] == size || !ready(responder, fd, POLLIN, -1)) {
            return 0;
        }
        n = recv(fd, request + responder->request_len[i], size - responder->request_len[i], 0);
        if (n <= 0) {
            return 0;
        }
        responder->request_len[i] += (size_t)n;
    }
    return 1;
}

static void wait_for_leave(const responder_t *responder, int fd)
{
    char waste[1024];

    while (ready(responder, fd, POLLIN, -1)) {
        ssize_t n = recv(fd, waste, sizeof(waste), MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            return;
        }
    }
}

static void end_connection(const responder_t *responder, int fd, const responder_answer_t *answer)
{
    struct linger reset = {1, 0};

    switch (answer->then) {
    case THEN_HANG:
        wait_for_leave(responder, fd);
        break;
    case THEN_FLOOD:
        while (send_all(responder, fd, answer->body, answer->body_len)) {
        }
        break;
    case THEN_RESET:
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        break;
    case THEN_CLOSE:
    case THEN_NEXT:
        break;
    }
    (void)close(fd);
}

static int send_answer(const responder_t *responder, int fd, const responder_answer_t *answer)
{
    size_t head_len = answer->head ? strlen(answer->head) : 0;
    size_t len = head_len + answer->body_len;
    char *all = malloc(len + 1);
    int sent;

    must(all != NULL, "malloc");
    memcpy(all, answer->head ? answer->head : "", head_len);
    memcpy(all + head_len, answer->body ? answer->body : "", answer->body_len);
    if (answer->drip_us > 0) {
        sent = send_slowly(responder, fd, all, len, answer->drip_us);
    }
    else if (answer->split > 0 && answer->split < len) {
        sent = send_all(responder, fd, all, answer->split);
        nap(responder, 2000);
        sent = sent && send_all(responder, fd, all + answer->split, len - answer->split);
    }
    else {
        sent = send_all(responder, fd, all, len);
    }
    free(all);
    return sent;
}

/* Is there another request? 0: the client has left, or responder_stop() was called. */
static int asks_again(const responder_t *responder, int fd)
{
    char first;

    return ready(responder, fd, POLLIN, -1) && recv(fd, &first, 1, MSG_PEEK) == 1;
}

static void serve_connection(responder_t *responder, int fd)
{
    const responder_answer_t *answer;
    int i;

    do {
        i = responder->used;
        if (i >= responder->count || i >= RESPONDER_ANSWERS) {
            (void)close(fd);
            return;
        }
        responder->used++;
        answer = &responder->answers[i];
        if ((!answer->unasked && !read_request(responder, fd, i)) || !send_answer(responder, fd, answer)) {
            (void)close(fd);
            return;
        }
    } while (answer->then == THEN_NEXT && asks_again(responder, fd));
    end_connection(responder, fd, answer);
}

static void *serve(void *data)
{
    responder_t *responder = data;
    int on = 1;
    int fd;

    while (ready(responder, responder->listener, POLLIN, -1)) {
        fd = accept(responder->listener, NULL, NULL);
        if (fd < 0) {
            continue;
        }
        responder->connections++;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        serve_connection(responder, fd);
    }
    return NULL;
}

/* A socket bound to the loopback address; -1: no such family. */
static int bound_socket(int family, int *port)
{
    struct sockaddr_storage address;
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
    socklen_t size = family == AF_INET6 ? sizeof(*in6) : sizeof(*in);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    memset(&address, 0, sizeof(address));
    address.ss_family = (sa_family_t)family;
    if (family == AF_INET6) {
        in6->sin6_addr = in6addr_loopback;
    }
    else {
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    if (bind(fd, (struct sockaddr *)&address, size) != 0) {
        (void)close(fd);
        return -1;
    }
    must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    *port = ntohs(family == AF_INET6 ? in6->sin6_port : in->sin_port);
    return fd;
}

int responder_start(responder_t *responder, int family, const responder_answer_t *answers, int count)
{
    memset(responder, 0, sizeof(*responder));
    responder->answers = answers;
    responder->count = count;
    responder->listener = bound_socket(family, &responder->port);
    if (responder->listener < 0) {
        return -1;
    }
    must(listen(responder->listener, 8) == 0, "listen");
    must(pipe(responder->quit) == 0, "pipe");
    must(pthread_create(&responder->thread, NULL, serve, responder) == 0, "pthread_create");
    responder->running = 1;
    return 0;
}

void responder_stop(responder_t *responder)
{
    if (!responder->running) {
        return;
    }
    responder->running = 0;
    (void)close(responder->quit[1]);
    must(pthread_join(responder->thread, NULL) == 0, "pthread_join");
    (void)close(responder->quit[0]);
    (void)close(responder->listener);
}

int responder_dead_port(int family, int *fd)
{
    int port = -1;

    *fd = bound_socket(family, &port); /* bound, never listening: connections are refused */
    return *fd < 0 ? -1 : port;
}

int responder_full_port(int fds[4])
{
    struct sockaddr_in address;
    struct pollfd last;
    int port = -1;
    int i;

    fds[0] = bound_socket(AF_INET, &port);
    must(fds[0] >= 0 && listen(fds[0], 0) == 0, "listen");
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((in_port_t)port);
    for (i = 1; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        must(fds[i] >= 0, "socket");
        (void)connect(fds[i], (struct sockaddr *)&address, sizeof(address));
    }
    last.fd = fds[3];
    last.events = POLLOUT;
    return poll(&last, 1, 200) == 0 ? port : -1;
}
