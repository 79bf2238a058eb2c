/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The response folder: which file belongs to a certificate, which is new, unchanged or unreadable, and that no entry
 * can block a thread or fill its memory. Uses real files in a temporary folder.
 */
#include "state/response_folder.h"

#include "support_test.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX 1000
#define SERIAL "0A1B2C"
#define SHA1 "ABABABABABABABABABABABABABABABABABABABAB"
#define NOBODY 65534

static apr_pool_t *pool;
static char folder[64];
static oc_response_folder_seen_t seen;
static oc_cert_t cert;
static oc_response_file_t file;
static int descriptors;

static int n_descriptors(void)
{
    int fd, n = 0;

    for (fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) != -1;
    return n;
}

static const char *path_of(const char *name)
{
    return apr_psprintf(pool, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *bytes, size_t len)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
}

/* As the manual says: under another name, then renamed. */
static void put(const char *bytes)
{
    write_file("new", bytes, strlen(bytes));
    assert_int_equal(rename(path_of("new"), path_of(SERIAL ".der")), 0);
}

static apr_status_t look(void)
{
    apr_status_t rv;

    file = (oc_response_file_t){NULL, NULL, SIZE_MAX};
    rv = oc_response_folder_read(folder, &cert, MAX, &seen, &file, pool);
    assert_non_null(file.path);
    if (rv != APR_SUCCESS) {
        assert_null(file.der);
    }
    return rv;
}

static void assert_new(const char *bytes)
{
    assert_int_equal(look(), APR_SUCCESS);
    assert_int_equal(file.der_len, strlen(bytes));
    assert_memory_equal(file.der, bytes, strlen(bytes));
    assert_int_equal(look(), APR_EEXIST);
}

/* A file system's clock may not advance for some milliseconds: wait until a change shows in the folder's time. */
static void tick(void)
{
    struct stat before, after;

    write_file("tick", "", 0);
    assert_int_equal(stat(path_of("tick"), &before), 0);
    do {
        write_file("tick", "", 0);
        assert_int_equal(stat(path_of("tick"), &after), 0);
    } while (before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && before.st_mtim.tv_sec == after.st_mtim.tv_sec);
    assert_int_equal(unlink(path_of("tick")), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return -1;
    (void)snprintf(folder, sizeof(folder), "/tmp/oc-test-folder-XXXXXX");
    memset(&seen, 0, sizeof(seen));
    memset(cert.id, 0xab, sizeof(cert.id));
    cert.serial = SERIAL;
    descriptors = n_descriptors();
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {SERIAL ".der", SHA1 ".der", "new", "other", "tick"};
    unsigned i;

    (void)state;
    if (n_descriptors() != descriptors)
        return -1;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (unlink(path_of(names[i])) != 0)
            (void)rmdir(path_of(names[i]));
    if (rmdir(folder) != 0)
        return -1;
    apr_pool_destroy(pool);
    return 0;
}

/* ---- one file ---- */

TEST(no_file)
{
    assert_int_equal(look(), ENOENT);
    assert_true(APR_STATUS_IS_ENOENT(look()));
}

TEST(read_once_and_again_when_replaced)
{
    put("first");
    assert_new("first");
    put("other"); /* as long, and perhaps within the same tick of the clock: the inode differs */
    assert_new("other");
}

TEST(written_over_in_its_place)
{
    put("first");
    assert_new("first");
    tick();
    write_file(SERIAL ".der", "again", 5);
    assert_new("again");
    write_file(SERIAL ".der", "longer", 6); /* no tick: the size differs */
    assert_new("longer");
}

TEST(gone_and_back)
{
    put("first");
    assert_new("first");
    assert_int_equal(rename(path_of(SERIAL ".der"), path_of("other")), 0);
    assert_int_equal(look(), ENOENT);
    assert_int_equal(rename(path_of("other"), path_of(SERIAL ".der")), 0);
    assert_int_equal(look(), APR_EEXIST); /* the same one */
    put("another");
    assert_new("another");
}

TEST(each_reader_remembers_for_itself)
{
    oc_response_folder_seen_t other;

    put("first");
    assert_new("first");
    other = seen;
    memset(&seen, 0, sizeof(seen));
    assert_new("first");
    assert_memory_equal(&other, &seen, sizeof(seen));
}

TEST(the_name_is_the_serials_own)
{
    write_file("other", "x", 1);
    assert_int_equal(look(), ENOENT);
    assert_int_equal(rename(path_of("other"), path_of(SERIAL ".DER")), 0);
    assert_int_equal(look(), ENOENT);
    assert_int_equal(rename(path_of(SERIAL ".DER"), path_of("other")), 0);
}

TEST(test_sizes)
{
    static const size_t sizes[] = {0, 1, MAX - 1, MAX, MAX + 1, 100 * MAX};
    char *bytes = apr_palloc(pool, 100 * MAX);
    unsigned i;

    memset(bytes, 'x', 100 * MAX);
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        write_file("new", bytes, sizes[i]);
        assert_int_equal(rename(path_of("new"), path_of(SERIAL ".der")), 0);
        assert_int_equal(look(), APR_SUCCESS);
        assert_int_equal(file.der_len, sizes[i] > MAX ? MAX + 1 : sizes[i]); /* the length shows the rest */
        assert_memory_equal(file.der, bytes, file.der_len);
    }
}

/* ---- what is no file ---- */

TEST(a_folder_of_that_name)
{
    assert_int_equal(mkdir(path_of(SERIAL ".der"), 0755), 0);
    assert_int_equal(look(), APR_EINVAL);
}

TEST(a_fifo_does_not_block)
{
    assert_int_equal(mkfifo(path_of(SERIAL ".der"), 0644), 0);
    alarm(10); /* open(2) of a FIFO waits for a writer, unless opened with O_NONBLOCK */
    assert_int_equal(look(), APR_EINVAL);
    alarm(0);
}

TEST(devices_and_loops)
{
    assert_int_equal(symlink("/dev/zero", path_of(SERIAL ".der")), 0);
    assert_int_equal(look(), APR_EINVAL);
    assert_int_equal(unlink(path_of(SERIAL ".der")), 0);
    assert_int_equal(symlink(SERIAL ".der", path_of(SERIAL ".der")), 0);
    assert_int_equal(look(), ELOOP);
}

/* A process's memory is a regular file, and reading its first byte fails with EIO, as on a disk that fails. */
TEST(a_file_that_cannot_be_read_is_not_seen)
{
    assert_int_equal(symlink("/proc/self/mem", path_of(SERIAL ".der")), 0);
    assert_int_equal(look(), EIO);
    assert_int_equal(look(), EIO);
}

TEST(a_link_to_a_file_is_followed)
{
    write_file("other", "linked", 6);
    assert_int_equal(symlink("other", path_of(SERIAL ".der")), 0);
    assert_new("linked");
}

/* Root may read everything, so the user nobody reads, as the server's children do. */
static void look_as_nobody(apr_status_t expected)
{
    int is_root = geteuid() == 0;
    apr_status_t rv;

    if (is_root) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    rv = look();
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_int_equal(rv, expected);
}

TEST(no_permission)
{
    assert_int_equal(chmod(folder, 0755), 0);
    put("secret");
    assert_int_equal(chmod(path_of(SERIAL ".der"), 0), 0);
    look_as_nobody(EACCES);
    assert_int_equal(chmod(path_of(SERIAL ".der"), 0644), 0);
    look_as_nobody(APR_SUCCESS); /* what could not be read was not seen */
    assert_int_equal(chmod(folder, 0), 0);
    look_as_nobody(EACCES);
    assert_int_equal(chmod(folder, 0700), 0);
}

/* ---- whose file ---- */

TEST(the_fingerprint_names_the_file_before_the_serial_does)
{
    put("by serial");
    assert_new("by serial");
    assert_string_equal(file.path, path_of(SERIAL ".der"));
    write_file(SHA1 ".der", "by sha1", 7);
    assert_new("by sha1");
    assert_string_equal(file.path, path_of(SHA1 ".der"));
    assert_int_equal(unlink(path_of(SHA1 ".der")), 0);
    assert_new("by serial");
}

/* Two names for one file: the second one counts as another file, because it may belong to another certificate. */
TEST(a_link_by_the_other_name_is_read_again)
{
    put("first");
    assert_new("first");
    assert_int_equal(link(path_of(SERIAL ".der"), path_of(SHA1 ".der")), 0);
    assert_new("first");
}

TEST(anothers_file_does_not_count_until_it_changes)
{
    put("anothers");
    assert_int_equal(look(), APR_SUCCESS);
    assert_true(oc_response_folder_disown(&seen));
    assert_true(APR_STATUS_IS_ENOENT(look()));
    assert_true(APR_STATUS_IS_ENOENT(look()));
    put("replaced");
    assert_new("replaced");
}

TEST(the_certificates_own_file_cannot_be_disowned)
{
    put("anothers");
    assert_int_equal(look(), APR_SUCCESS);
    assert_true(oc_response_folder_disown(&seen));
    write_file(SHA1 ".der", "own", 3);
    assert_int_equal(look(), APR_SUCCESS);
    assert_false(oc_response_folder_disown(&seen));
    assert_int_equal(look(), APR_EEXIST);
}

TEST(a_negative_serial_is_a_file_name)
{
    cert.serial = "-66";
    write_file("new", "negative", 8);
    assert_int_equal(rename(path_of("new"), path_of("-66.der")), 0);
    assert_new("negative");
    assert_int_equal(unlink(path_of("-66.der")), 0);
}

/* ---- the folder ---- */

TEST(a_file_that_comes_or_goes_changes_the_folder)
{
    oc_disk_stamp_t stamp = {0};

    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 1); /* the first look */
    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 0);
    tick();
    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 1);
    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 0);
    tick();
    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 1);
    put("first"); /* by rename */
    tick();
    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 1);
    assert_int_equal(unlink(path_of(SERIAL ".der")), 0);
    tick();
    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 1);
    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 0);
}

TEST(a_folder_that_goes_and_comes_back)
{
    oc_disk_stamp_t stamp = {0};

    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 1);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 0); /* nothing to read */
    assert_int_equal(look(), ENOENT);
    assert_int_equal(mkdir(folder, 0700), 0);
    tick();
    assert_int_equal(oc_response_folder_has_changed(folder, &stamp), 1);
}

TEST_MAIN(NULL, NULL, set_up, tear_down)
