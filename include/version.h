/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The only place that contains the version. Macros only; a release changes this file and CHANGES.md.
 */
#ifndef OC_VERSION_H
#define OC_VERSION_H

#define OC_VERSION "1.0.0"

/** What responders see of us: the name, so that their operators know the software, and nothing about the host. */
#define OC_USER_AGENT "mod_ocsp_cache/" OC_VERSION

#endif
