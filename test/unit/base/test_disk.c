/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Tests of writing where the operating system writes less than it should. The pwrite(2) of this file is the one that
 * base/disk calls.
 */
#include "base/disk.h"
#include "support_test.h"

#include <errno.h>
#include <unistd.h>

#define STEPS_MAX 4
#define INTERRUPTED (-EINTR)

/* What the next calls return; beyond them EDOM, which ends any loop. */
static ssize_t steps[STEPS_MAX];
static size_t n_steps, n_calls;
static char written[16];

ssize_t pwrite(int fd, const void *buffer, size_t len, off_t offset)
{
    ssize_t step = n_calls < n_steps ? steps[n_calls] : -EDOM;

    (void)fd;
    n_calls++;
    if (step < 0) {
        errno = (int)-step;
        return -1;
    }
    assert_true((size_t)step <= len && (size_t)offset + (size_t)step <= sizeof(written));
    memcpy(written + offset, buffer, (size_t)step);
    return step;
}

static apr_status_t write_in(size_t n, const ssize_t *in)
{
    memset(written, 0, sizeof(written));
    memcpy(steps, in, n * sizeof(*in));
    n_steps = n;
    n_calls = 0;
    return oc_disk_write_at(-1, "abcdefgh", 8, 2);
}

TEST(short_and_interrupted_writes_continue)
{
    assert_int_equal(write_in(4, (const ssize_t[]){3, INTERRUPTED, 1, 4}), APR_SUCCESS);
    assert_memory_equal(written, "\0\0abcdefgh", 10);
    assert_int_equal(n_calls, 4);
}

TEST(a_failure_ends_it)
{
    assert_int_equal(write_in(2, (const ssize_t[]){5, -ENOSPC}), ENOSPC);
    assert_int_equal(n_calls, 2);
}

TEST(a_write_of_nothing_ends_it)
{
    assert_int_equal(write_in(2, (const ssize_t[]){5, 0}), EIO);
    assert_int_equal(n_calls, 2);
}

TEST_MAIN(NULL, NULL, NULL, NULL)
