/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A manifest is read as it was written, with any bytes in its names; it verifies a response as the certificate itself
 * does; an incomplete one is refused; an identical file is not rewritten. Tests base/lines.c too.
 */
#include "state/manifest.h"

#include "base/lines.h"

#include "support_cache_file.h"
#include "support_test.h"
#include "support_verify.h"

#include <apr_strings.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const no_urls[] = {NULL};

static oc_manifest_entry_t entry_of(const pki_id_t *certificate, const pki_id_t *issuer, oc_issuer_set_t *issuers,
                                    const char *host)
{
    static const char *const urls[] = {"http://ocsp.example/", "http://second.example:8080/a%20b", NULL};
    oc_manifest_entry_t entry = {
        .urls = urls, .is_refreshed = 1, .skew = 7, .max_age = 8, .open_ended = 9, .error_keep = 5};
    apr_array_header_t *hosts = apr_array_make(scene.pool, 2, sizeof(const char *));
    const char *reason = NULL;
    oc_cert_t *cert = NULL;

    APR_ARRAY_PUSH(hosts, const char *) = host;
    APR_ARRAY_PUSH(hosts, const char *) = "second.example:8443";
    assert_int_equal(oc_cert_from_x509(&cert, certificate->x509, issuer->x509, issuers, scene.pool, &reason),
                     APR_SUCCESS);
    entry.cert = cert;
    entry.hosts = hosts;
    return entry;
}

/* Two certificates of one issuer, one of another. */
static oc_manifest_t *three_certificates(const char *host)
{
    oc_issuer_set_t *issuers = oc_issuer_set_create(scene.pool);
    oc_manifest_t *manifest = apr_pcalloc(scene.pool, sizeof(*manifest));
    pki_spec_t spec = {.cn = "Three", .issuer = scene.root, .serial = 3, .tls_feature = "status_request"};

    manifest->blocks = 1234;
    manifest->expiry_warning = apr_time_from_sec(3600);
    manifest->entries = apr_array_make(scene.pool, 3, sizeof(oc_manifest_entry_t));
    manifest->unprimed = apr_array_make(scene.pool, 1, sizeof(oc_manifest_entry_t));
    APR_ARRAY_PUSH(manifest->entries, oc_manifest_entry_t) = entry_of(scene.certificate, scene.issuer, issuers, host);
    APR_ARRAY_PUSH(manifest->entries, oc_manifest_entry_t) = entry_of(scene.delegate, scene.issuer, issuers, "b:443");
    APR_ARRAY_PUSH(manifest->entries, oc_manifest_entry_t) =
        entry_of(pki_make(scene.pool, &spec), scene.root, issuers, "c:443");
    APR_ARRAY_IDX(manifest->entries, 2, oc_manifest_entry_t).urls = no_urls;
    APR_ARRAY_IDX(manifest->entries, 2, oc_manifest_entry_t).is_refreshed = 0;
    return manifest;
}

static const char *text_of(const oc_manifest_t *manifest)
{
    apr_size_t len = 0;
    const char *text = oc_manifest_text(manifest, &len, scene.pool);

    assert_non_null(text);
    assert_int_equal(strlen(text), len);
    return text;
}

static oc_manifest_t *parse(const char *text)
{
    const char *problem = NULL;
    oc_manifest_t *manifest = NULL;

    if (oc_manifest_parse(&manifest, text, strlen(text), scene.pool, &problem) == APR_SUCCESS)
        return manifest;
    assert_non_null(problem);
    return NULL;
}

TEST(round_trip)
{
    static const char host[] = "h\xc3\xb6st \\x\n\x01\x7f:443";
    oc_manifest_t *manifest = three_certificates(host), *read;
    const char *text = text_of(manifest);
    const oc_manifest_entry_t *entry;

    read = parse(text);
    assert_non_null(read);
    assert_string_equal(text_of(read), text);
    assert_int_equal(read->blocks, 1234);
    assert_int_equal(read->expiry_warning, manifest->expiry_warning);
    assert_int_equal(read->entries->nelts, 3);
    entry = &APR_ARRAY_IDX(read->entries, 0, oc_manifest_entry_t);
    assert_string_equal(APR_ARRAY_IDX(entry->hosts, 0, const char *), host);
    assert_string_equal(entry->urls[0], "http://ocsp.example/");
    assert_string_equal(entry->urls[1], "http://second.example:8080/a%20b");
    assert_null(entry->urls[2]);
    assert_null(entry->cert->urls[0]);
    assert_memory_equal(entry->cert->binding, APR_ARRAY_IDX(manifest->entries, 0, oc_manifest_entry_t).cert->binding,
                        32);
    assert_int_equal(entry->skew * 1000 + entry->max_age * 100 + entry->open_ended * 10 + entry->error_keep, 7895);
    entry = &APR_ARRAY_IDX(read->entries, 2, oc_manifest_entry_t);
    assert_null(entry->urls[0]);
    assert_true(entry->cert->must_staple && !entry->is_refreshed);
}

/* A Must-Staple certificate whose issuer the server does not know. */
TEST(an_unprimed_certificate_is_kept_apart)
{
    oc_manifest_t *manifest = three_certificates("a:443"), *read;
    oc_manifest_entry_t entry = APR_ARRAY_IDX(manifest->entries, 2, oc_manifest_entry_t);
    oc_cert_t cert = *entry.cert;
    const char *text;

    cert.issuer = NULL;
    entry.cert = &cert;
    entry.wanted_issuer = "CN=Wanted \n\xff,O=Test";
    entry.is_refreshed = 1;
    manifest->entries->nelts = 2;
    APR_ARRAY_PUSH(manifest->unprimed, oc_manifest_entry_t) = entry;
    text = text_of(manifest);
    read = parse(text);
    assert_non_null(read);
    assert_string_equal(text_of(read), text);
    assert_int_equal(read->entries->nelts, 2);
    assert_int_equal(read->unprimed->nelts, 1);
    entry = APR_ARRAY_IDX(read->unprimed, 0, oc_manifest_entry_t);
    assert_string_equal(entry.wanted_issuer, "CN=Wanted \n\xff,O=Test");
    assert_true(entry.cert->must_staple && entry.is_refreshed && !entry.cert->issuer);
}

TEST(each_issuer_stands_there_once_and_all_is_ascii)
{
    const char *text = text_of(three_certificates("\xff\n")), *at;
    int issuers = 0;

    for (at = strstr(text, "-----BEGIN CERT"); at; at = strstr(at + 1, "-----BEGIN CERT"))
        issuers++;
    assert_int_equal(issuers, 2);
    for (at = text; *at; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
}

TEST(a_response_is_verified_with_what_was_read)
{
    oc_manifest_t *read = parse(text_of(three_certificates("a:443")));
    pki_single_t single = scene_single();
    pki_response_t response = scene_response(&single);
    oc_verify_subject_t subject;

    assert_int_equal(oc_cert_subject(APR_ARRAY_IDX(read->entries, 0, oc_manifest_entry_t).cert, &subject, scene.pool),
                     APR_SUCCESS);
    scene.subject = subject;
    assert_verdict(OC_GOOD, scene_judge(&response));
    assert_int_equal(oc_cert_subject(APR_ARRAY_IDX(read->entries, 1, oc_manifest_entry_t).cert, &subject, scene.pool),
                     APR_SUCCESS);
    scene.subject = subject;
    assert_verdict(OC_NOT_OURS, scene_judge(&response));
}

/* Truncated anywhere, it is refused, except for the last line end. */
TEST(a_part_of_it_is_refused)
{
    const char *text = text_of(three_certificates("a:443"));
    apr_size_t len = strlen(text), cut;

    for (cut = 0; cut < len - 1; cut++)
        assert_null(parse(apr_pstrmemdup(scene.pool, text, cut)));
    assert_non_null(parse(apr_pstrmemdup(scene.pool, text, len - 1)));
}

static const char *without(const char *text, const char *line)
{
    const char *at = strstr(text, line), *end = strchr(at + 1, '\n');

    return apr_pstrcat(scene.pool, apr_pstrmemdup(scene.pool, text, (apr_size_t)(at - text)), end, NULL);
}

static const char *with(const char *text, const char *before, const char *line)
{
    const char *at = strstr(text, before);

    return apr_pstrcat(scene.pool, apr_pstrmemdup(scene.pool, text, (apr_size_t)(at - text)), line, at, NULL);
}

TEST(what_verifying_takes_must_be_there)
{
    static const char *const needed[] = {"\ncertificate ", "\nsubject ", "\nserial ",    "\nserial-der ",
                                         "\nissued-by ",   "\nbinding ", "\nnot-after ", "\nopen-ended ",
                                         "\nerror-keep ",  "\nend",      "\nissuer "};
    const char *text = text_of(three_certificates("a:443"));
    unsigned i;

    for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        assert_null(parse(without(text, needed[i])));
    assert_non_null(parse(without(text, "\nurl ")));
}

TEST(strange_lines)
{
    const char *text = text_of(three_certificates("a:443"));

    assert_non_null(parse(with(text, "subject ", "invented-later 5\n\n# a remark\n")));
    assert_null(parse(with(text, "subject ", "must-staple 2\n")));
    assert_null(parse(with(text, "subject ", "skew -1\n")));
    assert_null(parse(with(text, "subject ", "skew 99999999999999999999\n")));
    assert_null(parse(with(text, "subject ", "skew 1x\n")));
    assert_null(parse(with(text, "subject ", "host a\\x0\n")));
    assert_null(parse(with(text, "subject ", "host a\\x00\n")));
    assert_null(parse(with(text, "subject ", "host a\\n\n")));
    assert_null(parse(with(text, "subject ", "host \x01\n")));
    assert_null(parse(with(text, "subject ", "binding 00\n")));
    assert_null(parse(with(text, "subject ", "serial-der zz\n")));
    assert_null(parse(with(text, "subject ", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")));
    assert_null(parse(with(text, "certificate ", "-----BEGIN CERTIFICATE-----\n")));
    assert_null(parse("ocsp-cache-manifest 2\ncertificates 0\n"));
    assert_non_null(parse("ocsp-cache-manifest 1\ncertificates 0\n"));
}

static ino_t inode(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    return st.st_ino;
}

TEST(the_file)
{
    oc_manifest_t *manifest = three_certificates("a:443"), *read = NULL;
    const char *path = cache_in_folder("other"), *problem = NULL;
    ino_t first;

    assert_string_equal(oc_manifest_path("/x/cache", scene.pool), "/x/cache.manifest");
    assert_int_equal(oc_manifest_load(&read, path, scene.pool, &problem), APR_ENOENT);
    assert_int_equal(oc_manifest_save(manifest, path, scene.pool, &problem), APR_SUCCESS);
    first = inode(path);
    assert_int_equal(oc_manifest_load(&read, path, scene.pool, &problem), APR_SUCCESS);
    assert_string_equal(text_of(read), text_of(manifest));
    assert_int_equal(oc_manifest_save(manifest, path, scene.pool, &problem), APR_SUCCESS);
    assert_int_equal(inode(path), first);

    apr_array_pop(manifest->entries); /* shorter */
    assert_int_equal(oc_manifest_save(manifest, path, scene.pool, &problem), APR_SUCCESS);
    assert_int_not_equal(inode(path), first);
    assert_int_equal(oc_manifest_load(&read, path, scene.pool, &problem), APR_SUCCESS);
    assert_int_equal(read->entries->nelts, 2);

    unlink(path);
    cache_write_text(path, "something else");
    assert_int_equal(oc_manifest_load(&read, path, scene.pool, &problem), APR_EGENERAL);
    assert_non_null(strstr(problem, path));
    unlink(path);
    assert_int_equal(symlink("cache", path), 0);
    assert_int_equal(oc_manifest_load(&read, path, scene.pool, &problem), APR_EGENERAL);
    assert_int_equal(oc_manifest_save(manifest, path, scene.pool, &problem), APR_EGENERAL);
}

static int setup(void **state)
{
    return scene_setup(state) || cache_folder_setup(state);
}

static int teardown(void **state)
{
    return cache_folder_teardown(state) || scene_teardown(state);
}

TEST_MAIN(scene_group_setup, scene_group_teardown, setup, teardown)
