/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * What the server wrote is read from outside: the current record and the ledger; what is missing is reported.
 */
#include "state/reader.h"

#include "support_cache_file.h"
#include "support_test.h"

#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

#define T(n) apr_time_from_sec(1900000000 + (n))

static oc_file_t *file;
static oc_shm_t *shm;

static int setup(void **state)
{
    file = NULL;
    return cache_folder_setup(state);
}

static int teardown(void **state)
{
    (void)unlink(cache_in_folder("cache.ledger"));
    return cache_folder_teardown(state);
}

static void write_behind(void *context, uint32_t block, const void *bytes)
{
    (void)context;
    if (bytes) /* a replaced record stays in the file: a kill may precede its mark */
        assert_int_equal(oc_file_write(file, block, bytes), APR_SUCCESS);
}

static void begin(void)
{
    const char *problem = NULL;
    oc_shm_stats_t stats;

    shm = cache_arena(131072, OC_SHM_KEEP_VALID);
    oc_shm_stats(shm, &stats);
    assert_int_equal(oc_file_create(&file, cache_path, stats.blocks, cache_pool, &problem), APR_SUCCESS);
    oc_shm_on_change(shm, write_behind, NULL);
    assert_int_equal(oc_file_commit(file, &problem), APR_SUCCESS);
}

static void put(unsigned char first, unsigned char kind, const unsigned char *data, apr_size_t len, uint64_t order)
{
    unsigned char id[OC_CERT_ID_LEN] = {first}, *copy = apr_pmemdup(cache_pool, data, len);
    oc_key_t key = {kind, sizeof(id), id};

    oc_shm_begin(shm);
    assert_int_equal(oc_shm_put(shm, &key, &CACHE_ENTRY(CACHE_EXPIRY, order, copy, len), 0), APR_SUCCESS);
    oc_shm_end(shm);
}

static void put_record(unsigned char first, apr_time_t this_update)
{
    unsigned char bytes[OC_RECORD_HEAD_LEN + 700];
    oc_record_t record = {.verdict = OC_GOOD,
                          .this_update = this_update,
                          .next_update = T(200),
                          .usable_until = T(150),
                          .fetched_at = T(7),
                          .origin = OC_ORIGIN_SHARED,
                          .der = bytes,
                          .der_len = 700};
    static unsigned char der[700];

    record.der = der;
    put(first, OC_KIND_STAPLE, bytes, oc_record_encode(&record, bytes), oc_record_order(&record));
}

static oc_view_t view_of(const oc_reader_t *reader, unsigned char first)
{
    oc_view_t view;

    memset(&view, 0, sizeof(view));
    view.id[0] = first;
    oc_reader_fill(reader, &view);
    return view;
}

TEST(nothing_there)
{
    oc_reader_t reader;
    oc_view_t view;

    oc_reader_load(&reader, cache_path, 1000, cache_pool);
    assert_int_equal(reader.status, APR_ENOENT);
    assert_int_equal(reader.ledger_status, APR_ENOENT);
    assert_int_equal(reader.records->nelts, 0);
    view = view_of(&reader, 1);
    assert_int_equal(view.has_record, 0);
    assert_int_equal(view.last, OC_PENDING);
}

TEST(the_record_that_counts)
{
    oc_reader_t reader;
    oc_view_t view;

    begin();
    put_record(1, T(1));
    put_record(1, T(2));
    put_record(2, T(3));
    oc_reader_load(&reader, cache_path, 1000, cache_pool);
    assert_int_equal(reader.status, APR_SUCCESS);
    assert_int_equal(reader.records->nelts, 2);
    assert_int_equal(reader.others + reader.damaged, 0);
    assert_true(reader.blocks >= 4);
    view = view_of(&reader, 1);
    assert_int_equal(view.has_record, 1);
    assert_int_equal(view.verdict, OC_GOOD);
    assert_int_equal(view.origin, OC_ORIGIN_SHARED);
    assert_int_equal(view.this_update, T(2));
    assert_int_equal(view.next_update, T(200));
    assert_int_equal(view.usable_until, T(150));
    assert_int_equal(view.fetched_at, T(7));
    assert_int_equal(view.size, 700);
    assert_int_equal(view_of(&reader, 2).this_update, T(3));
    assert_int_equal(view_of(&reader, 3).has_record, 0);
    assert_null(APR_ARRAY_IDX(reader.records, 0, oc_reader_record_t *)->record.der);
}

TEST(with_the_responses)
{
    static const unsigned char der[700];
    oc_reader_t reader;
    int i;

    begin();
    put_record(1, T(1));
    put_record(2, T(3));
    oc_reader_load_whole(&reader, cache_path, 1000, cache_pool);
    assert_int_equal(reader.records->nelts, 2);
    for (i = 0; i < 2; i++) {
        const oc_record_t *record = &APR_ARRAY_IDX(reader.records, i, oc_reader_record_t *)->record;

        assert_int_equal(record->der_len, sizeof(der));
        assert_memory_equal(record->der, der, sizeof(der));
    }
}

TEST(what_is_no_staple)
{
    static const unsigned char JUNK[200] = {0xFF};
    oc_reader_t reader;

    begin();
    put_record(1, T(1));
    put(2, 'X', JUNK, sizeof(JUNK), 1);            /* another consumer's */
    put(3, OC_KIND_STAPLE, JUNK, sizeof(JUNK), 1); /* of another version */
    oc_reader_load(&reader, cache_path, 1000, cache_pool);
    assert_int_equal(reader.records->nelts, 1);
    assert_int_equal(reader.others, 2);
    assert_int_equal(view_of(&reader, 2).has_record + view_of(&reader, 3).has_record, 0);
}

TEST(the_ledger)
{
    oc_ledger_entry_t entry = {{9}, {T(50), 3, OC_TIMED_OUT}, T(40)};
    const char *problem = NULL;
    oc_ledger_t *ledger;
    oc_reader_t reader;
    oc_view_t view;

    begin();
    assert_int_equal(oc_ledger_create(&ledger, oc_ledger_path(cache_path, cache_pool), 4, cache_pool, &problem),
                     APR_SUCCESS);
    assert_int_equal(oc_ledger_write(ledger, 2, &entry), APR_SUCCESS);
    oc_reader_load(&reader, cache_path, 1000, cache_pool);
    assert_int_equal(reader.ledger_status, APR_SUCCESS);
    view = view_of(&reader, 9);
    assert_int_equal(view.has_record, 0);
    assert_int_equal(view.last, OC_TIMED_OUT);
    assert_int_equal(view.failures, 3);
    assert_int_equal(view.last_attempt, T(40));
    assert_int_equal(view.next_request, T(50));
}

TEST(last_attempt_that_the_ledger_lacks)
{
    oc_ledger_entry_t good = {{1}, {T(50), 0, OC_GOOD}, 0}, failed = {{2}, {T(50), 1, OC_TIMED_OUT}, 0};
    const char *problem = NULL;
    oc_ledger_t *ledger;
    oc_reader_t reader;

    begin();
    put_record(1, T(1));
    assert_int_equal(oc_ledger_create(&ledger, oc_ledger_path(cache_path, cache_pool), 4, cache_pool, &problem),
                     APR_SUCCESS);
    assert_int_equal(oc_ledger_write(ledger, 0, &good), APR_SUCCESS);
    assert_int_equal(oc_ledger_write(ledger, 1, &failed), APR_SUCCESS);
    oc_reader_load(&reader, cache_path, 1000, cache_pool);
    assert_true(view_of(&reader, 1).fetched_at > 0);
    assert_int_equal(view_of(&reader, 1).last_attempt, view_of(&reader, 1).fetched_at);
    assert_int_equal(view_of(&reader, 2).last_attempt, 0);
}

TEST(foreign_files)
{
    oc_reader_t reader;

    cache_write_text(cache_path, "another file's");
    cache_write_text(cache_in_folder("cache.ledger"), "another file's");
    oc_reader_load(&reader, cache_path, 1000, cache_pool);
    assert_int_not_equal(reader.status, APR_SUCCESS);
    assert_non_null(strstr(reader.problem, cache_path));
    assert_int_not_equal(reader.ledger_status, APR_SUCCESS);
    assert_non_null(reader.ledger);
    assert_int_equal(view_of(&reader, 1).has_record, 0);
}

TEST(looking_changes_nothing)
{
    oc_reader_t reader;
    char *before;

    begin();
    put_record(1, T(1));
    before = cache_folder_picture();
    oc_reader_load(&reader, cache_path, 1000, cache_pool);
    assert_string_equal(cache_folder_picture(), before);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, setup, teardown)
