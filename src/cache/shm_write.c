/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The writers of the shared memory. Everything here runs with the arena's mutex held, in one process at a time, and may
 * be killed between any two instructions. These rules protect the readers and the next writer:
 *   invariant 3  publish(): a record is complete before `ref` names it; only then is the old chain freed.
 *   invariant 4  oc_shm_begin(): a writer that finds `busy` set rebuilds the free list from the refs.
 *   invariant 5  oc_ref_next(): a slot's version only grows, on removal too, and before each key.
 *   invariant 7  oc_shm_put(): a lower order never replaces a higher one that is valid.
 *   invariant 8  make_room(), make_slot(): expired records go, valid ones never (or, by policy, the oldest).
 * A hostile process ignores the mutex, so no shared value is used as an index before it is copied and checked.
 */
#include "arena.h"

#include <string.h>

/* ---- blocks ---- */

static void mark(oc_shm_t *shm, uint32_t block)
{
    shm->marks[block / 8] |= (unsigned char)(1u << (block % 8));
}

static int is_marked(const oc_shm_t *shm, uint32_t block)
{
    return shm->marks[block / 8] >> (block % 8) & 1;
}

static void free_block(oc_shm_t *shm, uint32_t block)
{
    uint64_t first = oc_word_load(&shm->header->free);

    oc_word_store(&shm->blocks[block].word[1], 0);
    oc_word_store(&shm->blocks[block].word[0], first << 32);
    oc_word_store(&shm->header->free, (uint64_t)block + 1);
    oc_word_store(&shm->header->n_used, oc_word_load(&shm->header->n_used) - 1);
}

/* Free the record that begins at head, and report the change. The slot's ref has already been changed. */
static void free_record(oc_shm_t *shm, uint32_t head)
{
    uint32_t chain[OC_BLOCK_CHAIN_MAX];
    uint32_t i, n = oc_block_chain(shm->blocks, shm->n_blocks, head, chain);

    for (i = 0; i < n; i++)
        free_block(shm, chain[i]);
    if (n > 0 && shm->changed)
        shm->changed(shm->context, head, NULL);
}

static uint32_t take_block(oc_shm_t *shm)
{
    uint64_t first = oc_word_load(&shm->header->free);
    uint64_t fresh = oc_word_load(&shm->header->fresh);
    uint32_t block;

    if (first != 0 && first <= shm->n_blocks) {
        block = (uint32_t)first - 1;
        oc_word_store(&shm->header->free, oc_word_load(&shm->blocks[block].word[0]) >> 32);
    }
    else if (fresh < shm->n_blocks) {
        block = (uint32_t)fresh;
        oc_word_store(&shm->header->fresh, fresh + 1);
    }
    else {
        return OC_BLOCK_NONE;
    }
    oc_word_store(&shm->header->n_used, oc_word_load(&shm->header->n_used) + 1);
    return block;
}

static int take_chain(oc_shm_t *shm, uint32_t *chain, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        chain[i] = take_block(shm);
        if (chain[i] == OC_BLOCK_NONE) {
            while (i-- > 0)
                free_block(shm, chain[i]);
            return 0;
        }
    }
    return 1;
}

/* ---- slots ---- */

static oc_slot_t *find_slot(oc_shm_t *shm, uint64_t hash)
{
    oc_slot_t *bucket[2];
    int b, i;

    oc_shm_buckets(shm, hash, bucket);
    for (b = 0; b < 2; b++)
        for (i = 0; i < OC_BUCKET_SLOTS; i++)
            if (oc_word_load(&bucket[b][i].hash) == hash)
                return &bucket[b][i];
    return NULL;
}

/* An empty slot in the emptier of the two buckets: neither fills up until the arena is nearly full. */
static oc_slot_t *find_empty_slot(oc_shm_t *shm, uint64_t hash)
{
    oc_slot_t *bucket[2], *empty[2] = {NULL, NULL};
    int b, i, n_empty[2] = {0, 0};

    oc_shm_buckets(shm, hash, bucket);
    for (b = 0; b < 2; b++) {
        for (i = 0; i < OC_BUCKET_SLOTS; i++) {
            if (oc_word_load(&bucket[b][i].hash) == 0) {
                empty[b] = &bucket[b][i];
                n_empty[b]++;
            }
        }
    }
    return n_empty[1] > n_empty[0] ? empty[1] : empty[0];
}

/* Remove the record from a slot; the note stays. */
static void drop_record(oc_shm_t *shm, oc_slot_t *slot)
{
    uint64_t ref = oc_word_load(&slot->ref);

    if (oc_ref_block(ref) == 0)
        return;
    oc_word_store(&slot->ref, oc_ref_next(ref, 0));
    oc_word_store(&slot->order, 0);
    free_record(shm, oc_ref_block(ref) - 1);
}

static void clear_slot(oc_shm_t *shm, oc_slot_t *slot)
{
    drop_record(shm, slot);
    oc_word_store(&slot->note, 0);
    oc_word_store(&slot->hash, 0);
}

/* Does a slot hold a record that is not expired? At the time 0 none is. */
static int is_valid(const oc_shm_t *shm, const oc_slot_t *slot, apr_time_t now)
{
    uint32_t block = oc_ref_block(oc_word_load(&slot->ref));

    if (block == 0 || block > shm->n_blocks)
        return 0;
    return now == 0 || (apr_time_t)oc_word_load(&shm->blocks[block - 1].word[3]) > now;
}

/* ---- room ---- */

static uint32_t n_free(const oc_shm_t *shm)
{
    uint64_t used = oc_word_load(&shm->header->n_used);

    return used < shm->n_blocks ? shm->n_blocks - (uint32_t)used : 0;
}

/* Drop every record that is expired, or of an order up to *limit (NULL: of none). With OC_SHM_DROP_OLDEST their
 * slots are freed too; for stapling the note stays, because the refresher needs it. */
static void sweep(oc_shm_t *shm, apr_time_t now, const uint64_t *limit)
{
    uint32_t i;

    for (i = 0; i < shm->n_buckets * OC_BUCKET_SLOTS; i++) {
        oc_slot_t *slot = &shm->slots[i];

        if (oc_ref_block(oc_word_load(&slot->ref)) == 0)
            continue;
        if (is_valid(shm, slot, now) && (!limit || oc_word_load(&slot->order) > *limit))
            continue;
        if (shm->policy == OC_SHM_KEEP_VALID && oc_word_load(&slot->note) != 0)
            drop_record(shm, slot);
        else
            clear_slot(shm, slot);
    }
}

/* An order that about one record of sixteen does not exceed, and at least one. So a full cache needs a sweep only
 * once in many stores. */
static uint64_t oldest_sixteenth(const oc_shm_t *shm)
{
    uint32_t i, count = 0, seen = 0, n_slots = shm->n_buckets * OC_BUCKET_SLOTS, column[256] = {0};
    uint64_t low = UINT64_MAX, high = 0, width, order;

    for (i = 0; i < n_slots; i++) {
        if (oc_ref_block(oc_word_load(&shm->slots[i].ref)) == 0)
            continue;
        order = oc_word_load(&shm->slots[i].order);
        low = order < low ? order : low;
        high = order > high ? order : high;
    }
    if (low > high)
        return 0; /* there is no record */
    width = (high - low) / 256 + 1;
    for (i = 0; i < n_slots; i++) {
        if (oc_ref_block(oc_word_load(&shm->slots[i].ref)) == 0)
            continue;
        order = oc_word_load(&shm->slots[i].order);
        if (order >= low && order <= high) { /* a hostile process may have changed it since */
            column[(order - low) / width]++;
            count++;
        }
    }
    if (count == 0)
        return high;
    for (i = 0; i < 255 && seen + column[i] <= count / 16; i++)
        seen += column[i];
    low += i * width; /* where column i begins: not above high, because it is not empty */
    return high - low < width ? high : low + width - 1;
}

/* Make room for n blocks. */
static int make_room(oc_shm_t *shm, uint32_t n, apr_time_t now)
{
    uint64_t limit;
    int round;

    if (n_free(shm) >= n)
        return 1;
    if (n > shm->n_blocks)
        return 0; /* it would not fit into an empty arena: drop nothing */
    if (now == 0 && shm->policy == OC_SHM_KEEP_VALID)
        return 0; /* every record counts as valid, so a sweep frees nothing, and a take-over has thousands */
    sweep(shm, now, NULL);
    /* The columns are coarse: a round may free too little, but it frees the oldest record at least. */
    for (round = 0; n_free(shm) < n && shm->policy == OC_SHM_DROP_OLDEST && round < OC_BLOCK_CHAIN_MAX; round++) {
        limit = oldest_sixteenth(shm);
        sweep(shm, now, &limit);
    }
    return n_free(shm) >= n;
}

/* Which of two occupied slots to reuse: one without a record, else an expired one, else the oldest. */
static uint64_t worth(const oc_shm_t *shm, const oc_slot_t *slot, apr_time_t now)
{
    if (oc_ref_block(oc_word_load(&slot->ref)) == 0)
        return 0;
    if (!is_valid(shm, slot, now))
        return 1;
    return shm->policy == OC_SHM_KEEP_VALID ? UINT64_MAX : oc_word_load(&slot->order) / 2 + 2;
}

/* A slot for a key that has none yet; NULL: both buckets are full of records that must stay. */
static oc_slot_t *make_slot(oc_shm_t *shm, uint64_t hash, apr_time_t now)
{
    oc_slot_t *slot = find_empty_slot(shm, hash), *bucket[2], *least = NULL;
    uint64_t least_worth = UINT64_MAX;
    int b, i;

    if (slot)
        return slot;
    oc_shm_buckets(shm, hash, bucket);
    for (b = 0; b < 2; b++) {
        for (i = 0; i < OC_BUCKET_SLOTS; i++) {
            if (worth(shm, &bucket[b][i], now) < least_worth) {
                least = &bucket[b][i];
                least_worth = worth(shm, least, now);
            }
        }
    }
    if (least)
        clear_slot(shm, least);
    return least;
}

/* ---- recovery ---- */

/* A slot without hash was being filled or emptied: its record was never published, and its note must not wait there
 * for the next key. One with only a hash is useless. @return the head, as in a ref. */
static uint32_t settle_slot(oc_slot_t *slot)
{
    uint64_t ref = oc_word_load(&slot->ref);

    if (oc_word_load(&slot->hash) == 0) {
        oc_word_store(&slot->note, 0);
        if (oc_ref_block(ref) != 0)
            oc_word_store(&slot->ref, oc_ref_next(ref, 0));
        return 0;
    }
    if (oc_ref_block(ref) == 0 && oc_word_load(&slot->note) == 0)
        oc_word_store(&slot->hash, 0);
    return oc_ref_block(ref);
}

/* Mark the blocks of every record that a slot names. Named records are whole (invariant 3), so their heads are
 * trusted; a chain that a hostile process changed is still bounded. */
static void mark_records(oc_shm_t *shm)
{
    uint32_t i, j, n, chain[OC_BLOCK_CHAIN_MAX];

    memset(shm->marks, 0, shm->n_blocks / 8 + 1);
    for (i = 0; i < shm->n_buckets * OC_BUCKET_SLOTS; i++) {
        oc_slot_t *slot = &shm->slots[i];
        uint32_t head = settle_slot(slot);

        if (head == 0)
            continue;
        n = oc_block_chain(shm->blocks, shm->n_blocks, head - 1, chain);
        if (n == 0) { /* changed by a hostile process */
            clear_slot(shm, slot);
            continue;
        }
        oc_word_store(&slot->order,
                      oc_word_load(&shm->blocks[chain[0]].word[4])); /* the copy may be ahead of the ref */
        for (j = 0; j < n; j++)
            mark(shm, chain[j]);
    }
}

/* Invariant 4: a block that no record uses is free, whatever the free list contains. */
static void recover(oc_shm_t *shm)
{
    uint64_t fresh = oc_word_load(&shm->header->fresh);
    uint32_t block;

    mark_records(shm);
    if (fresh > shm->n_blocks)
        fresh = shm->n_blocks;
    oc_word_store(&shm->header->fresh, fresh);
    oc_word_store(&shm->header->free, 0);
    oc_word_store(&shm->header->n_used, fresh);
    for (block = (uint32_t)fresh; block-- > 0;)
        if (!is_marked(shm, block))
            free_block(shm, block);
    if (!shm->changed)
        return;
    /* Records first: the file may still hold the one that a dead writer's last record replaced, and must not lose
     * both. */
    for (block = 0; block < fresh; block++)
        if (is_marked(shm, block))
            shm->changed(shm->context, block, &shm->blocks[block]);
    for (block = 0; block < fresh; block++)
        if (!is_marked(shm, block))
            shm->changed(shm->context, block, NULL);
}

/* ---- the writer's interface ---- */

void oc_shm_on_change(oc_shm_t *shm, oc_shm_changed_fn *changed, void *context)
{
    shm->changed = changed;
    shm->context = context;
}

int oc_shm_begin(oc_shm_t *shm)
{
    int died = oc_word_load(&shm->header->busy) != 0;

    oc_word_store(&shm->header->busy, 1);
    if (died)
        recover(shm);
    return died;
}

void oc_shm_end(oc_shm_t *shm)
{
    oc_word_store(&shm->header->busy, 0);
}

/* Each block once, even if a hostile process changed the chains. */
void oc_shm_rewrite(oc_shm_t *shm)
{
    uint32_t i, j, n, chain[OC_BLOCK_CHAIN_MAX];

    memset(shm->marks, 0, shm->n_blocks / 8 + 1);
    for (i = 0; shm->changed && i < shm->n_buckets * OC_BUCKET_SLOTS; i++) {
        uint32_t head = oc_ref_block(oc_word_load(&shm->slots[i].ref));

        n = head == 0 ? 0 : oc_block_chain(shm->blocks, shm->n_blocks, head - 1, chain);
        for (j = 0; j < n; j++) {
            if (!is_marked(shm, chain[j]))
                shm->changed(shm->context, chain[j], &shm->blocks[chain[j]]);
            mark(shm, chain[j]);
        }
    }
}

/* Name the finished record in its slot (invariant 3): one store makes it visible, of ref, or, where the slot is new, of
 * hash. Returns the block of the record that it replaces, as in a ref. */
static uint32_t publish(oc_slot_t *slot, uint64_t hash, uint32_t head, uint64_t order)
{
    uint64_t old = oc_word_load(&slot->ref);

    oc_word_store(&slot->order, order);
    oc_word_store(&slot->ref, oc_ref_next(old, head + 1));
    oc_word_store(&slot->hash, hash);
    return oc_ref_block(old);
}

apr_status_t oc_shm_put(oc_shm_t *shm, const oc_key_t *key, const oc_entry_t *entry, apr_time_t now)
{
    uint32_t chain[OC_BLOCK_CHAIN_MAX], i, old, n = oc_block_count(key->id_len, entry->data_len);
    uint64_t hash = oc_shm_hash(shm, key);
    oc_slot_t *slot = find_slot(shm, hash);
    oc_entry_t numbered;

    if (n == 0)
        return APR_EINVAL;
    if (slot && is_valid(shm, slot, now) && oc_word_load(&slot->order) > entry->order)
        return APR_EEXIST;
    if (!make_room(shm, n, now))
        return APR_ENOSPC;
    if (!slot && !(slot = make_slot(shm, hash, now)))
        return APR_ENOSPC;
    if (!take_chain(shm, chain, n))
        return APR_ENOSPC;

    numbered.expiry = entry->expiry;
    numbered.order = entry->order;
    numbered.serial = oc_word_load(&shm->header->serial) + 1;
    numbered.data = entry->data;
    numbered.data_len = entry->data_len;
    oc_word_store(&shm->header->serial, numbered.serial);
    oc_block_write(shm->blocks, chain, n, key, &numbered);

    old = publish(slot, hash, chain[0], entry->order);
    for (i = 0; shm->changed && i < n; i++)
        shm->changed(shm->context, chain[i], &shm->blocks[chain[i]]);
    if (old != 0)
        free_record(shm, old - 1);
    return APR_SUCCESS;
}

apr_status_t oc_shm_set_note(oc_shm_t *shm, const oc_key_t *key, uint64_t note)
{
    uint64_t hash = oc_shm_hash(shm, key);
    oc_slot_t *slot = find_slot(shm, hash);

    if (slot) {
        oc_word_store(&slot->note, note);
        return APR_SUCCESS;
    }
    slot = find_empty_slot(shm, hash);
    if (!slot)
        return APR_ENOSPC;
    oc_word_store(&slot->note, note);
    oc_word_store(&slot->ref, oc_ref_next(oc_word_load(&slot->ref), 0)); /* as publish() does */
    oc_word_store(&slot->hash, hash);
    return APR_SUCCESS;
}

apr_status_t oc_shm_remove(oc_shm_t *shm, const oc_key_t *key)
{
    oc_slot_t *slot = find_slot(shm, oc_shm_hash(shm, key));
    int had_record = slot && oc_ref_block(oc_word_load(&slot->ref)) != 0;

    if (slot)
        clear_slot(shm, slot);
    return had_record ? APR_SUCCESS : APR_NOTFOUND;
}
