/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Which hosts mod_md staples for, by the rules of its sources (2.4.x: staple_here() in mod_md_ocsp.c,
 * link_md_to_servers() in mod_md.c).
 */
#include "mod_md.h"

#include "server/settings.h"

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>

#define UNSET (-1)

/* The directives of one place: a virtual host, or outside of any. */
typedef struct {
    int stapling; /* MDStapling */
    int others;   /* MDStapleOthers */
} scope_t;

typedef struct {
    const scope_t *scope; /* where it is defined */
    int stapling;         /* of its own section; UNSET: as in the scope */
} domain_t;

struct oc_mod_md_t {
    apr_pool_t *pool;
    apr_hash_t *scopes;  /* "file:line" of a <VirtualHost> -> scope_t * */
    scope_t outside;     /* of any <VirtualHost> */
    apr_hash_t *domains; /* name, in lower case -> domain_t * */
    int manages_base;    /* MDBaseServer */
};

static int is(const ap_directive_t *directive, const char *name)
{
    return strcasecmp(directive->directive, name) == 0;
}

static int flag_of(const ap_directive_t *directive)
{
    return strcasecmp(directive->args, "on") == 0;
}

static const char *lower(const char *name, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, name);

    ap_str_tolower(copy);
    return copy;
}

/* "auto" and "manual" are keywords, not names. */
static void add_names(oc_mod_md_t *md, domain_t *domain, const char *args)
{
    const char *name, *end = strrchr(args, '>');

    if (end) /* the first line of a section */
        args = apr_pstrmemdup(md->pool, args, (apr_size_t)(end - args));
    while (*(name = ap_getword_conf(md->pool, &args)))
        if (strcasecmp(name, "auto") != 0 && strcasecmp(name, "manual") != 0)
            apr_hash_set(md->domains, lower(name, md->pool), APR_HASH_KEY_STRING, domain);
}

static void read_domain(oc_mod_md_t *md, const ap_directive_t *directive, const scope_t *scope)
{
    domain_t *domain = apr_palloc(md->pool, sizeof(*domain));
    const ap_directive_t *child;

    domain->scope = scope;
    domain->stapling = UNSET;
    add_names(md, domain, directive->args);
    for (child = directive->first_child; child; child = child->next) {
        if (is(child, "MDStapling"))
            domain->stapling = flag_of(child);
        else if (is(child, "MDMember") || is(child, "MDMembers"))
            add_names(md, domain, child->args);
    }
}

static const char *place(const char *file, int line, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s:%d", file, line);
}

static void read_directive(oc_mod_md_t *md, const ap_directive_t *directive, scope_t *scope)
{
    if (is(directive, "MDomain") || is(directive, "<MDomain") || is(directive, "<MDomainSet"))
        read_domain(md, directive, scope);
    else if (is(directive, "MDStapling"))
        scope->stapling = flag_of(directive);
    else if (is(directive, "MDStapleOthers"))
        scope->others = flag_of(directive);
    else if (is(directive, "MDBaseServer"))
        md->manages_base = flag_of(directive);
}

static void read_host(oc_mod_md_t *md, const ap_directive_t *host)
{
    scope_t *own = apr_palloc(md->pool, sizeof(*own));
    const ap_directive_t *directive;

    own->stapling = own->others = UNSET;
    apr_hash_set(md->scopes, place(host->filename, host->line_num, md->pool), APR_HASH_KEY_STRING, own);
    for (directive = host->first_child; directive; directive = directive->next)
        read_directive(md, directive, own);
}

oc_mod_md_t *oc_mod_md_read(apr_pool_t *pool)
{
    oc_mod_md_t *md = apr_pcalloc(pool, sizeof(*md));
    const ap_directive_t *directive = ap_find_linked_module("mod_md.c") ? ap_conftree : NULL;

    md->pool = pool;
    md->scopes = apr_hash_make(pool);
    md->domains = apr_hash_make(pool);
    md->outside.stapling = md->outside.others = UNSET;
    for (; directive; directive = directive->next) {
        if (is(directive, "<VirtualHost"))
            read_host(md, directive);
        else
            read_directive(md, directive, &md->outside);
    }
    return md;
}

/* By the name itself, or by the wildcard one label above it. */
static const domain_t *domain_of_name(const oc_mod_md_t *md, const char *name)
{
    const char *key = lower(name, md->pool), *dot = strchr(key, '.');
    const domain_t *domain = apr_hash_get(md->domains, key, APR_HASH_KEY_STRING);

    if (!domain && dot)
        domain = apr_hash_get(md->domains, apr_pstrcat(md->pool, "*", dot, NULL), APR_HASH_KEY_STRING);
    return domain;
}

static const domain_t *domain_of(const oc_mod_md_t *md, const server_rec *s)
{
    const domain_t *domain = NULL;
    int i;

    if (apr_hash_count(md->domains) == 0 || !s->server_hostname || (!s->is_virtual && !md->manages_base))
        return NULL;
    domain = domain_of_name(md, s->server_hostname);
    for (i = 0; !domain && s->names && i < s->names->nelts; i++)
        if (APR_ARRAY_IDX(s->names, i, const char *))
            domain = domain_of_name(md, APR_ARRAY_IDX(s->names, i, const char *));
    return domain;
}

static int written_or(int own, int outside, int otherwise)
{
    return own != UNSET ? own : outside != UNSET ? outside : otherwise;
}

int oc_mod_md_manages(const oc_mod_md_t *md, const server_rec *s)
{
    return !!domain_of(md, s);
}

static const scope_t *scope_of(const oc_mod_md_t *md, const server_rec *s)
{
    const scope_t *own = NULL;

    if (s->is_virtual && s->defn_name && apr_hash_count(md->scopes) > 0)
        own = apr_hash_get(md->scopes, place(s->defn_name, (int)s->defn_line_number, md->pool), APR_HASH_KEY_STRING);
    return own ? own : &md->outside;
}

int oc_mod_md_staples(const oc_mod_md_t *md, const server_rec *s)
{
    const domain_t *domain = domain_of(md, s);
    const scope_t *own = scope_of(md, s);

    if (domain && written_or(domain->stapling, written_or(domain->scope->stapling, md->outside.stapling, 0), 0))
        return 1;
    return written_or(own->stapling, md->outside.stapling, 0) && written_or(own->others, md->outside.others, 1);
}

int oc_mod_md_leaves_to_us(const void *md, const server_rec *s)
{
    return oc_settings_server(s)->staples && oc_settings_is_tls(s) && !oc_mod_md_staples(md, s);
}
