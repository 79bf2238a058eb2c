/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * How long the verification of a received response takes, compared with the least that OpenSSL offers: parse the
 * response, OCSP_basic_verify(), find the certificate's status. Both sides verify the same bytes, by turns, in one
 * process; the issuer's certificate is parsed before. The module stores it as DER to save memory, so the last column
 * shows what parsing it adds. Ratios are taken within a round, so other work on the machine affects a round and not a
 * ratio. The responses come from the PKI of the unit tests.
 *
 *   bench_verify [ROUNDS]
 */
#include "ocsp/cert.h"
#include "support_pki.h"

#include <apr_general.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 41
#define ROUNDS_MAX 1000
#define SLICE_US 5000.0 /* what one side runs before the other's turn */
#define SINGLES_MAX 100
#define SERIAL 0x1234
#define AIM 1.2
#define AIM_MANY 1.5

typedef struct {
    const char *name;
    pki_key_t key; /* of the issuer and of a delegated signer */
    int delegated;
    int count;     /* of SingleResponses; ours is the first */
    int with_root; /* the response carries a certificate that no client needs */
    double aim;
} case_t;

static const case_t cases[] = {
    {"issuer signs, RSA-2048", PKI_RSA_2048, 0, 1, 0, AIM},
    {"issuer signs, P-256", PKI_P256, 0, 1, 0, AIM},
    {"issuer signs, P-256, a needless certificate", PKI_P256, 0, 1, 1, AIM},
    {"delegate signs, RSA-2048", PKI_RSA_2048, 1, 1, 0, AIM},
    {"delegate signs, P-256", PKI_P256, 1, 1, 0, AIM},
    {"delegate signs, P-256, a needless certificate", PKI_P256, 1, 1, 1, AIM},
    {"issuer signs, RSA-2048, 100 SingleResponses", PKI_RSA_2048, 0, 100, 0, AIM_MANY},
    {"issuer signs, P-256, 100 SingleResponses", PKI_P256, 0, 100, 0, AIM_MANY},
    {"delegate signs, P-256, 100 SingleResponses", PKI_P256, 1, 100, 0, AIM_MANY},
};

/* One response, and what each side needs to verify it. */
typedef struct {
    apr_pool_t *pool, *scratch;
    pki_bytes_t der;
    oc_cert_t *cert;
    oc_verify_subject_t subject;
    oc_verify_policy_t policy;
    X509_STORE *store;
    STACK_OF(X509) * issuers;
    OCSP_CERTID *id;
} bench_t;

typedef void side_t(const bench_t *);

static void stop(const char *what)
{
    ERR_print_errors_fp(stderr);
    fprintf(stderr, "bench_verify: %s\n", what);
    exit(1);
}

/* ---- what is measured ---- */

static void parse_issuer(const bench_t *bench)
{
    oc_verify_subject_t subject;

    if (oc_cert_subject(bench->cert, &subject, bench->scratch) != APR_SUCCESS)
        stop("the issuer cannot be parsed");
    apr_pool_clear(bench->scratch);
}

static void ours(const bench_t *bench)
{
    oc_verify_result_t result;

    oc_verify_response(bench->der.data, bench->der.length, &bench->subject, &bench->policy, &result, bench->scratch);
    if (result.verdict != OC_GOOD)
        stop(result.detail);
    apr_pool_clear(bench->scratch);
}

static void openssl(const bench_t *bench)
{
    const unsigned char *p = bench->der.data;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)bench->der.length);
    OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
    int status = -1;

    if (!basic || OCSP_basic_verify(basic, bench->issuers, bench->store, OCSP_PARTIAL_CHAIN) != 1
        || !OCSP_resp_find_status(basic, bench->id, &status, NULL, NULL, NULL, NULL)
        || status != V_OCSP_CERTSTATUS_GOOD)
        stop("OpenSSL refuses the response");
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
}

/* ---- a response ---- */

static pki_bytes_t respond(apr_pool_t *pool, const case_t *one, const pki_id_t *issuer, const pki_id_t *root)
{
    pki_single_t singles[SINGLES_MAX];
    pki_response_t response = {.signer = issuer, .by_key = 1, .singles = singles, .count = one->count};
    int n = 0;

    for (int i = 0; i < one->count; i++)
        singles[i] = (pki_single_t){.issuer = issuer,
                                    .serial = SERIAL + i,
                                    .status = V_OCSP_CERTSTATUS_GOOD,
                                    .reason = -1,
                                    .this_update = pki_time(pool, PKI_NOW - PKI_HOUR),
                                    .next_update = pki_time(pool, PKI_NOW + PKI_DAY)};
    if (one->delegated) {
        response.signer = pki_make(pool, &(pki_spec_t){.cn = "OCSP Signer",
                                                       .key = one->key,
                                                       .issuer = issuer,
                                                       .serial = 2,
                                                       .key_usage = "critical,digitalSignature",
                                                       .eku = "OCSPSigning",
                                                       .no_check = 1});
        response.certificates[n++] = response.signer->x509;
    }
    if (one->with_root)
        response.certificates[n] = root->x509;
    return pki_respond(pool, &response);
}

static bench_t prepare(apr_pool_t *parent, const case_t *one)
{
    bench_t bench = {.policy = {.now = PKI_NOW, .open_ended = PKI_HOUR, .error_keep = PKI_HOUR}};
    pki_id_t *root, *issuer, *certificate;
    const char *reason;

    apr_pool_create(&bench.pool, parent);
    apr_pool_create(&bench.scratch, bench.pool);
    root = pki_make_ca(bench.pool, "Root", one->key, NULL);
    issuer = pki_make_ca(bench.pool, "Issuer", one->key, root);
    bench.der = respond(bench.pool, one, issuer, root);

    certificate = pki_make(bench.pool, &(pki_spec_t){.cn = "www.example.com", .issuer = issuer, .serial = SERIAL});
    if (oc_cert_from_x509(&bench.cert, certificate->x509, issuer->x509, oc_issuer_set_create(bench.pool), bench.pool,
                          &reason)
            != APR_SUCCESS
        || oc_cert_subject(bench.cert, &bench.subject, bench.pool) != APR_SUCCESS)
        stop(reason);
    bench.id = OCSP_cert_to_id(EVP_sha1(), certificate->x509, issuer->x509);
    bench.store = X509_STORE_new();
    bench.issuers = sk_X509_new_null();
    if (!X509_STORE_add_cert(bench.store, issuer->x509) || !sk_X509_push(bench.issuers, issuer->x509))
        stop("no memory");
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(bench.store), (time_t)apr_time_sec(PKI_NOW));
    return bench;
}

static void tear_down(bench_t *bench)
{
    OCSP_CERTID_free(bench->id);
    X509_STORE_free(bench->store);
    sk_X509_free(bench->issuers);
    apr_pool_destroy(bench->pool);
}

/* ---- time ---- */

/* Processor time: other work on the machine does not count. */
static double microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* @return of one call, on average */
static double measure(side_t *side, const bench_t *bench, int calls)
{
    double begin = microseconds();

    for (int i = 0; i < calls; i++)
        side(bench);
    return (microseconds() - begin) / calls;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void report(const case_t *one, double *mine, double *theirs, double *parsing, int rounds)
{
    double ratio[ROUNDS_MAX];
    int middle = rounds / 2;

    for (int i = 0; i < rounds; i++)
        ratio[i] = mine[i] / theirs[i];
    qsort(mine, (size_t)rounds, sizeof(*mine), compare);
    qsort(theirs, (size_t)rounds, sizeof(*theirs), compare);
    qsort(ratio, (size_t)rounds, sizeof(*ratio), compare);
    qsort(parsing, (size_t)rounds, sizeof(*parsing), compare);
    printf("| %-45s | %6.1f us | %6.1f us | %.2f (%.2f to %.2f) | at most %.1f | %-6s | %6.1f us |\n", one->name,
           mine[middle], theirs[middle], ratio[middle], ratio[rounds / 4], ratio[rounds * 3 / 4], one->aim,
           ratio[middle] <= one->aim ? "met" : "missed", parsing[middle]);
    fflush(stdout);
}

static void run(apr_pool_t *pool, const case_t *one, int rounds)
{
    double mine[ROUNDS_MAX], theirs[ROUNDS_MAX], parsing[ROUNDS_MAX];
    bench_t bench = prepare(pool, one);
    int calls = 1 + (int)(SLICE_US / measure(ours, &bench, 20)); /* these 20 warm up, too */

    measure(openssl, &bench, calls);
    for (int i = 0; i < rounds; i++) {
        if (i % 2)
            theirs[i] = measure(openssl, &bench, calls);
        mine[i] = measure(ours, &bench, calls);
        if (i % 2 == 0)
            theirs[i] = measure(openssl, &bench, calls);
        parsing[i] = measure(parse_issuer, &bench, calls);
    }
    report(one, mine, theirs, parsing, rounds);
    tear_down(&bench);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
    apr_pool_t *pool;

    if (argc > 2 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_verify [ROUNDS], at most %d\n", ROUNDS_MAX);
        return 2;
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    printf("Processor time of one verification, median of %d rounds; ratio: median (quartiles). %s.\n\n", rounds,
           OpenSSL_version(OPENSSL_VERSION));
    printf("| response | mod_ocsp_cache | OpenSSL | ratio | aim | | parsing the issuer |\n"
           "|---|--:|--:|--:|--:|---|--:|\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run(pool, &cases[i], rounds);
    apr_pool_destroy(pool);
    return 0;
}
