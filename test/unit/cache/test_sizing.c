/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The size that is recommended for the responses of all certificates: that much is enough, and it is enough as soon as
 * some of the responses are known.
 */
#include "cache/sizing.h"

#include "cache/shm.h"
#include "support_cache.h"
#include "support_test.h"

#define ID_LEN 20

static oc_sizing_t sizing_of(unsigned known, apr_size_t len, unsigned unknown)
{
    oc_sizing_t sizing = {0};
    unsigned i;

    for (i = 0; i < known; i++)
        oc_sizing_add(&sizing, ID_LEN, len);
    for (i = 0; i < unknown; i++)
        oc_sizing_add(&sizing, ID_LEN, 0);
    return sizing;
}

TEST(nothing_fits_everywhere)
{
    oc_sizing_t none = {0};

    assert_true(oc_sizing_fits(&none, OC_SHM_SIZE_MIN));
}

TEST(recommended_fits_and_less_does_not)
{
    static const apr_size_t lens[] = {1, 400, 500, 2136, 5000, 60000};
    unsigned i, n;

    for (i = 0; i < sizeof(lens) / sizeof(*lens); i++)
        for (n = 1; n < 3000; n = n * 3 + 1) {
            oc_sizing_t sizing = sizing_of(n, lens[i], n / 2);
            apr_size_t size = oc_sizing_recommended(&sizing);

            assert_int_equal(size % 32768, 0);
            assert_true(oc_sizing_fits(&sizing, size));
            if (size > OC_SHM_SIZE_MIN)
                assert_false(oc_sizing_fits(&sizing, size - 32768));
        }
}

/* A cache of the recommended size takes them all, and a new version of each after that. */
TEST(recommended_is_enough_for_the_cache)
{
    oc_sizing_t sizing = sizing_of(300, 2300, 0);
    oc_shm_t *shm = cache_arena(oc_sizing_recommended(&sizing), OC_SHM_KEEP_VALID);
    int i;

    for (i = 0; i < 600; i++)
        assert_int_equal(cache_put(shm, (unsigned)i % 300, (unsigned)i + 1, 2300, 1000, 0), APR_SUCCESS);
}

/* Ten times the same figure, however many of the responses have come already. */
TEST(figure_does_not_grow_as_responses_arrive)
{
    apr_size_t first = 0;
    unsigned known;

    for (known = 1; known <= 40; known++) {
        oc_sizing_t sizing = sizing_of(known, 3333, 40 - known);

        if (known == 1)
            first = oc_sizing_recommended(&sizing);
        assert_int_equal(oc_sizing_recommended(&sizing), first);
    }
}

/* Small ones so far do not make the others small. */
TEST(unknown_is_never_smaller_than_usual)
{
    oc_sizing_t some = sizing_of(1, 400, 39), none = sizing_of(0, 0, 40);

    assert_true(oc_sizing_recommended(&some) <= oc_sizing_recommended(&none));
    assert_true(oc_sizing_recommended(&none) >= 40 * 2048);
    assert_false(oc_sizing_fits(&some, 65536));
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_setup, cache_teardown)
