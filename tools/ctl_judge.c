/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * Parses and verifies responses in a child process without rights, and treats its results as untrusted.
 */
#include "ctl_judge.h"

#include "ocsp/verify.h"

#include "fetch/fetch.h"
#include "ocsp/about.h"

#include <apr_strings.h>
#include <apr_user.h>
#include <errno.h>
#include <grp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define KEPT_RIGHTS 128 /* of an exit status: the process could not give up its rights; plus errno */

/* ---- a process of its own ---- */

static apr_status_t give_up_rights(apr_pool_t *pool)
{
    apr_uid_t uid = NOBODY;
    apr_gid_t gid = NOBODY;

    if (geteuid() != 0)
        return APR_SUCCESS;
    (void)apr_uid_get(&uid, &gid, "nobody", pool);
    return setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0 ? errno
                                                                                                     : APR_SUCCESS;
}

/* In the new process. @return its exit status */
static int work_apart(const ctl_t *ctl, ctl_apart_fn *work, void *data)
{
    apr_status_t rv = give_up_rights(ctl->pool);
    int ended;

    if (rv != APR_SUCCESS)
        return KEPT_RIGHTS + (rv < KEPT_RIGHTS ? rv : 0);
    ended = work(data);
    if (fflush(stdout) != 0) {
        ctl_say("cannot write the output");
        ended = CTL_TROUBLE;
    }
    return ended;
}

/* In the first process: an error may have to be JSON, or a monitoring plug-in's line. */
static int refuse_rights(const ctl_t *ctl, apr_status_t rv)
{
    char why[120];

    return ctl_trouble(ctl,
                       "cannot become the user nobody to read OCSP responses: %s. Give this command the capabilities "
                       "SETUID and SETGID, which some containers lack",
                       apr_strerror(rv, why, sizeof(why)));
}

int ctl_apart(const ctl_t *ctl, ctl_apart_fn *work, void *data, int *status)
{
    char why[120];
    pid_t pid;
    int ended;

    (void)fflush(stdout);
    pid = fork();
    if (pid < 0)
        return ctl_trouble(ctl, "cannot start a process: %s", apr_strerror(errno, why, sizeof(why)));
    if (pid == 0)
        _exit(work_apart(ctl, work, data));
    while (waitpid(pid, &ended, 0) < 0)
        if (errno != EINTR)
            return ctl_trouble(ctl, "cannot wait for a process: %s", apr_strerror(errno, why, sizeof(why)));
    if (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGPIPE) /* who reads the output has seen enough */
        (void)raise(SIGPIPE);
    if (!WIFEXITED(ended))
        return ctl_trouble(ctl, "the process that reads the OCSP responses was killed by signal %d", WTERMSIG(ended));
    *status = WEXITSTATUS(ended);
    return *status >= KEPT_RIGHTS ? refuse_rights(ctl, *status - KEPT_RIGHTS) : CTL_OK;
}

/* ---- judging ---- */

/* One for each case, in memory that both processes see. */
typedef struct {
    int entry; /* of the manifest; -1: none fits */
    oc_verify_result_t result;
    apr_size_t der_len;                 /* of an import that may be stored */
    unsigned char der[OC_RESPONSE_MAX]; /* the pages of other cases are never touched */
} answer_t;

typedef struct {
    const ctl_t *ctl;
    const ctl_stock_t *stock;
    const ctl_case_t *cases;
    answer_t *answers;
    int n;
    apr_hash_t *by_serial; /* DER -> array of int: certificates of several issuers may share one */
} judge_t;

static const oc_manifest_entry_t *entry_at(const judge_t *judge, int i)
{
    return &APR_ARRAY_IDX(judge->stock->manifest->entries, i, oc_manifest_entry_t);
}

static void index_serials(judge_t *judge)
{
    int i;

    judge->by_serial = apr_hash_make(judge->ctl->pool);
    for (i = 0; i < judge->stock->manifest->entries->nelts; i++) {
        const oc_cert_t *cert = entry_at(judge, i)->cert;
        apr_array_header_t *found = apr_hash_get(judge->by_serial, cert->serial_der, (apr_ssize_t)cert->serial_der_len);

        if (!found) {
            found = apr_array_make(judge->ctl->pool, 1, sizeof(int));
            apr_hash_set(judge->by_serial, cert->serial_der, (apr_ssize_t)cert->serial_der_len, found);
        }
        APR_ARRAY_PUSH(found, int) = i;
    }
}

/* A stored record, as the refresher verifies it. A record that the refresher would correct does not match its response
 * either. */
static void verify_record(const oc_reader_record_t *stored, const oc_cert_t *cert, const oc_verify_policy_t *policy,
                          oc_verify_result_t *result, apr_pool_t *pool)
{
    oc_record_t record = stored->record;
    const char *why = NULL;

    if (!oc_record_verify(&record, cert, policy, result, pool))
        return;
    if (stored->order != oc_record_order(&stored->record))
        why = "its stored rank differs from that of its response";
    else if (stored->record.usable_until > record.usable_until)
        why = "it is stored as usable for too long";
    else if (stored->record.usable_from < record.usable_from)
        why = "it is stored as usable too early";
    if (!why)
        return;
    result->verdict = OC_ALTERED;
    apr_cpystrn(result->detail, why, sizeof(result->detail));
}

static void verify(const judge_t *judge, const ctl_case_t *one, const oc_manifest_entry_t *entry, answer_t *answer)
{
    oc_verify_result_t *result = &answer->result;
    oc_verify_policy_t policy = {judge->ctl->now, entry->skew, entry->max_age, entry->open_ended, entry->error_keep};
    oc_verify_subject_t subject;
    apr_pool_t *pool;

    apr_pool_create(&pool, judge->ctl->pool);
    answer->der_len = 0;
    if (one->stored)
        verify_record(one->stored, entry->cert, &policy, result, pool);
    else if (oc_cert_subject(entry->cert, &subject, pool) == APR_SUCCESS)
        oc_verify_response(one->der, one->der_len, &subject, &policy, result, pool);
    else
        result->verdict = OC_OUT_OF_RESOURCES;
    if (!one->stored && result->der && result->der_len <= sizeof(answer->der)) {
        memcpy(answer->der, result->der, result->der_len);
        answer->der_len = result->der_len;
    }
    result->der = NULL; /* of this process alone */
    result->der_len = 0;
    apr_pool_destroy(pool);
}

static int is_about(const judge_t *judge, const ctl_case_t *one, int entry)
{
    oc_verify_subject_t subject;
    apr_pool_t *pool;
    int is_this;

    apr_pool_create(&pool, judge->ctl->pool);
    is_this = oc_cert_subject(entry_at(judge, entry)->cert, &subject, pool) == APR_SUCCESS
              && oc_about(one->der, one->der_len, &subject) == OC_ABOUT_THIS;
    apr_pool_destroy(pool);
    return is_this;
}

/* The certificate that the response is about: its serial and its issuer's key. A response for no certificate
 * (garbage, a responder's error) gets the verdict that it would get for any of them. */
static void find_and_verify(const judge_t *judge, const ctl_case_t *one, answer_t *answer)
{
    const apr_array_header_t *found = NULL;
    const unsigned char *serial;
    apr_size_t len;
    int i;

    answer->entry = -1;
    answer->result.verdict = OC_NOT_OURS;
    if (oc_about_serial(one->der, one->der_len, &serial, &len, judge->ctl->pool))
        found = apr_hash_get(judge->by_serial, serial, (apr_ssize_t)len);
    else if (judge->stock->manifest->entries->nelts > 0)
        verify(judge, one, entry_at(judge, 0), answer);
    for (i = 0; found && i < found->nelts && answer->entry < 0; i++)
        if (is_about(judge, one, APR_ARRAY_IDX(found, i, int)))
            answer->entry = APR_ARRAY_IDX(found, i, int);
    if (answer->entry >= 0)
        verify(judge, one, entry_at(judge, answer->entry), answer);
}

/* In the other process. */
static int work(void *data)
{
    judge_t *judge = data;
    int i;

    for (i = 0; i < judge->n; i++) {
        const ctl_case_t *one = &judge->cases[i];

        if (one->entry)
            verify(judge, one, one->entry, &judge->answers[i]);
        else
            find_and_verify(judge, one, &judge->answers[i]);
    }
    ERR_clear_error();
    return 0;
}

/* The other process parsed untrusted data: its results are checked for range, and read once, because processes that
 * it started may still write there. */
static void take(const judge_t *judge, const answer_t *shared, ctl_case_t *one)
{
    const apr_array_header_t *entries = judge->stock->manifest->entries;
    apr_size_t der_len = *(const volatile apr_size_t *)&shared->der_len;
    int entry = *(const volatile int *)&shared->entry;
    char *p;

    one->result = shared->result;
    one->result.der = NULL;
    one->result.der_len = 0;
    one->result.detail[sizeof(one->result.detail) - 1] = '\0';
    for (p = one->result.detail; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    if ((unsigned)one->result.verdict >= OC_VERDICT_LIMIT)
        one->result.verdict = OC_OUT_OF_RESOURCES;
    if (der_len > 0 && der_len <= sizeof(shared->der) && der_len <= one->der_len) { /* trimming adds nothing */
        one->der = apr_pmemdup(judge->ctl->pool, shared->der, der_len);
        one->der_len = der_len;
    }
    else if (!one->stored && one->result.usable_until) { /* accepted, but without the bytes that were verified */
        one->result.verdict = OC_OUT_OF_RESOURCES;
    }
    if (!one->entry && entry >= 0 && entry < entries->nelts)
        one->entry = &APR_ARRAY_IDX(entries, entry, oc_manifest_entry_t);
}

int ctl_judge(const ctl_t *ctl, const ctl_stock_t *stock, ctl_case_t *cases, int n)
{
    apr_size_t size = (apr_size_t)(n > 0 ? n : 1) * sizeof(answer_t);
    judge_t judge = {ctl, stock, cases, NULL, n, NULL};
    int i, status, ended = 0;

    judge.answers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (judge.answers == MAP_FAILED)
        return ctl_trouble(ctl, "there is not enough memory for %d responses", n);
    index_serials(&judge);
    status = ctl_apart(ctl, work, &judge, &ended);
    for (i = 0; status == CTL_OK && i < n; i++)
        take(&judge, &judge.answers[i], &cases[i]);
    (void)munmap(judge.answers, size);
    if (status == CTL_OK && ended != 0)
        return ctl_trouble(ctl, "the process that reads the OCSP responses failed, with exit status %d", ended);
    return status;
}

ctl_case_t ctl_case_of(const ctl_row_t *row)
{
    const oc_record_t *record = &row->stored->record;

    return (ctl_case_t){.der = record->der, .der_len = record->der_len, .stored = row->stored, .entry = row->entry};
}

void ctl_judge_take(const ctl_t *ctl, ctl_row_t *row, const ctl_case_t *one)
{
    if (!oc_view_is_stapled(&row->view, ctl->now) || one->result.verdict == row->view.verdict)
        return;
    row->view.has_record = 0;
    row->view.last = one->result.verdict;
}

int ctl_judge_rows(const ctl_t *ctl, const ctl_stock_t *stock, const apr_array_header_t *rows)
{
    ctl_case_t *cases = apr_pcalloc(ctl->pool, ((apr_size_t)rows->nelts + 1) * sizeof(*cases));
    ctl_row_t **judged = apr_pcalloc(ctl->pool, ((apr_size_t)rows->nelts + 1) * sizeof(ctl_row_t *));
    int i, n = 0, status;

    for (i = 0; i < rows->nelts; i++) {
        ctl_row_t *row = APR_ARRAY_IDX(rows, i, ctl_row_t *);

        if (!row->stored || !row->entry || !oc_view_is_stapled(&row->view, ctl->now))
            continue;
        judged[n] = row;
        cases[n++] = ctl_case_of(row);
    }
    status = n > 0 ? ctl_judge(ctl, stock, cases, n) : CTL_OK;
    for (i = 0; status == CTL_OK && i < n; i++)
        ctl_judge_take(ctl, judged[i], &cases[i]);
    return status;
}

const char *ctl_judge_text(const oc_verify_result_t *result, apr_pool_t *pool)
{
    return apr_pstrcat(pool, oc_verdict_text(result->verdict), *result->detail ? ": " : "", result->detail, NULL);
}
