/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Runs the schedule (ocsp/schedule.c) through a month of virtual time: how often is a responder queried, when is a
 * staple missing, and how many requests come together at a cold start and after an outage? Certificates do not affect
 * each other, so each is simulated alone; their requests are counted by hour and minute.
 *
 *   simulate              the table of docs/schedule.md
 *   simulate --json FILE  and the same figures for programs
 *   simulate --check      fewer certificates, no table: exit status 1 if a promise is broken
 *
 * Not modelled: that the workers request OCSPCacheWorkers certificates at a time, and how long an answer takes. Both
 * only flatten what is counted here. It must never read the clock; the same seed gives the same figures.
 */
#include "ocsp/record.h"
#include "ocsp/schedule.h"
#include "splitmix64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEC(n) apr_time_from_sec(n)
#define MINUTE SEC(60)
#define HOUR SEC(3600)
#define DAY (24 * HOUR)
#define HOURS(time) ((double)(time) / (double)HOUR)

#define BEGIN (SEC(1700000000))
#define SPAN_DAYS 30
#define SPAN (SPAN_DAYS * DAY)
#define N_HOURS (SPAN_DAYS * 24)
#define N_MINUTES (N_HOURS * 60)
#define N_OUTAGES 3

#define CERTIFICATES 10000
#define CERTIFICATES_CHECKED 2000

/* The same as `defaults` in src/server/settings.c. */
static const oc_schedule_bounds_t bounds = {.min = 5 * MINUTE, .max = DAY, .retry_min = SEC(5), .retry_max = SEC(600)};

typedef struct {
    const char *name;
    apr_interval_time_t validity;
} ca_t;

/* When a CA has the next response ready. */
typedef enum {
    HALFWAY, /* at half of the validity: what is fetched has between half and all of its time left. Each certificate's
                at its own time */
    AT_ONCE, /* the same, but for all certificates at one moment */
    LATE /* as late as the CA/Browser Forum allows (Baseline Requirements section 4.9.10): half of a validity below 16
                hours, else 8 hours before the end, and 4 days after the beginning */
} publishing_t;

static const char *const publishing_names[] = {"halfway", "at once", "late"};

static const ca_t cas[] = {
    {"4 h", 4 * HOUR}, {"12 h", 12 * HOUR}, {"4 d", 4 * DAY}, {"7 d", 7 * DAY}, {"10 d", 10 * DAY}};

/* Three outages of one length, at moments that have nothing to do with when responses are published; or one at the very
 * beginning. */
typedef struct {
    const char *name;
    apr_interval_time_t length;
    int from_start;
} trouble_t;

static const trouble_t troubles[] = {
    {"none", 0, 0}, {"1 h", HOUR, 0}, {"12 h", 12 * HOUR, 0}, {"3 d", 3 * DAY, 0}, {"1 h at start", HOUR, 1}};

typedef struct {
    apr_time_t begin[N_OUTAGES], end[N_OUTAGES];
    int count;
} outages_t;

/* Figures of one scenario. Certificate-hours in microseconds until they are printed. */
typedef struct {
    const ca_t *ca;
    const trouble_t *trouble;
    publishing_t publishing;
    int hint; /* 0: no max-age; 1: until the response ends; 2: half of its validity, at most 18 hours */
    unsigned certificates;
    outages_t outages;
    unsigned asked[N_MINUTES];         /* all requests */
    unsigned answered[N_MINUTES];      /* those that found the responder alive */
    apr_interval_time_t missing_dead;  /* outage, and no response that was ever published would have lasted */
    apr_interval_time_t missing_luck;  /* outage, and a query just before it would have got one that lasts */
    apr_interval_time_t missing_retry; /* the responder is back, for less than retry_max */
    apr_interval_time_t missing_wrong; /* the responder is there, for longer: nothing excuses it */
} scenario_t;

static uint64_t seed;

/* ---- the world ---- */

static void plan_outages(outages_t *outages, const trouble_t *trouble)
{
    int i;

    outages->count = trouble->length == 0 ? 0 : trouble->from_start ? 1 : N_OUTAGES;
    for (i = 0; i < outages->count; i++) {
        outages->begin[i] = trouble->from_start ? BEGIN : BEGIN + 5 * DAY + i * (7 * DAY + 5 * HOUR) + 17 * MINUTE;
        outages->end[i] = outages->begin[i] + trouble->length;
    }
}

/* The outage that covers @a now; -1: none. */
static int outage_at(const outages_t *outages, apr_time_t now)
{
    int i;

    for (i = 0; i < outages->count; i++) {
        if (now >= outages->begin[i] && now < outages->end[i])
            return i;
    }
    return -1;
}

static apr_interval_time_t publishing_step(const scenario_t *scenario)
{
    apr_interval_time_t validity = scenario->ca->validity, step = validity - 8 * HOUR;

    if (scenario->publishing != LATE || validity < 16 * HOUR)
        return validity / 2;
    return step < 4 * DAY ? step : 4 * DAY;
}

/* thisUpdate of what the CA hands out at @a now. @a phase: when it published first, before the simulation began. */
static apr_time_t published_at(const scenario_t *scenario, apr_time_t phase, apr_time_t now)
{
    apr_interval_time_t step = publishing_step(scenario);

    return phase + (now - phase) / step * step;
}

/* ---- what is counted ---- */

static apr_interval_time_t overlap(apr_time_t a, apr_time_t b, apr_time_t c, apr_time_t d)
{
    apr_time_t from = a > c ? a : c, to = b < d ? b : d;

    return to > from ? to - from : 0;
}

/* From @a from to @a to, one certificate had nothing to staple: whose fault is what part of it? */
static void count_missing(scenario_t *scenario, apr_time_t phase, apr_time_t from, apr_time_t to)
{
    const outages_t *outages = &scenario->outages;
    apr_interval_time_t excused = 0;
    int i;

    for (i = 0; i < outages->count; i++) {
        apr_time_t begin = outages->begin[i], end = outages->end[i], last;
        apr_interval_time_t whole = overlap(from, to, begin, end), luck, retry;

        last = scenario->trouble->from_start ? BEGIN : published_at(scenario, phase, begin) + scenario->ca->validity;
        luck = overlap(from, to, begin, end < last ? end : last);
        retry = overlap(from, to, end, end + bounds.retry_max + SEC(1)); /* due times are kept to the second */
        scenario->missing_luck += luck;
        scenario->missing_dead += whole - luck;
        scenario->missing_retry += retry;
        excused += whole + retry;
    }
    if (to > from)
        scenario->missing_wrong += to - from - excused;
}

/* ---- one certificate's month ---- */

/* As in the cache: to the second, rounded up, and clamped when it is read. */
static apr_time_t remembered(apr_time_t due, apr_time_t held_until, unsigned failures, oc_verdict_t verdict,
                             apr_time_t now)
{
    oc_note_t note = {due, failures, verdict};

    note = oc_note_unpack(oc_note_pack(&note));
    return oc_schedule_clamp(note.due, now, held_until, failures, &bounds);
}

static void live(scenario_t *scenario, apr_time_t phase)
{
    const ca_t *ca = scenario->ca;
    apr_time_t now = BEGIN, held_until = BEGIN, end = BEGIN + SPAN;
    apr_interval_time_t half = ca->validity < 36 * HOUR ? ca->validity / 2 : 18 * HOUR;
    unsigned failures = 0;

    while (now < end) {
        uint32_t random = (uint32_t)(splitmix64(&seed) >> 32);
        apr_time_t due;

        scenario->asked[(now - BEGIN) / MINUTE]++;
        if (outage_at(&scenario->outages, now) >= 0) {
            failures++;
            due = oc_schedule_failure(now, held_until > now ? held_until : 0, failures, 0, &bounds, random);
            due = remembered(due, held_until, failures, OC_CONNECT_FAILED, now);
        }
        else {
            apr_time_t this_update = published_at(scenario, phase, now);

            scenario->answered[(now - BEGIN) / MINUTE]++;
            count_missing(scenario, phase, held_until, now);
            failures = 0;
            held_until = this_update + ca->validity;
            due = oc_schedule_success(now, this_update, held_until, &bounds, random);
            if (scenario->hint)
                due = oc_schedule_hint(due, now, this_update, held_until, scenario->hint == 1 ? held_until - now : half,
                                       &bounds, (uint32_t)(splitmix64(&seed) >> 32));
            due = remembered(due, held_until, 0, OC_GOOD, now);
        }
        now = due > now ? due : now + 1;
    }
    count_missing(scenario, phase, held_until, end);
}

static void run(scenario_t *scenario)
{
    apr_interval_time_t step = publishing_step(scenario);
    unsigned i;

    plan_outages(&scenario->outages, scenario->trouble);
    for (i = 0; i < scenario->certificates; i++) {
        uint64_t random = splitmix64(&seed);
        apr_interval_time_t offset =
            scenario->publishing == AT_ONCE ? step / 3 : (apr_interval_time_t)(random % (uint64_t)step);

        live(scenario, BEGIN - 2 * step + offset);
    }
}

/* ---- figures ---- */

typedef struct {
    double mean;          /* answered requests per hour in which the responder is there */
    unsigned peak;        /* the fullest hour, without the first (cold start) and the first after each outage */
    double ratio;         /* of the two */
    unsigned peak_minute; /* the fullest minute of those hours */
    double per_day;       /* answered requests per certificate and day */
    double outage_rate;   /* requests per certificate and hour of outage */
    unsigned herd[3];     /* answered within 1, 5 and 15 minutes after an outage; of several outages the worst */
    double hours_dead, hours_luck, hours_retry, hours_wrong;
} figures_t;

/* Did something just make all certificates be queried at one time? Such hours are reported separately. */
static int is_herd_hour(const outages_t *outages, int hour)
{
    apr_time_t begin = BEGIN + hour * HOUR;
    int i;

    for (i = 0; i < outages->count; i++) {
        if (overlap(begin, begin + HOUR, outages->end[i], outages->end[i] + HOUR / 2) > 0)
            return 1;
    }
    return hour == 0;
}

static unsigned sum(const unsigned *minutes, int from, int n)
{
    unsigned total = 0;
    int i;

    for (i = from; i < from + n && i < N_MINUTES; i++)
        total += minutes[i];
    return total;
}

static void figure_peaks(const scenario_t *scenario, figures_t *figures)
{
    apr_interval_time_t alive = SPAN;
    int i, minute;

    for (i = 0; i < scenario->outages.count; i++)
        alive -= scenario->outages.end[i] - scenario->outages.begin[i];
    figures->mean = sum(scenario->answered, 0, N_MINUTES) / HOURS(alive);
    figures->per_day = figures->mean * 24 / scenario->certificates;
    for (i = 0; i < N_HOURS; i++) {
        unsigned total = sum(scenario->answered, i * 60, 60);

        if (is_herd_hour(&scenario->outages, i))
            continue;
        if (total > figures->peak)
            figures->peak = total;
        for (minute = i * 60; minute < i * 60 + 60; minute++) {
            if (scenario->answered[minute] > figures->peak_minute)
                figures->peak_minute = scenario->answered[minute];
        }
    }
    figures->ratio = figures->peak / figures->mean;
}

static void figure(const scenario_t *scenario, figures_t *figures)
{
    static const int spans[] = {1, 5, 15};
    const outages_t *outages = &scenario->outages;
    unsigned failed = 0;
    double length = 0;
    int i, j;

    memset(figures, 0, sizeof(*figures));
    figure_peaks(scenario, figures);
    for (i = 0; i < outages->count; i++) {
        int begin = (int)((outages->begin[i] - BEGIN) / MINUTE), end = (int)((outages->end[i] - BEGIN) / MINUTE);

        failed += sum(scenario->asked, begin, end - begin);
        length += HOURS(outages->end[i] - outages->begin[i]);
        for (j = 0; j < 3; j++) {
            unsigned total = sum(scenario->answered, end, spans[j]);

            figures->herd[j] = total > figures->herd[j] ? total : figures->herd[j];
        }
    }
    if (length > 0)
        figures->outage_rate = failed / length / scenario->certificates;
    figures->hours_dead = HOURS(scenario->missing_dead);
    figures->hours_luck = HOURS(scenario->missing_luck);
    figures->hours_retry = HOURS(scenario->missing_retry);
    figures->hours_wrong = HOURS(scenario->missing_wrong);
}

/* ---- output ---- */

static void print_head(void)
{
    printf("%-35s%-24s%-10s%-27s%-18s%s\n%-35s%-24s%-10s%-27s%-18s%s\n", "CA", "requests per hour", "per cert",
           "after an outage, within", "per cert and", "hours without staple", "validity  published  outage",
           "  mean   peak  ratio", "and day", "   1 min  5 min  15 min", "hour of outage",
           "     dead      luck     retry  wrong");
}

static void print_row(const scenario_t *scenario, const figures_t *f)
{
    printf("%-9s %-10s %-14s %6.0f %6u %6.2f    %7.2f   %8u %6u %7u    %14.2f    %9.0f %9.1f %9.1f %6.1f\n",
           scenario->ca->name, publishing_names[scenario->publishing], scenario->trouble->name, f->mean, f->peak,
           f->ratio, f->per_day, f->herd[0], f->herd[1], f->herd[2], f->outage_rate, f->hours_dead, f->hours_luck,
           f->hours_retry, f->hours_wrong);
}

static void print_json(FILE *file, const scenario_t *scenario, const figures_t *f)
{
    fprintf(file,
            "%s  {\"validity_seconds\": %lld, \"published\": \"%s\", \"outage\": \"%s\", \"certificates\": %u, "
            "\"requests_per_hour_mean\": %.1f, \"requests_per_hour_peak\": %u, \"peak_to_mean\": %.3f, "
            "\"requests_per_minute_peak\": %u, \"requests_per_certificate_and_day\": %.3f, "
            "\"requests_per_certificate_and_outage_hour\": %.3f, "
            "\"after_outage_1_min\": %u, \"after_outage_5_min\": %u, \"after_outage_15_min\": %u, "
            "\"missing_hours_dead\": %.3f, \"missing_hours_luck\": %.3f, \"missing_hours_retry\": %.3f, "
            "\"missing_hours_wrong\": %.6f}",
            ftell(file) == 0 ? "[\n" : ",\n", (long long)apr_time_sec(scenario->ca->validity),
            publishing_names[scenario->publishing], scenario->trouble->name, scenario->certificates, f->mean, f->peak,
            f->ratio, f->peak_minute, f->per_day, f->outage_rate, f->herd[0], f->herd[1], f->herd[2], f->hours_dead,
            f->hours_luck, f->hours_retry, f->hours_wrong);
}

/* ---- what is promised ---- */

/* Whatever happens, at least this much is left when an outage begins: what is fetched has `given` left. Before the
 * middle of its validity nothing is lost by waiting; then the request comes within a fifth of the validity and within
 * max / 2, or, where the middle is past, before 60 % of what was left are gone, and within max. */
static apr_interval_time_t surely_left(const scenario_t *scenario)
{
    apr_interval_time_t validity = scenario->ca->validity, given = validity - publishing_step(scenario), pause;

    if (scenario->publishing != LATE || given * 2 >= validity) {
        pause = validity / 5 < bounds.max / 2 ? validity / 5 : bounds.max / 2;
        return validity / 2 - pause;
    }
    pause = given / 5 * 3 < bounds.max ? given / 5 * 3 : bounds.max;
    return given - pause;
}

static int broken(const scenario_t *scenario, const char *promise, double seen, double allowed)
{
    fprintf(stderr, "simulate: validity %s, published %s, outage %s, hint %d: %s: %.3f, allowed %.3f\n",
            scenario->ca->name, publishing_names[scenario->publishing], scenario->trouble->name, scenario->hint,
            promise, seen, allowed);
    return 1;
}

/* The bounds argued for in docs/schedule.md. @return how many promises are broken. */
static int judge(const scenario_t *scenario, const figures_t *f)
{
    double n = scenario->certificates, minute_of_retries = n * 60 / (0.75 * (double)apr_time_sec(bounds.retry_max));
    int is_survivable = !scenario->trouble->from_start && scenario->trouble->length <= surely_left(scenario), wrong = 0;

    if (scenario->missing_wrong != 0)
        wrong += broken(scenario, "certificate-hours without a staple while one could be had", f->hours_wrong, 0);
    if (is_survivable && f->hours_dead + f->hours_luck + f->hours_retry > 0)
        wrong += broken(scenario, "certificate-hours without a staple in an outage shorter than what was left",
                        f->hours_dead + f->hours_luck + f->hours_retry, 0);
    if (f->ratio > 4)
        wrong += broken(scenario, "requests per hour, peak to mean", f->ratio, 4);
    if (f->herd[0] > 1.5 * minute_of_retries)
        wrong += broken(scenario, "requests in the first minute after an outage", f->herd[0], 1.5 * minute_of_retries);
    return wrong;
}

static int simulate(const ca_t *ca, const trouble_t *trouble, publishing_t publishing, int hint, unsigned certificates,
                    FILE *json, int is_check)
{
    static scenario_t scenario; /* large */
    figures_t figures;

    memset(&scenario, 0, sizeof(scenario));
    scenario.ca = ca;
    scenario.trouble = trouble;
    scenario.publishing = publishing;
    scenario.hint = hint;
    scenario.certificates = certificates;
    run(&scenario);
    figure(&scenario, &figures);
    if (!is_check)
        print_row(&scenario, &figures);
    if (json)
        print_json(json, &scenario, &figures);
    return judge(&scenario, &figures);
}

int main(int argc, char **argv)
{
    int is_check = argc == 2 && strcmp(argv[1], "--check") == 0, wrong = 0, scenarios = 0, hint;
    const char *path = argc == 3 && strcmp(argv[1], "--json") == 0 ? argv[2] : NULL, *given = getenv("OC_TEST_SEED");
    FILE *json = path ? fopen(path, "w") : NULL;
    publishing_t publishing;
    unsigned certificates = is_check ? CERTIFICATES_CHECKED : CERTIFICATES;
    size_t c, t;

    if ((argc > 1 && !is_check && !path) || (path && !json)) {
        fprintf(stderr, "usage: simulate [--check | --json FILE], FILE to be written\n");
        return 2;
    }
    seed = given ? strtoull(given, NULL, 10) : 20260101;
    if (!is_check)
        print_head();
    for (hint = 0; hint <= (is_check ? 2 : 0); hint++)
        for (publishing = HALFWAY; publishing <= LATE; publishing++)
            for (c = 0; c < sizeof(cas) / sizeof(cas[0]); c++) {
                if (publishing == LATE && cas[c].validity < 16 * HOUR)
                    continue; /* the same as HALFWAY */
                for (t = 0; t < sizeof(troubles) / sizeof(troubles[0]); t++, scenarios++)
                    wrong += simulate(&cas[c], &troubles[t], publishing, hint, certificates, json, is_check);
            }
    if (json && (fputs("\n]\n", json) == EOF || fclose(json) != 0)) {
        perror(path);
        return 2;
    }
    printf("%d scenarios of %d days, %d promises broken\n", scenarios, SPAN_DAYS, wrong);
    return wrong != 0;
}
