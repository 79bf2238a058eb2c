/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What only Linux has, and what happens instead on other systems. build/compat.sh musl compiles both.
 */
#include "base/platform.h"

#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/vfs.h>

/* As in <linux/magic.h>, which toolchains for musl lack. */
#define TMPFS 0x01021994U
#define RAMFS 0x858458f6U

int oc_platform_is_volatile(const char *folder)
{
    struct statfs fs;

    return statfs(folder, &fs) == 0 && ((uint32_t)fs.f_type == TMPFS || (uint32_t)fs.f_type == RAMFS);
}

pid_t oc_platform_fork(const char *name)
{
    char before[16] = "";
    pid_t pid;

    prctl(PR_GET_NAME, before);
    prctl(PR_SET_NAME, name);
    pid = fork();
    if (pid != 0)
        prctl(PR_SET_NAME, before);
    return pid;
}

void oc_platform_end_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

#else

int oc_platform_is_volatile(const char *folder)
{
    (void)folder;
    return 0;
}

pid_t oc_platform_fork(const char *name)
{
    (void)name;
    return fork();
}

void oc_platform_end_with_parent(void)
{
}

#endif
