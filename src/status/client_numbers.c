/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * One pass over the table of clients for each request to the page, and the counters since the last reload.
 */
#include "client_numbers.h"

#include "server/client_table.h"

#include <apr_strings.h>
#include <http_protocol.h>

#define PREFIX "ocsp_cache_client"

static const struct {
    const char *name; /* for JSON and as a label */
    const char *metric, *help;
} counted[OC_CLIENT_COUNT_LIMIT] = {
    [OC_CLIENT_COUNT_GOOD] = {"good", "decisions_total", "Decisions about clients, in handshakes and at requests."},
    [OC_CLIENT_COUNT_REVOKED] = {"revoked", "decisions_total", NULL},
    [OC_CLIENT_COUNT_UNKNOWN_PASSED] = {"unknown_accepted", "decisions_total", NULL},
    [OC_CLIENT_COUNT_UNKNOWN_REFUSED] = {"unknown_refused", "decisions_total", NULL},
    [OC_CLIENT_COUNT_WAITED] = {"waited", "waits_total",
                                "First contacts: those that waited, and those that did not, "
                                "as too many threads waited."},
    [OC_CLIENT_COUNT_NO_PLACE] = {"no_place", "waits_total", NULL},
    [OC_CLIENT_COUNT_QUERIES] = {"ended", "queries_total",
                                 "Queries for clients: those that ended, and the failures "
                                 "among them."},
    [OC_CLIENT_COUNT_FAILURES] = {"failed", "queries_total", NULL},
};

static int take(oc_clients_count_t *count, const oc_status_request_t *request)
{
    if (!oc_client_table())
        return 0;
    oc_clients_count(oc_client_table(), request->now, count, request->r->pool);
    return 1;
}

void oc_client_numbers_html(const oc_status_request_t *request)
{
    oc_clients_count_t count;

    if (!take(&count, request))
        return;
    ap_rprintf(request->r,
               "<div class=\"tile\"><h2>Clients</h2><strong>%u</strong><p>%u good &middot; %u revoked &middot; %u "
               "unknown &middot; %u expired; %" APR_UINT64_T_FMT " times refused since the last reload</p></div>\n",
               count.good + count.revoked + count.unknown + count.expired, count.good, count.revoked, count.unknown,
               count.expired,
               oc_client_table_counted(OC_CLIENT_COUNT_REVOKED)
                   + oc_client_table_counted(OC_CLIENT_COUNT_UNKNOWN_REFUSED));
}

void oc_client_numbers_json(oc_json_t *json, const oc_status_request_t *request)
{
    oc_clients_count_t count;
    unsigned i;

    if (!take(&count, request)) {
        oc_json_null(json, "clients");
        return;
    }
    oc_json_object(json, "clients");
    oc_json_object(json, "states");
    oc_json_integer(json, "good", count.good);
    oc_json_integer(json, "revoked", count.revoked);
    oc_json_integer(json, "unknown", count.unknown);
    oc_json_integer(json, "expired", count.expired);
    oc_json_end(json);
    oc_json_integer(json, "room", count.room);
    oc_json_object(json, "counters");
    for (i = 0; i < OC_CLIENT_COUNT_LIMIT; i++)
        oc_json_integer(json, counted[i].name, (apr_int64_t)oc_client_table_counted((oc_client_count_t)i));
    oc_json_end(json);
    oc_json_end(json);
}

void oc_client_numbers_prometheus(const oc_status_request_t *request)
{
    request_rec *r = request->r;
    oc_clients_count_t count;
    unsigned i;

    if (!take(&count, request))
        return;
    ap_rprintf(r,
               "# HELP " PREFIX "s Client certificates in memory, by state.\n# TYPE " PREFIX "s gauge\n" PREFIX
               "s{state=\"good\"} %u\n" PREFIX "s{state=\"revoked\"} %u\n" PREFIX "s{state=\"unknown\"} %u\n" PREFIX
               "s{state=\"expired\"} %u\n",
               count.good, count.revoked, count.unknown, count.expired);
    ap_rprintf(r,
               "# HELP " PREFIX "s_room Client certificates for which there is room.\n# TYPE " PREFIX
               "s_room gauge\n" PREFIX "s_room %u\n",
               count.room);
    for (i = 0; i < OC_CLIENT_COUNT_LIMIT; i++) {
        if (counted[i].help)
            ap_rprintf(r, "# HELP " PREFIX "_%s %s\n# TYPE " PREFIX "_%s counter\n", counted[i].metric, counted[i].help,
                       counted[i].metric);
        ap_rprintf(r, PREFIX "_%s{outcome=\"%s\"} %" APR_UINT64_T_FMT "\n", counted[i].metric, counted[i].name,
                   oc_client_table_counted((oc_client_count_t)i));
    }
}
