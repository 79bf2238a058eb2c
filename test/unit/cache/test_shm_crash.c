/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Arena and cache file with real processes, a real mutex, and SIGKILL at random moments, while others read. After each
 * kill nothing that was published is lost or torn, in the arena or in the file, and the next writer continues.
 * OC_TEST_SOAK=seconds makes it longer. Every single fault point is tried in test_shm_faults.c.
 */
#include "support_cache_file.h"
#include "support_system.h"
#include "support_test.h"

#include <apr_global_mutex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEYS 20
#define READERS 2
#define KILLS 300

/* Shared by all processes. The writer records what it is about to do, and what it has done. */
typedef struct {
    _Atomic int stop;
    _Atomic uint64_t reads, bad;
    _Atomic uint32_t intent;         /* number + 1 of the key in work, 0: none */
    _Atomic uint64_t intent_version; /* 0: to remove it */
    _Atomic uint64_t done[KEYS];     /* version of each key; 0: none */
    _Atomic uint64_t steps;
} common_t;

static oc_shm_t *shm;
static oc_file_t *file;
static common_t *common;
static apr_global_mutex_t *mutex;

static void write_behind(void *context, uint32_t block, const void *bytes)
{
    (void)context;
    if (oc_file_write(file, block, bytes) != APR_SUCCESS)
        atomic_fetch_add(&common->bad, 1);
}

static double now_in_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int set_stage(void **state)
{
    const char *problem;

    if (cache_folder_setup(state) != 0)
        return -1;
    shm = cache_arena(65536, OC_SHM_KEEP_VALID);
    common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (common == MAP_FAILED || oc_file_create(&file, cache_path, 110, cache_pool, &problem) != APR_SUCCESS
        || oc_file_commit(file, &problem) != APR_SUCCESS)
        return -1;
    oc_shm_on_change(shm, write_behind, NULL);
    if (!getenv("OC_TEST_SOAK"))
        alarm(120); /* a mutex that is never released ends the test */
    return 0;
}

static int clear_stage(void **state)
{
    alarm(0);
    atomic_store(&common->stop, 1); /* for the readers that a failed test left behind */
    munmap(common, sizeof(*common));
    return cache_folder_teardown(state);
}

/* ---- readers and writers: processes of their own, without cmocka ---- */

static void read_much(void)
{
    static unsigned char data[OC_BLOCK_DATA_MAX];
    uint64_t last[KEYS] = {0}, seed = (uint64_t)getpid(), version;

    while (!atomic_load(&common->stop)) {
        uint32_t number = cache_below(&seed, KEYS);
        apr_size_t len = sizeof(data);
        oc_shm_meta_t meta;
        cache_key_t key;

        if (oc_shm_get(shm, cache_key(&key, number), data, &len, &meta) == APR_SUCCESS) {
            if (!cache_is_whole(data, len, number, &version) || version < last[number])
                atomic_fetch_add(&common->bad, 1);
            else
                last[number] = version;
        }
        atomic_fetch_add(&common->reads, 1);
    }
}

static void write_until_killed(uint64_t seed)
{
    static unsigned char data[OC_BLOCK_DATA_MAX];

    for (;;) {
        uint32_t number = cache_below(&seed, KEYS), kind = cache_below(&seed, 8);
        uint64_t version = atomic_fetch_add(&common->steps, 1) + 1;
        apr_size_t len = CACHE_PAYLOAD_MIN + cache_below(&seed, kind == 1 ? 4000 : 1000);
        cache_key_t key;

        if (apr_global_mutex_lock(mutex) != APR_SUCCESS)
            _exit(3);
        (void)oc_shm_begin(shm);
        atomic_store(&common->intent_version, kind == 0 ? 0 : version);
        atomic_store(&common->intent, number + 1);
        if (kind == 0) {
            (void)oc_shm_remove(shm, cache_key(&key, number));
            atomic_store(&common->done[number], 0);
        }
        else {
            cache_fill(data, len, number, version);
            if (oc_shm_put(shm, cache_key(&key, number), &CACHE_ENTRY(CACHE_EXPIRY, version, data, len), 1)
                == APR_SUCCESS)
                atomic_store(&common->done[number], version);
        }
        atomic_store(&common->intent, 0);
        oc_shm_end(shm);
        (void)apr_global_mutex_unlock(mutex);
    }
}

/* ---- what is left of it ---- */

static void assert_nothing_lost(const uint64_t *versions)
{
    uint32_t i, intent = atomic_load(&common->intent);

    for (i = 0; i < KEYS; i++)
        if (versions[i] != common->done[i])
            assert_true(intent == i + 1 && versions[i] == common->intent_version);
}

static void take_highest(void *context, const oc_entry_t *entry)
{
    uint64_t *versions = context, number;

    memcpy(&number, entry->id + 8, 8);
    assert_true(number < KEYS);
    assert_int_equal(cache_check(entry->data, entry->data_len, number), entry->order);
    if (entry->order > versions[number])
        versions[number] = entry->order;
}

static void load_file(uint64_t *versions)
{
    oc_file_load_t loaded;

    memset(versions, 0, KEYS * sizeof(*versions));
    assert_int_equal(oc_file_load(cache_path, UINT32_MAX, take_highest, versions, &loaded, cache_pool), APR_SUCCESS);
}

/* As a reader, as the next start of a server, and as the next writer. @return whether the killed one died while
 * writing. */
static int take_stock(void)
{
    uint64_t versions[KEYS], again[KEYS];
    oc_shm_stats_t stats;
    uint32_t blocks, i;
    int died_at_work;

    (void)cache_scan(shm, versions, KEYS);
    assert_nothing_lost(versions);
    load_file(again);
    assert_nothing_lost(again);

    assert_int_equal(apr_global_mutex_lock(mutex), APR_SUCCESS);
    died_at_work = oc_shm_begin(shm);
    blocks = cache_scan(shm, again, KEYS);
    oc_shm_stats(shm, &stats);
    assert_memory_equal(again, versions, sizeof(versions));
    assert_int_equal(stats.blocks_used, blocks);
    for (i = 0; i < KEYS; i++)
        atomic_store(&common->done[i], versions[i]);
    atomic_store(&common->intent, 0);
    oc_shm_end(shm);
    assert_int_equal(apr_global_mutex_unlock(mutex), APR_SUCCESS);
    load_file(again);
    assert_memory_equal(again, versions, sizeof(versions));
    return died_at_work;
}

static pid_t start(void (*work)(void))
{
    pid_t child = fork();

    assert_int_not_equal(child, -1);
    if (child == 0) {
        alarm(0);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* even if the test fails */
        if (apr_global_mutex_child_init(&mutex, apr_global_mutex_lockfile(mutex), cache_pool) != APR_SUCCESS)
            _exit(3);
        work();
        _exit(0);
    }
    return child;
}

static void writer(void)
{
    write_until_killed((uint64_t)getpid());
}

static void start_and_kill(void (*work)(void))
{
    struct timespec life = {0, (long)cache_below(&cache_seed, 4000) * 1000};
    uint64_t steps = atomic_load(&common->steps);
    double deadline = now_in_seconds() + 60;
    pid_t child = start(work);
    int status;

    while (atomic_load(&common->steps) == steps && now_in_seconds() < deadline)
        sched_yield(); /* it has begun */
    nanosleep(&life, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Does the system hand over what it must for this mechanism? */
static int is_handed_over(apr_lockmech_e mech)
{
    return mech != APR_LOCK_PROC_PTHREAD || !system_is_emulated() || system_has_robust_mutexes();
}

TEST(invariant_4_writers_killed_while_others_read)
{
    const char *soak = getenv("OC_TEST_SOAK");
    double end = now_in_seconds() + (soak ? atof(soak) : 0);
    pid_t readers[READERS];
    unsigned i, kills, at_work = 0;
    int status;

    assert_int_equal(apr_global_mutex_create(&mutex, cache_in_folder("other"),
                                             is_handed_over(APR_LOCK_PROC_PTHREAD) ? APR_LOCK_DEFAULT : APR_LOCK_FCNTL,
                                             cache_pool),
                     APR_SUCCESS);
    for (i = 0; i < READERS; i++)
        readers[i] = start(read_much);
    for (kills = 0; kills < KILLS || now_in_seconds() < end; kills++) {
        start_and_kill(writer);
        at_work += (unsigned)take_stock();
        assert_int_equal(common->bad, 0);
    }
    atomic_store(&common->stop, 1);
    for (i = 0; i < READERS; i++) {
        assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    print_message("%u writers killed, %u of them while they wrote; %llu stores during %llu reads\n", kills, at_work,
                  (unsigned long long)common->steps, (unsigned long long)common->reads);
    assert_int_equal(common->bad, 0);
    assert_true(at_work > kills / 10);
    assert_true(common->reads > 1000);
}

/* Holds the mutex, in the middle of a store, until it is killed. */
static void hold(void)
{
    cache_key_t key;

    if (apr_global_mutex_lock(mutex) != APR_SUCCESS)
        _exit(3);
    (void)oc_shm_begin(shm);
    (void)oc_shm_set_note(shm, cache_key(&key, 1), 1);
    atomic_fetch_add(&common->steps, 1);
    for (;;)
        pause();
}

/* Every mechanism that the Mutex directive offers, except the POSIX semaphore, which the module refuses: the
 * semaphore of a killed holder is never released. */
TEST(invariant_2_mutex_of_a_killed_holder_is_handed_over)
{
    static const struct {
        apr_lockmech_e mech;
        const char *name;
    } MECHS[] = {
        {APR_LOCK_FCNTL, "fcntl"},
        {APR_LOCK_FLOCK, "flock"},
        {APR_LOCK_SYSVSEM, "sysvsem"},
        {APR_LOCK_PROC_PTHREAD, "pthread"},
    };
    const char *lock_path = cache_in_folder("other");
    unsigned i, tried = 0;

    for (i = 0; i < 4; i++) {
        apr_status_t rv = is_handed_over(MECHS[i].mech)
                              ? apr_global_mutex_create(&mutex, lock_path, MECHS[i].mech, cache_pool)
                              : APR_ENOTIMPL;

        if (rv == APR_ENOTIMPL) {
            print_message("%s is not offered here\n", MECHS[i].name);
            continue;
        }
        assert_int_equal(rv, APR_SUCCESS);
        start_and_kill(hold);
        assert_int_equal(take_stock(), 1);
        apr_global_mutex_destroy(mutex);
        tried++;
    }
    assert_true(tried > 0);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, set_stage, clear_stage)
