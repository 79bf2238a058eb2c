/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the two units behind the optional function share: the set-up (client_table.c) and the answers
 * (client_answer.c).
 */
#ifndef OC_SERVER_CLIENT_ANSWER_H
#define OC_SERVER_CLIENT_ANSWER_H

#include "client/gate.h"
#include "server/client_service.h"

const char *oc_client_table_configure(const oc_client_spec_t *spec, apr_pool_t *pool);
oc_client_gate_t *oc_client_table_gate(void);

#endif
