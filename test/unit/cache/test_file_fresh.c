/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A fresh cache file, from its creation until it replaces the old one, and what happens when there is no room for it.
 */
#include "support_cache_file.h"
#include "support_test.h"

#include <apr_strings.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a fresh file ---- */

TEST(fresh_file_is_private)
{
    mode_t mask = umask(0);
    const char *problem = NULL;
    oc_file_t *file = cache_file_create();
    DIR *fds = opendir("/proc/self/fd");
    struct dirent *entry;
    struct stat st;
    int seen = 0;

    umask(mask);
    assert_int_equal(stat(cache_path, &st), -1); /* not before commit */
    assert_int_equal(oc_file_commit(file, &problem), APR_SUCCESS);
    assert_int_equal(stat(cache_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(cache_in_folder("cache.new"), &st), -1);
    assert_non_null(fds);
    while ((entry = readdir(fds)) != NULL) {
        char target[200];
        ssize_t n =
            readlink(apr_pstrcat(cache_pool, "/proc/self/fd/", entry->d_name, NULL), target, sizeof(target) - 1);

        if (n < 0)
            continue;
        target[n] = '\0';
        if (strcmp(target, cache_path) == 0) {
            seen++;
            assert_true(fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC);
        }
    }
    closedir(fds);
    assert_int_equal(seen, 1);
}

TEST(uncommitted_file_leaves_no_trace)
{
    const char *before, *problem = NULL;
    apr_pool_t *pool;
    oc_file_t *file;

    cache_file_make();
    before = apr_pstrdup(cache_pool, strstr(cache_folder_picture(), "cache"));
    apr_pool_create(&pool, cache_pool);
    assert_int_equal(oc_file_create(&file, cache_path, CACHE_FILE_BLOCKS, pool, &problem), APR_SUCCESS);
    assert_int_equal(access(cache_in_folder("cache.new"), F_OK), 0);
    apr_pool_destroy(pool);
    assert_string_equal(strstr(cache_folder_picture(), "cache"), before);
}

TEST(left_over_fresh_file_is_replaced)
{
    struct stat st;

    cache_write_text(cache_in_folder("cache.new"), "left by a crash");
    cache_file_make();
    assert_int_equal(access(cache_in_folder("cache.new"), F_OK), -1);

    /* A symlink in its place is not followed. */
    cache_write_text(cache_in_folder("other"), "precious");
    assert_int_equal(symlink(cache_in_folder("other"), cache_in_folder("cache.new")), 0);
    cache_file_make();
    assert_int_equal(stat(cache_in_folder("other"), &st), 0);
    assert_int_equal(st.st_size, 8);
}

TEST(failed_commit_leaves_the_old_file)
{
    const char *problem = NULL;
    struct stat st;
    oc_file_t *file;

    assert_int_equal(mkdir(cache_path, 0700), 0); /* what a rename cannot replace */
    file = cache_file_create();
    assert_int_equal(oc_file_commit(file, &problem), EISDIR);
    assert_non_null(strstr(problem, cache_path));
    assert_int_equal(stat(cache_path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(access(cache_in_folder("cache.new"), F_OK), -1); /* at once: the next one bears the same name */
}

TEST(abandoned_file_is_removed_at_once)
{
    oc_file_t *file = cache_file_create();

    oc_file_abandon(file);
    assert_int_equal(access(cache_in_folder("cache.new"), F_OK), -1);
}

TEST(fresh_file_where_a_folder_is)
{
    const char *problem = NULL;
    oc_file_t *file;

    assert_int_equal(mkdir(cache_in_folder("cache.new"), 0700), 0);
    assert_int_equal(oc_file_create(&file, cache_path, CACHE_FILE_BLOCKS, cache_pool, &problem), EEXIST);
    assert_non_null(strstr(problem, "cache.new"));
    assert_null(file);
}

/* Old children keep writing into the file that was replaced: the new one is not affected. */
TEST(invariant_10_old_file_is_cut_off)
{
    static unsigned char block[OC_BLOCK_SIZE];
    const char *problem = NULL, *before;
    oc_file_t *old = cache_file_create();

    assert_int_equal(oc_file_commit(old, &problem), APR_SUCCESS);
    cache_file_make();
    before = cache_folder_picture();
    memset(block, 0xee, sizeof(block));
    assert_int_equal(oc_file_write(old, 3, block), APR_SUCCESS);
    assert_int_equal(oc_file_write(old, 3, NULL), APR_SUCCESS);
    assert_string_equal(cache_folder_picture(), before);
    assert_int_equal(cache_file_load(&problem), APR_SUCCESS);
}

/* ---- full ---- */

static int write_too_much(void)
{
    static unsigned char block[OC_BLOCK_SIZE];
    const char *problem = NULL;
    oc_file_t *file;
    uint32_t i;

    if (oc_file_create(&file, cache_path, CACHE_FILE_BLOCKS, cache_pool, &problem) != APR_SUCCESS
        || oc_file_commit(file, &problem) != APR_SUCCESS)
        return 1;
    for (i = 0; i < 100000 && oc_file_write(file, i, block) == APR_SUCCESS; i++)
        ;
    if (i < 8 || i == 100000)
        return 2;
    if (oc_file_write(file, i, block) == APR_SUCCESS) /* it stays full, and each write reports it */
        return 3;
    if (oc_file_write(file, 2, block) != APR_SUCCESS || oc_file_write(file, 2, NULL) != APR_SUCCESS)
        return 4; /* free space that exists already is used */
    return cache_file_load(&problem) == APR_SUCCESS ? 0 : 5;
}

static int limited(void)
{
    struct rlimit limit = {65536, 65536};

    signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit) == 0 ? write_too_much() : 102;
}

TEST(limited_file)
{
    assert_int_equal(chmod(cache_folder, 0777), 0);
    assert_int_equal(cache_as_nobody(limited), 0);
}

static int on_small_tmpfs(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("tmpfs", cache_folder, "tmpfs", 0, "size=32k") != 0)
        return errno == EPERM || errno == EACCES ? 77 : 103;
    if (!oc_file_is_volatile(cache_path, cache_pool))
        return 6;
    return write_too_much();
}

static int on_full_tmpfs(void)
{
    const char *problem = NULL;
    oc_file_t *file;

    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("tmpfs", cache_folder, "tmpfs", 0, "size=4k") != 0)
        return errno == EPERM || errno == EACCES ? 77 : 103;
    cache_write_text(cache_in_folder("other"), "takes the only page");
    if (oc_file_create(&file, cache_path, CACHE_FILE_BLOCKS, cache_pool, &problem) != ENOSPC || file
        || !strstr(problem, "cache.new"))
        return 1;
    return access(cache_in_folder("cache.new"), F_OK) == -1 ? 0 : 2;
}

TEST(full_disk)
{
    int (*const checks[])(void) = {on_small_tmpfs, on_full_tmpfs};
    unsigned i;

    for (i = 0; i < 2; i++) {
        pid_t child = fork();
        int status;

        assert_int_not_equal(child, -1);
        if (child == 0)
            _exit(checks[i]());
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77) {
            print_message("left out: no right to mount a small file system\n");
            skip();
        }
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

TEST_MAIN(cache_group_setup, cache_group_teardown, cache_folder_setup, cache_folder_teardown)
