/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Makes the handshakes. Each thread runs its share of the connections, non-blocking, on an epoll instance of its own.
 * In the open loop a connection's time counts from its scheduled start, not from when this client or the server is
 * ready for it: a connection behind a stalled handshake is counted with its whole wait (no coordinated omission).
 */
#include "load_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

uint64_t load_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * LOAD_SECOND + (uint64_t)now.tv_nsec;
}

/* --------------------------------------------------------------------------------------------------- one worker */

static load_host_t *next_host(load_worker_t *worker)
{
    load_run_t *run = worker->run;
    uint64_t n = (uint64_t)run->options->n_hosts;

    for (uint64_t tried = 0; run->options->until_good && tried < n; tried++) {
        if (!atomic_load(&run->host[worker->turn % n].good_at))
            break;
        worker->turn++;
    }
    return &run->host[worker->turn++ % n];
}

static void start(load_worker_t *worker, uint64_t intended)
{
    const load_options_t *options = worker->run->options;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    load_conn_t *conn = calloc(1, sizeof(*conn));
    int one = 1;

    if (!conn)
        load_die("no memory");
    conn->worker = worker;
    conn->host = next_host(worker);
    conn->intended = intended;
    conn->deadline = intended + (uint64_t)(options->timeout * LOAD_SECOND);
    conn->prev = worker->list.prev;
    conn->next = &worker->list;
    conn->prev->next = conn->next->prev = conn;
    worker->active++;
    conn->number = worker->tally->started++ * (uint64_t)options->threads + (uint64_t)worker->number;
    event.data.ptr = conn;
    conn->fd = socket(options->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0) {
        load_conn_fail(conn, "socket", strerror(errno));
        return;
    }
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(conn->fd, (const struct sockaddr *)&options->address, options->address_len) != 0
        && errno != EINPROGRESS) {
        load_conn_fail(conn, "connect", strerror(errno));
        return;
    }
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0)
        load_die("epoll_ctl: %s", strerror(errno));
}

static int is_over(const load_worker_t *worker, uint64_t now)
{
    const load_run_t *run = worker->run;

    return now >= run->end || (run->options->until_good && atomic_load(&run->n_good) == run->options->n_hosts);
}

/* When the next arrival of this worker is due, by the timetable: thread i of n takes every n-th. */
static uint64_t due(const load_worker_t *worker)
{
    const load_options_t *options = worker->run->options;
    double arrival = (double)(worker->n_arrived * (uint64_t)options->threads + (uint64_t)worker->number);

    return worker->run->begin + (uint64_t)(arrival / options->rate * LOAD_SECOND);
}

/* Starts what is due and gives up what is overdue. The next time something is to be done, or 0: all is done. */
static uint64_t tick(load_worker_t *worker)
{
    const load_options_t *options = worker->run->options;
    uint64_t now = load_now(), wake = now + LOAD_SECOND / 10;

    while (worker->active && worker->list.next->deadline <= now) {
        load_conn_t *conn = worker->list.next;

        if (conn->phase == LOAD_CLOSE)
            load_conn_drop(conn);
        else
            load_conn_fail(conn,
                           conn->phase == LOAD_CONNECT     ? "connect"
                           : conn->phase == LOAD_HANDSHAKE ? "handshake"
                                                           : "request",
                           "timed out");
    }
    if (!options->concurrent) { /* arrivals that were due before the end are made up for, however late it is */
        while (due(worker) <= now && due(worker) < worker->run->end) {
            uint64_t intended = due(worker);

            worker->n_arrived++;
            start(worker, intended);
        }
        if (due(worker) < worker->run->end)
            return due(worker);
    }
    else if (!is_over(worker, now)) {
        /* A refused connection ends at once: the next tick tries again, instead of this loop for ever. */
        for (int free = worker->share - worker->active; free > 0 && worker->not_before <= now; free--) {
            start(worker, load_now());
            if (options->rate > 0)
                worker->not_before = now + (uint64_t)(options->threads * (double)LOAD_SECOND / options->rate);
        }
        if (worker->active < worker->share && worker->not_before > now)
            return worker->not_before;
        return worker->active ? wake : now + LOAD_SECOND / 1000;
    }
    if (!worker->active)
        return 0;
    return worker->list.next->deadline < wake ? worker->list.next->deadline : wake;
}

static void *work(void *data)
{
    load_worker_t *worker = data;
    struct epoll_event events[64];
    uint64_t wake, expirations;

    while ((wake = tick(worker)) != 0) {
        struct itimerspec at = {.it_value = {(time_t)(wake / LOAD_SECOND), (long)(wake % LOAD_SECOND)}};
        int n;

        timerfd_settime(worker->timer, TFD_TIMER_ABSTIME, &at, NULL);
        n = epoll_wait(worker->epoll, events, sizeof(events) / sizeof(*events), -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                load_conn_advance(events[i].data.ptr);
            else if (read(worker->timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
                load_die("timerfd: %s", strerror(errno));
        }
    }
    return NULL;
}

static void prepare(load_worker_t *worker, load_run_t *run, int number)
{
    struct epoll_event event = {.events = EPOLLIN};
    int threads = run->options->threads;

    worker->run = run;
    worker->number = number;
    worker->share = (run->options->concurrent + threads - 1 - number) / threads;
    worker->turn = (uint64_t)number;
    worker->list.next = worker->list.prev = &worker->list;
    worker->tally = load_tally_create();
    worker->session = calloc((size_t)run->options->n_hosts, sizeof(*worker->session));
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (!worker->session || worker->epoll < 0 || worker->timer < 0
        || epoll_ctl(worker->epoll, EPOLL_CTL_ADD, worker->timer, &event) != 0)
        load_die("epoll: %s", strerror(errno));
}

/* ------------------------------------------------------------------------------------------------------ all of it */

static void name_hosts(load_run_t *run)
{
    const char *pattern = run->options->host, *number = strstr(pattern, "%d");

    if (!(run->host = calloc((size_t)run->options->n_hosts, sizeof(*run->host))))
        load_die("no memory");
    for (int i = 0; i < run->options->n_hosts; i++) {
        if (number)
            snprintf(run->host[i].name, sizeof(run->host[i].name), "%.*s%d%s", (int)(number - pattern), pattern, i,
                     number + 2);
        else
            snprintf(run->host[i].name, sizeof(run->host[i].name), "%s", pattern);
    }
}

static void sum_up(load_run_t *run, load_worker_t *workers, load_result_t *result)
{
    struct rusage used;
    uint64_t last = 0, first = UINT64_MAX;

    result->seconds = (double)(load_now() - run->begin) / LOAD_SECOND;
    result->tally = workers[0].tally;
    for (int i = 1; i < run->options->threads; i++)
        load_tally_add(result->tally, workers[i].tally);
    for (int i = 0; i < run->options->n_hosts; i++) {
        uint64_t at = run->host[i].good_at;

        result->n_good += at != 0;
        last = at > last ? at : last;
        first = at && at < first ? at : first;
    }
    result->first_good = result->n_good ? (double)(first - run->begin) / LOAD_SECOND : -1;
    result->all_good = result->n_good == run->options->n_hosts ? (double)(last - run->begin) / LOAD_SECOND : -1;
    getrusage(RUSAGE_SELF, &used);
    result->cpu_seconds = (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec
                          + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    result->distinct = load_judge_distinct(run->judge);
}

void load_run(const load_options_t *options, load_result_t *result)
{
    load_run_t run = {.options = options, .mutex = PTHREAD_MUTEX_INITIALIZER};
    load_worker_t *workers = calloc((size_t)options->threads, sizeof(*workers));
    struct rlimit files;

    if (!workers)
        load_die("no memory");
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    run.judge = load_judge_create(options->ca_file);
    run.ctx = load_conn_ctx(&run);
    run.identity = options->client ? load_client_read(options) : NULL;
    name_hosts(&run);
    for (int i = 0; i < options->threads; i++)
        prepare(&workers[i], &run, i);
    run.begin = load_now();
    run.end = run.begin + (uint64_t)(options->seconds * LOAD_SECOND);
    for (int i = 0; i < options->threads; i++) {
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            load_die("no thread");
    }
    for (int i = 0; i < options->threads; i++)
        pthread_join(workers[i].thread, NULL);
    sum_up(&run, workers, result);
}
