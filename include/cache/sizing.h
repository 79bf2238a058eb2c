/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * How large a cache has to be for the responses of all certificates, of which only some may be known yet. One figure:
 * `apachectl -t` and the log recommend the same, and a cache of that size is not reported as too small.
 */
#ifndef OC_CACHE_SIZING_H
#define OC_CACHE_SIZING_H

#include <apr.h>
#include <stdint.h>

/** Begin with zeros. */
typedef struct {
    unsigned records;
    unsigned unknown; /* of them, records whose size is not known yet */
    uint32_t blocks;  /* of the known ones */
    uint32_t largest; /* blocks of one record */
} oc_sizing_t;

/** Count one record of the cache. @param data_len 0: not known yet. Then it is as large as the known ones are on
 * average, and never smaller than a usual response. */
void oc_sizing_add(oc_sizing_t *sizing, apr_size_t id_len, apr_size_t data_len);

/** Does a cache of @a size bytes hold all of them, and the next version of one? True for no records. */
int oc_sizing_fits(const oc_sizing_t *sizing, apr_size_t size);

/** The size to recommend, in bytes: a multiple of 32 KiB for which oc_sizing_fits() is true. */
apr_size_t oc_sizing_recommended(const oc_sizing_t *sizing);

#endif
