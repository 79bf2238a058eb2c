/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * The read protocol of the cache: src/cache/shm.c, shm_write.c and block.c, one inline for each of their functions.
 * Readers; writers, each killed at any of its stores, and their successors; two keys of different length that share
 * their slots and blocks. run.sh verifies it in parts, with the bounds below, and that each deliberate breach (the macros
 * below) violates a property.
 *
 * Memory. What C11 lets a load return is decided by the order of the stores to its location and by happens-before. All
 * stores are made with the mutex held, so they have one order, `log`, in which each store happens before the next. A
 * load may return any store to its location that is not hidden by a later one which happens before the load. A reader
 * stores nothing, so all that it knows of the log is a position: an acquire load that returns a release store knows of
 * everything up to it. `known` is that position, and load() goes back over any store behind it. This is neither more
 * nor less than C11 allows: a reader may be as late with each word as a weak processor makes it, but not out of order.
 * A relaxed load or store moves only the floor of its own location (coherence).
 *
 * Order. Writers never depend on readers, and a load may always return an old store. So no execution is lost when
 * readers start after the last writer, nor when one reader waits while another reads. It also means that a reader runs
 * to its end while no writer moves, whatever it sees of them.
 *
 * Not here: the checksum, so a copy is proven whole without it; READ_ATTEMPTS, so a reader may try for ever; buckets,
 * time and hostile processes. A payload word holds the serial of the put that wrote it.
 */
#define NONE 255

#ifndef OPERATIONS
#define OPERATIONS 4
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef GETS
#define GETS 1
#endif
#define SLOTS 2
#define BLOCKS 4
#define LOG 120

/* The first two breaches: two steps in the wrong order. */
#ifdef PUBLISH_BEFORE_WRITE
#define write_then_publish(write, publish) publish; write
#else
#define write_then_publish(write, publish) write; publish
#endif
#ifdef FREE_BEFORE_PUBLISH
#define publish_then_free(publish, free) free; publish
#else
#define publish_then_free(publish, free) publish; free
#endif

/* ---- shared memory ---- */

#define HASH(slot) (3 * (slot))
#define REF(slot) (3 * (slot) + 1)
#define NOTE(slot) (3 * (slot) + 2)
#define LINK(block) (3 * SLOTS + 4 * (block)) /* word[0] */
#define SERIAL(block) (LINK(block) + 1)       /* word[1] */
#define ID(block) (LINK(block) + 2)           /* of a head: the key */
#define DATA(block) (LINK(block) + 3)
#define WORDS (3 * SLOTS + 4 * BLOCKS)

#define ref_block(ref) ((ref) % 8) /* oc_ref_block: index + 1 of the head */
#define link(next, part) ((next) * 2 + (part))
#define link_next(word) ((word) / 2)
#define link_part(word) ((word) % 2)

#ifdef VERSIONS_REPEAT
#define ref_next(ref, block) ((ref) / 8 * 8 + (block))
#else
#define ref_next(ref, block) (((ref) / 8 + 1) * 8 + (block)) /* oc_ref_next */
#endif

byte n_log;         /* stores so far; number 0 is the zero that every word begins with */
byte log[LOG];      /* the value of each store */
byte before[LOG];   /* the store to the same word before it */
byte newest[WORDS]; /* the last store to each word */

#define now(word) log[newest[word]] /* what a writer loads: every store of it and its predecessors happened before */

/* The header, which readers do not load. */
bool busy;
byte free, fresh, n_used, serial;

#define LENGTH(key) (key == 1 -> 2 : 1) /* oc_block_count() */

/* What is true, for the properties: the serial of the published record of each key, the key of each serial. */
byte published[3], key_of[16];

byte wanted; /* the key that readers look for; 0: a writer may still come */
byte gets, told_known, told_returned;
mtype = { SUCCESS, EAGAIN, NOTFOUND }

/* ---- writers ---- */

inline store(word, new) {
    may_die();
    d_step { n_log++; assert(n_log < LOG); log[n_log] = new; before[n_log] = newest[word]; newest[word] = n_log }
}

inline may_die() {
    if
    :: kills > 0 -> kills--; goto killed
    :: true
    fi
}

inline set(field, new) {
    may_die();
    field = new
}

inline free_block(block) {
    store(SERIAL(block), 0);
    store(LINK(block), link(free, 0));
    set(free, block + 1);
    set(n_used, n_used - 1)
}

/* oc_block_chain(): its second block, or NONE. */
inline chain_of(head, body) {
    body = NONE;
    if
    :: link_next(now(LINK(head))) != 0 ->
        body = link_next(now(LINK(head))) - 1;
        if
        :: link_part(now(LINK(body))) != 1 || now(SERIAL(body)) != now(SERIAL(head)) -> body = NONE
        :: else
        fi
    :: else
    fi
}

inline free_record(head) {
    d_step { chain_of(head, body) }
    free_block(head);
    if
    :: body != NONE -> free_block(body); body = NONE
    :: else
    fi
}

inline take_block(block) {
    if
    :: free != 0 -> block = free - 1; set(free, link_next(now(LINK(block))))
    :: else -> block = fresh; set(fresh, fresh + 1)
    fi;
    set(n_used, n_used + 1)
}

inline find_slot(key) {
    d_step {
        slot = 0;
        do
        :: slot == SLOTS -> slot = NONE; break
        :: slot < SLOTS && now(HASH(slot)) == key -> break
        :: else -> slot++
        od
    }
}

/* A slot's record, if it has one, is `old`: as in a ref. */
inline free_old() {
    if
    :: old != 0 -> free_record(old - 1)
    :: else
    fi
}

inline unname() {
    store(REF(slot), ref_next(now(REF(slot)), 0));
    published[now(HASH(slot))] = 0
}

inline drop_record() {
    old = ref_block(now(REF(slot)));
    if
    :: old != 0 -> publish_then_free(unname(), free_old())
    :: else
    fi
}

inline clear_slot() {
    drop_record();
    store(NOTE(slot), 0);
    store(HASH(slot), 0)
}

inline oc_block_write(key) {
    store(LINK(head), link((tail == NONE -> 0 : tail + 1), 0));
    store(SERIAL(head), serial);
    if
    :: tail != NONE -> store(LINK(tail), link(0, 1)); store(SERIAL(tail), serial)
    :: else
    fi;
    store(ID(head), key);
    store(DATA(head), serial);
    if
    :: tail != NONE -> store(DATA(tail), serial)
    :: else
    fi
}

/* One store publishes: of ref, or, where the slot is new, of hash. */
inline publish(key) {
    store(REF(slot), ref_next(now(REF(slot)), head + 1));
    if
    :: now(HASH(slot)) == key -> published[key] = serial
    :: else
    fi;
    store(HASH(slot), key);
    published[key] = serial
}

inline oc_shm_put(key) {
    find_slot(key);
    if
    :: slot == NONE -> find_slot(0) /* make_slot() */
    :: else
    fi;
    if
    :: slot != NONE && BLOCKS - n_used >= LENGTH(key) ->
        take_block(head);
        if
        :: LENGTH(key) == 2 -> take_block(tail)
        :: else
        fi;
        set(serial, serial + 1);
        key_of[serial] = key;
        old = ref_block(now(REF(slot)));
        write_then_publish(oc_block_write(key), publish_then_free(publish(key), free_old()))
    :: else
    fi
}

inline oc_shm_set_note(key) {
    find_slot(key);
    if
    :: slot != NONE -> store(NOTE(slot), key)
    :: else ->
        find_slot(0);
        if
        :: slot != NONE ->
            store(NOTE(slot), key);
#ifndef NOTE_KEEPS_VERSION
            store(REF(slot), ref_next(now(REF(slot)), 0));
#endif
            store(HASH(slot), key)
        :: else
        fi
    fi
}

inline oc_shm_remove(key) {
    find_slot(key);
    if
    :: slot != NONE -> clear_slot()
    :: else
    fi
}

/* ---- recovery ---- */

inline settle_slot() {
    if
    :: now(HASH(slot)) == 0 ->
        store(NOTE(slot), 0);
        if
        :: ref_block(now(REF(slot))) != 0 -> store(REF(slot), ref_next(now(REF(slot)), 0))
        :: else
        fi
    :: now(HASH(slot)) != 0 && ref_block(now(REF(slot))) == 0 && now(NOTE(slot)) == 0 -> store(HASH(slot), 0)
    :: else
    fi
}

/* The blocks of the records that slots name, as bits in `marks`. */
inline mark_record() {
    skip;
    d_step {
        if
        :: now(HASH(slot)) != 0 && ref_block(now(REF(slot))) != 0 ->
            head = ref_block(now(REF(slot))) - 1;
            chain_of(head, body);
            assert((marks & (1 << head)) == 0);
            marks = marks | (1 << head);
            if
            :: body != NONE -> assert((marks & (1 << body)) == 0); marks = marks | (1 << body)
            :: else
            fi
        :: else
        fi;
        head = NONE;
        body = NONE
    }
}

inline recover() {
    marks = 0;
    slot = 0;
    do
    :: slot < SLOTS -> settle_slot(); mark_record(); slot++
    :: else -> break
    od;
    set(free, 0);
    set(n_used, fresh);
    head = fresh;
    do
    :: head > 0 ->
        head--;
        if
        :: (marks & (1 << head)) == 0 -> free_block(head)
        :: else
        fi
    :: else -> break
    od
}

#ifdef NO_RECOVERY
#define recovery() skip
#else
#define recovery() recover()
#endif

/* At the end of a writer: every key has what was published for it, and every block is free or in one record. */
inline check() {
    d_step {
        marks = 0;
        count = 0;
        slot = 0;
        do
        :: slot < SLOTS ->
            key = now(HASH(slot));
            old = ref_block(now(REF(slot)));
            if
            :: key != 0 && old != 0 ->
                nothing_is_lost = published[key] == now(SERIAL(old - 1)) && now(ID(old - 1)) == key;
                assert(nothing_is_lost);
                count++
            :: else
            fi;
            slot++
        :: else -> break
        od;
        nothing_is_lost = count == (published[1] != 0) + (published[2] != 0);
        assert(nothing_is_lost);
    }
    slot = 0;
    do
    :: slot < SLOTS -> mark_record(); slot++
    :: else -> break
    od;
    skip;
    d_step {
        count = 0;
        old = free;
        do
        :: old != 0 ->
            no_block_is_in_two_places = (marks & (1 << (old - 1))) == 0;
            assert(no_block_is_in_two_places);
            marks = marks | (1 << (old - 1));
            old = link_next(now(LINK(old - 1)))
        :: else -> break
        od;
        no_block_is_leaked = marks == (1 << fresh) - 1;
        assert(no_block_is_leaked);
        marks = 0; slot = 0; key = 0
    }
}

active proctype writers() {
    byte slot, old, head = NONE, tail = NONE, body = NONE, key, marks, count, operations, kills = KILLS;
    bool died, nothing_is_lost, no_block_is_in_two_places, no_block_is_leaked;

killed: /* the mutex goes to the next writer */
    skip;
    atomic { slot = 0; old = 0; head = NONE; tail = NONE; body = NONE; marks = 0 }
    died = busy;
    set(busy, true);
    if
    :: died -> recovery()
    :: else
    fi;
    died = false;
    do
    :: atomic { slot = 0; old = 0; head = NONE; tail = NONE; body = NONE; key = 0; marks = 0 }
        check();
        set(busy, false);
        if
        :: operations == OPERATIONS -> break
        :: else
        fi;
        operations++;
        set(busy, true);
        if
        :: key = 1
        :: key = 2
        fi;
        if
#ifndef NO_PUTS
        :: oc_shm_put(key)
#endif
        :: oc_shm_remove(key)
#ifdef NOTES
        :: oc_shm_set_note(key)
#endif
        fi
    od;
    skip;
    d_step { slot = 0; operations = 0; kills = 0; key = 0 }
    if
    :: wanted = 1
    :: wanted = 2
    fi
}

/* ---- readers ---- */

#if defined(RELAXED_PUBLISH)
#define synchronizes(word) ((word) >= LINK(0) || (word) % 3 != 1)
#elif defined(RELAXED_BLOCKS)
#define synchronizes(word) ((word) < LINK(0))
#else
#define synchronizes(word) true
#endif

#if defined(RELAXED_PUBLISH) || defined(RELAXED_BLOCKS)
#define floor(word) floors[word]
#define see(word) floors[word] = at
#else
#define floor(word) 0
#define see(word) skip
#endif

/* Into `got`. */
inline load(word) {
    at = newest[word];
    do
    :: at > known && at > floor(word) -> at = before[at]
    :: break
    od;
    got = log[at];
    see(word);
    if
    :: at > known && synchronizes(word) -> known = at
    :: else
    fi;
    at = 0
}

inline oc_block_read() {
    load(SERIAL(head));
    copy = got;
    load(LINK(head));
    if
    :: link_part(got) != 0 || copy == 0 -> result = EAGAIN
    :: else ->
        load(ID(head));
        if
        :: got != wanted -> result = NOTFOUND
        :: else ->
            result = SUCCESS;
            is_whole = key_of[copy] == wanted;
            load(DATA(head));
            is_whole = is_whole && got == copy;
            if
            :: LENGTH(wanted) == 2 -> read_second()
            :: else
            fi
        fi
    fi
}

inline read_second() {
    load(LINK(head));
    if
    :: link_next(got) == 0 -> result = EAGAIN
    :: else ->
        head = link_next(got) - 1;
        load(LINK(head));
        if
        :: link_part(got) != 1 -> result = EAGAIN
        :: else ->
            load(SERIAL(head));
            if
            :: got != copy -> result = EAGAIN
            :: else -> load(DATA(head)); is_whole = is_whole && got == copy
            fi
        fi
    fi
}

#if defined(NO_RELOAD)
#define reload() got = ref
#else
#define reload() load(REF(slot))
#endif

#ifdef RETRY_OLD_REF
#define load_ref() if :: ref == 0 -> load(REF(slot)); ref = got :: else -> skip fi
#else
#define load_ref() load(REF(slot)); ref = got
#endif

inline read_slot() {
    ref = 0;
    do
    :: load_ref();
        head = ref_block(ref);
        load(NOTE(slot));
        note = got;
        load(HASH(slot));
        result = NOTFOUND;
        if
        :: got != wanted -> note = 0; break
        :: got == wanted && head != 0 -> head--; oc_block_read()
        :: else
        fi;
        reload();
        if
        :: got == ref -> break
        :: else ->
            attempts++;
            it_ends = attempts <= n_log; /* each attempt that fails has seen one store of ref more */
            assert(it_ends);
            note = 0;
            is_whole = true
        fi
    od;
    attempts = 0;
    it_ends = false;
    is_whole = is_whole && result != EAGAIN;
    assert(is_whole);
    is_its_note = note == 0 || note == wanted;
    assert(is_its_note)
}

inline oc_shm_get() {
    slot = 0;
    do
    :: slot < SLOTS -> load(HASH(slot)); found = found | ((got == wanted) << slot); slot++
    :: else -> break
    od;
    slot = 0;
    do
    :: slot < SLOTS && (found & (1 << slot)) ->
        read_slot();
        if
        :: result == SUCCESS ->
            is_not_older = copy >= returned;
            assert(is_not_older);
            returned = copy;
            break
        :: else -> slot++
        fi
    :: slot < SLOTS && !(found & (1 << slot)) -> slot++
    :: slot == SLOTS -> break
    od
}

active [2] proctype reader() {
    byte known, returned, got, at, slot, found, note, ref, head, copy, attempts;
    mtype result = NOTFOUND;
    bool is_whole = true, is_its_note, is_not_older, it_ends;
#if defined(RELAXED_PUBLISH) || defined(RELAXED_BLOCKS)
    byte floors[WORDS];
#endif

    do
    :: atomic { wanted != 0 && gets < GETS ->
        gets++;
        if
        :: told_known > known -> known = told_known; returned = (told_returned > returned -> told_returned : returned)
        :: true
        fi;
        oc_shm_get();
        told_known = known; told_returned = returned;
        got = 0; slot = 0; found = 0; note = 0; ref = 0; head = 0; copy = 0; result = NOTFOUND; is_whole = true;
        is_its_note = false; is_not_older = false }
    :: atomic { wanted != 0 && gets == GETS -> known = 0; returned = 0; break }
    od
}
