/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Connects for fetch.c, in worker threads of unprivileged children. libc only, on purpose: a thread that returns late
 * from getaddrinfo(3) may find APR already shut down. Apart from the lookup it must wait in oc_deadline_poll() alone,
 * and it must never leak a descriptor.
 */
#include "fetch/connect.h"

#include "base/selinux.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STAGGER apr_time_from_sec(1)
#define ADDRESS_MAX 64 /* of an address as text, a zone included */

/** The addresses of one name, tried side by side. */
typedef struct {
    const oc_deadline_t *deadline;
    const oc_trace_t *trace;
    oc_connect_result_t *result;
    const struct addrinfo *next; /* not started yet */
    int begun;
    apr_interval_time_t stagger;
    apr_time_t next_at;
    struct pollfd fds[OC_CONNECT_ADDRESSES]; /* in progress */
    const struct addrinfo *address[OC_CONNECT_ADDRESSES];
    apr_time_t since[OC_CONNECT_ADDRESSES];
    nfds_t open;
    int exhausted; /* an attempt failed for lack of descriptors or memory, not because of the responder */
} oc_race_t;

__attribute__((format(printf, 2, 3))) static void connect_note(oc_connect_result_t *result, const char *format, ...)
{
    size_t used = strlen(result->detail);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(result->detail + used, sizeof(result->detail) - used, format, args);
    va_end(args);
}

/* libc declares one of strerror_r's two forms, by feature macros; one of these functions fits it. */
static inline const char *connect_gnu(const char *text, const char *buffer)
{
    (void)buffer;
    return text;
}

static inline const char *connect_posix(int failed, const char *buffer)
{
    return failed == 0 ? buffer : "unknown error";
}

#define connect_error_text(returned, buffer) \
    _Generic((returned), int : connect_posix, default : connect_gnu)((returned), (buffer))

static void connect_address_text(const struct addrinfo *address, char *text, size_t size)
{
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];

    if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV)
        != 0) {
        (void)snprintf(text, size, "address of family %d", address->ai_family);
        return;
    }
    (void)snprintf(text, size, address->ai_family == AF_INET6 ? "[%.45s]:%s" : "%.45s:%s", host, port);
}

static void connect_report_look_up(const oc_trace_t *trace, oc_verdict_t verdict, const char *host, apr_time_t begun,
                                   const struct addrinfo *list, const oc_connect_result_t *result)
{
    oc_step_t step = {OC_STEP_LOOK_UP, verdict, host, result->detail, 0, begun, oc_deadline_now()};
    char text[OC_CONNECT_ADDRESSES * (ADDRESS_MAX + 2)] = "";
    char one[ADDRESS_MAX];
    size_t used = 0;

    for (; verdict == OC_PENDING && list && used + sizeof(one) + 2 < sizeof(text); list = list->ai_next) {
        if (getnameinfo(list->ai_addr, list->ai_addrlen, one, sizeof(one), NULL, 0, NI_NUMERICHOST) == 0)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "", one);
        step.text = text;
    }
    trace->tell(trace->context, &step);
}

static void race_report(const oc_race_t *race, oc_verdict_t verdict, const char *where, const char *text,
                        apr_time_t since)
{
    oc_step_t step = {OC_STEP_CONNECT, verdict, where, text, 0, since, 0};

    if (!race->trace)
        return;
    step.ended = oc_deadline_now();
    race->trace->tell(race->trace->context, &step);
}

static void race_note_failure(oc_race_t *race, const struct addrinfo *address, int error, apr_time_t since)
{
    char where[sizeof(race->result->where)];
    char buffer[80];
    const char *text = connect_error_text(strerror_r(error, buffer, sizeof(buffer)), buffer);
    const char *hint = "";
    oc_verdict_t verdict = OC_CONNECT_FAILED;

    if (error == EACCES || error == EPERM)
        hint = oc_selinux_is_on()
                   ? " (a local policy forbids it; for SELinux: setsebool -P httpd_can_network_connect on)"
                   : " (a local policy forbids it: a firewall, or the sandbox of a container or a service)";
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)
        verdict = OC_OUT_OF_RESOURCES;
    race->exhausted |= verdict == OC_OUT_OF_RESOURCES;
    connect_address_text(address, where, sizeof(where));
    connect_note(race->result, "%s%s: %s%s", race->result->detail[0] != '\0' ? "; " : "", where, text, hint);
    race_report(race, verdict, where, text, since);
}

/* The process is exiting, and may already have unloaded the code that this thread would return to. */
static void connect_park(void)
{
    for (;;)
        (void)pause();
}

static oc_verdict_t connect_look_up(const char *host, apr_port_t port, const oc_deadline_t *deadline,
                                    struct addrinfo **list, oc_connect_result_t *result)
{
    struct addrinfo hints;
    char service[8];
    int error;
    int rc;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    (void)snprintf(service, sizeof(service), "%u", (unsigned)port);
    rc = getaddrinfo(host, service, &hints, list); /* an address: cannot block */
    error = errno;
    if (rc == EAI_NONAME) {
        hints.ai_flags = AI_NUMERICSERV;
        rc = getaddrinfo(host, service, &hints, list);
        error = errno;
        if (oc_deadline_stopped(deadline))
            connect_park();
    }
    if (rc == 0)
        return OC_PENDING;
    if (rc == EAI_SYSTEM) {
        char text[80];

        connect_note(result, "%s: %s", host, connect_error_text(strerror_r(error, text, sizeof(text)), text));
        return OC_NAME_LOOKUP_FAILED;
    }
    connect_note(result, "%s: %s", host, gai_strerror(rc));
    return rc == EAI_MEMORY ? OC_OUT_OF_RESOURCES : OC_NAME_LOOKUP_FAILED;
}

/* This address answered. */
static void race_take(oc_race_t *race, const struct addrinfo *address, apr_time_t since)
{
    connect_address_text(address, race->result->where, sizeof(race->result->where));
    race_report(race, OC_PENDING, race->result->where, "", since);
}

/* Start on the next address. @return its descriptor when it is connected at once, else -1: in progress or failed. */
static int race_begin(oc_race_t *race)
{
    const struct addrinfo *address = race->next;
    apr_time_t now = oc_deadline_now();
    int on = 1;
    int fd;

    race->begun++;
    race->next = race->begun < OC_CONNECT_ADDRESSES ? address->ai_next : NULL;
    race->next_at = now + race->stagger;
    fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0) {
        race_note_failure(race, address, errno, now);
        return -1;
    }
    /* A request that takes more than one write must not wait for Nagle's algorithm. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        race_take(race, address, now);
        return fd;
    }
    if (errno != EINPROGRESS && errno != EINTR) {
        race_note_failure(race, address, errno, now);
        (void)close(fd);
        return -1;
    }
    race->fds[race->open].fd = fd;
    race->fds[race->open].events = POLLOUT;
    race->address[race->open] = address;
    race->since[race->open] = now;
    race->open++;
    return -1;
}

static void race_forget(oc_race_t *race, nfds_t i)
{
    race->open--;
    race->fds[i] = race->fds[race->open];
    race->address[i] = race->address[race->open];
    race->since[i] = race->since[race->open];
}

/* What poll() reported. @return the first connected descriptor, or -1 */
static int race_collect(oc_race_t *race)
{
    nfds_t i = 0;

    while (i < race->open) {
        int fd = race->fds[i].fd;
        int error = 0;
        socklen_t size = sizeof(error);

        if (race->fds[i].revents == 0) {
            i++;
            continue;
        }
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            error = errno;
        if (error == 0) {
            race_take(race, race->address[i], race->since[i]);
            race_forget(race, i);
            return fd;
        }
        race_note_failure(race, race->address[i], error, race->since[i]);
        (void)close(fd);
        race_forget(race, i);
    }
    return -1;
}

static void race_end(oc_race_t *race, oc_verdict_t verdict)
{
    char where[sizeof(race->result->where)];
    nfds_t i;

    for (i = 0; i < race->open; i++) {
        connect_address_text(race->address[i], where, sizeof(where));
        if (verdict == OC_TIMED_OUT) {
            connect_note(race->result, "%s%s: no connection in time", race->result->detail[0] != '\0' ? "; " : "",
                         where);
        }
        race_report(race, OC_TIMED_OUT, where,
                    verdict == OC_PENDING ? "silent; another address was faster" : "no connection in time",
                    race->since[i]);
        (void)close(race->fds[i].fd);
    }
    race->open = 0;
}

static oc_verdict_t race_run(oc_race_t *race)
{
    oc_verdict_t verdict;
    int fd;

    for (;;) {
        verdict = oc_deadline_check(race->deadline);
        if (verdict != OC_PENDING)
            return verdict;
        if (race->next && (race->open == 0 || oc_deadline_now() >= race->next_at)) {
            fd = race_begin(race);
        }
        else if (race->open == 0) {
            return race->exhausted ? OC_OUT_OF_RESOURCES : OC_CONNECT_FAILED;
        }
        else {
            verdict =
                oc_deadline_poll(race->deadline, race->fds, race->open, race->next ? race->next_at : APR_INT64_MAX);
            fd = verdict == OC_PENDING ? race_collect(race) : -1;
        }
        if (fd >= 0) {
            race->result->fd = fd;
            return OC_PENDING;
        }
    }
}

oc_verdict_t oc_connect(const char *host, apr_port_t port, const oc_deadline_t *deadline, const oc_trace_t *trace,
                        oc_connect_result_t *result)
{
    apr_time_t begun = oc_deadline_now();
    struct addrinfo *list = NULL;
    const struct addrinfo *address;
    oc_race_t race;
    oc_verdict_t verdict;
    int count = 0;

    memset(result, 0, sizeof(*result));
    result->fd = -1;
    verdict = connect_look_up(host, port, deadline, &list, result);
    if (trace)
        connect_report_look_up(trace, verdict, host, begun, list, result);
    if (verdict != OC_PENDING)
        return verdict;
    for (address = list; address && count < OC_CONNECT_ADDRESSES; address = address->ai_next)
        count++;
    memset(&race, 0, sizeof(race));
    race.deadline = deadline;
    race.trace = trace;
    race.result = result;
    race.next = list;
    race.stagger = (deadline->end - oc_deadline_now()) / (count > 0 ? count : 1);
    if (race.stagger > STAGGER)
        race.stagger = STAGGER;
    verdict = race_run(&race);
    race_end(&race, verdict);
    freeaddrinfo(list);
    return verdict;
}
