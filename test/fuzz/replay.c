/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A main() for any fuzz target, without libFuzzer: runs each of the given files, and the files of the given folders,
 * once. It fails if it ran none, because a missing corpus must not look like a clean one.
 */
#define _FILE_OFFSET_BITS 64 /* qemu gives programs of 32 bits the folders' 64-bit offsets */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static void replay_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    struct stat st;
    uint8_t *data;
    size_t size;

    if (!file || fstat(fileno(file), &st) != 0) {
        perror(name);
        exit(1);
    }
    data = malloc((size_t)st.st_size + 1);
    size = data ? fread(data, 1, (size_t)st.st_size, file) : 0;
    fclose(file);
    if (!data || size != (size_t)st.st_size) {
        fprintf(stderr, "%s: cannot be read\n", name);
        exit(1);
    }
    data = realloc(data, size ? size : 1); /* exactly, so AddressSanitizer checks its end */
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
}

static void replay_folder(const char *name)
{
    struct dirent **entries;
    int i, n = scandir(name, &entries, NULL, alphasort);

    for (i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            size_t size = strlen(name) + strlen(entries[i]->d_name) + 2;
            char *path = malloc(size);

            snprintf(path, size, "%s/%s", name, entries[i]->d_name);
            replay_file(path);
            free(path);
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

int main(int argc, char **argv)
{
    struct stat st;
    int i;

    for (i = 1; i < argc; i++) {
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            replay_folder(argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("%u inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1;
}
