/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The configuration of mod_md: which hosts it manages, and which it staples for. Where it staples, its hooks run first
 * and this module has nothing to do (mod_ocsp_cache.c, register_hooks).
 *
 * mod_md has no interface for this and decides in its own post_config, which `apachectl -t` does not reach. So its
 * directives are read from the tree of the configuration.
 */
#ifndef OC_CONFIG_MOD_MD_H
#define OC_CONFIG_MOD_MD_H

#include <httpd.h>

typedef struct oc_mod_md_t oc_mod_md_t;

/** test_config: read it. Never NULL; empty where mod_md is not loaded. */
oc_mod_md_t *oc_mod_md_read(apr_pool_t *pool);

/** Is the host's name, or an alias of it, in a managed domain? */
int oc_mod_md_manages(const oc_mod_md_t *md, const server_rec *s);

/** Does mod_md staple for @a s: as a managed domain with MDStapling on, or as any host with MDStapling and
 * MDStapleOthers on, which is the default? */
int oc_mod_md_staples(const oc_mod_md_t *md, const server_rec *s);

/** Does this module staple for @a s? @param md oc_mod_md_t, as oc_inventory_stapled() passes it on */
int oc_mod_md_leaves_to_us(const void *md, const server_rec *s);

#endif
