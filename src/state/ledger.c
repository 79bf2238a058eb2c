/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads and writes the ledger's file. Nothing is flushed to the disk: what a power failure destroys, the next attempts
 * write again.
 */
#include "state/ledger.h"

#include "base/disk.h"

#include <apr_strings.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE 64
#define LAYOUT 1
#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define ENTRIES_MAX \
    (UINT32_C(1) << 20) /* 64 MiB are read of any ledger: a child that stretches it must not fill our memory */

static const char MAGIC[8] = {'O', 'C', 'S', 'P', 'L', 'D', 'G', 'R'};

typedef struct {
    char magic[8];
    uint32_t layout;
    uint32_t byte_order;
    uint32_t n;
    char reserved[44];
} head_t;

typedef struct {
    unsigned char id[OC_CERT_ID_LEN];
    char pad[4];
    uint64_t note;
    int64_t last_attempt;
    char reserved[16];
    uint64_t checksum; /* of the words before it: detects torn and changed entries, not forged ones */
} line_t;

_Static_assert(sizeof(head_t) == LINE && sizeof(line_t) == LINE, "head and entries have one size");

struct oc_ledger_t {
    const char *path, *fresh_path;
    apr_pool_t *pool;
    int fd;
    uint32_t n;
};

const char *oc_ledger_path(const char *cache_path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, cache_path, ".ledger", NULL);
}

/* FNV-1a */
static uint64_t checksum(const line_t *line)
{
    const unsigned char *byte = (const unsigned char *)line, *end = (const unsigned char *)&line->checksum;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    while (byte < end)
        sum = (sum ^ *byte++) * UINT64_C(0x100000001b3);
    return sum;
}

/* ---- writing ---- */

static apr_status_t close_ledger(void *data)
{
    close(((oc_ledger_t *)data)->fd);
    return APR_SUCCESS;
}

/* May the file at `path` be replaced? An empty file may be left over from a power failure. */
static apr_status_t check(const char *path, apr_pool_t *pool, const char **problem)
{
    char magic[sizeof(MAGIC)];
    off_t size = 0;
    int fd;
    apr_status_t rv = oc_disk_open_own(path, &fd, &size, pool, problem);

    if (rv != APR_SUCCESS)
        return rv == APR_ENOENT ? APR_SUCCESS : oc_disk_keep(rv, pool, problem);
    if (size > 0
        && (oc_disk_read_at(fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic)
            || memcmp(magic, MAGIC, sizeof(MAGIC)) != 0))
        rv = oc_disk_keep(oc_disk_refuse(path, "is not a ledger of an OCSP cache", pool, problem), pool, problem);
    close(fd);
    return rv;
}

static apr_status_t begin(int fd, uint32_t n)
{
    head_t head = {{0}, LAYOUT, BYTE_ORDER_MARK, n, {0}};

    memcpy(head.magic, MAGIC, sizeof(MAGIC));
    if (ftruncate(fd, (off_t)LINE * ((off_t)n + 1)) != 0)
        return errno;
    return oc_disk_write_at(fd, &head, sizeof(head), 0);
}

apr_status_t oc_ledger_prepare(oc_ledger_t **out, const char *path, unsigned n, apr_pool_t *pool, const char **problem)
{
    const char *fresh = apr_pstrcat(pool, path, ".new", NULL);
    oc_ledger_t *ledger;
    apr_status_t rv;
    int fd;

    *out = NULL;
    if (n > ENTRIES_MAX)
        return oc_disk_fail(APR_EINVAL, "note so many certificates in", path, pool, problem);
    rv = check(path, pool, problem);
    if (rv == APR_SUCCESS)
        rv = oc_disk_create(fresh, &fd, pool, problem);
    if (rv != APR_SUCCESS)
        return rv;
    ledger = apr_palloc(pool, sizeof(*ledger));
    ledger->fd = fd;
    ledger->n = n;
    ledger->path = path;
    ledger->fresh_path = fresh;
    ledger->pool = pool;
    apr_pool_cleanup_register(pool, ledger, close_ledger, apr_pool_cleanup_null);
    *out = ledger;
    return APR_SUCCESS;
}

apr_status_t oc_ledger_commit(oc_ledger_t *ledger, const char **problem)
{
    apr_status_t rv = begin(ledger->fd, ledger->n);

    if (rv == APR_SUCCESS && rename(ledger->fresh_path, ledger->path) != 0)
        rv = errno;
    if (rv == APR_SUCCESS)
        return rv;
    unlink(ledger->fresh_path);
    return oc_disk_fail(rv, "write", ledger->path, ledger->pool, problem);
}

apr_status_t oc_ledger_create(oc_ledger_t **out, const char *path, unsigned n, apr_pool_t *pool, const char **problem)
{
    apr_status_t rv = oc_ledger_prepare(out, path, n, pool, problem);

    if (*out)
        rv = oc_ledger_commit(*out, problem);
    if (rv != APR_SUCCESS && *out) {
        apr_pool_cleanup_run(pool, *out, close_ledger);
        *out = NULL;
    }
    return rv;
}

apr_status_t oc_ledger_write(oc_ledger_t *ledger, unsigned ordinal, const oc_ledger_entry_t *entry)
{
    line_t line;

    if (ordinal >= ledger->n)
        return APR_EINVAL;
    memset(&line, 0, sizeof(line));
    memcpy(line.id, entry->id, sizeof(line.id));
    line.note = oc_note_pack(&entry->note);
    line.last_attempt = entry->last_attempt;
    line.checksum = checksum(&line);
    return oc_disk_write_at(ledger->fd, &line, sizeof(line), (off_t)LINE * ((off_t)ordinal + 1));
}

/* ---- reading ---- */

static void take(apr_hash_t *entries, const line_t *line, apr_pool_t *pool)
{
    oc_ledger_entry_t *entry;

    if (line->checksum != checksum(line) || line->last_attempt < 0) /* an empty one has no checksum */
        return;
    entry = apr_palloc(pool, sizeof(*entry));
    memcpy(entry->id, line->id, sizeof(entry->id));
    entry->note = oc_note_unpack(line->note);
    entry->last_attempt = line->last_attempt;
    apr_hash_set(entries, entry->id, sizeof(entry->id), entry);
}

static apr_status_t read_lines(apr_hash_t *entries, int fd, uint32_t n, apr_pool_t *pool)
{
    line_t lines[64];
    uint32_t i, at = 0;

    while (at < n) {
        uint32_t wanted = n - at < 64 ? n - at : 64;
        ssize_t got = oc_disk_read_at(fd, lines, (size_t)wanted * LINE, (off_t)LINE * ((off_t)at + 1));

        if (got < 0)
            return errno;
        for (i = 0; i < (uint32_t)got / LINE; i++)
            take(entries, &lines[i], pool);
        if ((uint32_t)got / LINE < wanted)
            break;
        at += wanted;
    }
    return APR_SUCCESS;
}

apr_status_t oc_ledger_load(apr_hash_t **entries, const char *path, apr_pool_t *pool, const char **problem)
{
    head_t head;
    off_t size = 0;
    int fd;
    apr_status_t rv;

    *entries = apr_hash_make(pool);
    rv = oc_disk_open_own(path, &fd, &size, pool, problem);
    if (rv != APR_SUCCESS)
        return rv;
    if (size == 0) {
        close(fd);
        return APR_SUCCESS;
    }
    if (oc_disk_read_at(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head)
        || memcmp(head.magic, MAGIC, sizeof(MAGIC)) != 0)
        rv = oc_disk_refuse(path, "is not a ledger of an OCSP cache", pool, problem);
    else if (head.layout == LAYOUT && head.byte_order == BYTE_ORDER_MARK)
        rv = read_lines(*entries, fd, head.n < ENTRIES_MAX ? head.n : ENTRIES_MAX, pool);
    if (rv != APR_SUCCESS && rv != APR_EGENERAL)
        oc_disk_fail(rv, "read", path, pool, problem);
    close(fd);
    return rv;
}
