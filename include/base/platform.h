/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What only Linux has. Elsewhere each function has a fallback, with which the module works; the rest of the sources is
 * POSIX, or asks for a feature by its name.
 */
#ifndef OC_BASE_PLATFORM_H
#define OC_BASE_PLATFORM_H

#include <sys/types.h>

/** Is the folder's file system in memory, so that a reboot empties it? Elsewhere 0. */
int oc_platform_is_volatile(const char *folder);

/** fork(2). The child has this name, of at most 15 bytes, from its first moment. Elsewhere it keeps the parent's. */
pid_t oc_platform_fork(const char *name);

/** The kernel kills this process when its parent ends. Elsewhere it continues. */
void oc_platform_end_with_parent(void);

#endif
