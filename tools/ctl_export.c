/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl export: write responses to files, for other servers and other machines. Without --force it writes only
 * responses that verify now; a file never holds half a response.
 */
#include "ctl_judge.h"

#include "base/hex.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DER = 'd', PEM = 'p', OUT = 'o', ALL = 'a', FORCE = CTL_LONG };

typedef struct {
    const ctl_row_t *row;
    const char *path;    /* written to; NULL: the standard output */
    const char *problem; /* why it was not exported; NULL: it was */
    int is_unchanged;
} export_t;

/* ---- what may be exported ---- */

static const char *problem_of(const ctl_t *ctl, const ctl_row_t *row, const ctl_case_t *one)
{
    if (!row->stored)
        return "no response is stored for it";
    if (ctl_has(ctl, FORCE))
        return NULL;
    if (!row->entry)
        return "it cannot be verified";
    if (row->view.usable_until <= ctl->now)
        return "the response has expired";
    if (one->result.verdict != row->stored->record.verdict || oc_verdict_class(one->result.verdict) != OC_CLASS_TRUTH)
        return ctl_judge_text(&one->result, ctl->pool);
    return NULL;
}

static int judge(const ctl_t *ctl, const ctl_stock_t *stock, export_t *exports, int n)
{
    ctl_case_t *cases = apr_pcalloc(ctl->pool, (apr_size_t)n * sizeof(*cases));
    int i, n_cases = 0, status = CTL_OK;

    for (i = 0; i < n; i++) {
        const ctl_row_t *row = exports[i].row;

        if (!row->stored || !row->entry)
            continue;
        cases[n_cases++] = ctl_case_of(row);
    }
    if (!ctl_has(ctl, FORCE) && n_cases > 0)
        status = ctl_judge(ctl, stock, cases, n_cases);
    for (i = 0, n_cases = 0; i < n; i++)
        exports[i].problem =
            problem_of(ctl, exports[i].row, exports[i].row->stored && exports[i].row->entry ? &cases[n_cases++] : NULL);
    return status;
}

/* ---- writing ---- */

static const char *encode(const ctl_t *ctl, const oc_record_t *record, apr_size_t *len)
{
    BIO *bio;
    char *data;
    const char *text = NULL;

    *len = record->der_len;
    if (!ctl_has(ctl, PEM))
        return (const char *)record->der;
    bio = BIO_new(BIO_s_mem());
    if (bio && PEM_write_bio(bio, "OCSP RESPONSE", "", record->der, (long)record->der_len) > 0) {
        *len = (apr_size_t)BIO_get_mem_data(bio, &data);
        text = apr_pstrmemdup(ctl->pool, data, *len);
    }
    BIO_free(bio);
    return text;
}

/* Does the file hold these bytes already? Then it is not rewritten, so a job that watches it does not reload a
 * server. */
static int is_there(const char *path, const char *bytes, apr_size_t len, apr_pool_t *pool)
{
    char *old = apr_palloc(pool, len + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), is_same;

    if (fd < 0)
        return 0;
    is_same = read(fd, old, len + 1) == (ssize_t)len && memcmp(old, bytes, len) == 0;
    close(fd);
    return is_same;
}

static void write_one(const ctl_t *ctl, export_t *one)
{
    char why[120];
    apr_size_t len = 0;
    const char *bytes = encode(ctl, &one->row->stored->record, &len);
    apr_status_t rv = bytes ? APR_SUCCESS : APR_ENOMEM;

    if (rv == APR_SUCCESS && !one->path) {
        if (fwrite(bytes, 1, len, stdout) != len)
            rv = APR_EGENERAL;
    }
    else if (rv == APR_SUCCESS && !(one->is_unchanged = is_there(one->path, bytes, len, ctl->pool))) {
        rv = ctl_write_file(ctl, one->path, bytes, len);
    }
    if (rv != APR_SUCCESS)
        one->problem = apr_psprintf(ctl->pool, "cannot write %s: %s", one->path ? one->path : "the output",
                                    apr_strerror(rv, why, sizeof(why)));
}

/* ---- the command ---- */

static int is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Of --all certificates, those without a responder are expected to have no response: not a failure. */
static apr_array_header_t *exportable(const ctl_t *ctl, apr_array_header_t *rows)
{
    apr_array_header_t *some = apr_array_make(ctl->pool, rows->nelts, sizeof(ctl_row_t *));
    int i;

    if (!ctl_has(ctl, ALL))
        return rows;
    for (i = 0; i < rows->nelts; i++) {
        ctl_row_t *row = APR_ARRAY_IDX(rows, i, ctl_row_t *);

        if (row->stored || row->view.is_refreshed)
            APR_ARRAY_PUSH(some, ctl_row_t *) = row;
    }
    return some;
}

/* Named by the fingerprint: certificates of different CAs may have the same serial. */
static const char *path_in(const ctl_t *ctl, const char *folder, const ctl_row_t *row)
{
    const char *name = oc_hex_print(row->view.id, sizeof(row->view.id), ctl->pool);

    return apr_pstrcat(ctl->pool, folder, "/", name, ctl_has(ctl, PEM) ? ".pem" : ".der", NULL);
}

static int check_usage(const ctl_t *ctl)
{
    const char *out = ctl->values[OUT];

    if (ctl_has(ctl, DER) && ctl_has(ctl, PEM))
        return ctl_usage(ctl, "--der or --pem, not both");
    if (ctl_has(ctl, ALL) != (ctl->arguments->nelts == 0))
        return ctl_usage(ctl, ctl_has(ctl, ALL) ? "name hosts and serials, or --all, not both"
                                                : "name a host or a serial, or --all");
    if (ctl_has(ctl, ALL) && (!out || !is_folder(out)))
        return ctl_usage(ctl, "--all needs --out FOLDER, a folder that exists");
    if (ctl_is_json(ctl) && !out)
        return ctl_usage(ctl, "--json needs --out: the response would be mixed with the JSON");
    if (!out && !ctl_has(ctl, PEM) && isatty(STDOUT_FILENO))
        return ctl_usage(ctl, "the response is binary: write it to a file with --out, or as text with --pem");
    return CTL_OK;
}

static int refuse_several(const ctl_t *ctl, const apr_array_header_t *rows)
{
    const char *text = "";
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const ctl_row_t *row = APR_ARRAY_IDX(rows, i, const ctl_row_t *);

        text = apr_pstrcat(ctl->pool, text, "\n  ", oc_hex_print(row->view.id, sizeof(row->view.id), ctl->pool), "  ",
                           ctl_row_label(row, ctl->pool), NULL);
    }
    return ctl_usage(ctl, "%d certificates match. Name one by its SHA-1 fingerprint, or write all to --out FOLDER:%s",
                     rows->nelts, text);
}

static void print_json(const ctl_t *ctl, const ctl_stock_t *stock, const export_t *exports, int n)
{
    oc_json_t json;
    int i;

    ctl_stock_json(&json, ctl, stock);
    oc_json_array(&json, "exports");
    for (i = 0; i < n; i++) {
        oc_json_object(&json, NULL);
        ctl_row_json(&json, exports[i].row, ctl->pool);
        oc_json_string(&json, "file", exports[i].problem ? NULL : exports[i].path);
        oc_json_bool(&json, "is_unchanged", exports[i].is_unchanged);
        oc_json_string(&json, "problem", exports[i].problem);
        oc_json_end(&json);
    }
    oc_json_end(&json);
    oc_json_end(&json);
}

static void print_text(const ctl_t *ctl, const export_t *exports, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        const char *label = ctl_row_label(exports[i].row, ctl->pool);

        if (exports[i].problem)
            ctl_say("%s: not exported: %s", label, exports[i].problem);
        else if (exports[i].path)
            printf("%s: %s%s\n", label, exports[i].path, exports[i].is_unchanged ? " is unchanged" : "");
    }
}

static int run(ctl_t *ctl)
{
    const char *out = ctl->values[OUT];
    apr_array_header_t *rows;
    export_t *exports;
    ctl_stock_t stock;
    int i, status = check_usage(ctl), failures = 0;

    if (status == CTL_OK)
        status = ctl_stock_open(ctl, &stock, &rows, 0);
    if (status != CTL_OK)
        return status;
    if (rows->nelts > 1 && !(out && is_folder(out)))
        return refuse_several(ctl, rows);
    if (!stock.manifest && !ctl_has(ctl, FORCE))
        return ctl_trouble(ctl, "%s. Without it nothing can be verified; --force exports without verification",
                           stock.manifest_problem);

    rows = exportable(ctl, rows);
    exports = apr_pcalloc(ctl->pool, ((apr_size_t)rows->nelts + 1) * sizeof(*exports));
    for (i = 0; i < rows->nelts; i++) {
        exports[i].row = APR_ARRAY_IDX(rows, i, const ctl_row_t *);
        exports[i].path = out && is_folder(out) ? path_in(ctl, out, exports[i].row) : out;
    }
    status = judge(ctl, &stock, exports, rows->nelts);
    if (status != CTL_OK)
        return status;
    for (i = 0; i < rows->nelts; i++) {
        if (!exports[i].problem)
            write_one(ctl, &exports[i]);
        failures += exports[i].problem != NULL;
    }
    if (ctl_is_json(ctl))
        print_json(ctl, &stock, exports, rows->nelts);
    else
        print_text(ctl, exports, rows->nelts);
    return failures ? CTL_NO : CTL_OK;
}

static const ctl_option_t options[] = {
    {"der", DER, NULL, "binary (the default)"},
    {"pem", PEM, NULL, "as text"},
    {"out", OUT, "FILE|FOLDER", "write to this file; in a folder, to SHA1.der or SHA1.pem, named by the fingerprint"},
    {"all", ALL, NULL, "all certificates that have a responder or a response"},
    {"force", FORCE, NULL, "also what has expired or cannot be verified"},
    CTL_OPTIONS_END};

const ctl_command_t ctl_export = {
    .name = "export",
    .arguments = "HOST|SERIAL|--all",
    .summary = "Write responses to files, for other servers",
    .help = "Only a valid, verified response is written, unless --force is given. A file is replaced atomically, and\n"
            "only if its content changes. nginx (ssl_stapling_file), haproxy (CERTIFICATE.ocsp), Hitch and\n"
            "OCSPCacheResponseFolder of another machine read such files in DER.\n",
    .options = options,
    .run = run};
