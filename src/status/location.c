/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Where the status page is: found once, in the configuration's tree. A page in a <VirtualHost> is linked to from that
 * host alone. Whether a client may see it is not checked here: the check would log an error for each client that may
 * not.
 */
#include "location.h"

#include "status/handler.h"

#include <apr_fnmatch.h>
#include <apr_strings.h>
#include <http_config.h>

typedef struct {
    const char *path;
    const char *host_file; /* where its <VirtualHost> begins; NULL: the page is on all hosts */
    unsigned host_line;
} candidate_t;

static apr_array_header_t *candidates; /* candidate_t, in pconf */

/* <Location "/path">, not a regular expression. @return the path; NULL: something else */
static const char *path_of(const ap_directive_t *section, apr_pool_t *pool)
{
    const char *args = section->args, *word = ap_getword_conf(pool, &args);
    apr_size_t len = strlen(word);

    if (strcasecmp(section->directive, "<Location") != 0)
        return NULL;
    if (len > 0 && word[len - 1] == '>')
        word = apr_pstrmemdup(pool, word, len - 1);
    return *word == '/' && !apr_fnmatch_test(word) ? word : NULL;
}

/* The <VirtualHost> around it; NULL: none. */
static const ap_directive_t *host_of(const ap_directive_t *directive)
{
    while (directive && strcasecmp(directive->directive, "<VirtualHost") != 0)
        directive = directive->parent;
    return directive;
}

/* The one that follows in the configuration, however deep it is nested. */
static const ap_directive_t *next_of(const ap_directive_t *directive)
{
    if (directive->first_child)
        return directive->first_child;
    while (directive && !directive->next)
        directive = directive->parent;
    return directive ? directive->next : NULL;
}

static void collect(const ap_directive_t *directive, apr_pool_t *pool)
{
    for (; directive; directive = next_of(directive)) {
        const char *args = directive->args, *path;
        const ap_directive_t *host;

        if (!directive->parent || strcasecmp(directive->directive, "SetHandler") != 0
            || strcmp(ap_getword_conf(pool, &args), OC_STATUS_HANDLER_NAME) != 0)
            continue;
        path = path_of(directive->parent, pool);
        host = host_of(directive);
        if (path)
            APR_ARRAY_PUSH(candidates, candidate_t) = (candidate_t){
                path, host ? apr_pstrdup(pool, host->filename) : NULL, host ? (unsigned)host->line_num : 0};
    }
}

void oc_status_location_post_config(apr_pool_t *pconf)
{
    candidates = apr_array_make(pconf, 1, sizeof(candidate_t));
    collect(ap_conftree, pconf);
}

static int is_on(const candidate_t *candidate, const server_rec *s)
{
    return !candidate->host_file
           || (s->defn_name && strcmp(s->defn_name, candidate->host_file) == 0
               && s->defn_line_number == candidate->host_line);
}

const char *oc_status_location(const request_rec *r)
{
    int i;

    for (i = 0; candidates && i < candidates->nelts; i++) {
        const candidate_t *candidate = &APR_ARRAY_IDX(candidates, i, candidate_t);

        if (is_on(candidate, r->server))
            return candidate->path;
    }
    return NULL;
}
