/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Simulates many servers, one store and one responder in virtual time: how often is the responder queried? The
 * decisions are the server's own (fleet/policy.c, ocsp/schedule.c); the store, the network and the CA are models.
 * Certificates do not affect each other, so each is simulated alone.
 *
 *   fleet [--servers N] [--certificates N] [--json FILE]   the table of the manual's chapter on fleets (10,000 x 1,000)
 *   fleet --check                                          a small fleet, no table: exit status 1 on a broken promise
 *
 * Modelled: a look into the store takes a millisecond, and so does a claim, so that two servers may both find nothing;
 * an exchange takes 20 to 200 milliseconds; a store that is lost comes back empty, and is tried again by each server
 * after up to OC_BREAKER_PAUSE_MAX. Not modelled: that a server works on OCSPCacheWorkers certificates at a time, which
 * flattens all of this.
 */
#include "fleet_queue.h"
#include "fleet/breaker.h"
#include "fleet/policy.h"
#include "ocsp/schedule.h"
#include "splitmix64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_SECONDS (SPAN_DAYS * 86400)

#define STORE_DELAY apr_time_from_msec(1)
#define EXCHANGE_LONGEST (SEC(10) + SEC(2)) /* SSLStaplingResponderTimeout and oc_peers' grace */
#define PUBLISHING(ca) ((ca)->validity / 2)

/* The same as `defaults` in src/server/settings.c. */
static const oc_schedule_bounds_t bounds = {.min = SEC(300), .max = DAY, .retry_min = SEC(5), .retry_max = SEC(600)};

typedef struct {
    const char *name;
    apr_interval_time_t validity;
} ca_t;

static const ca_t cas[] = {{"12 h", 12 * HOUR}, {"4 d", 4 * DAY}, {"7 d", 7 * DAY}};

/* What happens to the fleet. */
typedef struct {
    const char *name;
    apr_interval_time_t arrival; /* the servers start within this time, */
    unsigned waves;              /* or in so many waves, an hour between two, each within `arrival` */
    apr_interval_time_t lost;    /* how long the store is lost, on the third day; for all of it without sharing: -1 */
    apr_interval_time_t dead;    /* how long the responder is, likewise */
} story_t;

static const story_t stories[] = {{"no store", 10 * SEC(60), 1, -1, 0},
                                  {"rolled out in 10 min", 10 * SEC(60), 1, 0, 0},
                                  {"all started in 1 s", SEC(1), 1, 0, 0},
                                  {"10 waves, 1 h apart", SEC(10), 10, 0, 0},
                                  {"store lost for 1 h", 10 * SEC(60), 1, HOUR, 0},
                                  {"responder dead for 1 h", 10 * SEC(60), 1, 0, HOUR}};

#define N_STORIES (sizeof(stories) / sizeof(*stories))
#define N_RUNS (sizeof(cas) / sizeof(*cas) * N_STORIES)

/* One server's view of one certificate. */
typedef struct {
    oc_fleet_held_t held;
    apr_time_t patience;
    apr_time_t store_back; /* the store did not answer: it is not queried again before this time */
    unsigned failures;
} server_t;

typedef struct {
    double per_period;     /* requests per certificate and refresh period, from the second day on */
    double per_server_day; /* the same per certificate, server and day: 1 is what a server alone would need */
    double at_start;       /* requests per certificate in the first hour of each wave */
    unsigned peak_second;  /* for all certificates together */
    double after;          /* requests per certificate while the store is lost, and in the hour behind it */
    double bare_ms;        /* without a response, per server and certificate */
} figures_t;

typedef struct {
    const ca_t *ca;
    const story_t *story;
    unsigned servers, certificates;
    unsigned *asked; /* per second, all certificates together */
    uint64_t n_asked, n_taken;
    apr_interval_time_t bare; /* server-certificate-time without a response, from a server's start on */
    apr_time_t lost_from, lost_to, dead_from, dead_to;
    figures_t figures;
} run_t;

/* The store, for one certificate. */
static struct {
    oc_fleet_entry_t entry;
    apr_time_t usable_until; /* 0: no entry */
    oc_fleet_claim_t claim;
    apr_time_t claimed_until;
    apr_time_t emptied_at;
} store;

static uint64_t seed;

static uint32_t random32(void)
{
    return (uint32_t)(splitmix64(&seed) >> 32);
}

static apr_interval_time_t random_below(apr_interval_time_t limit)
{
    return (apr_interval_time_t)(splitmix64(&seed) % (uint64_t)limit);
}

/* ---- the world ---- */

static int is_within(apr_time_t now, apr_time_t from, apr_time_t to)
{
    return now >= from && now < to;
}

/* Can this server use the store now? One that did not answer is not used for a while. */
static int has_store(const run_t *run, server_t *server, apr_time_t now)
{
    if (run->story->lost < 0 || now < server->store_back)
        return 0;
    if (!is_within(now, run->lost_from, run->lost_to))
        return 1;
    server->store_back = now + OC_BREAKER_PAUSE_MAX - random_below(OC_BREAKER_PAUSE_MAX / 2);
    memset(&store, 0, sizeof(store)); /* it comes back empty */
    return 0;
}

static void hold(run_t *run, server_t *server, apr_time_t this_update, apr_time_t until, apr_time_t since,
                 apr_time_t now)
{
    if (server->held.until < now)
        run->bare += now - server->held.until;
    server->held = (oc_fleet_held_t){this_update, until, oc_fleet_order(this_update, since), since};
    server->failures = 0;
    server->patience = 0;
}

/* ---- one server's steps ---- */

static void look(run_t *run, server_t *server, uint32_t number, apr_time_t now)
{
    const oc_fleet_entry_t *entry = &store.entry;
    apr_time_t answered = 0, again = 0;

    if (!has_store(run, server, now)) {
        fleet_queue_push(now + apr_time_from_msec(20) + random_below(apr_time_from_msec(180)), number, ANSWER);
        return;
    }
    if (store.usable_until > now && oc_fleet_is_news(&server->held, entry, now)) {
        apr_time_t due =
            oc_schedule_success(entry->fetched_at, entry->this_update, store.usable_until, &bounds, random32());

        if (!oc_fleet_is_due(&server->held, entry, due, store.usable_until, now)) {
            hold(run, server, entry->this_update, store.usable_until, entry->fetched_at, now);
            run->n_taken++;
            fleet_queue_push(due, number, LOOK);
            return;
        }
        if (server->held.until <= now || oc_fleet_order(entry->this_update, entry->fetched_at) > server->held.order)
            hold(run, server, entry->this_update, store.usable_until, entry->fetched_at, now);
    }
    if (store.usable_until > now)
        answered = entry->fetched_at;
    if (store.claimed_until > now && store.claim.who != number + UINT64_C(1))
        again = oc_fleet_wait(&server->patience, &store.claim, answered, EXCHANGE_LONGEST, now, random32());
    else
        server->patience = 0;
    fleet_queue_push(again ? again : now + STORE_DELAY, number, again ? LOOK : CLAIM);
}

static void claim(run_t *run, server_t *server, uint32_t number, apr_time_t now)
{
    if (has_store(run, server, now)) {
        store.claim = (oc_fleet_claim_t){number + UINT64_C(1), now};
        store.claimed_until = now + EXCHANGE_LONGEST;
    }
    fleet_queue_push(now + apr_time_from_msec(20) + random_below(apr_time_from_msec(180)), number, ANSWER);
}

static void answer(run_t *run, server_t *server, uint32_t number, apr_time_t phase, apr_time_t now)
{
    apr_interval_time_t step = PUBLISHING(run->ca);
    apr_time_t this_update = phase + (now - phase) / step * step, until = this_update + run->ca->validity, due;

    run->asked[(now - BEGIN) / SEC(1)]++;
    run->n_asked++;
    if (is_within(now, run->dead_from, run->dead_to)) {
        due = oc_schedule_failure(now, server->held.until > now ? server->held.until : 0, ++server->failures, 0,
                                  &bounds, random32());
    }
    else {
        hold(run, server, this_update, until, now, now);
        due = oc_schedule_success(now, this_update, until, &bounds, random32());
        if (has_store(run, server, now)) {
            store.entry.this_update = this_update;
            store.entry.fetched_at = now;
            store.usable_until = until;
        }
    }
    fleet_queue_push(due > now ? due : now + 1, number, LOOK);
}

static apr_time_t arrival_of(const run_t *run, uint32_t number)
{
    unsigned wave = number % run->story->waves;

    return BEGIN + wave * HOUR + random_below(run->story->arrival);
}

/* One certificate, on all servers. */
static void live(run_t *run, server_t *servers)
{
    apr_time_t phase = BEGIN - 2 * PUBLISHING(run->ca) + random_below(PUBLISHING(run->ca));
    event_t event;
    uint32_t i;

    memset(&store, 0, sizeof(store));
    memset(servers, 0, run->servers * sizeof(*servers));
    fleet_queue_rewind();
    for (i = 0; i < run->servers; i++) {
        servers[i].held.until = arrival_of(run, i);
        fleet_queue_push(servers[i].held.until, i, LOOK);
    }
    while (fleet_queue_pop(&event)) {
        server_t *server = &servers[event.server];

        if (event.kind == LOOK)
            look(run, server, event.server, event.at);
        else if (event.kind == CLAIM)
            claim(run, server, event.server, event.at);
        else
            answer(run, server, event.server, phase, event.at);
    }
}

/* ---- figures ---- */

static double sum(const run_t *run, apr_time_t from, apr_time_t to)
{
    double total = 0;
    apr_time_t at;

    for (at = from; at < to && at < END; at += SEC(1))
        total += run->asked[(at - BEGIN) / SEC(1)];
    return total / run->certificates;
}

/* How often a server that is alone would query: from the middle of the validity, or by `max`, whichever is sooner. */
static double period_days(const ca_t *ca)
{
    double half = (double)PUBLISHING(ca) * 1.1, longest = (double)bounds.max * 0.8;

    return (half < longest ? half : longest) / (double)DAY;
}

static figures_t figure(const run_t *run)
{
    figures_t f = {0};
    int i;

    f.per_period = sum(run, BEGIN + DAY, END) / (SPAN_DAYS - 1) * period_days(run->ca);
    f.per_server_day = sum(run, BEGIN + DAY, END) / (SPAN_DAYS - 1) / run->servers;
    f.at_start = sum(run, BEGIN, BEGIN + run->story->waves * HOUR);
    for (i = 0; i < N_SECONDS; i++)
        f.peak_second = run->asked[i] > f.peak_second ? run->asked[i] : f.peak_second;
    if (run->story->lost > 0)
        f.after = sum(run, run->lost_from, run->lost_to + HOUR);
    if (run->story->dead > 0)
        f.after = sum(run, run->dead_from, run->dead_to + HOUR);
    f.bare_ms = (double)run->bare / 1000 / run->servers / run->certificates;
    return f;
}

static void print_row(const run_t *run, const figures_t *f)
{
    printf("%-8s %-24s %12.2f %14.5f %14.1f %14u %12.1f %14.1f\n", run->ca->name, run->story->name, f->per_period,
           f->per_server_day, f->at_start, f->peak_second, f->after, f->bare_ms);
    fflush(stdout);
}

static void print_json(FILE *file, const run_t *run, const figures_t *f)
{
    fprintf(file,
            "%s  {\"validity_seconds\": %lld, \"story\": \"%s\", \"servers\": %u, \"certificates\": %u, "
            "\"requests_per_certificate_and_period\": %.3f, \"requests_per_certificate_server_and_day\": %.6f, "
            "\"requests_per_certificate_at_start\": %.2f, \"requests_per_second_peak\": %u, "
            "\"requests_per_certificate_in_trouble\": %.2f, \"bare_milliseconds\": %.2f, \"taken\": %llu}",
            ftell(file) == 0 ? "[\n" : ",\n", (long long)apr_time_sec(run->ca->validity), run->story->name,
            run->servers, run->certificates, f->per_period, f->per_server_day, f->at_start, f->peak_second, f->after,
            f->bare_ms, (unsigned long long)run->n_taken);
}

/* ---- what is promised ---- */

static int broken(const run_t *run, const char *promise, double seen, double allowed)
{
    fprintf(stderr, "fleet: validity %s, %s: %s: %.3f, allowed %.3f\n", run->ca->name, run->story->name, promise, seen,
            allowed);
    return 1;
}

static int judge(const run_t *run, const figures_t *f)
{
    int wrong = 0;

    if (run->story->lost < 0)
        return 0; /* what it would be without */
    if (run->story->lost == 0 && run->story->dead == 0 && f->per_period > 2)
        wrong += broken(run, "requests per certificate and refresh period", f->per_period, 2);
    if (run->story->arrival > SEC(1) && f->at_start > 3 * run->story->waves)
        wrong += broken(run, "requests per certificate while the fleet starts", f->at_start, 3 * run->story->waves);
    if (f->bare_ms > 1000)
        wrong += broken(run, "milliseconds without a response", f->bare_ms, 1000);
    return wrong;
}

static figures_t simulate(run_t *run)
{
    server_t *servers = calloc(run->servers, sizeof(*servers));
    figures_t figures;
    unsigned i;

    run->asked = calloc(N_SECONDS, sizeof(*run->asked));
    if (!servers || !run->asked)
        abort();
    fleet_queue_open(run->servers);
    run->lost_from = BEGIN + 2 * DAY;
    run->lost_to = run->lost_from + (run->story->lost > 0 ? run->story->lost : 0);
    run->dead_from = BEGIN + 2 * DAY;
    run->dead_to = run->dead_from + run->story->dead;
    for (i = 0; i < run->certificates; i++)
        live(run, servers);
    figures = figure(run);
    free(servers);
    fleet_queue_close();
    free(run->asked);
    return figures;
}

/* One process for each CPU; each takes the next run that nobody has taken. Results are in memory that all share. */
static void simulate_all(run_t *runs)
{
    struct results {
        unsigned next;
        figures_t figures[N_RUNS];
        uint64_t n_taken[N_RUNS];
    } *all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    long processes = sysconf(_SC_NPROCESSORS_ONLN), p;
    unsigned i;
    int status;

    if (all == MAP_FAILED)
        abort();
    for (p = 0; p < processes && p < (long)N_RUNS; p++) {
        pid_t child = fork();

        if (child < 0)
            abort();
        if (child > 0)
            continue;
        while ((i = __atomic_fetch_add(&all->next, 1, __ATOMIC_RELAXED)) < N_RUNS) {
            seed = 1;
            all->figures[i] = simulate(&runs[i]);
            all->n_taken[i] = runs[i].n_taken;
        }
        _exit(0);
    }
    while (wait(&status) > 0)
        if (status != 0)
            abort(); /* its figures are missing */
    for (i = 0; i < N_RUNS; i++) {
        runs[i].figures = all->figures[i];
        runs[i].n_taken = all->n_taken[i];
    }
    munmap(all, sizeof(*all));
}

int main(int argc, char **argv)
{
    unsigned servers = 10000, certificates = 1000, i;
    run_t runs[N_RUNS];
    int is_check = 0, wrong = 0, arg;
    FILE *json = NULL;

    for (arg = 1; arg < argc; arg++) {
        const char *value = arg + 1 < argc ? argv[arg + 1] : "";

        if (strcmp(argv[arg], "--check") == 0)
            is_check = 1, servers = 200, certificates = 20;
        else if (strcmp(argv[arg], "--servers") == 0 && (servers = (unsigned)strtoul(value, NULL, 10)) > 0)
            arg++;
        else if (strcmp(argv[arg], "--certificates") == 0 && (certificates = (unsigned)strtoul(value, NULL, 10)) > 0)
            arg++;
        else if (strcmp(argv[arg], "--json") == 0 && (json = fopen(value, "w")) != NULL)
            arg++;
        else {
            fprintf(stderr, "usage: fleet [--check] [--servers N] [--certificates N] [--json FILE]\n");
            return 2;
        }
    }
    if (!is_check)
        printf("%u servers, %u certificates, %d days\n%-8s %-24s %12s %14s %14s %14s %12s %14s\n%-8s %-24s %12s %14s "
               "%14s %14s %12s %14s\n",
               servers, certificates, SPAN_DAYS, "validity", "story", "per refresh", "per server", "while it",
               "peak, all", "in trouble", "bare, ms", "", "", "period", "and day", "starts", "per second", "and after",
               "per server");
    for (i = 0; i < N_RUNS; i++)
        runs[i] =
            (run_t){&cas[i / N_STORIES], &stories[i % N_STORIES], .servers = servers, .certificates = certificates};
    simulate_all(runs);
    for (i = 0; i < N_RUNS; i++) {
        wrong += judge(&runs[i], &runs[i].figures);
        if (!is_check)
            print_row(&runs[i], &runs[i].figures);
        if (json)
            print_json(json, &runs[i], &runs[i].figures);
    }
    if (json) {
        fprintf(json, "\n]\n");
        fclose(json);
    }
    if (is_check)
        printf("%u stories of a fleet, %d promises broken\n", i, wrong);
    return wrong > 0;
}
