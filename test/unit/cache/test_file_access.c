/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which files may be opened, and which must not be touched. Some tests need root; without it they report that they are
 * skipped.
 */
#include "support_cache_file.h"
#include "support_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Neither check nor load accepts the file, both give the reason, and nothing has changed. */
static void assert_refused(const char *reason)
{
    const char *before = cache_folder_picture(), *problem = NULL;

    assert_int_equal(oc_file_check(cache_path, cache_pool, &problem), APR_EGENERAL);
    assert_non_null(strstr(problem, cache_path));
    assert_non_null(strstr(problem, reason));
    assert_non_null(strstr(problem, "Remove it")); /* advice for the program that writes the file, not for a reader */
    problem = NULL;
    assert_int_equal(cache_file_load(&problem), APR_EGENERAL);
    assert_non_null(strstr(problem, reason));
    assert_null(strstr(problem, "Remove it"));
    assert_string_equal(cache_folder_picture(), before);
}

/* ---- looking ---- */

TEST(check_touches_nothing)
{
    const char *problem = NULL, *before = cache_folder_picture();

    assert_int_equal(oc_file_check(cache_path, cache_pool, &problem), APR_SUCCESS); /* absent, and could be made */
    assert_int_equal(cache_file_load(&problem), APR_ENOENT);
    assert_null(problem);
    assert_string_equal(cache_folder_picture(), before);

    cache_file_make();
    before = cache_folder_picture();
    assert_int_equal(oc_file_check(cache_path, cache_pool, &problem), APR_SUCCESS);
    assert_int_equal(cache_file_load(&problem), APR_SUCCESS);
    assert_string_equal(cache_folder_picture(), before);
}

TEST(empty_file_is_accepted)
{
    const char *problem = NULL;

    cache_write_text(cache_path, "");
    assert_int_equal(oc_file_check(cache_path, cache_pool, &problem), APR_SUCCESS);
    assert_int_equal(cache_file_load(&problem), APR_SUCCESS);
}

TEST(invariant_10_foreign_files_are_refused)
{
    cache_write_text(cache_path, "x");
    assert_refused("not an OCSP cache file");
    cache_write_text(cache_path, "OCSPCACH");
    assert_refused("not an OCSP cache file");
    cache_write_text(cache_path, "root:x:0:0:root:/:/bin/sh, and enough of it that a head would fit in here");
    assert_refused("not an OCSP cache file");
}

TEST(invariant_10_symlinks_are_refused)
{
    cache_file_make();
    assert_int_equal(rename(cache_path, cache_in_folder("other")), 0);
    assert_int_equal(symlink(cache_in_folder("other"), cache_path), 0);
    assert_refused("symbolic link");
    unlink(cache_path);
    assert_int_equal(symlink("/nowhere/at/all", cache_path), 0);
    assert_refused("symbolic link");
}

TEST(invariant_10_odd_files_are_refused)
{
    assert_int_equal(mkfifo(cache_path, 0600), 0);
    alarm(20); /* it has no writer: opening must not wait */
    assert_refused("not a regular file");
    alarm(0);
    unlink(cache_path);
    assert_int_equal(mkdir(cache_path, 0700), 0);
    assert_refused("not a regular file");
}

TEST(invariant_10_files_of_others_are_refused)
{
    cache_file_make();
    if (geteuid() != 0) {
        print_message("left out: only root can give files away\n");
        skip();
    }
    assert_int_equal(chown(cache_path, CACHE_NOBODY, CACHE_NOBODY), 0);
    assert_refused("belongs to user ");
    assert_int_equal(chown(cache_path, 0, 0), 0);
    assert_int_equal(chown(cache_folder, CACHE_NOBODY, CACHE_NOBODY), 0);
    assert_int_equal(chmod(cache_folder, 0755), 0);
    assert_int_equal(seteuid(CACHE_NOBODY), 0); /* the same for another user, who cannot even read the file */
    {
        const char *problem = NULL;
        apr_status_t checked = oc_file_check(cache_path, cache_pool, &problem);

        assert_int_equal(seteuid(0), 0);
        assert_int_not_equal(checked, APR_SUCCESS);
        assert_non_null(problem);
    }
}

TEST(folders)
{
    const char *problem = NULL;

    assert_int_equal(oc_file_check("/nowhere/at/all", cache_pool, &problem), APR_ENOENT);
    assert_non_null(strstr(problem, "/nowhere/at"));
    cache_write_text(cache_in_folder("other"), "");
    assert_int_equal(oc_file_check(cache_in_folder("other/cache"), cache_pool, &problem), APR_ENOTDIR);
    assert_non_null(strstr(problem, cache_in_folder("other")));
    assert_int_equal(oc_file_check("/cache-of-a-test", cache_pool, &problem), access("/", W_OK) == 0 ? 0 : errno);
    assert_int_equal(chdir(cache_folder), 0);
    assert_int_equal(oc_file_check("cache", cache_pool, &problem),
                     APR_SUCCESS); /* no slash: the cache_folder we are in */
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(oc_file_has_folder(cache_path, cache_pool), 1);
    assert_int_equal(oc_file_has_folder("/nowhere/at/all", cache_pool), 0);
    assert_int_equal(oc_file_has_folder(cache_in_folder("other/cache"), cache_pool), 0);
}

static int use_read_only_folder(void)
{
    const char *problem = NULL;
    oc_file_t *file;

    if (oc_file_check(cache_path, cache_pool, &problem) != EACCES || !problem || !strstr(problem, cache_folder))
        return 1;
    problem = NULL;
    if (oc_file_create(&file, cache_path, CACHE_FILE_BLOCKS, cache_pool, &problem) != EACCES || !problem || file)
        return 2;
    problem = NULL;
    if (oc_file_lock(cache_path, cache_pool, &problem) != EACCES || !problem)
        return 3;
    return 0;
}

TEST(read_only_folder)
{
    const char *before;

    assert_int_equal(chmod(cache_folder, 0555), 0);
    before = cache_folder_picture();
    assert_int_equal(cache_as_nobody(use_read_only_folder), 0);
    assert_string_equal(cache_folder_picture(), before);
    assert_int_equal(chmod(cache_folder, 0700), 0);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_folder_setup, cache_folder_teardown)
