/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Reads from two socache providers and from plain memory, in a real httpd, and records how fast.
 * bench_cache.py compiles it, writes its directives and reads its output; it is never installed and serves no request.
 *
 * Three sides hold the same values: "ours" and "shmcb" are providers as their modules registered them, called as
 * mod_ssl calls a stapling cache: under a global mutex where the provider's flag requires one. The "floor" is a memcpy
 * out of a shared mapping.
 *
 * The work is done in child_init by the children of the prefork MPM, so that every process is a real child of httpd,
 * after the modules' own child_init. The first child leads: for each cell and round it lets each side run for a slice
 * of time, one side after the other, and appends a line to the output. The other children wait at a semaphore.
 */
#include "bench_store.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <httpd.h>
#include <mpm_common.h>
#include <util_mutex.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUTEX_TYPE "cache-bench"
#define MAX_READERS 8
#define MAX_STORES 16
#define BATCH 8 /* reads between two looks at the phase */
#define WARM_UP_MS 3
#define TIMED 256     /* one read of so many is timed by itself */
#define TIME_STEPS 72 /* two for each power of two: up to a minute */

enum { NO_WRITER, PACED_WRITER, BUSY_WRITER, N_WRITERS };
static const char *const writer_names[N_WRITERS] = {"none", "paced", "busy"};

enum { WARM_UP, MEASURE, STOP };

/* Workers: readers that are processes, readers that are threads of the first of these processes, the writer. */
enum { FIRST_PROCESS = 0, FIRST_THREAD = MAX_READERS, WRITER = 2 * MAX_READERS, N_WORKERS };
#define N_CHILDREN (1 + MAX_READERS + 1) /* the leader, the readers, the writer */

typedef struct {
    bench_store_t *store;
    unsigned readers;
    int threads; /* readers are threads of one process, else processes */
    int writer;
} cell_t;

typedef struct {
    uint64_t reads, misses, wrong, cpu_ns;
    uint64_t longest; /* of the reads that were timed: one of TIMED */
    uint64_t
        times[TIME_STEPS]; /* how many of those took less than 2^(i / 2) nanoseconds, and not less than a step before */
    char padding[64];
} result_t;

typedef struct {
    sem_t go[N_WORKERS], done;
    _Atomic int ranks; /* children so far */
    _Atomic int phase;
    int cell, side; /* the task; written before go, read after it */
    char padding[128];
    result_t results[N_WORKERS];
} board_t;

static struct {
    const char *output;
    int slice_ms, rounds, stores_per_second;
    apr_array_header_t *cells; /* of cell_t */
    bench_store_t stores[MAX_STORES];
    unsigned n_stores;
} plan;

static board_t *board;
static server_rec *server;
static FILE *out;

/* ---- small things ---- */

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    while (nanosleep(&t, &t) != 0)
        ;
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        ;
}

/* ---- readers and the writer ---- */

/* Which step of result_t.times a duration belongs to. */
static int step_of(uint64_t ns)
{
    int power = 0;

    while (power < TIME_STEPS / 2 - 1 && ns >> power)
        power++;
    return 2 * power - (power > 0 && ns * ns < (uint64_t)1 << (2 * power - 1));
}

static void time_one(result_t *r, uint64_t ns)
{
    r->longest = ns > r->longest ? ns : r->longest;
    r->times[step_of(ns)]++;
}

/* `buffer` takes a value, `ids` the ids of all entries: both belong to the worker. */
static void read_slice(unsigned worker, unsigned char *buffer, unsigned char *ids)
{
    const cell_t *cell = &APR_ARRAY_IDX(plan.cells, board->cell, cell_t);
    const bench_store_t *store = cell->store;
    result_t r = {0};
    uint64_t state = 88172645463325252u + worker * 7919u, cpu = 0;
    int side = board->side, phase = WARM_UP, now, i;

    while ((now = atomic_load_explicit(&board->phase, memory_order_acquire)) != STOP) {
        if (now != phase) {
            phase = now;
            memset(&r, 0, sizeof(r));
            cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        }
        for (i = 0; i < BATCH; i++) {
            unsigned entry = (unsigned)(((bench_random(&state) >> 32) * store->entries) >> 32), seen;
            unsigned len = BENCH_VALUE_MAX;
            int is_timed = (r.reads + (unsigned)i) % TIMED == 0;
            uint64_t began = is_timed ? clock_ns(CLOCK_MONOTONIC) : 0;
            apr_status_t rv = bench_get(store, side, entry, ids + entry * BENCH_ID_LEN, buffer, &len, server);

            if (is_timed)
                time_one(&r, clock_ns(CLOCK_MONOTONIC) - began);
            if (rv != APR_SUCCESS) {
                r.misses++;
                continue;
            }
            memcpy(&seen, buffer, sizeof(seen));
            r.wrong += seen != entry || len != store->size;
        }
        r.reads += BATCH;
    }
    r.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
    if (phase != MEASURE) /* it did not run at all while it was measured */
        memset(&r, 0, sizeof(r));
    board->results[worker] = r;
}

/* Counts stores as "reads". Paced: stores_per_second, each at its own time; what was missed is not made up for. */
static void write_slice(unsigned char *buffer, unsigned char *ids)
{
    const cell_t *cell = &APR_ARRAY_IDX(plan.cells, board->cell, cell_t);
    const bench_store_t *store = cell->store;
    uint64_t state = 362436069362436069u, gap = 1000000000u / (unsigned)plan.stores_per_second, due = 0, time;
    int phase = WARM_UP, now;
    result_t r = {0};

    bench_make_value(0, buffer, store->size);
    while ((now = atomic_load_explicit(&board->phase, memory_order_acquire)) != STOP) {
        unsigned entry = (unsigned)(((bench_random(&state) >> 32) * store->entries) >> 32);

        if (now != phase) {
            phase = now;
            memset(&r, 0, sizeof(r));
        }
        memcpy(buffer, &entry, sizeof(entry));
        if (bench_put(store, board->side, entry, ids + entry * BENCH_ID_LEN, buffer, server) != APR_SUCCESS)
            r.wrong++;
        r.reads++;
        if (cell->writer != PACED_WRITER)
            continue;
        time = clock_ns(CLOCK_MONOTONIC);
        due = due + gap > time ? due + gap : time + (due ? 0 : gap);
        if (due > time) {
            struct timespec wait = {0, (long)(due - time)};

            nanosleep(&wait, NULL);
        }
    }
    board->results[WRITER] = r;
}

static unsigned largest(int of_size)
{
    unsigned i, most = 0;

    for (i = 0; i < plan.n_stores; i++) {
        unsigned n = of_size ? plan.stores[i].size : plan.stores[i].entries;

        most = n > most ? n : most;
    }
    return most;
}

static void *work(void *arg)
{
    unsigned worker = (unsigned)(uintptr_t)arg, i, n = largest(0);
    unsigned char *ids = malloc((apr_size_t)n * BENCH_ID_LEN), *buffer = aligned_alloc(64, BENCH_VALUE_MAX);

    if (!ids || !buffer)
        abort();
    for (i = 0; i < n; i++)
        bench_make_id(i, ids + i * BENCH_ID_LEN);
    for (;;) {
        wait_for(&board->go[worker]);
        if (board->cell < 0)
            break;
        if (worker == WRITER)
            write_slice(buffer, ids);
        else
            read_slice(worker, buffer, ids);
        sem_post(&board->done);
    }
    free(ids);
    free(buffer);
    return NULL;
}

/* ---- the leader ---- */

static uint64_t let_run(unsigned first, unsigned readers, int with_writer)
{
    uint64_t begin, end;
    unsigned i;

    atomic_store(&board->phase, WARM_UP);
    for (i = 0; i < readers; i++)
        sem_post(&board->go[first + i]);
    if (with_writer)
        sem_post(&board->go[WRITER]);
    sleep_ms(WARM_UP_MS);
    atomic_store(&board->phase, MEASURE);
    begin = clock_ns(CLOCK_MONOTONIC);
    sleep_ms(plan.slice_ms);
    atomic_store(&board->phase, STOP);
    end = clock_ns(CLOCK_MONOTONIC);
    for (i = 0; i < readers + (with_writer != 0); i++)
        wait_for(&board->done);
    return end - begin;
}

static void add(result_t *sum, const result_t *one)
{
    int i;

    sum->reads += one->reads;
    sum->misses += one->misses;
    sum->wrong += one->wrong;
    sum->cpu_ns += one->cpu_ns;
    sum->longest = one->longest > sum->longest ? one->longest : sum->longest;
    for (i = 0; i < TIME_STEPS; i++)
        sum->times[i] += one->times[i];
}

/* One line: cell, round, side, nanoseconds of the slice, reads, misses, wrong values, the readers' CPU time, stores,
 * failed stores, the longest read, and the numbers of reads in each step of time. */
static void measure(int number, int round, int side)
{
    const cell_t *cell = &APR_ARRAY_IDX(plan.cells, number, cell_t);
    unsigned first = cell->threads ? FIRST_THREAD : FIRST_PROCESS, i;
    result_t sum = {0}, none = {0};
    const result_t *writer = cell->writer != NO_WRITER ? &board->results[WRITER] : &none;
    uint64_t ns;

    board->cell = number;
    board->side = side;
    ns = let_run(first, cell->readers, cell->writer != NO_WRITER);
    for (i = 0; i < cell->readers; i++)
        add(&sum, &board->results[first + i]);
    fprintf(out, "%d %d %s %ju %ju %ju %ju %ju %ju %ju %ju", number, round, bench_side_names[side], (uintmax_t)ns,
            (uintmax_t)sum.reads, (uintmax_t)sum.misses, (uintmax_t)sum.wrong, (uintmax_t)sum.cpu_ns,
            (uintmax_t)writer->reads, (uintmax_t)writer->wrong, (uintmax_t)sum.longest);
    for (i = 0; i < TIME_STEPS; i++)
        fprintf(out, " %ju", (uintmax_t)sum.times[i]);
    fputc('\n', out);
    fflush(out);
}

static void lead(void)
{
    int round, cell, side;

    while (atomic_load(&board->ranks) < N_CHILDREN)
        sleep_ms(1);
    for (round = 0; round < plan.rounds; round++)
        for (cell = 0; cell < plan.cells->nelts; cell++)
            for (side = 0; side < BENCH_SIDES; side++)
                measure(cell, round, (side + round) % BENCH_SIDES); /* nobody is always first */
    board->cell = -1;
    for (cell = 0; cell < N_WORKERS; cell++)
        sem_post(&board->go[cell]);
    fputs("end\n", out);
    fflush(out);
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    int rank;
    pthread_t thread;
    uintptr_t i;

    if (!plan.output || !board)
        return;
    server = s;
    rank = atomic_fetch_add(&board->ranks, 1);
    if (rank >= N_CHILDREN)
        return; /* a child in place of one that ended */
    if (apr_global_mutex_child_init(&bench_mutex, apr_global_mutex_lockfile(bench_mutex), pchild) != APR_SUCCESS)
        abort();
    if (rank == 0) {
        lead();
    }
    else if (rank <= MAX_READERS) {
        for (i = 0; rank == 1 && i < MAX_READERS; i++)
            if (pthread_create(&thread, NULL, work, (void *)(FIRST_THREAD + i)) != 0)
                abort();
        work((void *)(uintptr_t)(FIRST_PROCESS + rank - 1));
    }
    else {
        work((void *)(uintptr_t)WRITER);
    }
}

/* ---- the parent prepares ---- */

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const char *error = NULL;
    unsigned i;

    (void)plog;
    if (!plan.output || ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    out = fopen(plan.output, "w");
    board = bench_share(sizeof(*board), pconf);
    if (!out || !board || ap_global_mutex_create(&bench_mutex, NULL, MUTEX_TYPE, NULL, s, pconf, 0) != APR_SUCCESS)
        return HTTP_INTERNAL_SERVER_ERROR;
    fprintf(out, "mutex %s\n", apr_global_mutex_name(bench_mutex));
    sem_init(&board->done, 1, 0);
    for (i = 0; i < N_WORKERS; i++)
        sem_init(&board->go[i], 1, 0);
    for (i = 0; i < plan.n_stores && !error; i++)
        error = bench_store_begin(&plan.stores[i], (int)i, s, pconf, ptemp);
    fflush(out);
    if (!error)
        return OK;
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "cache bench: %s", error);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* ---- configuration ---- */

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    memset(&plan, 0, sizeof(plan));
    plan.cells = apr_array_make(pconf, 64, sizeof(cell_t));
    return ap_mutex_register(pconf, MUTEX_TYPE, NULL, APR_LOCK_DEFAULT, 0) == APR_SUCCESS ? OK
                                                                                          : HTTP_INTERNAL_SERVER_ERROR;
}

static const char *set_bench(cmd_parms *cmd, void *dummy, const char *output, const char *slice, const char *rounds)
{
    (void)dummy;
    plan.output = apr_pstrdup(cmd->pool, output);
    plan.slice_ms = atoi(slice);
    plan.rounds = atoi(rounds);
    plan.stores_per_second = 1000;
    return plan.slice_ms > 0 && plan.rounds > 0 ? NULL : "CacheBench: a slice in milliseconds and a number of rounds";
}

static bench_store_t *find_store(unsigned size, unsigned entries)
{
    unsigned i;

    for (i = 0; i < plan.n_stores; i++)
        if (plan.stores[i].size == size && plan.stores[i].entries == entries)
            return &plan.stores[i];
    if (i == MAX_STORES)
        return NULL;
    plan.stores[i] = (bench_store_t){.size = size, .entries = entries};
    plan.n_stores++;
    return &plan.stores[i];
}

/* CacheBenchCell size entries readers processes|threads none|paced|busy */
static const char *set_cell(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    cell_t *cell = apr_array_push(plan.cells);

    (void)cmd;
    (void)dummy;
    if (argc != 5)
        return "CacheBenchCell: five arguments";
    cell->store = find_store((unsigned)atoi(argv[0]), (unsigned)atoi(argv[1]));
    cell->readers = (unsigned)atoi(argv[2]);
    cell->threads = strcmp(argv[3], "threads") == 0;
    for (cell->writer = 0; cell->writer < N_WRITERS; cell->writer++)
        if (strcmp(argv[4], writer_names[cell->writer]) == 0)
            break;
    if (!cell->store || cell->store->size < 8 || cell->store->size > BENCH_VALUE_MAX || cell->store->entries < 1
        || cell->readers < 1 || cell->readers > MAX_READERS || cell->writer == N_WRITERS)
        return "CacheBenchCell: out of range";
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_TAKE3("CacheBench", set_bench, NULL, RSRC_CONF, "output file, milliseconds of a slice, rounds"),
    AP_INIT_TAKE_ARGV("CacheBenchCell", set_cell, NULL, RSRC_CONF, "size entries readers processes|threads writer"),
    {0}};

static void register_hooks(apr_pool_t *pconf)
{
    static const char *const after[] = {"mod_ocsp_cache.c", NULL};

    (void)pconf;
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, after, NULL, APR_HOOK_LAST);
    ap_hook_child_init(child_init, after, NULL, APR_HOOK_LAST);
}

AP_DECLARE_MODULE(cache_bench) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, register_hooks,
                                  AP_MODULE_FLAG_NONE};
