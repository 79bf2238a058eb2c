/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Whether advice about SELinux concerns this machine.
 */
#ifndef OC_BASE_SELINUX_H
#define OC_BASE_SELINUX_H

/** Does this kernel enforce SELinux policy? One system call; false where /sys is not mounted. */
int oc_selinux_is_on(void);

#endif
