/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The revocation status of client certificates, for mod_ocsp_client. That module has the directives and the callbacks
 * that need libssl; the table, its refresh and everything that libcrypto suffices for are here.
 *
 * The two meet by one optional function, so that neither is linked with the other.
 */
#ifndef OC_SERVER_CLIENT_SERVICE_H
#define OC_SERVER_CLIENT_SERVICE_H

#include "server/client_table.h"

#include <apr_optional.h>

typedef struct {
    const char *version; /* OC_VERSION: both modules must be of the same */

    /** check_config: what this configuration needs. @a spec lives as long as the configuration.
     * @return NULL; else what is wrong with it, from @a pool */
    const char *(*configure)(const oc_client_spec_t *spec, apr_pool_t *pool);

    int (*is_tls)(const server_rec *s);                              /* oc_settings_is_tls() */
    const char *(*host_name)(const server_rec *s, apr_pool_t *pool); /* oc_managed_host() */
    const char *(*state_name)(oc_client_state_t state);
    const char *(*source_name)(oc_client_source_t source);
    int (*identify)(oc_client_key_t *key, const X509 *cert, const X509 *issuer); /* oc_client_identify() */

    /** Look the client up: no lock, no system call, no allocation. Notes that it came. */
    oc_client_answer_t (*look_up)(const oc_client_contact_t *contact);

    /** Look it up, and where an answer can still come, have the responder queried and wait for it: for host->wait at
     * most, and not at all while too many threads wait. */
    oc_client_answer_t (*obtain)(const oc_client_contact_t *contact);

    void (*count)(const oc_client_contact_t *contact, oc_client_count_t what);
} oc_client_service_t;

/** register_hooks: offer the optional function. */
void oc_client_service_register(void);

APR_DECLARE_OPTIONAL_FN(const oc_client_service_t *, oc_client_service, (void));

#endif
