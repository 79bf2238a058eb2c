/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Finds the known name that is most similar to a mistyped word: for commands, options and hosts.
 */
#include "ctl.h"

#include <apr_lib.h>
#include <string.h>

#define WORD_MAX 64 /* of both words, what lies beyond is not compared */

/* Levenshtein's: how many letters have to be added, dropped or changed. */
unsigned ctl_distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1], i, j, len = 0;

    while (len < WORD_MAX && b[len])
        len++;
    for (j = 0; j <= len; j++)
        row[j] = j;
    for (i = 0; i < WORD_MAX && a[i]; i++) {
        unsigned diagonal = row[0];

        row[0] = i + 1;
        for (j = 0; j < len; j++) {
            unsigned cost = diagonal + (apr_tolower(a[i]) != apr_tolower(b[j]));

            diagonal = row[j + 1];
            if (row[j] + 1 < cost)
                cost = row[j] + 1;
            row[j + 1] = diagonal + 1 < cost ? diagonal + 1 : cost;
        }
    }
    return row[len];
}

const char *ctl_nearest(const char *word, const char *const *names, unsigned n)
{
    unsigned best = (unsigned)strlen(word) / 3 + 1, i; /* further away it is a guess */
    const char *nearest = NULL;

    for (i = 0; i < n; i++) {
        unsigned cost = strncmp(names[i], word, strlen(word)) == 0 ? 0 : ctl_distance(word, names[i]);

        if (cost <= best && (!nearest || cost < best)) {
            nearest = names[i];
            best = cost;
        }
    }
    return nearest;
}
