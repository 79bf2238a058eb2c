/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Packets between threads: each is taken once, whole, or replaced and freed. The leak checker and the thread sanitizer
 * watch.
 */
#include "base/handover.h"

#include "support_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 20000

static oc_packet_t *packet_of(unsigned char byte, apr_size_t len)
{
    unsigned char bytes[256];

    memset(bytes, byte, sizeof(bytes));
    return oc_packet_make(bytes, len);
}

TEST(a_packet_is_taken_once)
{
    oc_handover_t place = {0};
    oc_packet_t *taken;

    assert_null(oc_handover_take(&place));
    oc_handover_put(&place, packet_of(0x30, 7));
    assert_int_equal(atomic_load(&place.is_full), 1);
    taken = oc_handover_take(&place);
    assert_non_null(taken);
    assert_int_equal(taken->len, 7);
    assert_memory_equal(taken->bytes, "0000000", 7);
    assert_int_equal(atomic_load(&place.is_full), 0);
    assert_null(oc_handover_take(&place));
    free(taken);
}

TEST(the_last_packet_counts)
{
    oc_handover_t place = {0};
    oc_packet_t *taken;

    oc_handover_put(&place, packet_of(1, 200));
    oc_handover_put(&place, packet_of(2, 0));
    oc_handover_put(&place, NULL); /* no memory: what is there stays */
    assert_int_equal(atomic_load(&place.is_full), 1);
    taken = oc_handover_take(&place);
    assert_int_equal(taken->len, 0);
    free(taken);
}

static oc_handover_t shared;
static atomic_int n_taken, n_torn, has_ended;

static void *take(void *data)
{
    (void)data;
    while (!atomic_load(&has_ended) || atomic_load(&shared.is_full)) {
        oc_packet_t *packet = atomic_load(&shared.is_full) ? oc_handover_take(&shared) : NULL;
        apr_size_t i;

        if (!packet)
            continue;
        atomic_fetch_add(&n_taken, 1);
        for (i = 0; i < packet->len; i++)
            if (packet->bytes[i] != packet->len) {
                atomic_fetch_add(&n_torn, 1);
                break;
            }
        free(packet);
    }
    return NULL;
}

TEST(two_threads_take_what_one_leaves)
{
    pthread_t takers[2];
    int i, n_left = 0;

    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&takers[i], NULL, take, NULL), 0);
    for (i = 0; i < ROUNDS; i++)
        oc_handover_put(&shared, packet_of((unsigned char)(i % 256), (apr_size_t)(i % 256)));
    atomic_store(&has_ended, 1);
    for (i = 0; i < 2; i++)
        pthread_join(takers[i], NULL);
    free(oc_handover_take(&shared));
    n_left = atomic_load(&n_taken);
    assert_in_range(n_left, 1, ROUNDS);
    assert_int_equal(atomic_load(&n_torn), 0);
}

TEST_MAIN(NULL, NULL, NULL, NULL)
