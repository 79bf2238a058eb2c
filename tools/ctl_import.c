/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * ocsp-cachectl import: add responses that were obtained elsewhere. Each is verified first, with the issuers'
 * certificates from the server's manifest; a running server verifies it again.
 */
#include "ctl_import.h"

#include "ctl_command.h"
#include "base/lines.h"
#include "fetch/fetch.h"

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

enum { TIMEOUT = 't' };

#define PATIENCE apr_time_from_sec(30)
#define FILE_MAX (1 << 20)
#define COMMAND_BYTES \
    (OC_COMMAND_SIZE_MAX / 2) /* of responses, in one command: PEM is somewhat more than a third larger */
#define PEM_LABEL "OCSP RESPONSE"
#define PEM_BEGIN "-----BEGIN " PEM_LABEL

/* ---- reading ---- */

static apr_status_t read_file(const char *path, char **bytes, apr_size_t *len, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool);

    if (rv != APR_SUCCESS)
        return rv;
    *bytes = apr_palloc(pool, FILE_MAX + 1);
    rv = apr_file_read_full(file, *bytes, FILE_MAX + 1, len);
    apr_file_close(file);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static void add(apr_array_header_t *imports, const char *source, const unsigned char *der, apr_size_t len)
{
    ctl_import_t *import = apr_pcalloc(imports->pool, sizeof(*import));

    import->source = source;
    import->judged.der = der;
    import->judged.der_len = len;
    if (len > OC_RESPONSE_MAX)
        import->problem = "it is larger than a response may be";
    APR_ARRAY_PUSH(imports, ctl_import_t *) = import;
}

static int count_blocks(const char *text)
{
    int n = 0;

    while ((text = strstr(text, PEM_BEGIN)) != NULL) {
        text += strlen(PEM_BEGIN);
        n++;
    }
    return n;
}

/* Blocks of PEM, all of them, or DER as it is. */
static int add_file(const ctl_t *ctl, apr_array_header_t *imports, const char *path)
{
    int before = imports->nelts;
    apr_size_t len = 0;
    oc_lines_t lines;
    oc_line_t line;
    char *bytes, *pem, why[120];
    apr_status_t rv = read_file(path, &bytes, &len, ctl->pool);

    if (rv != APR_SUCCESS)
        return ctl_trouble(ctl, "cannot read %s: %s", path, apr_strerror(rv, why, sizeof(why)));
    if (len > FILE_MAX)
        return ctl_trouble(ctl, "%s is too large to be an OCSP response", path);
    bytes[len] = '\0';
    pem = strstr(bytes, PEM_BEGIN);
    if (!pem) {
        add(imports, path, (const unsigned char *)bytes, len);
        return CTL_OK;
    }
    oc_lines_begin(&lines, pem, len - (apr_size_t)(pem - bytes));
    while (oc_lines_next(&lines, &line, ctl->pool) != 0)
        if (line.der && strcmp(line.key, PEM_LABEL) == 0)
            add(imports, path, line.der, line.der_len);
    if (imports->nelts - before < count_blocks(pem))
        return ctl_trouble(ctl, "%s: its PEM cannot be read, or not all of it", path);
    return CTL_OK;
}

/* ---- judging ---- */

static const ctl_row_t *row_of(const ctl_stock_t *stock, const oc_manifest_entry_t *entry)
{
    int i;

    for (i = 0; entry && i < stock->rows->nelts; i++)
        if (APR_ARRAY_IDX(stock->rows, i, const ctl_row_t *)->entry == entry)
            return APR_ARRAY_IDX(stock->rows, i, const ctl_row_t *);
    return NULL;
}

static int is_same(const oc_reader_record_t *stored, const ctl_import_t *import)
{
    return stored && stored->record.der_len == import->judged.der_len
           && memcmp(stored->record.der, import->judged.der, import->judged.der_len) == 0;
}

/* Base64 without PEM lines, as haproxy's and browsers' tools print it? */
static int is_base64(const unsigned char *bytes, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++)
        if (!apr_isalnum(bytes[i]) && !strchr("+/=\r\n", bytes[i]))
            return 0;
    return len > 0 && bytes[0] == 'M'; /* a SEQUENCE begins with the byte 0x30 */
}

/* It is not for a certificate of the server: explain what it is. */
static const char *foreign(const ctl_t *ctl, const ctl_import_t *import)
{
    const oc_verify_result_t *result = &import->judged.result;

    if (is_base64(import->judged.der, import->judged.der_len))
        return "it is Base64: decode it to DER with `openssl base64 -d -A`";
    if (oc_verdict_class(result->verdict) == OC_CLASS_RESPONDER_ERROR)
        return apr_psprintf(ctl->pool, "it is a responder's error (%s), which is not about a certificate",
                            oc_verdict_name(result->verdict));
    if (result->verdict == OC_NOT_DER)
        return apr_pstrcat(ctl->pool, "it is not an OCSP response: ", ctl_judge_text(result, ctl->pool), NULL);
    if (result->verdict == OC_NOT_OURS)
        return "it is not for any of the server's certificates";
    return ctl_judge_text(result, ctl->pool);
}

static const char *problem_of(const ctl_t *ctl, const ctl_import_t *import)
{
    const oc_verify_result_t *result = &import->judged.result;
    const ctl_row_t *row = import->row;

    if (!row)
        return foreign(ctl, import);
    if (oc_verdict_class(result->verdict) != OC_CLASS_TRUTH)
        return ctl_judge_text(result, ctl->pool);
    if (!row->view.is_refreshed)
        return "nothing is stapled for this certificate, because it names no responder. Set OCSPCacheResponseFolder to "
               "staple responses that are obtained elsewhere";
    if (row->stored && oc_view_is_stapled(&row->view, ctl->now) && row->view.this_update > result->this_update)
        return "a newer response is stored";
    return NULL;
}

/* Of several for one certificate the newest is taken. */
static void drop_older(ctl_import_t **imports, int n, apr_pool_t *pool)
{
    apr_hash_t *newest = apr_hash_make(pool);
    int i;

    for (i = 0; i < n; i++) {
        ctl_import_t *import = imports[i], *other;

        if (import->problem)
            continue;
        other = apr_hash_get(newest, import->row->view.id, OC_CERT_ID_LEN);
        if (other && other->judged.result.this_update >= import->judged.result.this_update) {
            import->problem = "another one of these files is newer, or as new";
            continue;
        }
        if (other)
            other->problem = "another one of these files is newer";
        apr_hash_set(newest, import->row->view.id, OC_CERT_ID_LEN, import);
    }
}

static int judge(const ctl_t *ctl, const ctl_stock_t *stock, ctl_import_t **imports, int n)
{
    ctl_case_t *cases = apr_pcalloc(ctl->pool, ((apr_size_t)n + 1) * sizeof(*cases));
    int i, status;

    for (i = 0; i < n; i++)
        cases[i] = imports[i]->judged;
    status = ctl_judge(ctl, stock, cases, n);
    for (i = 0; status == CTL_OK && i < n; i++) {
        imports[i]->judged = cases[i];
        imports[i]->row = row_of(stock, cases[i].entry);
        if (!imports[i]->problem)
            imports[i]->problem = problem_of(ctl, imports[i]);
        imports[i]->is_held = !imports[i]->problem && is_same(imports[i]->row->stored, imports[i]);
    }
    if (status == CTL_OK)
        drop_older(imports, n, ctl->pool);
    return status;
}

/* ---- through the server ---- */

typedef struct {
    const ctl_t *ctl;
    const ctl_stock_t *stock;
    ctl_import_t **imports;
    int n;
} batch_t;

static int count_missing(const batch_t *batch, const char *problem)
{
    oc_reader_t reader;
    apr_pool_t *pool;
    int i, missing = 0;

    apr_pool_create(&pool, batch->ctl->pool);
    oc_reader_load_whole(&reader, batch->ctl->path, oc_file_blocks_max(batch->stock->manifest->blocks), pool);
    for (i = 0; i < batch->n; i++) {
        ctl_import_t *import = batch->imports[i];

        if (is_same(apr_hash_get(reader.by_id, import->row->view.id, OC_CERT_ID_LEN), import))
            continue;
        missing++;
        if (problem)
            import->problem = problem;
    }
    apr_pool_destroy(pool);
    return missing;
}

static int are_done(void *data)
{
    return count_missing(data, NULL) == 0;
}

/* One command for as many as it holds. @return how many */
static int fill_command(oc_command_t *command, ctl_import_t **imports, int n, apr_pool_t *pool)
{
    apr_size_t bytes = 0;
    int i;

    command->items = apr_array_make(pool, n, sizeof(oc_command_item_t));
    for (i = 0; i < n && (i == 0 || bytes + imports[i]->judged.der_len <= COMMAND_BYTES); i++) {
        oc_command_item_t *item = apr_array_push(command->items);

        memcpy(item->id, imports[i]->row->view.id, OC_CERT_ID_LEN);
        item->der = imports[i]->judged.der;
        item->der_len = imports[i]->judged.der_len;
        bytes += item->der_len + 256;
    }
    return i;
}

static int hand_to_server(const ctl_t *ctl, const ctl_stock_t *stock, ctl_import_t **imports, int n,
                          apr_interval_time_t timeout)
{
    int done = 0, status = CTL_OK, is_done;

    while (status == CTL_OK && done < n) {
        oc_command_t command = {0, 0, NULL};
        batch_t batch = {ctl, stock, imports + done, fill_command(&command, imports + done, n - done, ctl->pool)};

        status = ctl_command_run(ctl, stock, &command, timeout, are_done, &batch, &is_done);
        if (status == CTL_OK && !is_done)
            (void)count_missing(&batch, "the server did not accept it: see its error log");
        done += batch.n;
    }
    return status;
}

/* ---- the command ---- */

static void print_json(const ctl_t *ctl, const ctl_stock_t *stock, const apr_array_header_t *imports)
{
    oc_json_t json;
    int i;

    ctl_stock_json(&json, ctl, stock);
    oc_json_array(&json, "imports");
    for (i = 0; i < imports->nelts; i++) {
        const ctl_import_t *import = APR_ARRAY_IDX(imports, i, const ctl_import_t *);

        oc_json_object(&json, NULL);
        oc_json_string(&json, "file", import->source);
        ctl_row_json(&json, import->row, ctl->pool);
        oc_json_string(&json, "verdict", oc_verdict_name(import->judged.result.verdict));
        oc_json_bool(&json, "was_held", import->is_held);
        oc_json_string(&json, "problem", import->problem);
        oc_json_end(&json);
    }
    oc_json_end(&json);
    oc_json_end(&json);
}

static void print_text(const ctl_t *ctl, const ctl_import_t *import)
{
    const ctl_row_t *row = import->row;

    if (import->problem)
        ctl_say("%s: not imported%s%s: %s", import->source, row ? " for " : "",
                row ? ctl_row_label(row, ctl->pool) : "", import->problem);
    else
        printf("%s: %s, %s, usable for %s%s\n", import->source, ctl_row_label(row, ctl->pool),
               oc_verdict_name(import->judged.result.verdict),
               oc_view_span(import->judged.result.usable_until, ctl->now, ctl->pool),
               import->is_held ? "; it was already stored" : "");
}

/* @return how many were not imported */
static int print_results(const ctl_t *ctl, const ctl_stock_t *stock, const apr_array_header_t *imports)
{
    int i, failures = 0;

    if (ctl_is_json(ctl))
        print_json(ctl, stock, imports);
    for (i = 0; i < imports->nelts; i++) {
        const ctl_import_t *import = APR_ARRAY_IDX(imports, i, const ctl_import_t *);

        failures += import->problem != NULL;
        if (!ctl_is_json(ctl))
            print_text(ctl, import);
    }
    return failures;
}

static int run(ctl_t *ctl)
{
    apr_array_header_t *imports = apr_array_make(ctl->pool, 4, sizeof(ctl_import_t *));
    apr_interval_time_t timeout;
    ctl_import_t **wanted;
    ctl_stock_t stock;
    int i, n = 0, status = ctl_duration(ctl, TIMEOUT, PATIENCE, &timeout);

    if (status == CTL_OK && ctl->arguments->nelts == 0)
        status = ctl_usage(ctl, "name one or more files");
    if (status == CTL_OK)
        status = ctl_stock_load(ctl, &stock);
    if (status == CTL_OK && !stock.manifest)
        status = ctl_trouble(ctl, "%s", stock.manifest_problem);
    for (i = 0; status == CTL_OK && i < ctl->arguments->nelts; i++)
        status = add_file(ctl, imports, APR_ARRAY_IDX(ctl->arguments, i, const char *));
    if (status == CTL_OK)
        status = judge(ctl, &stock, (ctl_import_t **)(void *)imports->elts, imports->nelts);
    if (status != CTL_OK)
        return status;

    wanted = apr_palloc(ctl->pool, ((apr_size_t)imports->nelts + 1) * sizeof(ctl_import_t *));
    for (i = 0; i < imports->nelts; i++)
        if (!APR_ARRAY_IDX(imports, i, ctl_import_t *)->problem && !APR_ARRAY_IDX(imports, i, ctl_import_t *)->is_held)
            wanted[n++] = APR_ARRAY_IDX(imports, i, ctl_import_t *);
    if (n > 0)
        status = stock.server ? hand_to_server(ctl, &stock, wanted, n, timeout)
                              : ctl_import_into_file(ctl, &stock, wanted, n);
    if (status != CTL_OK)
        return status;
    return print_results(ctl, &stock, imports) ? CTL_NO : CTL_OK;
}

static const ctl_option_t options[] = {
    {"timeout", TIMEOUT, "DURATION", "how long to wait for a running server (default: 30s)"}, CTL_OPTIONS_END};

const ctl_command_t ctl_import = {
    .name = "import",
    .arguments = "FILE...",
    .summary = "Verify responses and store them in the cache",
    .help =
        "A file contains one response in DER, or one or more in PEM (\"OCSP RESPONSE\"). The response itself tells\n"
        "which certificate it is for. A running server verifies it again and stores it. If no server is running, the\n"
        "tool writes it to the cache file.\n",
    .options = options,
    .run = run};
