/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * SELinux is recognized by its file system, without its library. For texts alone: nothing else depends on it.
 */
#include "base/selinux.h"

#include <unistd.h>

int oc_selinux_is_on(void)
{
    return access("/sys/fs/selinux/enforce", F_OK) == 0;
}
