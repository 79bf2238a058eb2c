/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A TLS client that makes many handshakes, requests a staple in each, verifies what it gets, and prints counts
 * and times as one JSON object. `load --help` lists the options; test/bench/README.md explains them.
 */
#include "load.h"

#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "load --address HOST:PORT --ca FILE --host NAME [options]\n"
    "  --host NAME       server name; with %d in it a pattern, whose numbers count from 0\n"
    "  --hosts N         so many names, in turns (1)\n"
    "  --rate R          open loop: R connections a second, by the timetable, whatever becomes of the earlier ones\n"
    "  --closed C        closed loop: C connections at a time, as fast as they go; with --rate at most so fast\n"
    "  --seconds S       connections begin for so long (1)\n"
    "  --timeout S       a handshake that takes longer has failed (30)\n"
    "  --threads N       (1)\n"
    "  --tls 1.2|1.3     (1.3)\n"
    "  --resume          resume sessions\n"
    "  --client FILE     a client certificate, its chain and key in one file; with %d in it a pattern. Each connection "
    "sends one\n"
    "                    request: \"good\" is an answer with status 200, \"error\" another, \"failed\" none\n"
    "  --clients N       so many clients, in turns (1)\n"
    "  --no-status       do not request a staple\n"
    "  --connect-only    TCP alone; each connection counts as \"none\"\n"
    "  --stream          print what happens as it happens, a line each (with one thread)\n"
    "  --until-good      end as soon as every host was stapled good, and leave those alone that were (with --closed)\n";

void load_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static void set_address(load_options_t *options, const char *text)
{
    const char *colon = strrchr(text, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    char *host;

    if (!colon || !(host = strndup(text, (size_t)(colon - text))))
        load_die("--address wants HOST:PORT, not %s", text);
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        load_die("%s: no such address", text);
    memcpy(&options->address, found->ai_addr, found->ai_addrlen);
    options->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    free(host);
}

static double number(const char *name, const char *text, double least)
{
    char *end;
    double value = strtod(text, &end);

    if (*end || end == text || !(value >= least))
        load_die("--%s wants a number from %g on, not %s", name, least, text);
    return value;
}

enum {
    ADDRESS,
    CA,
    HOST,
    HOSTS,
    RATE,
    CLOSED,
    SECONDS,
    TIMEOUT,
    THREADS,
    TLS,
    RESUME,
    CLIENT,
    CLIENTS,
    NO_STATUS,
    CONNECT_ONLY,
    UNTIL_GOOD,
    STREAM,
    HELP_ME
};

static const struct option OPTIONS[] = {
    {"address", required_argument, NULL, ADDRESS},
    {"ca", required_argument, NULL, CA},
    {"host", required_argument, NULL, HOST},
    {"hosts", required_argument, NULL, HOSTS},
    {"rate", required_argument, NULL, RATE},
    {"closed", required_argument, NULL, CLOSED},
    {"seconds", required_argument, NULL, SECONDS},
    {"timeout", required_argument, NULL, TIMEOUT},
    {"threads", required_argument, NULL, THREADS},
    {"tls", required_argument, NULL, TLS},
    {"resume", no_argument, NULL, RESUME},
    {"client", required_argument, NULL, CLIENT},
    {"clients", required_argument, NULL, CLIENTS},
    {"no-status", no_argument, NULL, NO_STATUS},
    {"connect-only", no_argument, NULL, CONNECT_ONLY},
    {"until-good", no_argument, NULL, UNTIL_GOOD},
    {"stream", no_argument, NULL, STREAM},
    {"help", no_argument, NULL, HELP_ME},
    {NULL, 0, NULL, 0},
};

static void take(load_options_t *options, int option, const char *text)
{
    const char *name = option < HELP_ME ? OPTIONS[option].name : "";

    switch (option) {
    case ADDRESS:
        set_address(options, text);
        break;
    case CA:
        options->ca_file = text;
        break;
    case HOST:
        options->host = text;
        break;
    case HOSTS:
        options->n_hosts = (int)number(name, text, 1);
        break;
    case RATE:
        options->rate = number(name, text, 0.001);
        break;
    case CLOSED:
        options->concurrent = (int)number(name, text, 1);
        break;
    case SECONDS:
        options->seconds = number(name, text, 0.001);
        break;
    case TIMEOUT:
        options->timeout = number(name, text, 0.001);
        break;
    case THREADS:
        options->threads = (int)number(name, text, 1);
        break;
    case TLS:
        if (strcmp(text, "1.2") != 0 && strcmp(text, "1.3") != 0)
            load_die("--tls wants 1.2 or 1.3, not %s", text);
        options->tls = strcmp(text, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        break;
    case RESUME:
        options->resume = 1;
        break;
    case CLIENT:
        options->client = text;
        break;
    case CLIENTS:
        options->n_clients = (int)number(name, text, 1);
        break;
    case NO_STATUS:
        options->ask = 0;
        break;
    case CONNECT_ONLY:
        options->connect_only = 1;
        break;
    case UNTIL_GOOD:
        options->until_good = 1;
        break;
    case STREAM:
        options->stream = 1;
        break;
    case HELP_ME:
        fputs(HELP, stdout);
        exit(0);
    default:
        load_die("load --help lists the options");
    }
}

/* The texts are OpenSSL's and the C library's: neither quotes nor control characters. */
static void print(const load_options_t *options, const load_result_t *result)
{
    const load_tally_t *tally = result->tally;
    static const struct {
        const char *name;
        double share;
    } percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
    uint64_t done = 0;
    int last = LOAD_SECONDS_MAX;

    printf("{\"seconds\": %.6f, \"started\": %llu", result->seconds, (unsigned long long)tally->started);
    for (int i = 0; i < LOAD_OUTCOMES; i++) {
        done += i == LOAD_FAILED ? 0 : tally->outcome[i];
        printf(", \"%s\": %llu", load_outcome_names[i], (unsigned long long)tally->outcome[i]);
    }
    printf(", \"done\": %llu, \"per_second\": %.2f", (unsigned long long)done, (double)done / result->seconds);
    for (size_t i = 0; i < sizeof(percentiles) / sizeof(*percentiles); i++)
        printf(", \"%s_ms\": %.4f", percentiles[i].name,
               (double)load_tally_percentile(tally, percentiles[i].share) / 1e6);
    printf(", \"max_ms\": %.4f, \"mean_ms\": %.4f", (double)tally->longest / 1e6,
           done ? (double)tally->sum / (double)done / 1e6 : 0.0);
    printf(", \"not_good_after_good\": %llu, \"hosts\": %d, \"hosts_good\": %d", (unsigned long long)tally->late_good,
           options->n_hosts, result->n_good);
    printf(", \"first_good_s\": %.4f, \"all_good_s\": %.4f, \"distinct\": %zu, \"client_cpu_s\": %.4f",
           result->first_good, result->all_good, result->distinct, result->cpu_seconds);
    printf(", \"first_wrong\": \"%s\", \"first_failed\": \"%s\", \"timeline\": [", tally->first_wrong,
           tally->first_failed);
    while (last > 0) { /* the last second in which anything began */
        const load_second_t *line = &tally->second[last - 1];

        for (int i = 0; i < LOAD_OUTCOMES; i++)
            done = i == 0 ? line->count[0] : done + line->count[i];
        if (done)
            break;
        last--;
    }
    for (int s = 0; s < last; s++) { /* good, none, error, wrong, resumed, failed, longest in ms */
        printf("%s[", s ? ", " : "");
        for (int i = 0; i < LOAD_OUTCOMES; i++)
            printf("%llu, ", (unsigned long long)tally->second[s].count[i]);
        printf("%.3f]", (double)tally->second[s].longest / 1e6);
    }
    printf("]}\n");
}

int main(int argc, char **argv)
{
    load_options_t options = {
        .n_hosts = 1, .n_clients = 1, .tls = TLS1_3_VERSION, .seconds = 1, .timeout = 30, .threads = 1, .ask = 1};
    load_result_t result = {0};
    int option;

    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        take(&options, option, optarg);
    if (!options.address_len || !options.ca_file || !options.host || (options.rate <= 0 && options.concurrent <= 0))
        load_die("wanted: --address, --ca, --host, and --rate or --closed; load --help lists the options");
    signal(SIGPIPE, SIG_IGN);
    load_run(&options, &result);
    print(&options, &result);
    return 0;
}
