/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Name lookups with the results that a test sets, preloaded into httpd. $OC_TEST_HOSTS names a file with lines of
 * "name address...": numeric addresses, given in that order; or "fail" (no such name), or "hang" (as long as a resolver
 * that gets no answer). Names that are not in it are looked up as usual. The file is read at each lookup: it may
 * change.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANG_SECONDS 6

typedef int look_up_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* One list of all addresses in @a words, each taken apart by the true function. */
static int look_up_all(look_up_fn *really, char *words, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    struct addrinfo **end = found;
    int error = EAI_NONAME;
    char *word, *rest;

    *found = NULL;
    for (word = strtok_r(words, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        if (strcmp(word, "hang") == 0) {
            sleep(HANG_SECONDS);
            return EAI_AGAIN;
        }
        if (strcmp(word, "fail") == 0)
            return EAI_NONAME;
        error = really(word, service, hints, end);
        if (error)
            return error;
        while (*end)
            end = &(*end)->ai_next;
    }
    return error;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    look_up_fn *really = (look_up_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
    const char *path = getenv("OC_TEST_HOSTS");
    int is_name = name && !(hints && hints->ai_flags & AI_NUMERICHOST);
    FILE *hosts = path && is_name ? fopen(path, "re") : NULL;
    char line[256], *words;

    while (hosts && fgets(line, sizeof(line), hosts)) {
        words = strchr(line, ' ');
        if (!words || strlen(name) != (size_t)(words - line) || strncmp(line, name, strlen(name)) != 0)
            continue;
        fclose(hosts);
        return look_up_all(really, words, service, hints, found);
    }
    if (hosts)
        fclose(hosts);
    return really(name, service, hints, found);
}
