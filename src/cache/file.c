/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads and writes the cache's file. The parent (root) opens, loads and creates it; children write through the
 * inherited descriptor, so a child can write anything into it. A load accepts whole records only and does bounded work;
 * the refresher verifies their content.
 *
 *   bytes 0..4095   head: magic, layout version, byte order, block size, number of blocks
 *   then            the blocks, each at 4096 + index * 512
 */
#include "cache/file.h"

#include "base/disk.h"
#include "base/platform.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_SIZE 4096
#define LAYOUT 1
#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define BLOCKS_MAX (UINT32_C(1) << 26) /* 32 GiB: larger than any arena, small enough to compute with */
#define BLOCKS_SPARE 65536             /* 32 MiB of any file are read, even if the cache is small */

static const char MAGIC[8] = {'O', 'C', 'S', 'P', 'C', 'A', 'C', 'H'};

typedef struct {
    char magic[8];
    uint32_t layout;
    uint32_t byte_order;
    uint32_t block_size;
    uint32_t n_blocks;
} head_t;

struct oc_file_t {
    int fd;
    const char *path;
    const char *fresh_path; /* NULL once committed */
    uint32_t n_blocks;
    int has_head;
    apr_pool_t *pool;
};

/* Is the open file a cache file? An empty file is, because an administrator may have created it with `touch`. */
static apr_status_t check_head(int fd, off_t size, const char *path, apr_pool_t *pool, const char **problem)
{
    head_t head;

    if (size == 0)
        return APR_SUCCESS;
    if (oc_disk_read_at(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head)
        || memcmp(head.magic, MAGIC, sizeof(MAGIC)) != 0)
        return oc_disk_refuse(path, "is not an OCSP cache file", pool, problem);
    return APR_SUCCESS;
}

/* Does its layout match? Blocks of another version or another kind of machine are dropped, without an error: the
 * responses can be fetched again. */
static int is_readable(int fd)
{
    head_t head;

    return oc_disk_read_at(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) && head.layout == LAYOUT
           && head.byte_order == BYTE_ORDER_MARK && head.block_size == OC_BLOCK_SIZE;
}

apr_status_t oc_file_check(const char *path, apr_pool_t *pool, const char **problem)
{
    const char *folder = oc_disk_folder(path, pool);
    struct stat st;
    off_t size = 0;
    apr_status_t rv;
    int fd;

    if (stat(folder, &st) != 0)
        return oc_disk_fail(errno, "use the folder", folder, pool, problem);
    if (!S_ISDIR(st.st_mode))
        return oc_disk_fail(APR_ENOTDIR, "use the folder", folder, pool, problem);
    if (access(folder, W_OK | X_OK) != 0)
        return oc_disk_fail(errno, "write to the folder", folder, pool, problem);

    rv = oc_disk_open_own(path, &fd, &size, pool, problem);
    if (rv == APR_ENOENT)
        return APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        rv = check_head(fd, size, path, pool, problem);
        close(fd);
    }
    return oc_disk_keep(rv, pool, problem);
}

int oc_file_has_folder(const char *path, apr_pool_t *pool)
{
    struct stat st;

    return stat(oc_disk_folder(path, pool), &st) == 0 && S_ISDIR(st.st_mode);
}

int oc_file_is_volatile(const char *path, apr_pool_t *pool)
{
    return oc_platform_is_volatile(oc_disk_folder(path, pool));
}

/* ---- loading ---- */

typedef struct {
    uint64_t serial;
    uint32_t block;
} head_at_t;

static int by_serial(const void *a, const void *b)
{
    const head_at_t *x = a, *y = b;

    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

/* Records share no blocks, but a replaced record may still have a head where its replacement begins. Each attempt is
 * charged, whether the record is whole or not: a hostile child can write a head into each block that claims the same
 * long chain. */
#define READINGS_PER_BLOCK 4

static void visit_records(const oc_block_t *blocks, uint32_t n, oc_file_record_fn *visit, void *context,
                          oc_file_load_t *result, apr_pool_t *pool)
{
    head_at_t *heads = apr_palloc(pool, n * sizeof(*heads) + 1);
    oc_entry_t entry;
    uint64_t left = (uint64_t)n * READINGS_PER_BLOCK;
    uint32_t i, n_heads = 0;

    for (i = 0; i < n; i++) {
        uint64_t serial = oc_word_load(&blocks[i].word[1]);

        if (serial != 0 && (uint32_t)oc_word_load(&blocks[i].word[0]) == 0) {
            heads[n_heads].serial = serial;
            heads[n_heads++].block = i;
        }
    }
    qsort(heads, n_heads, sizeof(*heads), by_serial);

    entry.data_cap = OC_BLOCK_DATA_MAX;
    entry.data = apr_palloc(pool, entry.data_cap);
    for (i = 0; i < n_heads && left > 0; i++) {
        apr_status_t rv = oc_block_read(blocks, n, heads[i].block, NULL, &entry);
        uint32_t cost = oc_block_count(entry.id_len, entry.data_len); /* 0: the head was enough */

        left -= cost == 0 ? 1 : cost < left ? cost : left;
        if (rv == APR_SUCCESS) {
            result->records++;
            visit(context, &entry);
        }
        else {
            result->damaged++;
        }
    }
    result->damaged += n_heads - i; /* not examined */
}

uint32_t oc_file_blocks_max(uint32_t n_blocks)
{
    return n_blocks < (BLOCKS_MAX - BLOCKS_SPARE) / 4 ? 4 * n_blocks + BLOCKS_SPARE : BLOCKS_MAX;
}

/* Read all whole blocks of the file into private memory. */
static apr_status_t read_blocks(int fd, off_t size, uint32_t blocks_max, oc_block_t **blocks, uint32_t *n,
                                apr_pool_t *pool)
{
    off_t room = size > HEAD_SIZE ? (size - HEAD_SIZE) / OC_BLOCK_SIZE : 0;
    ssize_t got;

    *n = (uint64_t)room < blocks_max ? (uint32_t)room : blocks_max;
    *blocks = apr_palloc(pool, (apr_size_t)*n * OC_BLOCK_SIZE + 1);
    got = oc_disk_read_at(fd, *blocks, (size_t)*n * OC_BLOCK_SIZE, HEAD_SIZE);
    if (got < 0)
        return errno;
    *n = (uint32_t)(got / OC_BLOCK_SIZE); /* another process may have shortened it meanwhile */
    return APR_SUCCESS;
}

apr_status_t oc_file_load(const char *path, uint32_t blocks_max, oc_file_record_fn *visit, void *context,
                          oc_file_load_t *result, apr_pool_t *pool)
{
    apr_allocator_t *allocator;
    apr_pool_t *scratch; /* of its own allocator: a large copy goes back to the system */
    oc_block_t *blocks;
    uint32_t n;
    off_t size = 0;
    apr_status_t rv;
    int fd;

    memset(result, 0, sizeof(*result));
    rv = oc_disk_open_own(path, &fd, &size, pool, &result->problem);
    if (rv != APR_SUCCESS)
        return rv;
    rv = check_head(fd, size, path, pool, &result->problem);
    if (rv == APR_SUCCESS && !is_readable(fd)) {
        result->is_other_layout = size > 0;
    }
    else if (rv == APR_SUCCESS) {
        apr_allocator_create(&allocator);
        apr_pool_create_ex(&scratch, pool, NULL, allocator);
        apr_allocator_owner_set(allocator, scratch);
        apr_allocator_max_free_set(allocator, 1);
        rv = read_blocks(fd, size, blocks_max, &blocks, &n, scratch);
        if (rv == APR_SUCCESS)
            visit_records(blocks, n, visit, context, result, scratch);
        else
            oc_disk_fail(rv, "read", path, pool, &result->problem);
        apr_pool_destroy(scratch);
    }
    close(fd);
    return rv;
}

/* ---- writing ---- */

static apr_status_t close_file(void *data)
{
    oc_file_t *file = data;

    close(file->fd);
    if (file->fresh_path)
        unlink(file->fresh_path);
    return APR_SUCCESS;
}

static apr_status_t write_head(int fd, uint32_t n_blocks)
{
    char bytes[HEAD_SIZE] = {0};
    head_t head = {{0}, LAYOUT, BYTE_ORDER_MARK, OC_BLOCK_SIZE, n_blocks};

    memcpy(head.magic, MAGIC, sizeof(MAGIC));
    memcpy(bytes, &head, sizeof(head));
    return oc_disk_write_at(fd, bytes, sizeof(bytes), 0);
}

apr_status_t oc_file_prepare(oc_file_t **out, const char *path, uint32_t n_blocks, apr_pool_t *pool,
                             const char **problem)
{
    const char *fresh_path = apr_pstrcat(pool, path, ".new", NULL);
    oc_file_t *file;
    apr_status_t rv;
    int fd;

    *out = NULL;
    rv = oc_disk_create(fresh_path, &fd, pool, problem);
    if (rv != APR_SUCCESS)
        return rv;

    file = apr_pcalloc(pool, sizeof(*file));
    file->fd = fd;
    file->path = apr_pstrdup(pool, path);
    file->fresh_path = fresh_path;
    file->n_blocks = n_blocks;
    file->pool = pool;
    apr_pool_cleanup_register(pool, file, close_file, apr_pool_cleanup_null);
    *out = file;
    return APR_SUCCESS;
}

void oc_file_abandon(oc_file_t *file)
{
    apr_pool_cleanup_run(file->pool, file, close_file);
}

apr_status_t oc_file_create(oc_file_t **out, const char *path, uint32_t n_blocks, apr_pool_t *pool,
                            const char **problem)
{
    apr_status_t rv = oc_file_prepare(out, path, n_blocks, pool, problem);
    oc_file_t *file = *out;

    if (rv != APR_SUCCESS)
        return rv;
    rv = write_head(file->fd, n_blocks);
    file->has_head = rv == APR_SUCCESS;
    if (rv == APR_SUCCESS)
        return rv;
    rv = oc_disk_fail(rv, "write", file->fresh_path, pool, problem);
    apr_pool_cleanup_run(pool, file, close_file);
    *out = NULL;
    return rv;
}

void oc_file_leave(oc_file_t *file)
{
    file->fresh_path = NULL;
}

apr_status_t oc_file_write(oc_file_t *file, uint32_t block, const void *bytes)
{
    static const uint64_t no_serial = 0;
    off_t offset = HEAD_SIZE + (off_t)block * OC_BLOCK_SIZE;

    if (!bytes) /* word 1 of the block */
        return oc_disk_write_at(file->fd, &no_serial, sizeof(no_serial), offset + (off_t)sizeof(uint64_t));
    return oc_disk_write_at(file->fd, bytes, OC_BLOCK_SIZE, offset);
}

/* Discard the fresh file at once. If its name remained until the pool is cleared, an exiting child or a later
 * generation of the server would remove the next fresh file, which has the same name. */
static apr_status_t give_up(oc_file_t *file, apr_status_t rv, const char *what, const char *path, const char **problem)
{
    unlink(file->fresh_path);
    file->fresh_path = NULL;
    return oc_disk_fail(rv, what, path, file->pool, problem);
}

apr_status_t oc_file_commit(oc_file_t *file, const char **problem)
{
    const char *folder = oc_disk_folder(file->path, file->pool);
    apr_status_t rv = file->has_head ? APR_SUCCESS : write_head(file->fd, file->n_blocks);
    int fd;

    if (rv != APR_SUCCESS)
        return give_up(file, rv, "write", file->path, problem);
    if (fsync(file->fd) != 0)
        return give_up(file, errno, "flush", file->path, problem);
    if (rename(file->fresh_path, file->path) != 0)
        return give_up(file, errno, "replace", file->path, problem);
    file->fresh_path = NULL;

    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* a power failure restores the older file, intact (invariant 12) */
        close(fd);
    }
    return APR_SUCCESS;
}

/* ---- one server a file ---- */

static apr_status_t close_lock(void *data)
{
    close((int)(intptr_t)data);
    return APR_SUCCESS;
}

apr_status_t oc_file_lock(const char *path, apr_pool_t *pool, const char **problem)
{
    const char *lock_path = apr_pstrcat(pool, path, ".lock", NULL);
    struct stat st;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

    if (fd < 0)
        return oc_disk_fail(errno, "open", lock_path, pool, problem);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
        close(fd);
        return oc_disk_keep(oc_disk_refuse(lock_path, "is not a regular file of this user", pool, problem), pool,
                            problem);
    }
    if (fcntl(fd, F_SETLK, &lock) == 0) {
        apr_pool_cleanup_register(pool, (void *)(intptr_t)fd, close_lock, apr_pool_cleanup_null);
        return APR_SUCCESS;
    }
    if (errno != EAGAIN && errno != EACCES) {
        apr_status_t rv = errno;

        close(fd);
        return oc_disk_fail(rv, "lock", lock_path, pool, problem);
    }
    lock.l_pid = 0;
    (void)fcntl(fd, F_GETLK, &lock);
    close(fd);
    *problem = apr_psprintf(pool, "%s is in use by another running server (process %ld); give each server its own file",
                            path, (long)lock.l_pid);
    return APR_EBUSY;
}

pid_t oc_file_lock_holder(const char *path, apr_pool_t *pool)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(apr_pstrcat(pool, path, ".lock", NULL), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return 0;
    if (fcntl(fd, F_GETLK, &lock) != 0)
        lock.l_type = F_UNLCK;
    close(fd);
    return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}
