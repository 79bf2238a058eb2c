/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Threads and processes read while a writer replaces, removes and stores records. Each copy is whole, and no reader
 * sees a key's version go back. It runs for two seconds, or OC_TEST_SOAK seconds, also under ThreadSanitizer.
 */
#include "support_cache.h"
#include "support_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEYS 12
#define THREADS 3
#define PROCESSES 3
#define ENOUGH 1000 /* writes, reads that find a record, and scanned entries */

/* Shared by all processes: when to stop, and what was done. */
typedef struct {
    _Atomic int stop;
    _Atomic uint64_t reads, found, scanned, torn, went_back, wrong_note;
} common_t;

static oc_shm_t *shm;
static common_t *common;

static double now_in_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double soak_seconds(double normal)
{
    const char *soak = getenv("OC_TEST_SOAK");

    return soak && atof(soak) > 0 ? atof(soak) : normal;
}

/* ---- readers: without cmocka, whose assertions jump, which other threads and processes must not ---- */

typedef struct {
    uint64_t last[KEYS];
    unsigned char data[OC_BLOCK_DATA_MAX];
} reader_t;

static void judge(reader_t *reader, apr_size_t len, uint64_t number, uint64_t order, uint64_t note)
{
    uint64_t version = 0;

    if (number >= KEYS || !cache_is_whole(reader->data, len, number, &version) || version != order) {
        atomic_fetch_add(&common->torn, 1);
        return;
    }
    if (version < reader->last[number])
        atomic_fetch_add(&common->went_back, 1);
    reader->last[number] = version;
    if (note != 0 && note % 100 != number)
        atomic_fetch_add(&common->wrong_note, 1);
}

static void scan(reader_t *reader)
{
    oc_entry_t entry = {.data = reader->data, .data_cap = sizeof(reader->data)};
    uint32_t cursor = 0;
    uint64_t number, note, n = 0;

    while (oc_shm_next(shm, &cursor, &entry, &note, NULL) == APR_SUCCESS) {
        memcpy(&number, entry.id + 8, 8);
        judge(reader, entry.data_len, number, entry.order, note);
        n++;
    }
    atomic_fetch_add(&common->scanned, n);
}

static void *read_much(void *data)
{
    reader_t *reader = data;
    uint64_t seed = (uint64_t)(uintptr_t)data, reads = 0, found = 0;

    while (!atomic_load(&common->stop)) {
        uint64_t number = cache_below(&seed, KEYS);
        apr_size_t len = sizeof(reader->data);
        oc_shm_meta_t meta;
        cache_key_t key;
        apr_status_t rv = oc_shm_get(shm, cache_key(&key, number), reader->data, &len, &meta);

        reads++;
        oc_shm_count(shm, (unsigned)seed, 0);
        if (rv == APR_SUCCESS) {
            found++;
            judge(reader, len, number, meta.order, meta.note);
        }
        else if (rv != APR_NOTFOUND) {
            atomic_fetch_add(&common->torn, 1);
        }
        else if (meta.note != 0 && meta.note % 100 != number) {
            atomic_fetch_add(&common->wrong_note, 1);
        }
        if (reads % 64 == 0)
            scan(reader);
    }
    atomic_fetch_add(&common->reads, reads);
    atomic_fetch_add(&common->found, found);
    return NULL;
}

/* ---- the writer ---- */

/* Few keys and little room: freed blocks are overwritten at once, and slots are reused for other keys. */
static void write_once(uint64_t version)
{
    uint64_t number = cache_below(&cache_seed, KEYS);
    uint32_t kind = cache_below(&cache_seed, 10);
    apr_size_t len = CACHE_PAYLOAD_MIN + cache_below(&cache_seed, kind == 9 ? 8000 : kind > 4 ? 3000 : 400);
    cache_key_t key;

    oc_shm_begin(shm);
    if (kind == 0)
        (void)oc_shm_remove(shm, cache_key(&key, number));
    else if (kind == 1)
        (void)oc_shm_set_note(shm, cache_key(&key, number), version * 100 + number);
    else
        (void)cache_put_locked(shm, number, version, len, CACHE_EXPIRY, 1);
    oc_shm_end(shm);
}

/* Not over before both sides have done enough, even on a busy machine. The clock is read only now and then: a call each
 * time would slow down the writer. */
static uint64_t write_much(double seconds)
{
    double end = now_in_seconds() + seconds, deadline = end + 60;
    uint64_t version = 0;

    do {
        write_once(++version);
    } while (version % 256 != 0 || now_in_seconds() < end
             || ((version <= ENOUGH || common->scanned < ENOUGH) && now_in_seconds() < deadline));
    return version;
}

static int set_stage(void **state)
{
    if (cache_setup(state) != 0)
        return -1;
    shm = cache_arena(65536, OC_SHM_DROP_OLDEST);
    common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return common == MAP_FAILED ? -1 : 0;
}

static int clear_stage(void **state)
{
    atomic_store(&common->stop, 1); /* for the readers that a failed test left behind */
    munmap(common, sizeof(*common));
    return cache_teardown(state);
}

static void assert_all_was_well(uint64_t written)
{
    print_message("%llu writes during %llu reads (%llu found a record) and %llu entries scanned\n",
                  (unsigned long long)written, (unsigned long long)common->reads, (unsigned long long)common->found,
                  (unsigned long long)common->scanned);
    assert_int_equal(common->torn, 0);
    assert_int_equal(common->went_back, 0);
    assert_int_equal(common->wrong_note, 0);
    assert_true(written > ENOUGH);
    assert_true(common->found > ENOUGH);
    assert_true(common->scanned >= ENOUGH);
    assert_int_equal(oc_shm_counter(shm, 0), common->reads);
}

TEST(invariant_1_threads_read_while_one_writes)
{
    static reader_t readers[THREADS];
    pthread_t threads[THREADS];
    uint64_t written;
    int i;

    memset(readers, 0, sizeof(readers));
    for (i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_much, &readers[i]), 0);
    written = write_much(soak_seconds(1.0));
    atomic_store(&common->stop, 1);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_all_was_well(written);
}

TEST(invariant_1_processes_read_while_one_writes)
{
    static reader_t reader;
    pid_t children[PROCESSES];
    uint64_t written;
    int i, status;

    memset(&reader, 0, sizeof(reader));
    for (i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_int_not_equal(children[i], -1);
        if (children[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* even if the test fails */
            (void)read_much(&reader);
            _exit(0);
        }
    }
    written = write_much(soak_seconds(1.0));
    atomic_store(&common->stop, 1);
    for (i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_all_was_well(written);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, set_stage, clear_stage)
