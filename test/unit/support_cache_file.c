/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The folder and the cache file for the tests of cache/file.h.
 */
#define _FILE_OFFSET_BITS 64 /* qemu gives programs of 32 bits the folders' 64-bit offsets */

#include "support_cache_file.h"

#include <apr_strings.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char cache_folder[sizeof(CACHE_FOLDER)] = CACHE_FOLDER;
char cache_path[sizeof(CACHE_FOLDER) + 8];

int cache_folder_setup(void **state)
{
    if (cache_setup(state) != 0)
        return -1;
    memcpy(cache_folder + sizeof(cache_folder) - 7, "XXXXXX", 6);
    if (!mkdtemp(cache_folder))
        return -1;
    strcat(strcpy(cache_path, cache_folder), "/cache");
    return 0;
}

char *cache_in_folder(const char *name)
{
    return apr_pstrcat(cache_pool, cache_folder, "/", name, NULL);
}

int cache_folder_teardown(void **state)
{
    static const char *const NAMES[] = {"/cache", "/cache.new", "/cache.lock", "/other"};
    char name[sizeof(cache_folder) + 16];
    unsigned i;
    int failed = cache_teardown(state);

    for (i = 0; i < 4; i++) {
        strcat(strcpy(name, cache_folder), NAMES[i]);
        if (unlink(name) != 0 && errno != ENOENT)
            (void)rmdir(name);
    }
    return rmdir(cache_folder) != 0 || failed ? -1 : 0;
}

void cache_write_text(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

char *cache_read_text(const char *name)
{
    static char text[65536];
    int fd = open(cache_in_folder(name), O_RDONLY);
    ssize_t n;

    assert_int_not_equal(fd, -1);
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

oc_file_t *cache_file_create(void)
{
    const char *problem = NULL;
    oc_file_t *file = NULL;

    assert_int_equal(oc_file_create(&file, cache_path, CACHE_FILE_BLOCKS, cache_pool, &problem), APR_SUCCESS);
    return file;
}

void cache_file_make(void)
{
    const char *problem = NULL;

    assert_int_equal(oc_file_commit(cache_file_create(), &problem), APR_SUCCESS);
}

static void never(void *context, const oc_entry_t *entry)
{
    (void)context;
    (void)entry;
    fail_msg("a record out of nothing");
}

apr_status_t cache_file_load(const char **problem)
{
    oc_file_load_t loaded;
    apr_status_t rv = oc_file_load(cache_path, UINT32_MAX, never, NULL, &loaded, cache_pool);

    *problem = loaded.problem;
    assert_int_equal(loaded.records + loaded.damaged, 0);
    return rv;
}

char *cache_folder_picture(void)
{
    char *text = apr_pstrdup(cache_pool, "");
    struct dirent **entries;
    int i, n = scandir(cache_folder, &entries, NULL, alphasort);

    assert_true(n >= 2);
    for (i = 0; i < n; i++) {
        struct stat st;

        assert_int_equal(lstat(cache_in_folder(entries[i]->d_name), &st), 0);
        if (strcmp(entries[i]->d_name, "..") != 0)
            text =
                apr_psprintf(cache_pool, "%s%s ino %lu mode %o uid %u size %ld mtime %ld.%ld ctime %ld.%ld\n", text,
                             entries[i]->d_name, (unsigned long)st.st_ino, st.st_mode, st.st_uid, (long)st.st_size,
                             (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
        free(entries[i]);
    }
    free(entries);
    return text;
}

int cache_as_nobody(int (*check)(void))
{
    pid_t child = fork();
    int status;

    assert_int_not_equal(child, -1);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(CACHE_NOBODY) != 0 || setuid(CACHE_NOBODY) != 0))
            _exit(100);
        _exit(check());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}
