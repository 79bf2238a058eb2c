/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Entries are read as they were written, by other processes and during writes; damage affects only its entry; foreign
 * files are not changed.
 */
#include "state/ledger.h"

#include "support_cache_file.h"
#include "support_test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE 64
#define ENTRIES 100 /* more than are read at a time */

static char *path;

static int setup(void **state)
{
    int failed = cache_folder_setup(state);

    path = cache_in_folder("other");
    return failed;
}

static oc_ledger_t *make(unsigned n)
{
    const char *problem = NULL;
    oc_ledger_t *ledger = NULL;

    assert_int_equal(oc_ledger_create(&ledger, path, n, cache_pool, &problem), APR_SUCCESS);
    return ledger;
}

static oc_ledger_entry_t entry_of(unsigned number)
{
    oc_ledger_entry_t entry = {{0}, {apr_time_from_sec(1000 + number), number % 3, OC_GOOD}, 5 + number};

    memset(entry.id, (int)number + 1, sizeof(entry.id));
    return entry;
}

static void write_entry(oc_ledger_t *ledger, unsigned number)
{
    oc_ledger_entry_t entry = entry_of(number);

    assert_int_equal(oc_ledger_write(ledger, number, &entry), APR_SUCCESS);
}

static apr_hash_t *load(void)
{
    const char *problem = NULL;
    apr_hash_t *entries = NULL;

    assert_int_equal(oc_ledger_load(&entries, path, cache_pool, &problem), APR_SUCCESS);
    return entries;
}

static int has(apr_hash_t *entries, unsigned number)
{
    oc_ledger_entry_t wanted = entry_of(number);
    const oc_ledger_entry_t *found = apr_hash_get(entries, wanted.id, sizeof(wanted.id));

    if (!found)
        return 0;
    assert_int_equal(found->note.due, wanted.note.due);
    assert_int_equal(found->note.failures, wanted.note.failures);
    assert_int_equal(found->note.verdict, wanted.note.verdict);
    assert_int_equal(found->last_attempt, wanted.last_attempt);
    return 1;
}

TEST(round_trip)
{
    oc_ledger_t *ledger = make(ENTRIES);
    struct stat st;
    unsigned i;

    assert_int_equal(apr_hash_count(load()), 0);
    for (i = 0; i < ENTRIES; i += 3)
        write_entry(ledger, i);
    write_entry(ledger, 0);
    assert_int_equal(apr_hash_count(load()), (ENTRIES + 2) / 3);
    for (i = 0; i < ENTRIES; i++)
        assert_int_equal(has(load(), i), i % 3 == 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(access(cache_in_folder("other.new"), F_OK), -1);
}

TEST(no_such_entry)
{
    oc_ledger_entry_t entry = entry_of(1);
    oc_ledger_t *none = make(0), *ledger;

    assert_int_equal(oc_ledger_write(none, 0, &entry), APR_EINVAL);
    ledger = make(1);
    assert_int_equal(oc_ledger_write(ledger, 1, &entry), APR_EINVAL);
    assert_int_equal(oc_ledger_write(ledger, UINT32_MAX, &entry), APR_EINVAL);
    assert_int_equal(apr_hash_count(load()), 0);
}

/* Two generations of a server: children of the old one continue to write to the replaced file. */
TEST(fresh_one_takes_the_place)
{
    oc_ledger_t *old = make(3), *ledger;

    write_entry(old, 1);
    ledger = make(2);
    assert_int_equal(apr_hash_count(load()), 0);
    write_entry(old, 2);
    write_entry(ledger, 0);
    assert_int_equal(apr_hash_count(load()), 1);
    assert_true(has(load(), 0));
}

TEST(child_writes_through_the_inherited_descriptor)
{
    oc_ledger_t *ledger = make(4);
    int status;
    pid_t child;

    assert_int_not_equal(child = fork(), -1);
    if (child == 0) {
        oc_ledger_entry_t entry = entry_of(3);

        if (geteuid() == 0 && (setgid(CACHE_NOBODY) != 0 || setuid(CACHE_NOBODY) != 0))
            _exit(2);
        _exit(oc_ledger_write(ledger, 3, &entry) != APR_SUCCESS);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(has(load(), 3));
}

/* ---- hostile bytes ---- */

static void damage(off_t at, unsigned char with)
{
    int fd = open(path, O_RDWR);
    unsigned char byte;

    assert_int_not_equal(fd, -1);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= with;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

TEST(invariant_6_damage_costs_one_entry)
{
    off_t at;

    for (at = 0; at < LINE; at++) {
        oc_ledger_t *ledger = make(3);
        unsigned i;

        for (i = 0; i < 3; i++)
            write_entry(ledger, i);
        damage((off_t)LINE * 2 + at, 0x10);
        assert_int_equal(apr_hash_count(load()), 2);
        assert_true(has(load(), 0) && has(load(), 2));
    }
}

/* Another layout, byte order: nothing is read. A wrong magic: it is a foreign file. A wrong number of entries: the
 * file's length counts too. */
TEST(invariant_6_damaged_head)
{
    oc_ledger_t *ledger = make(2);
    apr_hash_t *entries;
    const char *problem = NULL;

    write_entry(ledger, 1);
    damage(8, 2);
    assert_int_equal(apr_hash_count(load()), 0);
    damage(8, 2);
    damage(12, 2);
    assert_int_equal(apr_hash_count(load()), 0);
    damage(12, 2);
    damage(19, 0xff);
    assert_int_equal(apr_hash_count(load()), 1);
    damage(0, 1);
    assert_int_equal(oc_ledger_load(&entries, path, cache_pool, &problem), APR_EGENERAL);
    assert_non_null(strstr(problem, path));
}

TEST(invariant_6_cut_short)
{
    off_t size;

    for (size = 4 * LINE; size > 0; size--) {
        oc_ledger_t *ledger = make(3);
        apr_hash_t *entries;
        const char *problem = NULL;
        unsigned i;

        for (i = 0; i < 3; i++)
            write_entry(ledger, i);
        assert_int_equal(truncate(path, size), 0);
        assert_int_equal(oc_ledger_load(&entries, path, cache_pool, &problem),
                         size < LINE ? APR_EGENERAL : APR_SUCCESS);
        if (size >= LINE)
            assert_int_equal(apr_hash_count(entries), size / LINE - 1);
        assert_int_equal(unlink(path), 0);
    }
    cache_write_text(path, "");
    assert_int_equal(apr_hash_count(load()), 0);
}

/* ---- foreign files ---- */

TEST(absent)
{
    apr_hash_t *entries;
    const char *problem = NULL;

    assert_int_equal(oc_ledger_load(&entries, path, cache_pool, &problem), APR_ENOENT);
}

static void expect_refusal(void)
{
    const char *before = cache_folder_picture(), *problem = NULL;
    oc_ledger_t *ledger;
    apr_hash_t *entries;

    assert_int_equal(oc_ledger_create(&ledger, path, 1, cache_pool, &problem), APR_EGENERAL);
    assert_null(ledger);
    assert_non_null(strstr(problem, path));
    problem = NULL;
    assert_int_equal(oc_ledger_load(&entries, path, cache_pool, &problem), APR_EGENERAL);
    assert_non_null(strstr(problem, path));
    assert_string_equal(cache_folder_picture(), before);
}

TEST(foreign_things_are_left_alone)
{
    cache_write_text(path, "my diary");
    expect_refusal();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(cache_path, path), 0);
    expect_refusal();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refusal();
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refusal();
}

static int create_without_rights(void)
{
    const char *problem = NULL;
    oc_ledger_t *ledger;
    apr_status_t rv = oc_ledger_create(&ledger, path, 1, cache_pool, &problem);

    return !(rv == EACCES && !ledger && problem && strstr(problem, path));
}

TEST(folder_without_rights)
{
    assert_int_equal(chmod(cache_folder, 0500), 0);
    assert_int_equal(cache_as_nobody(create_without_rights), 0);
    assert_int_equal(chmod(cache_folder, 0700), 0);
}

TEST(path_is_beside_the_cache)
{
    assert_string_equal(oc_ledger_path("/var/cache/x", cache_pool), "/var/cache/x.ledger");
}

TEST_MAIN(cache_group_setup, cache_group_teardown, setup, cache_folder_teardown)
