/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Commands are parsed; one that is incomplete, old, or not the owner's is not executed; each is seen once.
 */
#include "state/command.h"

#include "support_cache_file.h"
#include "support_test.h"

#include <apr_strings.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *path;

static int setup(void **state)
{
    int failed = cache_folder_setup(state);

    path = cache_in_folder("other");
    return failed;
}

static oc_command_t command_of(apr_time_t number)
{
    oc_command_t command = {number, 0, apr_array_make(cache_pool, 2, sizeof(oc_command_item_t))};
    oc_command_item_t ask = {"ask for this one!!!", NULL, 0},
                      take = {"take this response.", (const unsigned char *)"DER\0!", 5};

    APR_ARRAY_PUSH(command.items, oc_command_item_t) = ask;
    APR_ARRAY_PUSH(command.items, oc_command_item_t) = take;
    APR_ARRAY_PUSH(command.items, oc_command_item_t) = ask;
    return command;
}

static const char *text_of(const oc_command_t *command)
{
    apr_size_t len = 0;

    return oc_command_text(command, &len, cache_pool);
}

static apr_status_t parse(oc_command_t *command, const char *text)
{
    return oc_command_parse(command, text, strlen(text), cache_pool);
}

TEST(round_trip)
{
    oc_command_t command = command_of(77), read;
    const oc_command_item_t *item;

    assert_int_equal(parse(&read, text_of(&command)), APR_SUCCESS);
    assert_string_equal(text_of(&read), text_of(&command));
    assert_int_equal(read.number, 77);
    assert_int_equal(read.is_for_all, 0);
    assert_int_equal(read.items->nelts, 3);
    item = &APR_ARRAY_IDX(read.items, 1, oc_command_item_t);
    assert_memory_equal(item->id, "take this response.", 20);
    assert_int_equal(item->der_len, 5);
    assert_memory_equal(item->der, "DER\0!", 5);
    assert_null(item[1].der);

    command.is_for_all = 1;
    assert_int_equal(parse(&read, text_of(&command)), APR_SUCCESS);
    assert_int_equal(read.is_for_all, 1);
}

TEST(a_part_of_it_is_refused)
{
    oc_command_t command = command_of(77), read;
    const char *text = text_of(&command);
    apr_size_t cut;

    for (cut = 0; cut + 1 < strlen(text); cut++)
        assert_int_equal(oc_command_parse(&read, text, cut, cache_pool), APR_EINVAL);
}

TEST(nonsense_is_refused)
{
    static const char id[] = "00112233445566778899aabbccddeeff00112233";
    static const char pem[] = "-----BEGIN OCSP RESPONSE-----\nAAAA\n-----END OCSP RESPONSE-----\n";
    const char *head = "ocsp-cache-command 1\nnumber 5\n";
    oc_command_t read;

    assert_int_equal(parse(&read, apr_pstrcat(cache_pool, head, "import ", id, "\n", pem, "end\n", NULL)), APR_SUCCESS);
    assert_int_equal(parse(&read, apr_pstrcat(cache_pool, head, "import ", id, "\nend\n", NULL)), APR_EINVAL);
    assert_int_equal(parse(&read, apr_pstrcat(cache_pool, head, "refresh ", id, "\n", pem, "end\n", NULL)), APR_EINVAL);
    assert_int_equal(parse(&read, apr_pstrcat(cache_pool, head, pem, "end\n", NULL)), APR_EINVAL);
    assert_int_equal(parse(&read, apr_pstrcat(cache_pool, head, "import ", id, "\nrefresh ", id, "\nend\n", NULL)),
                     APR_EINVAL);
    assert_int_equal(parse(&read, apr_pstrcat(cache_pool, head, "refresh 00\nend\n", NULL)), APR_EINVAL);
    assert_int_equal(parse(&read, apr_pstrcat(cache_pool, head, "explode\nend\n", NULL)), APR_EINVAL);
    assert_int_equal(parse(&read, "ocsp-cache-command 1\nrefresh-all\nend\n"), APR_EINVAL);
    assert_int_equal(parse(&read, "ocsp-cache-command 2\nnumber 1\nend\n"), APR_EINVAL);
}

TEST(too_much_for_one_command)
{
    oc_command_t command = command_of(77);
    oc_command_item_t big = {"big", apr_pcalloc(cache_pool, OC_COMMAND_SIZE_MAX), OC_COMMAND_SIZE_MAX};

    APR_ARRAY_PUSH(command.items, oc_command_item_t) = big;
    assert_null(text_of(&command));
}

/* ---- the file ---- */

static void leave(apr_time_t number)
{
    oc_command_t command = command_of(number);
    const char *problem = NULL;

    assert_int_equal(oc_command_leave(&command, path, cache_pool, &problem), APR_SUCCESS);
}

/* Of a server that has not looked yet. */
static oc_command_box_t fresh_box(void)
{
    return (oc_command_box_t){.path = path, .owner = geteuid()};
}

static apr_status_t look(oc_command_box_t *box, apr_interval_time_t later)
{
    const char *problem = NULL;
    oc_command_t command;
    apr_status_t rv = oc_command_look(&command, box, apr_time_now() + later, cache_pool, &problem);

    assert_int_equal(problem != NULL, rv != APR_SUCCESS && rv != APR_ENOENT && rv != APR_EEXIST);
    return rv;
}

TEST(each_is_seen_once)
{
    oc_command_box_t box = fresh_box(), other = fresh_box();
    struct stat st;

    assert_string_equal(oc_command_path("/x/cache", cache_pool), "/x/cache.command");
    assert_int_equal(look(&box, 0), APR_ENOENT);
    leave(1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(look(&box, 0), APR_SUCCESS);
    assert_int_equal(look(&box, 0), APR_EEXIST);
    assert_int_equal(look(&other, 0), APR_SUCCESS);
    leave(2);
    assert_int_equal(look(&box, 0), APR_SUCCESS);
    assert_int_equal(look(&box, 0), APR_EEXIST);
}

TEST(an_old_one_is_not_executed)
{
    oc_command_box_t box = fresh_box();

    leave(1);
    assert_int_equal(look(&box, OC_COMMAND_AGE_MAX + apr_time_from_sec(2)), APR_ENOENT);
    box = fresh_box();
    assert_int_equal(look(&box, -OC_COMMAND_AGE_MAX - apr_time_from_sec(2)), APR_ENOENT);
    box = fresh_box();
    assert_int_equal(look(&box, OC_COMMAND_AGE_MAX / 2), APR_SUCCESS);
}

TEST(only_the_owner_sends_commands)
{
    oc_command_box_t box = fresh_box();
    const char *problem = NULL;
    oc_command_t command;

    leave(1);
    box.owner = geteuid() + 1;
    assert_int_equal(oc_command_look(&command, &box, apr_time_now(), cache_pool, &problem), APR_EACCES);
    assert_non_null(strstr(problem, "owner"));
    assert_int_equal(look(&box, 0), APR_EEXIST); /* reported once */

    box = fresh_box();
    assert_int_equal(chmod(path, 0664), 0);
    assert_int_equal(look(&box, 0), APR_EACCES);
    box = fresh_box();
    assert_int_equal(chmod(path, 0646), 0);
    assert_int_equal(look(&box, 0), APR_EACCES);
}

TEST(other_things_in_its_place)
{
    oc_command_box_t box = fresh_box();

    leave(1);
    assert_int_equal(rename(path, cache_in_folder("cache")), 0);
    assert_int_equal(symlink("cache", path), 0);
    assert_int_not_equal(look(&box, 0), APR_SUCCESS);
    unlink(path);
    box = fresh_box();
    assert_int_equal(mkfifo(path, 0600), 0); /* opening it must not block */
    assert_int_not_equal(look(&box, 0), APR_SUCCESS);
    unlink(path);
    box = fresh_box();
    cache_write_text(path, "");
    assert_int_not_equal(look(&box, 0), APR_SUCCESS);
    assert_int_equal(truncate(path, OC_COMMAND_SIZE_MAX + 1), 0);
    box = fresh_box();
    assert_int_equal(look(&box, 0), APR_EACCES);
}

TEST_MAIN(cache_group_setup, cache_group_teardown, setup, cache_folder_teardown)
