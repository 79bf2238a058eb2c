/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The look-up at each request: a client that is revoked while its connection is open, or that resumed a session, is
 * refused here. A request that has begun is not cut off.
 */
#include "mtls.h"

#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>

APLOG_USE_MODULE(ocsp_client);

#define STATE "OCSP_CLIENT"
#define AGE "OCSP_CLIENT_AGE"
#define SOURCE "OCSP_CLIENT_SOURCE"

static void set_variables(request_rec *r, const oc_client_answer_t *answer)
{
    apr_time_t age = r->request_time - answer->this_update;

    apr_table_setn(r->subprocess_env, STATE, oc_mtls_service()->state_name(answer->state));
    apr_table_setn(r->subprocess_env, SOURCE, oc_mtls_service()->source_name(answer->source));
    apr_table_unset(r->subprocess_env, AGE);
    if (answer->this_update > 0)
        apr_table_setn(r->subprocess_env, AGE,
                       apr_psprintf(r->pool, "%" APR_TIME_T_FMT, age > 0 ? apr_time_sec(age) : 0));
}

/* The connection ends with this answer, and its session cannot be resumed. The time of the first refusal counts: a
 * client that continues to send does not put the end off. */
static int refuse(request_rec *r, oc_mtls_connection_t *connection)
{
    apr_time_t never = 0;

    (void)atomic_compare_exchange_strong(&connection->refused_at, &never, apr_time_now());
    r->connection->keepalive = AP_CONN_CLOSE;
    if (!r->connection->master) /* a stream of HTTP/2 runs in another thread: close_refused() does it */
        oc_mtls_drop_session(connection);
    return HTTP_FORBIDDEN;
}

/* Has the request been checked with the certificate that the client presented last? */
static int is_checked(const request_rec *r, const oc_mtls_connection_t *connection)
{
    return (uintptr_t)ap_get_module_config(r->request_config, &ocsp_client_module) == connection->n_certs;
}

static int check(request_rec *r)
{
    oc_mtls_connection_t *connection = oc_mtls_connection(r->connection);
    const oc_client_host_t *host = &oc_mtls_conf(r->server)->host;
    oc_client_answer_t answer;

    if (!connection || host->mode == OC_CLIENT_OFF || is_checked(r, connection))
        return DECLINED;
    ap_set_module_config(r->request_config, &ocsp_client_module, (void *)(uintptr_t)connection->n_certs);
    answer = oc_mtls_answer(connection, host);
    set_variables(r, &answer);
    if (r->prev && is_checked(r->prev, connection)) /* the ErrorDocument of a refused request, for example */
        return DECLINED;
    return oc_mtls_admits(connection, host, &answer, "request") ? DECLINED : refuse(r, connection);
}

int oc_mtls_post_read_request(request_rec *r)
{
    return check(r);
}

/* A certificate may have come since the request was read, or another one. */
int oc_mtls_check_access(request_rec *r)
{
    return r->main ? DECLINED : check(r);
}
