/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The findings of `apachectl -t`, collected so that each fact is logged once with the hosts that it concerns, even if
 * there are thousands of them.
 */
#ifndef OC_CONFIG_FINDINGS_H
#define OC_CONFIG_FINDINGS_H

#include <httpd.h>

typedef struct oc_findings_t oc_findings_t;

oc_findings_t *oc_findings_create(apr_pool_t *pool);

/** What a finding is about, apart from the host. */
typedef enum {
    OC_ABOUT_HOST,         /* the host alone: @a certificate is NULL */
    OC_ABOUT_CERTIFICATE,  /* one certificate: one line for each */
    OC_ABOUT_CERTIFICATES, /* one of many of its kind: one line for all with the same text */
} oc_about_t;

/**
 * Add one, of a level of httpd's log.
 * @param certificate  how the log names it, without the host
 * @param text  the problem and what to do about it; lives as long as @a findings
 */
void oc_findings_add(oc_findings_t *findings, int level, server_rec *s, oc_about_t about, const char *certificate,
                     const char *text);

/** Log them, in the order in which each was first added. */
void oc_findings_log(const oc_findings_t *findings);

#endif
