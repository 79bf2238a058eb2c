/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A request to refresh a certificate is taken once, and none is lost between threads. Also runs under ThreadSanitizer.
 */
#include "state/refresh_flags.h"

#include "support_cache.h"
#include "support_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define CERTIFICATES 50
#define THREADS 4
#define NOW apr_time_from_sec(1700000000)

static oc_refresh_flags_t *make(unsigned n)
{
    oc_refresh_flags_t *flags = NULL;

    assert_int_equal(oc_refresh_flags_create(&flags, n, cache_pool), APR_SUCCESS);
    return flags;
}

TEST(a_request_is_taken_once)
{
    oc_refresh_flags_t *flags = make(3);
    uint64_t seen = 0;

    assert_false(oc_refresh_flags_has_any(flags, &seen));
    assert_false(oc_refresh_flags_take(flags, 1));
    assert_int_equal(oc_refresh_flags_one(flags, 1, NOW), APR_SUCCESS);
    assert_true(oc_refresh_flags_has_any(flags, &seen));
    assert_false(oc_refresh_flags_has_any(flags, &seen));
    assert_false(oc_refresh_flags_take(flags, 0));
    assert_true(oc_refresh_flags_take(flags, 1));
    assert_false(oc_refresh_flags_take(flags, 1));
    assert_false(oc_refresh_flags_take(flags, 2));
}

TEST(test_pause)
{
    oc_refresh_flags_t *flags = make(1);

    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW), APR_SUCCESS);
    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW), APR_EAGAIN);
    assert_true(oc_refresh_flags_take(flags, 0));
    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW + OC_REFRESH_FLAGS_PAUSE - 1), APR_EAGAIN);
    assert_false(oc_refresh_flags_take(flags, 0));
    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW - 1), APR_EAGAIN);
    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW + OC_REFRESH_FLAGS_PAUSE), APR_SUCCESS);
    assert_true(oc_refresh_flags_take(flags, 0));
}

/* The pause must not last until the clock has caught up. */
TEST(clock_set_back)
{
    oc_refresh_flags_t *flags = make(1);

    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW), APR_SUCCESS);
    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW - apr_time_from_sec(3600)), APR_SUCCESS);
    assert_true(oc_refresh_flags_take(flags, 0));
}

/* Requested again before it is taken: it is refreshed once. */
TEST(requested_twice_before_it_is_taken)
{
    oc_refresh_flags_t *flags = make(1);

    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW), APR_SUCCESS);
    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW + 2 * OC_REFRESH_FLAGS_PAUSE), APR_SUCCESS);
    assert_true(oc_refresh_flags_take(flags, 0));
    assert_false(oc_refresh_flags_take(flags, 0));
}

TEST(no_such_certificate)
{
    oc_refresh_flags_t *flags = make(2), *none = make(0);
    uint64_t seen = 0;

    assert_int_equal(oc_refresh_flags_one(flags, 2, NOW), APR_EINVAL);
    assert_int_equal(oc_refresh_flags_one(flags, UINT32_MAX, NOW), APR_EINVAL);
    assert_int_equal(oc_refresh_flags_one(none, 0, NOW), APR_EINVAL);
    assert_false(oc_refresh_flags_take(flags, 2));
    assert_false(oc_refresh_flags_has_any(flags, &seen));
    oc_refresh_flags_set_attempt(flags, 2, NOW);
    assert_int_equal(oc_refresh_flags_last_attempt(flags, 2), 0);
}

TEST(last_attempt)
{
    oc_refresh_flags_t *flags = make(2);

    assert_int_equal(oc_refresh_flags_last_attempt(flags, 0), 0);
    oc_refresh_flags_set_attempt(flags, 0, NOW);
    oc_refresh_flags_set_attempt(flags, 1, -5);
    assert_int_equal(oc_refresh_flags_last_attempt(flags, 0), NOW);
    assert_int_equal(oc_refresh_flags_last_attempt(flags, 1), 0);
    assert_false(oc_refresh_flags_take(flags, 0));
    assert_int_equal(oc_refresh_flags_one(flags, 0, NOW), APR_SUCCESS);
    assert_int_equal(oc_refresh_flags_last_attempt(flags, 0), NOW);
}

TEST(children_request)
{
    oc_refresh_flags_t *flags = make(CERTIFICATES);
    uint64_t seen = 0;
    pid_t child = fork();
    int status;

    assert_int_not_equal(child, -1);
    if (child == 0)
        _exit(oc_refresh_flags_one(flags, CERTIFICATES - 1, NOW) != APR_SUCCESS);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(oc_refresh_flags_has_any(flags, &seen));
    assert_true(oc_refresh_flags_take(flags, CERTIFICATES - 1));
}

/* ---- threads ---- */

static oc_refresh_flags_t *shared;
static atomic_uint n_requested, n_at_work;

/* Every thread requests every certificate, each at its own times. */
static void *request_all(void *data)
{
    unsigned i, thread = (unsigned)(uintptr_t)data;

    for (i = 0; i < CERTIFICATES; i++)
        if (oc_refresh_flags_one(shared, i, NOW + (apr_time_t)thread) == APR_SUCCESS)
            atomic_fetch_add(&n_requested, 1);
    atomic_fetch_sub(&n_at_work, 1);
    return NULL;
}

static unsigned take_all(void)
{
    unsigned i, taken = 0;

    for (i = 0; i < CERTIFICATES; i++)
        taken += (unsigned)oc_refresh_flags_take(shared, i);
    return taken;
}

/* Only one thread's request for a certificate counts, and a reader that checks for new ones misses none. */
TEST(requests_of_threads_are_taken_once)
{
    pthread_t threads[THREADS];
    unsigned i, round, taken;

    for (round = 0; round < 100; round++) {
        uint64_t seen = 0;

        shared = make(CERTIFICATES);
        taken = 0;
        atomic_store(&n_requested, 0);
        atomic_store(&n_at_work, THREADS);
        for (i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, request_all, (void *)(uintptr_t)i), 0);
        while (atomic_load(&n_at_work) > 0)
            if (oc_refresh_flags_has_any(shared, &seen))
                taken += take_all();
        for (i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        if (oc_refresh_flags_has_any(shared, &seen))
            taken += take_all();
        assert_int_equal(atomic_load(&n_requested), CERTIFICATES);
        assert_int_equal(taken, CERTIFICATES);
    }
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
