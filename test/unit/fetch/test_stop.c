/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The stop flag at every stage of an exchange, and absurd timeouts. A replacement of getaddrinfo(3) blocks for one
 * name, and calls the real one for all others.
 */
#include "support_exchange.h"
#include "support_responder.h"
#include "support_test.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const responder_answer_t silent[] = {{.then = THEN_HANG}};

static sem_t lookup_begun, lookup_may_end, parked;

typedef int lookup_t(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static lookup_t *real_lookup(void)
{
    lookup_t *function;

    *(void **)&function = dlsym(RTLD_NEXT, "getaddrinfo");
    return function;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    if (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) == 0 && strcmp(host, "blocking.test") == 0) {
        (void)sem_post(&lookup_begun);
        while (sem_wait(&lookup_may_end) != 0) {
        }
        return EAI_AGAIN;
    }
    return real_lookup()(host, service, hints, list);
}

/* Where a thread that must not return ends up. */
int pause(void)
{
    struct timespec long_time = {1000, 0};

    (void)sem_post(&parked);
    return nanosleep(&long_time, NULL);
}

/* Sets a flag during a wait. */
typedef struct {
    atomic_int flag;
    pthread_t thread;
} stopper_t;

static void *set_later(void *data)
{
    struct timespec during_the_exchange = {0, 100 * 1000 * 1000};

    (void)nanosleep(&during_the_exchange, NULL);
    atomic_store(&((stopper_t *)data)->flag, 1);
    return NULL;
}

static void stopper_start(stopper_t *stopper)
{
    atomic_init(&stopper->flag, 0);
    assert_int_equal(pthread_create(&stopper->thread, NULL, set_later, stopper), 0);
}

TEST(stopped_beforehand)
{
    oc_fetch_result_t result;
    atomic_int stop = 1;
    int fd;
    int port = responder_dead_port(AF_INET, &fd);

    assert_int_equal(exchange_query(exchange_url("127.0.0.1", port), 5000, &stop, &result), OC_STOPPED);
    (void)close(fd);
}

TEST(stopped_while_waiting)
{
    oc_fetch_result_t result;
    stopper_t stopper;

    assert_int_equal(responder_start(&exchange_responder, AF_INET, silent, 1), 0);
    stopper_start(&stopper);
    assert_int_equal(exchange_query(exchange_url("127.0.0.1", exchange_responder.port), 60000, &stopper.flag, &result),
                     OC_STOPPED);
    assert_true(result.elapsed < apr_time_from_sec(2));
    (void)pthread_join(stopper.thread, NULL);
    responder_stop(&exchange_responder);
}

TEST(stopped_while_connecting)
{
    oc_fetch_result_t result;
    stopper_t stopper;
    int fds[4];
    int port = exchange_full_port(fds);

    stopper_start(&stopper);
    assert_int_equal(exchange_query(exchange_url("127.0.0.1", port), 60000, &stopper.flag, &result), OC_STOPPED);
    assert_true(result.elapsed < apr_time_from_sec(2));
    (void)pthread_join(stopper.thread, NULL);
    exchange_close(fds);
}

/* One exchange of a thread is called off; the thread itself is not to stop. */
TEST(called_off_while_waiting)
{
    atomic_int stop = 0;
    stopper_t stopper;
    oc_deadline_t deadline;
    oc_fetch_request_t request = {.der = exchange_request(), .der_len = EXCHANGE_LONG, .deadline = &deadline};
    oc_fetch_result_t result;

    assert_int_equal(responder_start(&exchange_responder, AF_INET, silent, 1), 0);
    request.url = exchange_url("127.0.0.1", exchange_responder.port);
    stopper_start(&stopper);
    oc_deadline_start(&deadline, apr_time_from_sec(60), &stop);
    deadline.called_off = &stopper.flag;
    assert_int_equal(oc_fetch(&request, &result, exchange_pool), OC_STOPPED);
    assert_true(result.elapsed < apr_time_from_sec(2));
    assert_int_equal(oc_deadline_stopped(&deadline), 0);
    assert_int_equal(oc_deadline_check(&deadline), OC_STOPPED);
    oc_deadline_start(&deadline, apr_time_from_sec(60), &stop);
    assert_int_equal(oc_deadline_check(&deadline), OC_PENDING);
    (void)pthread_join(stopper.thread, NULL);
}

TEST(absurd_timeouts)
{
    oc_deadline_t deadline;
    oc_fetch_request_t request = {
        .url = "http://127.0.0.1:1/", .der = exchange_request(), .der_len = EXCHANGE_LONG, .deadline = &deadline};
    oc_fetch_result_t result;
    int fd;
    int port = responder_dead_port(AF_INET, &fd);

    oc_deadline_start(&deadline, 0, NULL);
    assert_int_equal(oc_fetch(&request, &result, exchange_pool), OC_TIMED_OUT);
    oc_deadline_start(&deadline, APR_INT64_MIN, NULL);
    assert_int_equal(oc_fetch(&request, &result, exchange_pool), OC_TIMED_OUT);
    oc_deadline_start(&deadline, APR_INT64_MAX, NULL);
    request.url = exchange_url("127.0.0.1", port);
    assert_int_equal(oc_fetch(&request, &result, exchange_pool), OC_CONNECT_FAILED);
    (void)close(fd);
}

static atomic_int late_stop;
static atomic_int late_returned;

static void *late_thread(void *data)
{
    oc_deadline_t deadline;
    oc_fetch_request_t request = {
        .url = "http://blocking.test/", .der = exchange_request(), .der_len = EXCHANGE_LONG, .deadline = &deadline};
    oc_fetch_result_t result;

    oc_deadline_start(&deadline, apr_time_from_sec(60), &late_stop);
    (void)oc_fetch(&request, &result, data);
    atomic_store(&late_returned, 1);
    return NULL;
}

/* The lookup blocks, the process begins to exit, the lookup returns: the thread never returns. The last test, since
 * that thread stays until the program ends. */
TEST(late_lookup_never_returns)
{
    static apr_pool_t *its_pool;
    pthread_t thread;
    struct timespec deadline;

    assert_int_equal(apr_pool_create(&its_pool, NULL), APR_SUCCESS);
    assert_int_equal(pthread_create(&thread, NULL, late_thread, its_pool), 0);
    assert_int_equal(pthread_detach(thread), 0);
    (void)clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 20;
    assert_int_equal(sem_timedwait(&lookup_begun, &deadline), 0);
    atomic_store(&late_stop, 1);
    (void)sem_post(&lookup_may_end);
    assert_int_equal(sem_timedwait(&parked, &deadline), 0);
    assert_int_equal(atomic_load(&late_returned), 0);
}

int main(void)
{
    if (sem_init(&lookup_begun, 0, 0) != 0 || sem_init(&lookup_may_end, 0, 0) != 0 || sem_init(&parked, 0, 0) != 0)
        return 2;
    return test_run(NULL, NULL, exchange_set_up, exchange_tear_down);
}
